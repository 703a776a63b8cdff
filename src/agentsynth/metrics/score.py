"""What a score is: its definition, its value beside a ceiling and a floor, and how an undefined one is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agentsynth.errors import AgentSynthError

Better = Literal["higher", "lower"]


class CannotScoreError(AgentSynthError):
    """A score is undefined for these tables; the message says why."""


@dataclass(frozen=True)
class Definition:
    """The name and the goal of a score; each metric's file holds its own."""

    name: str
    better: Better
    meaning: str
    """In a few words, what it measures and which value is perfect; shown beside the figure."""


class Score(BaseModel):
    """One figure and the two it is to be read against; None where it cannot be computed (`note` says why)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    value: float | None
    ceiling: float | None = None
    """The same score of another real sample: nothing beats it except by luck or by copying."""
    floor: float | None = None
    """The same score of the training rows with every column shuffled: what ignoring all relations gives."""
    better: Better
    meaning: str
    note: str | None = None


Thunk = Callable[[], float]


def score(definition: Definition, value: Thunk, ceiling: Thunk, floor: Thunk) -> Score:
    """Compute a score with its ceiling and floor; what cannot be computed becomes None with its reason in `note`."""
    figures, reasons = zip(*(_attempt(thunk) for thunk in (value, ceiling, floor)), strict=True)
    labels = ("", "ceiling: ", "floor: ")
    notes = [label + reason for label, reason in zip(labels, reasons, strict=True) if reason]
    if reasons[0]:  # The ceiling and the floor of an undefined score need no excuse of their own.
        notes = notes[:1]
    return Score(
        name=definition.name,
        value=figures[0],
        ceiling=figures[1],
        floor=figures[2],
        better=definition.better,
        meaning=definition.meaning,
        note="; ".join(notes) or None,
    )


def _attempt(thunk: Thunk) -> tuple[float | None, str | None]:
    try:
        return float(thunk()), None
    except CannotScoreError as reason:
        return None, str(reason)

"""What was written: a table in parts, told from what each part says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agentsynth.scenarios.report import Reached, ScenarioReport
from agentsynth.streaming.parts import Footer
from agentsynth.task import Cost


@dataclass(frozen=True)
class Goal:
    """How a table in parts stands to one target of its scenario.

    Attributes:
        whole: over all rows. Of shares, means and totals exactly; of other numbers (medians, ...) the mean over parts,
            which differs from it by less than parts do from each other.
        lowest, highest: over single parts.
    """

    whole: Reached
    lowest: float
    highest: float


@dataclass(frozen=True)
class Written:
    """A table in a folder.

    Attributes:
        url: of the folder.
        rows: in all parts.
        entities: in all parts; None: rows are no entities'.
        parts: how many there are.
        kept: how many of them were there before.
        goals: one for each target of the scenario.
        report: of the scenario; targets over the whole table, what else moved over its first part. None: no scenario.
    """

    url: str
    rows: int
    parts: int
    kept: int
    goals: tuple[Goal, ...] = ()
    entities: int | None = None
    report: ScenarioReport | None = None

    @classmethod
    def of(cls, url: str, parts: Sequence[Footer], kept: int) -> Written:
        """Return what is in a folder, given what its parts say of themselves, in order."""
        rows, known = sum(part.rows for part in parts), [part.entities for part in parts if part.entities is not None]
        goals, entities = _goals(parts), sum(known) if known else None
        report = _report(parts, goals, rows if entities is None else entities)
        return cls(url, rows, len(parts), kept, goals, entities, report)

    def checked(self) -> Written:
        """Return the same.

        Raises:
            ScenarioError: a goal fell short; the message says which, why, and by how much.
        """
        if self.report is not None:
            self.report.check(
                f" Parts that were made stay in {self.url}; where this may be, the same call without `strict` goes on."
            )
        return self


def _goals(parts: Sequence[Footer]) -> tuple[Goal, ...]:
    every = np.array([part.weights for part in parts], dtype=np.float64).T
    targets = zip(*(part.targets for part in parts), strict=True)
    return tuple(_goal(found, weights) for found, weights in zip(targets, every, strict=True))


def _goal(targets: Sequence[Reached], weights: NDArray[np.float64]) -> Goal:
    """Return how parts stand to one target together, given what each of them counts for."""
    found = np.array([target.reached for target in targets])
    known = ~np.isnan(found)
    mean = float(np.average(found[known], weights=weights[known])) if known.any() else float("nan")
    low, high = (float(end.reduce(found)) for end in (np.fmin, np.fmax))
    whole = replace(targets[0], reached=mean)
    reason = "" if whole.met else next((target.reason for target in targets if target.reason), "")
    return Goal(replace(whole, reason=reason), low, high)


def _report(parts: Sequence[Footer], goals: Sequence[Goal], rows: int) -> ScenarioReport | None:
    """Return the report of the whole: what else moved is that of the first part."""
    first, cost = parts[0].report if parts else None, Cost.total(part.cost for part in parts)
    if first is None:
        return None
    targets, seen = tuple(goal.whole for goal in goals), first.rows if len(parts) > 1 else None
    return replace(first, rows=rows, drawn=cost.drawn, effective=cost.effective, targets=targets, seen=seen)

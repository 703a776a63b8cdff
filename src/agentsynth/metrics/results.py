"""The report: every score beside its ceiling and floor, and the figures of columns and pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from agentsynth.errors import InputError
from agentsynth.files import read_json, write_json
from agentsynth.metrics.score import Score
from agentsynth.metrics.text import report_text
from agentsynth.metrics.values import ValueKind

PRIVACY = ("exact_copies", "nearer_to_training", "membership_inference")
"""Scores that tell how near rows are to training rows."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnReport(_Model):
    """One compared column; None where a figure is undefined. Datetimes count in seconds (since 1970)."""

    name: str
    kind: ValueKind
    shape: float
    """Shape similarity to the unseen rows."""
    shape_ceiling: float
    """The same of another real sample."""
    difference: float
    """Distribution difference: Kolmogorov-Smirnov statistic, or total variation of categories."""
    real_mean: float | None
    synthetic_mean: float | None
    mean_difference: float | None
    """(Synthetic - real) / real standard deviation."""
    real_std: float | None
    synthetic_std: float | None
    std_difference: float | None
    """Synthetic / real - 1."""
    real_missing: float
    synthetic_missing: float
    valid: float
    """Share of valid cells."""


class PairReport(_Model):
    """Two compared columns: how alike their joint distribution is to that of the unseen rows."""

    first: str
    second: str
    similarity: float
    ceiling: float


class Report(_Model):
    """A synthetic table judged against unseen real rows; columns and pairs stand worst first."""

    format: Literal[1] = 1
    rows: dict[str, int]
    """Table -> its number of rows: train, test, synthetic, and other_real where given."""
    scores: dict[str, Score]
    columns: list[ColumnReport]
    pairs: list[PairReport]
    target: str | None
    """The column that utility predicts."""

    @property
    def similarity(self) -> float:
        """The held-out distribution similarity: the mean of shape and pairs (shape alone where there is no pair)."""
        return _mean([self.scores[name].value for name in ("shape", "pairs")])

    @property
    def similarity_ceiling(self) -> float:
        """The similarity of another real sample."""
        return _mean([self.scores[name].ceiling for name in ("shape", "pairs")])

    @property
    def similarity_floor(self) -> float:
        """The similarity of the training rows with shuffled columns."""
        return _mean([self.scores[name].floor for name in ("shape", "pairs")])

    @property
    def similarity_score(self) -> Score:
        """The similarity as a score, beside its ceiling and floor."""
        return Score(
            name="similarity",
            value=self.similarity,
            ceiling=self.similarity_ceiling,
            floor=self.similarity_floor,
            better="higher",
            meaning="mean of shape and pairs",
        )

    @property
    def likeness(self) -> list[Score]:
        """The similarity, and the scores that are not about privacy."""
        return [self.similarity_score, *(score for name, score in self.scores.items() if name not in PRIVACY)]

    @property
    def privacy(self) -> list[Score]:
        """The scores that are about privacy."""
        return [score for name, score in self.scores.items() if name in PRIVACY]

    def metrics(self) -> dict[str, float]:
        """Return what is known as flat figures: `similarity` and each score, with their `ceiling/` and `floor/`."""
        flat: dict[str, float | None] = {}
        for score in (self.similarity_score, *self.scores.values()):
            name = score.name
            flat |= {name: score.value, f"ceiling/{name}": score.ceiling, f"floor/{name}": score.floor}
        return {name: value for name, value in flat.items() if value is not None}

    def to_text(self) -> str:
        """Return the report as tables for people to read."""
        return report_text(self)

    def save(self, path: str | Path) -> None:
        """Write the report as JSON; what is undefined is null."""
        write_json(path, self.model_dump(mode="json"))

    @classmethod
    def load(cls, path: str | Path) -> Report:
        """Read a report written by `save`.

        Raises:
            InputError: the file is missing or is not a report.
        """
        try:
            return cls.model_validate(read_json(path))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InputError(f"{path} is not a report of this version: {place}: {first['msg']}.") from error


def _mean(values: list[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known)

"""The scores of a page: each one on a scale, beside its ceiling and its floor."""

from __future__ import annotations

from dataclasses import dataclass

from agentsynth.metrics.report import Report
from agentsynth.metrics.results import PRIVACY
from agentsynth.metrics.score import Score
from agentsynth.metrics.text import score_text
from agentsynth.pages.words import FAIR, Words, words

TILES = ("similarity", "detection", "utility", "membership_inference")
"""The scores of the summary: likeness, the strictest test, use, privacy."""
APART = 0.02
"""A floor and a ceiling that differ by less are one place, for all that can be told."""


@dataclass(frozen=True)
class Mark:
    """A figure on a scale."""

    kind: str
    """`ours`, `ceiling` (another real sample), `floor` (shuffled columns) or `fair`."""
    name: str
    text: str
    percent: float
    """Where on the scale, from 0 (left) to 100."""


@dataclass(frozen=True)
class Scale:
    """A score as a page shows it."""

    name: str
    words: Words
    value: str
    better: str
    marks: tuple[Mark, ...]
    note: str
    """What could not be computed, and why; empty: nothing."""
    target: str = ""
    """The column that utility predicts."""
    way: str = ""
    """Where ours stands between floor and ceiling, in words; empty where these are no two places."""

    @property
    def label(self) -> str:
        """The marks in one sentence."""
        return f"{self.words.title}: " + ", ".join(f"{mark.name} {mark.text}" for mark in self.marks)


NAMES = {"ours": "ours", "ceiling": "another real", "floor": "shuffled columns", "fair": "fair"}


def likeness_scales(report: Report) -> list[Scale]:
    """Return the scales of all scores that are not about privacy, similarity first."""
    return [_scale(score, report) for score in report.likeness]


def privacy_scales(report: Report) -> list[Scale]:
    """Return the scales of the scores that are about privacy."""
    return [_scale(score, report) for score in report.privacy]


def tiles(report: Report) -> list[Scale]:
    """Return the scales of the summary."""
    known = {score.name: score for score in (report.similarity_score, *report.scores.values())}
    return [_scale(known[name], report) for name in TILES if name in known]


def _scale(score: Score, report: Report) -> Scale:
    figures = {"floor": score.floor, "ceiling": score.ceiling, "fair": FAIR.get(score.name), "ours": score.value}
    longest = max(1.0, *(value for value in figures.values() if value is not None), 1.0)
    shown = figures if score.value is not None else {}
    marks = [
        Mark(kind, NAMES[kind], score_text(value) if kind != "fair" else f"{value:g}", _percent(value, longest))
        for kind, value in shown.items()
        if value is not None
    ]
    target = report.target if score.name == "utility" and report.target else ""
    value = score_text(score.value)
    return Scale(score.name, words(score), value, score.better, tuple(marks), score.note or "", target, _way(score))


def _way(score: Score) -> str:
    ends = score.floor, score.ceiling
    if score.name in PRIVACY or score.value is None or ends[0] is None or ends[1] is None:
        return ""
    if abs(ends[1] - ends[0]) < APART:
        return ""
    way = (score.value - ends[0]) / (ends[1] - ends[0])
    if way < 0:
        return "worse than shuffled columns"
    return "beyond another real sample" if way > 1 else f"{100 * way:.0f} % of the way from shuffled to real"


def _percent(value: float, longest: float) -> float:
    return round(100 * min(max(value / longest, 0.0), 1.0), 2)

"""The pairs of a page: a heat map whose lower half is ours and whose upper half another real sample's."""

from __future__ import annotations

import math
from dataclasses import dataclass

from agentsynth.metrics.report import PairReport, Report
from agentsynth.metrics.text import score_text
from agentsynth.plots.style import shorten

MOST = 50
"""Columns of the heat map: those with the worst pairs."""
WORST = 10
"""Pairs named below it."""
SMALL = 10
"""Columns up to which the similarities are written into the cells."""


@dataclass(frozen=True)
class Cell:
    """A pair in one half of the heat map."""

    row: int
    column: int
    title: str
    text: str
    strength: float
    """0 (the same shares) to 1 (the worst of all)."""


@dataclass(frozen=True)
class Pairs:
    """The pairs of columns of a table."""

    names: tuple[str, ...]
    cells: tuple[Cell, ...]
    least: float
    """The similarity at the dark end of the scale."""
    worst: tuple[tuple[str, str, str, str], ...]
    """(first, second, similarity, ceiling), worst first."""
    count: int
    """Pairs in all."""
    left_out: int
    """Columns that have no row in the heat map."""
    written: bool
    """Whether the similarities stand in the cells."""


def pairs(report: Report) -> Pairs | None:
    """Return the pairs of a report; None: the table has one column."""
    if not report.pairs:
        return None
    names = _names(report)
    places = {name: place for place, name in enumerate(names)}
    shown = [pair for pair in report.pairs if pair.first in places and pair.second in places]
    lowest = min(min(pair.similarity, pair.ceiling) for pair in shown)
    least = min(math.floor(10 * lowest) / 10, 0.9)
    written = len(names) <= SMALL
    cells = [cell for pair in shown for cell in _cells(pair, places, least, written=written)]
    worst = [
        (pair.first, pair.second, score_text(pair.similarity), score_text(pair.ceiling))
        for pair in report.pairs[:WORST]
    ]
    left_out = len(report.columns) - len(names)
    return Pairs(
        tuple(shorten(name, 18) for name in names),
        tuple(cells),
        least,
        tuple(worst),
        len(report.pairs),
        left_out,
        written,
    )


def _names(report: Report) -> list[str]:
    """Return the columns of the heat map, those with the worst pairs if they are too many, as the table has them."""
    worst_first = dict.fromkeys(name for pair in report.pairs for name in (pair.first, pair.second))
    kept = set(list(worst_first)[:MOST])
    # A pair names its columns in the order of the table.
    return sorted(kept, key=_order(report).__getitem__)


def _order(report: Report) -> dict[str, int]:
    """Return column -> its place in the table, told by how often it comes first in a pair."""
    last = len(report.columns)
    places = {column.name: last for column in report.columns}
    for pair in report.pairs:
        places[pair.first] -= 1
    return places


def _cells(pair: PairReport, places: dict[str, int], least: float, *, written: bool) -> list[Cell]:
    """Return the two cells of a pair: below the diagonal ours, above it another real sample's."""
    low, high = sorted((places[pair.first], places[pair.second]))
    title = f"{shorten(pair.first, 28)} and {shorten(pair.second, 28)}: ours {pair.similarity:.3f}, "
    title += f"another real sample {pair.ceiling:.3f}"
    halves = (high, low, pair.similarity), (low, high, pair.ceiling)
    return [
        Cell(row, column, title, f"{value:.2f}".lstrip("0") if written else "", _strength(value, least))
        for row, column, value in halves
    ]


def _strength(value: float, least: float) -> float:
    return round(min(max((1 - value) / (1 - least), 0.0), 1.0), 3)

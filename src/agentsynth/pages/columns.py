"""The columns of a page, worst first: figures of the real and the synthetic column side by side, and their pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from agentsynth.data.schema import Column, Schema
from agentsynth.data.typed import typed
from agentsynth.metrics.report import ColumnReport, Report
from agentsynth.metrics.text import mean_text, percent_text, score_text, spread_text
from agentsynth.metrics.values import compared
from agentsynth.pages.figures import panel_svg
from agentsynth.plots.columns import column_panels

DRAWN = 48
"""Columns that have a picture; of the others, which differ less, there are figures only."""
LISTED = 200
"""Columns that are shown at all."""


@dataclass(frozen=True)
class Picture:
    """A panel of a column."""

    title: str
    svg: str


@dataclass(frozen=True)
class Card:
    """A column as a page shows it."""

    name: str
    kind: str
    similarity: str
    ceiling: str
    figures: tuple[tuple[str, str, str], ...]
    """(what, real, synthetic)."""
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Columns:
    """The columns of a table, worst first."""

    cards: tuple[Card, ...]
    left_out: int
    """Columns beyond `LISTED`, which differ least."""


def columns(report: Report, real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> Columns:
    """Return the columns of two tables, as they were read, worst first.

    Raises:
        SchemaError: a table does not fit the schema.
        MissingPackageError: matplotlib is not installed.
    """
    first, second = (compared(typed(table, schema), schema) for table in (real, synthetic))
    cards = []
    for place, column in enumerate(report.columns[:LISTED]):
        pair = first[column.name], second[column.name]
        pictures = _pictures(schema[column.name], *pair, place) if place < DRAWN else ()
        cards.append(_card(column, *pair, pictures))
    return Columns(tuple(cards), len(report.columns) - len(cards))


def _card(column: ColumnReport, real: pd.Series[Any], synthetic: pd.Series[Any], pictures: tuple[Picture, ...]) -> Card:
    if column.kind == "categorical":
        figures = [("levels", f"{real.nunique():,}", f"{synthetic.nunique():,}")]
    else:
        figures = [
            ("mean", mean_text(column.real_mean, column), mean_text(column.synthetic_mean, column)),
            ("std", spread_text(column.real_std, column), spread_text(column.synthetic_std, column)),
        ]
    figures.append(("missing", percent_text(column.real_missing), percent_text(column.synthetic_missing)))
    figures.append(("valid cells", "", percent_text(column.valid)))
    return Card(
        column.name, column.kind, score_text(column.shape), score_text(column.shape_ceiling), tuple(figures), pictures
    )


def _pictures(column: Column, real: pd.Series[Any], synthetic: pd.Series[Any], place: int) -> tuple[Picture, ...]:
    def label(title: str) -> str:
        return f"Distribution of {title}: real rows filled, synthetic rows as a line or second bar"

    panels = column_panels(column, real, synthetic)
    return tuple(
        Picture(panel.title, panel_svg(panel.draw, f"column {place} {number}", label(panel.title), height=panel.height))
        for number, panel in enumerate(panels)
    )

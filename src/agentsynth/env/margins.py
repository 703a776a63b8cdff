"""Margins: one way of sorting a table's rows into the cells of a single histogram."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.base.calendar import MICROSECONDS, split_datetime, weekday_and_month
from agentsynth.data.schema import Column, Schema

Aspect = Literal["value", "label", "date", "month", "weekday", "hour"]
OTHER = "(other)"
CALENDAR_CELLS: dict[Aspect, range] = {"month": range(1, 13), "weekday": range(7), "hour": range(24)}
MOST_LABELS = 60
"""Labels beyond the most frequent ones share a cell."""
SHORTEST_YEAR_DAYS = 300
"""A datetime column that spans less has no yearly season to speak of."""


@dataclass(frozen=True)
class Margin:
    """One histogram over an aspect of a column; its last cell holds the missing values (and what is off the calendar).

    Attributes:
        edges: (cells - 2,) values and dates: the cell of x is the number of edges <= x.
        labels: labels: the label of each cell, `OTHER` last.
    """

    column: str
    aspect: Aspect
    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`column`, or `column.aspect` for an aspect of a datetime."""
        return self.column if self.aspect in ("value", "label") else f"{self.column}.{self.aspect}"

    @property
    def ordered(self) -> bool:
        """Whether neighbouring cells are close: their error is then counted on cumulative shares."""
        return self.aspect in ("value", "date")

    @property
    def size(self) -> int:
        """Number of cells, the one for missing values included."""
        if self.aspect == "label":
            return len(self.labels) + 1
        return (len(CALENDAR_CELLS[self.aspect]) if self.aspect in CALENDAR_CELLS else len(self.edges) + 1) + 1

    def codes(self, frame: pd.DataFrame) -> NDArray[np.int32]:
        """Return the cell (rows,) of each row of a typed frame."""
        series = frame[self.column]
        if self.aspect == "label":
            return self._label_codes(series)
        numbers = numbers_of(series, self.aspect)
        missing = np.isnan(numbers)
        if self.aspect in CALENDAR_CELLS:
            cells = np.where(missing, 0, numbers) - CALENDAR_CELLS[self.aspect][0]
        else:
            cells = np.searchsorted(self.edges, np.where(missing, 0.0, numbers), side="right")
        return np.where(missing, self.size - 1, cells).astype(np.int32)

    def _label_codes(self, series: pd.Series[Any]) -> NDArray[np.int32]:
        codes, seen = pd.factorize(series, sort=False)
        index = {label: code for code, label in enumerate(self.labels)}
        other = index.get(OTHER, self.size - 1)
        table = np.array([*(index.get(str(label), other) for label in seen), self.size - 1], dtype=np.int32)
        found: NDArray[np.int32] = table[codes]
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the margin as plain values."""
        return {"column": self.column, "aspect": self.aspect, "edges": list(self.edges), "labels": list(self.labels)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Margin:
        """Build the margin that `to_json` described."""
        edges = tuple(float(edge) for edge in value["edges"])
        return cls(str(value["column"]), value["aspect"], edges, tuple(value["labels"]))


def numbers_of(series: pd.Series[Any], aspect: str) -> NDArray[np.float64]:
    """Return an aspect (rows,) of a typed column: the value, days since 1970, month 1-12, weekday 0-6, or hour 0-23."""
    if not np.issubdtype(series.dtype, np.datetime64):  # type: ignore[arg-type]  # typed columns are numpy-backed
        return series.to_numpy(np.float64)
    clock = "hour" if aspect == "hour" else "microsecond"
    days, time = split_datetime(series, "day", clock)
    if aspect == "hour":
        return time
    if aspect in ("date", "value"):
        return days + time * (MICROSECONDS["microsecond"] / (24 * MICROSECONDS["hour"]))
    missing = np.isnan(days)
    weekday, month = weekday_and_month(np.where(missing, 0, days))
    return np.where(missing, np.nan, month if aspect == "month" else weekday)


def fit_margins(frame: pd.DataFrame, schema: Schema, bins: int) -> list[Margin]:
    """Return the margins of every compared column of a typed frame, each with at most about `bins` cells of numbers."""
    return [
        margin for column in schema.by_name.compared for margin in _column_margins(column, frame[column.name], bins)
    ]


def coarsen(margin: Margin, frame: pd.DataFrame, bins: int) -> Margin:
    """Return a margin of at most about `bins` cells (and missing) for use in pairs; calendar margins stay."""
    if margin.aspect == "label":
        return label_margin(margin.column, frame[margin.column], bins)
    if margin.ordered:
        return _number_margin(margin.column, margin.aspect, numbers_of(frame[margin.column], margin.aspect), bins)
    return margin


def label_margin(column: str, series: pd.Series[Any], most: int) -> Margin:
    """Return the margin of a label column's `most` most frequent labels."""
    counts = series.dropna().value_counts()
    order = sorted(counts.index, key=lambda label: (-int(counts[label]), str(label)))
    labels = [str(label) for label in order[:most]]
    return Margin(column, "label", labels=tuple([*labels, OTHER] if len(order) > most else labels))


def _column_margins(column: Column, series: pd.Series[Any], bins: int) -> list[Margin]:
    if column.is_label:
        return [label_margin(column.name, series, MOST_LABELS)]
    if not np.issubdtype(series.dtype, np.datetime64):  # type: ignore[arg-type]  # typed columns are numpy-backed
        return [_number_margin(column.name, "value", series.to_numpy(np.float64), bins)]
    dates = numbers_of(series, "date")
    margins = [_number_margin(column.name, "date", dates, bins)]
    if not np.isnan(dates).all():
        margins += [Margin(column.name, aspect) for aspect in _calendar_aspects(column, dates)]
    return margins


def _calendar_aspects(column: Column, dates: NDArray[np.float64]) -> list[Aspect]:
    aspects: list[Aspect] = []
    if np.nanmax(dates) - np.nanmin(dates) >= SHORTEST_YEAR_DAYS and column.step != "year":
        aspects.append("month")
    if column.step not in ("year", "month"):
        aspects.append("weekday")
    if column.step not in ("year", "month", "day"):
        aspects.append("hour")
    return aspects


def _number_margin(column: str, aspect: Aspect, numbers: NDArray[np.float64], bins: int) -> Margin:
    """Cut at quantiles; a value that repeats a lot fills a cell of its own, as two quantiles fall on it."""
    known = np.sort(numbers[~np.isnan(numbers)])
    if not len(known):
        return Margin(column, aspect)
    distinct = np.unique(known)
    if len(distinct) <= bins:
        return Margin(column, aspect, edges=tuple(float(edge) for edge in distinct[1:]))
    picks = known[np.floor(np.arange(1, bins) / bins * len(known)).astype(np.intp)]
    edges = np.unique(picks)
    # A heap's cell ends just after the heap: the next distinct value begins another cell.
    heaps = edges[np.bincount(np.searchsorted(edges, picks), minlength=len(edges)) > 1]
    after = distinct[np.minimum(np.searchsorted(distinct, heaps, side="right"), len(distinct) - 1)]
    return Margin(
        column,
        aspect,
        edges=tuple(float(edge) for edge in np.unique(np.concatenate([edges, after])) if edge > known[0]),
    )

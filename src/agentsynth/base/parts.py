"""The parts that a table's columns are coded by: numbers, dates, times of day, labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.base.calendar import DATE_UNITS, MICROSECONDS, split_datetime, weekday_and_month
from agentsynth.base.endings import ending_steps, landed
from agentsynth.data.bounds import excess, steps_since
from agentsynth.data.schema import Column

Floats = NDArray[np.float64]
MISSING = -1.0
"""Code of a missing value in an ordered part: one below the smallest value."""
FREQUENT = 5
"""Training rows whose common value is one to keep: a heap, a price point, a zero."""

Role = Literal["number", "date", "time", "label"]


@dataclass(frozen=True)
class Part:
    """One modelled quantity: a column, or the date or the time of day of a datetime column.

    Ordered parts (number, date, time) are coded by the position of their value among the sorted distinct training
    values; a code between two integers stands for a value interpolated between two neighbours. Labels are coded by
    their position in `values`; a missing label is a level of its own.
    """

    column: str
    role: Role
    values: NDArray[Any]
    """(levels,) sorted distinct numbers, or labels (None = missing)."""
    counts: NDArray[np.int64]
    """(levels,) training rows with each value."""
    unit: str = ""
    """Date: year, month or day; time: the step in which the time of day is counted."""
    decimals: int | None = None
    excess: bool = False
    """Whether the numbers are the column's excess over its bounds."""
    most: float = np.inf
    """The largest training value of a column that has bounds (datetimes: in steps since 1970)."""
    smallest: float = -np.inf
    """The smallest training value of a column that is coded by its excess, likewise."""
    first: float = -np.inf
    """Time of day: the earliest on the first date."""
    last: float = np.inf
    """Time of day: the latest on the last date."""

    @property
    def ordered(self) -> bool:
        """Whether the codes have an order (numbers, dates, times)."""
        return self.role != "label"

    @property
    def width(self) -> int:
        """Features this part offers to the trees of later parts (a date adds weekday and month)."""
        return 3 if self.role == "date" and self.unit == "day" else 1

    @cached_property
    def kept(self) -> NDArray[np.bool_]:
        """Whether (levels,) a training value is kept where it is drawn; else it gives way to a neighbour of it.

        Only what `FREQUENT` rows share is kept: the rest would tell of single rows (the frequency rule of disclosure
        control: Hundepool et al. 2012, Statistical Disclosure Control, ch. 4).
        """
        return self.counts >= FREQUENT

    @cached_property
    def steps(self) -> Floats:
        """By multiples of what (levels,) a number may be moved, so that it ends as numbers of the column do."""
        decimals = self.decimals if self.role == "number" else None
        return ending_steps(self.values.astype(np.float64), self.counts, decimals, FREQUENT)

    def features(self, codes: Floats) -> list[Floats]:
        """Return the features, each (rows,), that trees of later parts may split on."""
        if self.width == 1:
            return [codes]
        known = codes >= 0
        weekday, month = weekday_and_month(np.where(known, self.numbers(codes), 0))
        return [codes, np.where(known, weekday, MISSING), np.where(known, month, MISSING)]

    def numbers(self, codes: Floats) -> Floats:
        """Return the numbers that ordered `codes` (rows,) stand for; missing -> NaN."""
        if not len(self.values):
            return np.full(len(codes), np.nan)
        values = self.values.astype(np.float64)
        inside = np.clip(codes, 0, len(values) - 1)
        place = inside.astype(np.intp)
        low, part = values[place], inside - place
        with np.errstate(over="ignore", invalid="ignore"):
            between = low + (values[np.minimum(place + 1, len(values) - 1)] - low) * part
        # Clipped, as the difference of two huge numbers may be infinite.
        found = np.clip(np.where(part == 0, low, between), values[0], values[-1])
        if self.role != "number":
            found = np.rint(found)
        elif self.decimals is not None:
            # A code that is a whole number stands for a training value, which is rounded already.
            found = np.where(codes == np.floor(codes), found, np.round(found, self.decimals))
        return np.where(codes < 0, np.nan, found)

    def landed(self, moved: Floats, codes: Floats) -> Floats:
        """Return `moved` (rows,), what became of whole `codes` (rows,), as codes of numbers that end as theirs do."""
        level = codes.astype(np.intp)
        numbers, steps = self.numbers(moved), self.steps[level]
        stepped = landed(numbers, self.values[level].astype(np.float64), steps)
        if self.decimals is not None:
            stepped = np.round(stepped, self.decimals)
        # Numbers without steps may be so large or so small that rounding them would leave nothing.
        numbers = np.clip(np.where(steps > 0, stepped, numbers), self.values[0], self.values[-1])
        place = np.minimum(np.searchsorted(self.values, numbers), len(self.values) - 1)
        # Whole codes are those of training values exactly, whatever interpolation makes of them; and the smallest
        # numbers there are cannot be interpolated at all.
        codes = np.where(steps > 0, self.codes(numbers), moved)
        return np.where(self.values[place] == numbers, place, codes)

    def codes(self, numbers: Floats) -> Floats:
        """Return the codes of `numbers` (rows,): positions among the training values, interpolated; NaN -> -1."""
        if not len(self.values):
            return np.full(len(numbers), MISSING)
        position = np.interp(numbers, self.values.astype(np.float64), np.arange(len(self.values)))
        return np.where(np.isnan(numbers), MISSING, position)


def parts_of(column: Column, frame: pd.DataFrame) -> list[Part]:
    """Return the parts of a column of the typed `frame`; one coded by its excess has a single one."""
    if not column.above:
        return _own_parts(column, frame[column.name])
    values = frame[column.name].to_numpy()
    known = steps_since(values, column) if column.is_datetime else values
    most, smallest = float(np.nanmax(known, initial=-np.inf)), float(np.nanmin(known, initial=np.inf))
    if not column.excess:
        return [replace(part, most=most) for part in _own_parts(column, frame[column.name])]
    decimals = 0 if column.is_datetime else column.decimals
    part = _ordered(column.name, "number", excess(column, frame), "", decimals)
    return [replace(part, excess=True, most=most, smallest=smallest)]


def _own_parts(column: Column, series: pd.Series[Any]) -> list[Part]:
    if column.kind == "categorical":
        rows = series.value_counts()
        labels: list[str | None] = [*sorted(rows.index), *([None] if series.isna().any() else [])]
        counts = [int(series.isna().sum() if label is None else rows[label]) for label in labels]
        return [Part(column.name, "label", _objects(labels), np.array(counts, dtype=np.int64))]
    if column.kind == "numeric":
        return [_ordered(column.name, "number", series.to_numpy(np.float64), "", column.decimals)]
    unit = column.step if column.step in DATE_UNITS else "day"
    clock = column.step if column.step in MICROSECONDS else ""
    date, time = split_datetime(series, unit, clock)
    parts = [_ordered(column.name, "date", date, unit)]
    if clock:
        first, last = _ends(date, time)
        parts.append(replace(_ordered(column.name, "time", time, clock), first=first, last=last))
    return parts


def _ends(date: Floats, time: Floats) -> tuple[float, float]:
    """Return the earliest time of day on the first date, and the latest on the last one; infinite where all miss."""
    earliest, latest = np.fmin.reduce(date, initial=np.inf), np.fmax.reduce(date, initial=-np.inf)
    return float(time[date == earliest].min(initial=np.inf)), float(time[date == latest].max(initial=-np.inf))


def _ordered(column: str, role: Role, numbers: Floats, unit: str, decimals: int | None = None) -> Part:
    values, counts = np.unique(numbers[~np.isnan(numbers)], return_counts=True)
    return Part(column, role, values, counts.astype(np.int64), unit, decimals)


def _objects(values: list[Any]) -> NDArray[Any]:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def within(part: Part, code: Floats, days: Floats, dates: NDArray[Any]) -> Floats:
    """Return the codes of times of day, moved where with their date they lie before all training moments or after them.

    Such a time becomes a training one that may stand there, earlier and later ones as often; at the very end itself
    they would heap up.
    """
    if not len(part.values):
        return code
    times, highest = part.numbers(code), len(part.values) - 1
    moved = code.copy()
    early, late = (days == dates[:1]) & (times < part.first), (days == dates[-1:]) & (times > part.last)
    if early.any():
        start = np.searchsorted(part.values, part.first)
        moved[early] = np.rint(start + code[early] / start * (highest - start))
    if late.any():
        end = np.searchsorted(part.values, part.last)
        moved[late] = np.rint((code[late] - end) / (highest - end) * end)
    return moved

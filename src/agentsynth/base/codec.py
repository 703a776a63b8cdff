"""The codec: a typed frame <-> a matrix of codes, exactly invertible on the rows it was fitted on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from agentsynth.base.calendar import DATE_UNITS, MICROSECONDS, join_datetime, split_datetime, weekday_and_month
from agentsynth.data.schema import Column, Schema
from agentsynth.errors import SchemaError

Floats = NDArray[np.float64]
MISSING = -1.0
"""Code of a missing value in an ordered part: one below the smallest value."""

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
        # Clipped, as the difference of two huge numbers may be infinite.
        found = np.clip(np.interp(codes, np.arange(len(values)), values), values[0], values[-1])
        if self.role != "number":
            found = np.rint(found)
        elif self.decimals is not None:
            # A code that is a whole number stands for a training value, which is rounded already.
            found = np.where(codes == np.floor(codes), found, np.round(found, self.decimals))
        return np.where(codes < 0, np.nan, found)

    def codes(self, numbers: Floats) -> Floats:
        """Return the codes of `numbers` (rows,): positions among the training values, interpolated; NaN -> -1."""
        if not len(self.values):
            return np.full(len(numbers), MISSING)
        position = np.interp(numbers, self.values.astype(np.float64), np.arange(len(self.values)))
        return np.where(np.isnan(numbers), MISSING, position)


class Codec:
    """Typed frame <-> (rows, parts) codes.

    Args:
        schema: what the columns are; only its modelled columns are coded.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.parts: list[Part] = []

    def fit(self, frame: pd.DataFrame) -> Codec:
        """Learn the distinct values of every modelled column of the typed `frame`."""
        parts = [part for column in self.schema.modelled for part in _parts(column, frame[column.name])]
        self.parts = [part for part in parts if part.ordered or len(part.values)]
        self.parts = _order_labels(self.parts, self.encode(frame))
        return self

    def encode(self, frame: pd.DataFrame, *, lenient: bool = False) -> Floats:
        """Return the codes (rows, parts) of a typed frame.

        Args:
            frame: typed frame.
            lenient: read a label that was not in the training rows as the most frequent one, instead of refusing it.

        Raises:
            SchemaError: a column holds a label that was not in the training rows.
        """
        codes = np.empty((len(frame), len(self.parts)))
        for index, part in enumerate(self.parts):
            series = frame[part.column]
            if part.role == "label":
                codes[:, index] = _label_codes(part, series, lenient)
            else:
                codes[:, index] = part.codes(_numbers(part, series))
        return codes

    def decode(self, codes: Floats) -> pd.DataFrame:
        """Return the typed frame (modelled columns only) that `codes` (rows, parts) stand for."""
        columns: dict[str, Any] = {}
        waiting: dict[str, tuple[Part, Floats]] = {}
        for part, code in zip(self.parts, codes.T, strict=True):
            if part.role == "label":
                columns[part.column] = pd.Series(part.values[code.astype(np.intp)], dtype=object)
            elif part.role == "number":
                columns[part.column] = part.numbers(code)
            elif part.role == "date":
                waiting[part.column] = (part, part.numbers(code))
                columns[part.column] = join_datetime(part.numbers(code), part.unit, None, "")
            else:
                date, days = waiting[part.column]
                times = part.numbers(_within(part, code, days, date.values))
                columns[part.column] = join_datetime(days, date.unit, times, part.unit)
        return pd.DataFrame(columns, index=pd.RangeIndex(len(codes)))

    @property
    def feature_slices(self) -> list[slice]:
        """The columns of the feature matrix that belong to each part."""
        ends = np.cumsum([part.width for part in self.parts])
        return [slice(int(end) - part.width, int(end)) for part, end in zip(self.parts, ends, strict=True)]

    def features(self, codes: Floats) -> NDArray[np.float32]:
        """Return the feature matrix (rows, features) that trees look at."""
        found = np.empty((len(codes), sum(part.width for part in self.parts)), dtype=np.float32)
        for part, columns, code in zip(self.parts, self.feature_slices, codes.T, strict=True):
            found[:, columns] = np.column_stack(part.features(code))
        return found


def _parts(column: Column, series: pd.Series[Any]) -> list[Part]:
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


def _within(part: Part, code: Floats, days: Floats, dates: NDArray[Any]) -> Floats:
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


def _ordered(column: str, role: Role, numbers: Floats, unit: str, decimals: int | None = None) -> Part:
    values, counts = np.unique(numbers[~np.isnan(numbers)], return_counts=True)
    return Part(column, role, values, counts.astype(np.int64), unit, decimals)


def _objects(values: list[Any]) -> NDArray[Any]:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _numbers(part: Part, series: pd.Series[Any]) -> Floats:
    if part.role == "number":
        return series.to_numpy(np.float64)
    unit = part.unit if part.role == "date" else "day"
    date, time = split_datetime(series, unit, "" if part.role == "date" else part.unit)
    return date if part.role == "date" else time


def _label_codes(part: Part, series: pd.Series[Any], lenient: bool) -> Floats:
    index = {value: code for code, value in enumerate(part.values)}
    found, seen = pd.factorize(series, use_na_sentinel=False)
    labels = [None if pd.isna(label) else str(label) for label in seen]
    unknown = sorted({str(label) for label in labels if label not in index})
    if unknown and not lenient:
        raise SchemaError(f"column {part.column!r} holds {unknown[:5]}, which the training rows do not have.")
    common = int(part.counts.argmax())
    codes: Floats = np.array([index.get(label, common) for label in labels], dtype=np.float64)[found]
    return codes


def _order_labels(parts: list[Part], codes: Floats) -> list[Part]:
    """Order each part's labels along the first principal component of the ordered parts.

    A tree splits labels by a threshold on their codes, so labels that go with similar numbers should be neighbours.
    """
    score = _first_component(parts, codes)
    ordered = []
    for part, code in zip(parts, codes.T, strict=True):
        if part.role == "label":
            sums = np.bincount(code.astype(np.intp), weights=score, minlength=len(part.values))
            # Rounded, so that labels that tie do so on any machine; they then stay in alphabetical order.
            order = np.argsort(np.round(sums / part.counts, 9), kind="stable")
            part = Part(part.column, part.role, part.values[order], part.counts[order])
        ordered.append(part)
    return ordered


def _first_component(parts: list[Part], codes: Floats) -> Floats:
    columns = [
        _standardised(rankdata(code))
        for part, code in zip(parts, codes.T, strict=True)
        if part.ordered and len(part.values) > 1
    ]
    if not columns:
        return np.zeros(len(codes))
    matrix = np.column_stack(columns)
    _, vectors = np.linalg.eigh(matrix.T @ matrix)
    vector = vectors[:, -1]
    # The sign of an eigenvector is arbitrary: fix it by the first of its large entries (the very largest may be two,
    # equal but for rounding), so that the same rows give the same order on any machine.
    leading = np.argmax(np.abs(vector) > 0.9 * np.abs(vector).max())
    projection: Floats = matrix @ (vector * np.sign(vector[leading]))
    return projection


def _standardised(values: Floats) -> Floats:
    deviation = values.std()
    return (values - values.mean()) / deviation if deviation > 0 else np.zeros_like(values)

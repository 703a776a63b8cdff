"""The codec: a typed frame <-> a matrix of codes, exactly invertible on the rows it was fitted on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.base.calendar import join_datetime, split_datetime
from agentsynth.base.held import FREE, Held
from agentsynth.base.parts import MISSING, Floats, Part, parts_of, within
from agentsynth.data.bounds import bounds_first, check_bounds, excess, raised, with_excess
from agentsynth.data.schema import Schema
from agentsynth.errors import SchemaError

__all__ = ["MISSING", "Codec", "Floats", "Part"]

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Codec:
    """Typed frame <-> (rows, parts) codes.

    Args:
        schema: what the columns are; only its modelled columns are coded.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.parts: list[Part] = []

    def fit(self, frame: pd.DataFrame) -> Codec:
        """Learn the distinct values of every modelled column of the typed `frame`.

        Raises:
            SchemaError: a column is below one that the schema says it is never below, or such columns go in a circle.
        """
        columns = bounds_first(self.schema.by_name.modelled)
        check_bounds(frame, columns)
        parts = [part for column in columns for part in parts_of(column, frame)]
        self.parts = [part for part in parts if part.ordered or len(part.values)]
        self.parts = _order_labels(self.parts, self.encode(frame))
        return self

    def encode(self, frame: pd.DataFrame, *, lenient: bool = False, columns: Collection[str] | None = None) -> Floats:
        """Return the codes (rows, parts) of a typed frame.

        Args:
            frame: typed frame.
            lenient: read a label that was not in the training rows as the most frequent one, instead of refusing it.
            columns: only these are coded, the codes of others are 0; None: all.

        Raises:
            SchemaError: a column holds a label that was not in the training rows.
        """
        codes = np.zeros((len(frame), len(self.parts)))
        for index, part in enumerate(self.parts):
            if columns is not None and part.column not in columns:
                continue
            series = frame[part.column]
            if part.role == "label":
                codes[:, index] = _label_codes(part, series, lenient)
            elif part.excess:
                codes[:, index] = part.codes(excess(self.schema[part.column], frame))
            else:
                codes[:, index] = part.codes(_numbers(part, series))
        return codes

    def decode(self, codes: Floats, held: Held = FREE, given: Mapping[str, Any] = NOTHING) -> pd.DataFrame:
        """Return the typed frame (modelled columns only) that `codes` (rows, parts) stand for; every bound holds.

        Columns of `given` are as they are given, and not what their codes say.
        """
        names = [part.column for part in self.parts]
        return pd.DataFrame(self.columns(codes, names, held, given), index=pd.RangeIndex(len(codes)))

    def columns(
        self, codes: Floats, names: Collection[str], held: Held = FREE, given: Mapping[str, Any] = NOTHING
    ) -> dict[str, Any]:
        """Return some columns, and the bounds they have, by name: values (rows,) that `codes` (rows, parts) stand for.

        Args:
            codes: of all parts; only those of the columns are looked at.
            names: the columns.
            held: columns held to a value, which they have exactly.
            given: column -> its values (rows,), whatever its codes say.
        """
        columns: dict[str, Any] = {}
        waiting: dict[str, tuple[Part, Floats]] = {}
        wanted = self._with_bounds(names)
        for part, code in zip(self.parts, codes.T, strict=True):
            if part.column not in wanted:
                continue
            if part.column in given:
                columns[part.column] = given[part.column]
            elif part.role == "label":
                columns[part.column] = pd.Series(part.values[code.astype(np.intp)], dtype=object)
            elif part.role == "number":
                numbers = part.numbers(code)
                columns[part.column] = numbers if part.excess else held.settled(part.column, numbers)
            elif part.role == "date":
                waiting[part.column] = (part, part.numbers(code))
                columns[part.column] = join_datetime(part.numbers(code), part.unit, None, "")
            else:
                date, days = waiting[part.column]
                times = part.numbers(within(part, code, days, date.values))
                columns[part.column] = join_datetime(days, date.unit, times, part.unit)
        self._keep_bounds(columns, held, given)
        return columns

    def _with_bounds(self, names: Collection[str]) -> set[str]:
        """Return columns, their bounds, the bounds of these, and so on."""
        bounds = {bound for name in names for bound in self.schema[name].above}
        return {*names, *(self._with_bounds(bounds) if bounds else ())}

    def _keep_bounds(self, columns: dict[str, Any], held: Held, given: Mapping[str, Any]) -> None:
        """Add its bounds to an excess, and raise other columns to theirs; parts stand after those of their bounds."""
        for part in self.parts:
            column = self.schema[part.column]
            if part.column not in columns or part.column in given or not column.above or part.role == "time":
                continue
            values = columns[part.column]
            if part.excess:
                columns[part.column] = with_excess(column, values, columns, part.most, part.smallest)
            else:
                columns[part.column] = raised(column, values, columns, part.values, part.most)
            columns[part.column] = held.settled(part.column, columns[part.column])

    @property
    def first_known(self) -> Floats:
        """The codes (2, parts) of rows that have the first and the second known value of every part."""
        last = np.array([max(len(part.values) - 1, 0) for part in self.parts], dtype=np.float64)
        return np.minimum([[0.0], [1.0]], last)

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
    from scipy.stats import rankdata

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

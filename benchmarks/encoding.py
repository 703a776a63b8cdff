"""A table as the plain matrix that most synthesizers want, and back: what every rival's adapter shares.

No column is dropped that scores compare, and nothing is made harder than it is: numbers as they are, dates as days or
seconds since the earliest, levels as codes 0, 1, ... (missing is a level), and a number that may be missing as two
columns: a 0 / 1 level "missing", and the number, where missing NaN for those who can learn from it, for others an
observed value drawn at random. On the way back decimals, dtypes and date formats are restored as for our own rows. Ids
and constants are not scored: the first one of the training rows stands in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.inference import infer_schema
from agentsynth.data.schema import Schema
from agentsynth.data.typed import typed
from agentsynth.data.values import restore
from agentsynth.metrics.values import compared, kind_of, numbers
from agentsynth.seeding import stream

Floats = NDArray[np.float64]
DAY = 86_400.0
COARSE = ("year", "month", "day")
"""Steps of dates without a time of day."""


@dataclass(frozen=True)
class Feature:
    """One column of the matrix."""

    name: str
    """The table's column it belongs to."""
    levels: tuple[str | None, ...] | None = None
    """The labels that codes 0, 1, ... stand for; None: a number."""
    whole: bool = False
    """A number that is always whole."""
    flag: bool = False
    """Whether the column's number is missing: level 1 = yes."""
    origin: float = 0.0
    unit: float = 1.0
    """A date is origin + unit x number, in seconds since 1970."""

    @property
    def categorical(self) -> bool:
        """Whether it holds codes."""
        return self.levels is not None


@dataclass(frozen=True)
class Encoding:
    """How a table becomes a matrix.

    Attributes:
        schema: what the table's columns are.
        features: the matrix' columns, in the table's order; a flag stands just before its number.
        fillers: for ids and constants, the value to give back.
    """

    schema: Schema
    features: tuple[Feature, ...]
    fillers: dict[str, Any]

    @classmethod
    def learn(cls, train: pd.DataFrame) -> Encoding:
        """Learn from the table as it was read."""
        schema = infer_schema(train)
        frame = compared(typed(train, schema), schema)
        features = tuple(feature for name in frame.columns for feature in _features(frame[name], schema))
        others = [name for name in schema.names if name not in frame.columns]
        return cls(schema, features, {name: train[name].iloc[0] for name in others})

    def matrix(self, table: pd.DataFrame) -> Floats:
        """Return the matrix of a table as it was read, shape (rows, features), missing numbers as NaN.

        Every level of the table must be known: it is meant for the rows that it was learned from.
        """
        frame = compared(typed(table, self.schema), self.schema)
        return np.stack([self._encode(frame[feature.name], feature) for feature in self.features], axis=1)

    def filled(self, table: pd.DataFrame, seed: int) -> Floats:
        """Return the same with observed values, drawn at random, for NaN."""
        matrix, rng = self.matrix(table), stream(seed, "fill")
        for values in matrix.T:
            unknown = np.isnan(values)
            values[unknown] = rng.choice(values[~unknown], size=int(unknown.sum())) if unknown.any() else []
        return matrix

    def table(self, matrix: Floats) -> pd.DataFrame:
        """Return the table of a matrix (rows, features); codes are rounded and clipped to the known ones."""
        made: dict[str, pd.Series[Any]] = {}
        missing = {feature.name: matrix[:, place] >= 0.5 for place, feature in enumerate(self.features) if feature.flag}
        for place, feature in enumerate(self.features):
            if not feature.flag:
                made[feature.name] = self._decode(matrix[:, place], feature, missing.get(feature.name))
        return self.finish(pd.DataFrame(made))

    def finish(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a typed frame of the compared columns in the form the table had, ids and constants filled in."""
        finished = {column.name: restore(frame[column.name], column) for column in self.schema.compared}
        finished |= {name: pd.Series([value] * len(frame)) for name, value in self.fillers.items()}
        return pd.DataFrame({name: finished[name] for name in self.schema.names})

    def _encode(self, column: pd.Series[Any], feature: Feature) -> Floats:
        if feature.flag:
            return column.isna().to_numpy().astype(np.float64)
        if feature.levels is not None:
            codes = pd.Index(feature.levels, dtype=object).get_indexer(pd.Index(column.astype(object)))
            return codes.astype(np.float64)
        return (numbers(column) - feature.origin) / feature.unit

    def _decode(self, values: Floats, feature: Feature, missing: NDArray[np.bool_] | None) -> pd.Series[Any]:
        if feature.levels is not None:
            codes = np.clip(np.rint(values), 0, len(feature.levels) - 1).astype(np.int64)
            return pd.Series(np.array(feature.levels, dtype=object)[codes], name=feature.name, dtype=object)
        known = feature.origin + feature.unit * values
        gone = np.zeros(len(values), dtype=bool) if missing is None else missing
        if not self.schema[feature.name].is_datetime:
            return pd.Series(np.where(gone, np.nan, known), name=feature.name)
        moments = pd.Series(
            (np.where(gone, 0.0, known) * 1e6).round().astype(np.int64).astype("datetime64[us]"), name=feature.name
        )
        return moments.mask(gone)


def _features(column: pd.Series[Any], schema: Schema) -> list[Feature]:
    """Return the one or two features of a typed column."""
    name, about, kind = str(column.name), schema[str(column.name)], kind_of(column)
    if kind == "categorical":
        # Most frequent first, as a stable order that does not depend on names.
        known = [str(level) for level in column.value_counts().index]
        return [Feature(name, levels=(*known, None) if column.isna().any() else tuple(known))]
    flags = [Feature(name, levels=("False", "True"), flag=True)] if column.isna().any() else []
    if kind == "datetime":
        coarse = about.step in COARSE
        return [*flags, Feature(name, None, coarse, False, float(np.nanmin(numbers(column))), DAY if coarse else 1.0)]
    return [*flags, Feature(name, whole=about.decimals is not None and about.decimals <= 0)]

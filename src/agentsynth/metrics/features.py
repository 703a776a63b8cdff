"""Typed rows as the numbers that a gradient-boosting model reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from agentsynth.metrics.values import CALENDAR_PARTS, Floats, calendar_part, kind_of, numbers

MOST_LEVELS = 200
"""Levels that keep a code of their own (the model takes at most 255); rarer ones share the last."""


@dataclass(frozen=True)
class Features:
    """How a typed frame becomes a matrix: numbers as they are, datetimes as time and calendar parts, levels as codes.

    Missing values and levels that were never seen are NaN.
    """

    levels: dict[str, pd.Index[Any]]
    """Categorical column -> its levels, most frequent first; a level's position is its code."""

    @classmethod
    def learn(cls, frame: pd.DataFrame) -> Features:
        """Learn the levels of a typed frame."""
        # Ties keep the order of appearance, so that a category's name does not matter.
        return cls(
            {
                name: frame[name].astype(object).value_counts().index
                for name in frame.columns
                if kind_of(frame[name]) == "categorical"
            }
        )

    def matrix(self, frame: pd.DataFrame) -> tuple[Floats, list[bool]]:
        """Return the features, shape (rows, features), and whether each is a category's code."""
        blocks = [self._block(frame[name], name) for name in frame.columns]
        categorical = [name in self.levels for name, block in zip(frame.columns, blocks, strict=True) for _ in block]
        parts = [part for block in blocks for part in block]
        return np.stack(parts, axis=1) if parts else np.empty((len(frame), 0)), categorical

    def _block(self, column: pd.Series[Any], name: str) -> list[Floats]:
        kind = kind_of(column)
        if kind == "categorical":
            codes = self.levels[name].get_indexer(pd.Index(column.astype(object))).astype(np.float64)
            return [np.where(codes < 0, np.nan, np.minimum(codes, MOST_LEVELS))]
        if kind == "datetime":
            return [numbers(column), *(calendar_part(column, part) for part in CALENDAR_PARTS)]
        return [numbers(column)]

"""Columns that are held to a value while rows are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentsynth.data.bounds import bounds_first
from agentsynth.data.schema import Schema

Value = str | float | None
"""A label, a number, or missing."""


@dataclass(frozen=True)
class Held:
    """Columns held to a value, and what that leaves to others.

    Attributes:
        values: column -> its value on every row.
        most: numeric column -> the largest value that it may have, as one that is never below it is held.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    most: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, Value], schema: Schema) -> Held:
        """Work out what held values leave to the columns below them."""
        most: dict[str, float] = {}
        for column in reversed(bounds_first(schema.modelled)):
            limit = values.get(column.name, most.get(column.name))
            if not isinstance(limit, float):
                continue
            for name in column.above:
                most[name] = min(most.get(name, np.inf), _floored(limit, schema[name].decimals))
        return cls(values, most)

    def settled(self, name: str, numbers: NDArray[Any]) -> NDArray[Any]:
        """Return a decoded column (rows,), not labels, as it has to be."""
        if name in self.values:
            value = self.values[name]
            return np.full(len(numbers), np.nan if value is None else value)
        return np.minimum(numbers, self.most[name]) if name in self.most else numbers


FREE = Held()
"""No column is held."""


def _floored(value: float, decimals: int | None) -> float:
    if decimals is None:
        return value
    rounded = round(value, decimals)
    return rounded if rounded <= value else round(value - 10.0**-decimals, decimals)

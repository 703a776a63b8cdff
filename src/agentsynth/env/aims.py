"""Aims: numbers that a goal wants of the table beside the shares of its cells, and how rows move them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
FURTHEST = 4.0
"""Directions are clipped to so many standard deviations: one row must not outweigh the rest of a table."""


@dataclass(frozen=True)
class Aim:
    """One number that the table should have, over the rows of a pool.

    Attributes:
        name: what to call it.
        wanted: the number.
        deviation: by how much the number moves where the mean of `direction` moves by 1.
        direction: (rows,) how much a row moves the number, clipped: mean 0 and deviation 1 over the pool.
        influence: (rows,) the same, not clipped where it is exact.
        unit: by how much the number moves where the mean of `influence` moves by 1.
        reading: the number of some rows (indices, in the order they were added); NaN where they have none.
    """

    name: str
    wanted: float
    deviation: float
    direction: Floats
    influence: Floats
    unit: float
    reading: Callable[[Rows], float]

    @classmethod
    def of(
        cls,
        name: str,
        wanted: float,
        influence: Floats,
        reading: Callable[[Rows], float],
        usable: Rows | slice = slice(None),
        *,
        exact: bool = True,
    ) -> Aim:
        """Return the aim whose number rows move by their `influence` (rows,).

        Args:
            name: what to call it.
            wanted: the number.
            influence: (rows,) what a bit more of each row does to the number.
            reading: the number of some rows.
            usable: the rows that may be taken.
            exact: whether the influence of far rows can be trusted; else it is clipped.
        """
        deviation = float(influence[usable].std())
        if deviation < 1e-12:
            none = np.zeros(len(influence))
            return cls(name, wanted, 1.0, none, none, 1.0, reading)
        standard = (influence - influence[usable].mean()) / deviation
        direction = np.clip(standard, -FURTHEST, FURTHEST)
        # Rows that are clipped move the number by more than their direction says: by so much on average.
        slope = float(standard[usable] @ direction[usable] / (direction[usable] @ direction[usable]))
        unit = slope * deviation
        believed = (standard, deviation) if exact else (direction, unit)
        return cls(name, wanted, unit, direction, *believed, reading)

    def gap(self, rows: Rows) -> float:
        """Return how far below the aim some rows of the pool are, in deviations of a row; 0 where they have none."""
        return self._below(rows, self.deviation)

    def short(self, rows: Rows) -> float:
        """Return by how much the mean influence of some rows of the pool has to rise; 0 where they have no number."""
        return self._below(rows, self.unit)

    def _below(self, rows: Rows, unit: float) -> float:
        found = (self.wanted - self.reading(rows)) / unit
        return found if math.isfinite(found) else 0.0


def mean_aim(values: Floats, weights: Floats, usable: Rows) -> Aim:
    """Return the aim that the mean of `values` (rows,) is as under `weights` (rows,)."""
    return Aim.of("mean", float(weights @ values), values, lambda rows: _mean(values[rows]), usable)


def correlation_aim(first: Floats, second: Floats, weights: Floats, usable: Rows) -> Aim:
    """Return the aim that the correlation of two directions (rows,) is as under `weights` (rows,)."""
    wanted = _correlation(first, second, weights)

    def reading(rows: Rows) -> float:
        x, y = first[rows], second[rows]
        return _pearson(x - _mean(x), y - _mean(y), 1.0 / len(rows))

    x, y = first - weights @ first, second - weights @ second
    return Aim.of("correlation", wanted, x * y - 0.5 * wanted * (x**2 + y**2), reading, usable)


def top_aim(values: Floats, weights: Floats, usable: Rows, part: float = 0.1) -> Aim:
    """Return the aim that the mean over the largest `part` of `values` (rows,) is as under `weights` (rows,)."""
    order = np.argsort(values)[::-1]
    above = order[: 1 + int(np.searchsorted(np.cumsum(weights[order]), part))]

    def reading(rows: Rows) -> float:
        count = max(1, round(part * len(rows)))
        return _mean(np.partition(values[rows], len(rows) - count)[len(rows) - count :])

    influence = np.maximum(values - values[above[-1]], 0.0) / part
    wanted = float(weights[above] @ values[above] / weights[above].sum())
    return Aim.of("top", wanted, influence, reading, usable)


def _mean(values: Floats) -> float:
    # A third of the time of `values.mean()`, and called in every step for every aim; NaN where there is none.
    return float(values.sum()) / len(values) if len(values) else math.nan


def _correlation(x: Floats, y: Floats, weights: Floats) -> float:
    """Return Pearson's correlation under `weights` (rows,), NaN where one of them does not vary."""
    return _pearson(x - weights @ x, y - weights @ y, weights)


def _pearson(x: Floats, y: Floats, weights: Floats | float) -> float:
    """Return the correlation of `x` and `y` (rows,), whose means are 0, under `weights`."""
    weighted = weights * x
    spread = math.sqrt(float(weighted @ x) * float((weights * y) @ y))
    return float(weighted @ y) / spread if spread > 1e-9 else math.nan

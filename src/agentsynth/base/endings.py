"""Endings: the last digits that many numbers of a column share, as people round, and shops price at .99."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST_SHARE = 0.05
"""Share of the rows whose numbers end alike, from which on that is a habit."""
LEAST_AGREEING = 0.3
"""... and share of them in those that agree in all digits but the first of the ending: by chance it would be 0.1."""
MOST_DECIMALS = 15
EXACT = 2.0**52
"""Whole numbers up to here have a double of their own."""


def ending_steps(numbers: Floats, counts: NDArray[np.int64], decimals: int | None, fewest: int) -> Floats:
    """Return for each number the largest power of ten by whose multiples one may move it and keep a habitual ending.

    Of prices most of which end in .99, 4.99 has step 1; of salaries that are mostly full thousands, 42,000 has step
    1,000 and 42,317 has 1. Statistics of surveys knows this as heaping, or digit preference.

    Args:
        numbers: (levels,) distinct numbers.
        counts: (levels,) rows with each.
        decimals: digits behind the point; None: they have no common last digit, and no habits.
        fewest: rows that an ending needs to be a habit.

    Returns:
        (levels,) steps; 0 where the number has no last digit.
    """
    steps = np.zeros(len(numbers))
    if decimals is None or decimals > MOST_DECIMALS or not len(numbers):
        return steps
    if np.abs(numbers).max() > EXACT / 10.0**decimals:
        return steps
    units = np.rint(numbers * 10.0**decimals)
    rows, width, step = counts.sum(), np.ptp(units), 1.0
    alike, habit = np.full(len(units), rows), np.ones(len(units), dtype=bool)
    while habit.any() and step <= max(width, 1.0):
        steps[habit] = step
        step *= 10
        _, group = np.unique(np.mod(units, step), return_inverse=True)
        closer = np.bincount(group, weights=counts)[group]
        habit &= (closer >= max(LEAST_SHARE * rows, fewest)) & (closer >= LEAST_AGREEING * alike)
        alike = closer
    steps /= 10.0**decimals
    return steps


def landed(moved: Floats, numbers: Floats, steps: Floats) -> Floats:
    """Return `moved` (rows,), what became of `numbers` (rows,), on the nearest number a multiple of its step away."""
    stepped = numbers + steps * np.rint(np.divide(moved - numbers, steps, out=np.zeros_like(moved), where=steps > 0))
    return np.where(steps > 0, stepped, moved)

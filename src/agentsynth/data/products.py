"""Screening for products and ratios: which columns may a target be the product, or the ratio, of?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agentsynth.data.schema import Operation

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]

SCREEN_ROWS = 16
"""Rows that every combination of columns is tried on."""
MOST_COLUMNS = {1: 1000, 2: 400, 3: 40}
"""Combinations of one, two, three columns are looked for in tables of up to this many numeric columns."""
MOST_CANDIDATES = 200
"""Combinations that pass the screen and are looked at closely; more than that means that the target says too little."""
CLEAR = 20
"""Units in its last decimal that make a target's size clear."""
NOISE = 1e-9
TINY = 1e-300
"""Keeps the logarithm of nothing finite."""


def screen_rows(target: Floats, unit: float) -> Rows:
    """Return rows spread over the sizes of a target (n,), ascending; those that rounding blurs most are left out.

    Args:
        target: (n,) numbers.
        unit: one in the target's last decimal (0: not rounded).
    """
    size = np.abs(target)
    order = np.argsort(size, kind="stable")
    order = order[size[order] > unit]
    clear = order[size[order] > CLEAR * unit]
    order = clear if len(clear) >= SCREEN_ROWS else order
    return order[np.unique(np.linspace(0, len(order) - 1, SCREEN_ROWS).astype(np.intp))] if len(order) else order


def proportional(
    target: Floats, inputs: Floats, unit: float, operation: Operation, factors: int
) -> Iterator[tuple[int, ...]]:
    """Yield the combinations of inputs whose product (or ratio) may be proportional to the target.

    The logarithm of target / combination must be the same on all rows, up to the target's rounding.

    Args:
        target: (rows,) complete numbers, as chosen by `screen_rows`.
        inputs: (rows, p) complete numbers.
        unit: one in the target's last decimal (0: not rounded).
        operation: "product" or "ratio".
        factors: how many inputs a product has (a ratio has two).

    Yields:
        Indices of inputs, those that stand first in the table first.
    """
    if len(target) < 2:
        return
    with np.errstate(divide="ignore"):
        logs = np.log(np.abs(inputs))
    size = np.abs(target)
    low, high = np.log(np.maximum(size - unit, 0) * (1 - NOISE) + TINY), np.log((size + unit) * (1 + NOISE))
    chosen = np.flatnonzero(np.isfinite(logs).all(axis=0))
    combinations = _fitting(low[:, None], high[:, None], logs[:, chosen], operation, factors)
    for combination in itertools.islice(combinations, MOST_CANDIDATES):
        yield tuple(int(chosen[place]) for place in combination)


def _fitting(low: Floats, high: Floats, logs: Floats, operation: Operation, factors: int) -> Iterator[tuple[int, ...]]:
    """Yield combinations whose sum of logs lies between low and high (rows, 1), but for a constant."""
    if factors == 1:
        yield from ((int(place),) for place in np.flatnonzero(_meet(low - logs, high - logs)))
    elif operation == "ratio":
        left, right = _pairs(low, high, logs, -logs)
        yield from ((int(i), int(j)) for i, j in zip(left, right, strict=True) if i != j)
    elif factors == 2:
        left, right = _pairs(low, high, logs, logs)
        yield from ((int(i), int(j)) for i, j in zip(left, right, strict=True) if i <= j)
    else:
        for first in range(logs.shape[1]):
            own = logs[:, [first]]
            pairs = _fitting(low - own, high - own, logs[:, first:], operation, factors - 1)
            yield from ((first, *(first + place for place in pair)) for pair in pairs)


def _pairs(low: Floats, high: Floats, left: Floats, right: Floats) -> tuple[Rows, Rows]:
    """Return the pairs (i, j) of columns for which left_i + right_j lies between low and high, but for a constant.

    What the smallest and the largest target allow sorts out most pairs; the other rows look at the rest.
    """
    change = (left[-1] - left[0])[:, None] + (right[-1] - right[0])[None, :]
    i, j = np.nonzero((change >= low[-1] - high[0]) & (change <= high[-1] - low[0]))
    total = left[:, i] + right[:, j]
    meeting = _meet(low - total, high - total)
    return i[meeting], j[meeting]


def _meet(low: Floats, high: Floats) -> NDArray[np.bool_]:
    """Tell, for intervals (rows, columns), in which columns all rows have a point in common."""
    return np.asarray(low.max(axis=0, initial=-np.inf) <= high.min(axis=0, initial=np.inf))

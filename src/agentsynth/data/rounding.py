"""Decimals: how many a column of numbers has, and rounding to them."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Mode: TypeAlias = Literal["nearest", "half_up", "down", "up"]

MODES: tuple[Mode, ...] = ("nearest", "half_up", "down", "up")
MOST_DECIMALS = 8
"""A column with more decimals than this counts as not rounded."""
DISTINCT_FOR_MULTIPLES = 5
"""Fewest distinct values that show that a column comes in tens, hundreds, ..."""
EXACT_DIGITS = 1e15
"""Beyond this many units in the last decimal a float cannot show whether it was rounded."""
NOISE = 1e-9
"""Relative distance to a whole number that is floating-point noise, not a fraction."""
TIE_NOISE = 1e-11
"""Relative distance below a half that is floating-point noise."""


def round_to(values: Floats, decimals: int | None, mode: Mode = "nearest") -> Floats:
    """Round to a number of decimals; negative: to tens, hundreds, ...; None: values as they are.

    >>> round_to(np.array([0.125, 2.5, 19.0]), 0, "half_up").tolist()
    [0.0, 3.0, 19.0]
    >>> round_to(np.array([0.129, 149.0]), -2, "up").tolist()
    [100.0, 200.0]
    """
    if decimals is None:
        return values
    if mode == "nearest":
        return np.asarray(np.round(values, decimals))
    power = float(10 ** abs(decimals))
    if decimals >= 0:
        return np.asarray(_whole(values * power, mode) / power)
    return np.asarray(_whole(values / power, mode) * power)


def _whole(scaled: Floats, mode: Mode) -> Floats:
    """Round to whole numbers by `mode`; what is whole but for floating-point noise stays."""
    if mode == "half_up":
        return np.asarray(np.copysign(np.floor(np.abs(scaled) * (1 + TIE_NOISE) + 0.5), scaled))
    nearest = np.rint(scaled)
    noise = np.abs(scaled - nearest) <= NOISE * np.maximum(1.0, np.abs(scaled))
    return np.where(noise, nearest, np.floor(scaled) if mode == "down" else np.ceil(scaled))


def decimals_of(values: Floats, dtype: np.dtype[np.floating] | None = None) -> int | None:
    """Return the fewest decimals that all `values` have; None where they are not rounded.

    Negative decimals (multiples of 10, 100, ...) are claimed on at least `DISTINCT_FOR_MULTIPLES` distinct values only.

    Args:
        values: (n,) finite numbers.
        dtype: the narrower float type that they came in (float32), whose noise is then no decimals.

    >>> decimals_of(np.array([0.5, 1.25])), decimals_of(np.array([1 / 3])), decimals_of(np.arange(0.0, 900.0, 100.0))
    (2, None, -2)
    """
    for decimals in range(MOST_DECIMALS + 1):
        if len(values) and np.abs(values).max() * 10.0**decimals > EXACT_DIGITS and decimals > 0:
            return None
        if _same(np.round(values, decimals), values, dtype):
            return decimals if decimals else _multiples(values)
    return None


def _same(rounded: Floats, values: Floats, dtype: np.dtype[np.floating] | None) -> bool:
    if dtype is None:
        return np.array_equal(rounded, values)
    return np.array_equal(rounded.astype(dtype), values.astype(dtype))


def _multiples(whole: Floats) -> int:
    """Return 0, or -1, -2, ... where all values are multiples of 10, 100, ..."""
    distinct = np.unique(whole[whole != 0])
    decimals = 0
    while len(distinct) >= DISTINCT_FOR_MULTIPLES and not np.any(distinct % 10.0 ** (1 - decimals)):
        decimals -= 1
    return decimals

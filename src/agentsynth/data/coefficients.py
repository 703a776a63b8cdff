"""The constants of a formula, found from a target that was rounded: intervals, and the simplest number in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agentsynth.data.rounding import MODES, Mode

Floats: TypeAlias = NDArray[np.float64]

REACH: dict[Mode, tuple[float, float]] = {
    "nearest": (-0.5, 0.5),
    "half_up": (-0.5, 0.5),
    "down": (0.0, 1.0),
    "up": (-1.0, 0.0),
}
"""How far, in units of the last decimal, the value before rounding may lie from the rounded one."""
SLACK = 1e-9
"""Relative floating-point noise."""
MOST_DIGITS = 9
"""Most decimals of a constant."""
UNUSUAL = 2
"""Digits that rounding up or down counts for."""
LARGEST_DIVISOR = 1000
"""A constant may also be 1/2 to 1/1000."""


def factors(target: Floats, value: Floats, unit: float) -> list[tuple[float, Mode]]:
    """Return constants c, with the rounding, for which c x value may round to the target on every row, simplest first.

    Args:
        target: (n,) numbers, rounded to multiples of `unit` (0: not rounded).
        value: (n,) what they may be proportional to; finite.
        unit: one in the target's last decimal.
    """
    used = value != 0
    if not used.any():
        return []
    ratio, width = target[used] / value[used], unit / value[used]
    found = list(_in_common(ratio, width, 1.0, SLACK * float(np.abs(ratio).max())))
    return sorted((c for c in found if resolved(c[0], target, unit)), key=_complexity)


def _complexity(constant: tuple[float, Mode]) -> int:
    """Return the digits of a constant; rounding up or down must save some, else a false constant gets by with it."""
    return significant(constant[0]) + (UNUSUAL if constant[1] in ("down", "up") else 0)


def offsets(target: Floats, value: Floats, unit: float) -> Iterator[tuple[float, Mode]]:
    """Yield constants c, with the rounding, for which value + c may round to the target on every row.

    Args:
        target: (n,) numbers, rounded to multiples of `unit` (0: not rounded).
        value: (n,) what they may be a constant apart from; finite.
        unit: one in the target's last decimal.
    """
    noise = SLACK * float(max(np.abs(target).max(), np.abs(value).max()))
    yield from _in_common(target - value, np.full(len(target), unit), 0.0, noise)


def _in_common(middle: Floats, width: Floats, favourite: float, noise: float) -> Iterator[tuple[float, Mode]]:
    """Yield, by rounding, the simplest number that all intervals of this width around the middles have in common."""
    for mode in MODES if width.any() else MODES[:1]:
        ends = np.stack([middle + edge * width for edge in REACH[mode]])
        low, high = float(ends.min(axis=0).max()) - noise, float(ends.max(axis=0).min()) + noise
        if low <= high:
            yield simplest(low, high, favourite), mode


def simplest(low: float, high: float, favourite: float = 0.0) -> float:
    """Return the favourite if it is in [low, high], else the number in there with the fewest decimals or 1/2, 1/3, ...

    >>> simplest(1.0499, 1.0512), simplest(0.08332, 0.08334), simplest(-0.2, 0.9)
    (1.05, 0.08333333333333333, 0.0)
    """
    if low <= favourite <= high:
        return favourite
    middle = (low + high) / 2
    for digits in range(MOST_DIGITS + 1):
        rounded = round(middle, digits)
        if low <= rounded <= high:
            return _divisor(low, high) or rounded if digits > 2 else rounded
    return _divisor(low, high) or middle


def _divisor(low: float, high: float) -> float | None:
    """Return one over a whole number that lies in [low, high], if there is one."""
    middle = (low + high) / 2
    if middle == 0 or abs(middle) > 1 or abs(1 / middle) > LARGEST_DIVISOR:
        return None
    part = 1 / round(1 / middle)
    return part if low <= part <= high else None


def significant(constant: float) -> int:
    """Return how many digits it takes to write a constant, as it is or as one over another.

    >>> significant(1200.0), significant(0.0765), significant(1 / 12)
    (2, 3, 2)
    """
    return min(_digits(constant), _digits(1 / constant)) if constant else 0


def _digits(number: float) -> int:
    return len(f"{abs(number):.11e}".split("e")[0].replace(".", "").rstrip("0"))


def resolved(constant: float, target: Floats, unit: float) -> bool:
    """Tell whether a rounded target varies enough to tell a constant of so many digits from its neighbours.

    1.007 x birth year is the year of the survey only because both vary by so little.
    """
    return unit == 0 or 10.0 ** (significant(constant) - 1) <= float(np.ptp(target)) / unit

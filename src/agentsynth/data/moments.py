"""Formulas among datetimes that are worth a try: parts, durations, shifts.

Every combination of columns is tried on a few rows first, in arrays, so that tables of many datetimes stay cheap: with
30 datetimes and 100 numbers there are a million formulas, and reading a whole column for each takes hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.dates import floor_to
from agentsynth.data.formulas import MICROSECONDS, calendar_part
from agentsynth.data.rounding import MODES
from agentsynth.data.schema import LENGTHS, UNITS, Formula, Step, Unit

Floats = NDArray[np.float64]
Moments = NDArray[np.datetime64]

SCREEN_ROWS = 24
"""Rows that every combination is tried on."""
WEEK_STARTS = (0.0, 1.0)
"""What a week may begin with, by counting weekdays from Monday."""
NOISE = 1e-5
"""Relative difference that the screen lets pass where the target is not rounded."""


@dataclass(frozen=True)
class Inputs:
    """Columns that a target may be computed from, on the rows of the screen.

    Attributes:
        names: of the columns.
        values: (rows, columns) datetimes in microseconds, or numbers; complete where the target is.
    """

    names: Sequence[str]
    values: NDArray[Any]


def present_rows(missing: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return up to `SCREEN_ROWS` rows where a target (n,) is not missing, evenly spread."""
    present = np.flatnonzero(~missing)
    return (
        present[np.unique(np.linspace(0, len(present) - 1, SCREEN_ROWS).astype(np.intp))] if len(present) else present
    )


def calendar_parts(target: Floats, moments: Inputs) -> Iterator[Formula]:
    """Yield the parts of datetimes that a target (rows,) may be; weekdays are counted from 0 or from 1."""
    rows, columns = moments.values.shape
    flat = pd.Series(moments.values.ravel(), dtype="datetime64[us]")
    parts = {unit: calendar_part(flat, unit).reshape(rows, columns) for unit in UNITS["calendar"]}
    for place, unit in product(range(columns), UNITS["calendar"]):
        for first in WEEK_STARTS if unit == "weekday" else (0.0,):
            if np.array_equal(parts[unit][:, place] + first, target):
                yield Formula(operation="calendar", inputs=(moments.names[place],), unit=unit, intercept=first)


def shifts(target: Moments, step: Step, starts: Inputs, numbers: Inputs) -> Iterator[Formula]:
    """Yield datetimes as they are, and numbers of units after them, that a target (rows,) may be when cut to `step`."""
    for place, start in enumerate(starts.names):
        begin = starts.values[:, place]
        if np.array_equal(floor_to(begin, step), target):
            yield Formula(operation="shift", inputs=(start,), unit="day")
        fitting = [_after(target, step, begin, numbers.values, MICROSECONDS[unit]) for unit in LENGTHS]
        for number, unit in product(range(len(numbers.names)), range(len(LENGTHS))):
            if fitting[unit][number]:
                yield Formula(operation="shift", inputs=(start, numbers.names[number]), unit=LENGTHS[unit])


def _after(target: Moments, step: Step, begin: Moments, numbers: Floats, length: int) -> NDArray[np.bool_]:
    """Tell which numbers (rows, columns) of units of `length` microseconds after `begin` (rows,) give the target."""
    with np.errstate(over="ignore", invalid="ignore"):
        microseconds = np.rint(numbers * length)
    # Longer than all of numpy's calendar: no duration.
    possible = np.abs(microseconds) < 2.0**62
    moved = begin[:, None] + np.where(possible, microseconds, 0).astype(np.int64).astype("timedelta64[us]")
    return np.asarray(((floor_to(moved, step) == target[:, None]) & possible).all(axis=0))


def durations(target: Floats, unit: float, moments: Inputs) -> Iterator[Formula]:
    """Yield the durations between two datetimes that a target (rows,) may be, in every unit and rounding.

    Args:
        target: complete numbers.
        unit: one in the target's last decimal (0: not rounded).
        moments: the datetimes.
    """
    # Whatever the rounding, it moves a number by less than one unit.
    slack = max(unit, NOISE * float(np.abs(target).max(initial=0.0)))
    fitting = _between(target, slack, moments.values.astype("datetime64[us]"))
    for (end, start), length in product(permutations(range(len(moments.names)), 2), LENGTHS):
        if fitting[length][end, start]:
            names = (moments.names[end], moments.names[start])
            yield from (Formula(operation="duration", inputs=names, unit=length, rounding=mode) for mode in MODES)


def _between(target: Floats, slack: float, stamps: Moments) -> dict[Unit, NDArray[np.bool_]]:
    """Tell for every unit which of the datetimes (rows, p) lie, but for the slack, the target (rows,) apart: (p, p)."""
    numbers = stamps.astype(np.int64).astype(np.float64)
    found: dict[Unit, NDArray[np.bool_]] = {length: np.zeros((numbers.shape[1],) * 2, dtype=bool) for length in LENGTHS}
    for end in range(numbers.shape[1]):
        apart = numbers[:, [end]] - numbers
        for length in LENGTHS:
            found[length][end] = (np.abs(apart / MICROSECONDS[length] - target[:, None]) <= slack).all(axis=0)
    return found

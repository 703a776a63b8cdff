"""Formulas among datetimes that are worth a try: parts, durations, shifts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations, product

from agentsynth.data.rounding import MODES
from agentsynth.data.schema import LENGTHS, UNITS, Formula

WEEK_STARTS = (0.0, 1.0)
"""What a week may begin with, by counting weekdays from Monday."""


def calendar_parts(moments: Sequence[str]) -> Iterator[Formula]:
    """Yield every part of every datetime; weekdays are counted from 0 or from 1."""
    for moment, part in product(moments, UNITS["calendar"]):
        for first in WEEK_STARTS if part == "weekday" else (0.0,):
            yield Formula(operation="calendar", inputs=(moment,), unit=part, intercept=first)


def shifts(starts: Sequence[str], numbers: Sequence[str]) -> Iterator[Formula]:
    """Yield every datetime as it is (cut to the target's step), and every number of units after it."""
    for start in starts:
        yield Formula(operation="shift", inputs=(start,), unit="day")
        for number, unit in product(numbers, LENGTHS):
            yield Formula(operation="shift", inputs=(start, number), unit=unit)


def durations(moments: Sequence[str]) -> Iterator[Formula]:
    """Yield the duration between every two datetimes, in every unit and rounding."""
    for (end, start), unit, mode in product(permutations(moments, 2), LENGTHS, MODES):
        yield Formula(operation="duration", inputs=(end, start), unit=unit, rounding=mode)

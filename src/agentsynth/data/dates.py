"""Datetimes: the form that text gives them, and the coarsest calendar unit that they are whole numbers of.

A format is a strftime format, with additions that keep it exact in both directions: `%-m`, `%-d`, `%-H`, `%-I`
are without a leading zero, `%3f` is milliseconds, and `%q` is the quarter.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.schema import Step
from agentsynth.errors import SchemaError

TOKEN = re.compile(r"(%[-3]?[A-Za-z])")
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

PATTERNS = {
    "%Y": r"[12]\d{3}",
    "%y": r"\d{2}",
    "%m": r"(?:0[1-9]|1[0-2])",
    "%-m": r"(?:[1-9]|1[0-2])",
    "%b": "(?:" + "|".join(month[:3] for month in MONTHS) + ")",
    "%B": "(?:" + "|".join(MONTHS) + ")",
    "%d": r"(?:0[1-9]|[12]\d|3[01])",
    "%-d": r"(?:[1-9]|[12]\d|3[01])",
    "%H": r"(?:[01]\d|2[0-3])",
    "%-H": r"(?:1?\d|2[0-3])",
    "%I": r"(?:0[1-9]|1[0-2])",
    "%-I": r"(?:[1-9]|1[0-2])",
    "%M": r"[0-5]\d",
    "%S": r"[0-5]\d",
    "%f": r"\d{6}",
    "%3f": r"\d{3}",
    "%p": "(?:AM|PM)",
    "%q": "[1-4]",
    "%G": r"[12]\d{3}",
    "%V": r"(?:0[1-9]|[1-4]\d|5[0-3])",
}
"""Regular expression of each token; strict, so that what is read is written back letter by letter."""

ISO_DATES = ("%Y-%m-%d",)
OTHER_DATES = (
    *("%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%-d.%-m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%-m/%-d/%Y", "%-d/%-m/%Y"),
    *("%m-%d-%Y", "%d-%m-%Y", "%d-%b-%Y", "%d %b %Y", "%-d %b %Y", "%d %B %Y", "%-d %B %Y", "%b %d, %Y", "%b %-d, %Y"),
    *("%B %d, %Y", "%B %-d, %Y", "%m/%d/%y", "%d/%m/%y", "%-m/%-d/%y", "%-d/%-m/%y", "%d-%b-%y"),
)
TIMES = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%3f", "%H:%M:%S.%f", "%-H:%M", "%-H:%M:%S")
TWELVE_HOUR_TIMES = ("%I:%M %p", "%-I:%M %p", "%I:%M:%S %p", "%-I:%M:%S %p")
OTHER_FORMATS = (
    *("%H:%M:%S", "%H:%M", "%-H:%M", "%Y-%m", "%Y %b", "%b %Y", "%Y %B", "%B %Y"),
    *("%Y Q%q", "%Y-Q%q", "%YQ%q", "%G W%V", "%G-W%V"),
)
"""Times of day, months, quarters, ISO weeks."""
ZONES = ("", "Z", "+00:00", "+0000", " UTC")
"""Ways to say UTC; any other offset is found where all values have it, and kept as it stands in the text."""
OFFSET = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?([+-][0-9]{2}:?[0-9]{2})")
"""A time of day and its offset from UTC, at the end of a text."""
OFFSET_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:[+-][0-9]{2}:?[0-9]{2}|Z)"
)
"""A datetime with an offset from UTC."""

DATE_LIKE = re.compile(r"(?=(?:\D*\d){3})[A-Za-z0-9 ,:./+-]{4,40}")
"""What all formats have in common."""
SCREENED = 100
"""Values that every format is tried on before the whole column is read."""
STEPS: tuple[Step, ...] = get_args(Step)
UNITS = dict(zip(STEPS, ("Y", "M", "D", "h", "m", "s", "ms", "us"), strict=True))
"""numpy's name of each step."""


def formats(offset: str = "") -> Iterator[str]:
    """Yield every format that is looked for, the likely and unambiguous ones first, and those with an `offset`."""
    yield from ISO_DATES
    zones = (*ZONES, offset) if offset else ZONES
    for date, glue, time, zone in itertools.product(ISO_DATES, (" ", "T"), TIMES[:4], zones):
        yield date + glue + time + zone
    for date in OTHER_DATES:
        yield date
        for time in (*TIMES, *TWELVE_HOUR_TIMES):
            yield f"{date} {time}"
    yield from OTHER_FORMATS


def find_format(text: pd.Series[str]) -> str | None:
    """Return the one format that every value of `text` (none missing) has, or None.

    Where day and month cannot be told apart, the reading in which the rows are in order of time is taken, else
    month first.
    """
    head = text.drop_duplicates().head(SCREENED).tolist()
    if not all(map(DATE_LIKE.fullmatch, head)):
        return None
    offset = OFFSET.search(head[0]) if head else None
    fitting = (form for form in formats(offset[1] if offset else "") if all(map(_pattern(form).fullmatch, head)))
    readings = {form: values for form in fitting if (values := parse_dates(text, form)).notna().all()}
    in_order = [form for form, values in readings.items() if values.is_monotonic_increasing]
    return next(iter(in_order or readings), None)


def most_likely_format(text: pd.Series[str]) -> str | None:
    """Return the format of the first values of `text` (none missing) that most of them have, or None."""
    head = text.drop_duplicates().head(SCREENED).tolist()
    if sum(DATE_LIKE.fullmatch(value) is not None for value in head) <= len(head) / 2:
        return None
    offsets = Counter(found[1] for value in head if (found := OFFSET.search(value)))
    offset = offsets.most_common(1)[0][0] if offsets else ""
    counts = {form: sum(_pattern(form).fullmatch(value) is not None for value in head) for form in formats(offset)}
    best = max(counts, key=lambda form: counts[form])
    return best if counts[best] > len(head) / 2 else None


@cache
def _pattern(form: str) -> re.Pattern[str]:
    """Return the regular expression of a format; there are hundreds, so each is compiled once."""
    return re.compile("".join(PATTERNS.get(part) or re.escape(part) for part in TOKEN.split(form)))


def parse_dates(text: pd.Series[str], form: str) -> pd.Series[pd.Timestamp]:
    """Read text (n,) by a format; NaT where it does not have that form to the letter.

    Raises:
        SchemaError: the format has a token that there is not.
    """
    fits = text.str.fullmatch(_pattern(form).pattern).fillna(False).astype(bool)
    text, plain = text.where(fits), form.replace("%-", "%").replace("%3f", "%f")
    if "%q" in form:
        text = text.str.replace(r"(?<=Q)\d", lambda quarter: f"{3 * int(quarter[0]) - 2:02d}", regex=True)
        plain = plain.replace("%q", "%m")
    if "%V" in form:
        text, plain = text + " 1", plain + " %u"  # a week is its Monday
    try:
        return pd.to_datetime(text, format=plain, errors="coerce").astype("datetime64[us]")
    except ValueError as error:
        raise SchemaError(f"{form!r} is no format of datetimes: {error}. Write it as strftime has it.") from error


def write_dates(values: pd.Series[pd.Timestamp], form: str) -> pd.Series[str]:
    """Write datetimes (n,) in a format: the inverse of `parse_dates`; None where missing."""
    written = pd.Series([None] * len(values), index=values.index, dtype=object)
    present = values[values.notna()]
    text = pd.Series([""] * len(present), index=present.index, dtype=object)
    for part in TOKEN.split(form):
        text = text + (WRITERS[part](present) if part in WRITERS else part)
    written[present.index] = text
    return written


def _number(unit: str, width: int) -> Callable[[pd.Series[pd.Timestamp]], pd.Series[str]]:
    """Return a writer of a calendar unit as digits, zero-padded to `width`."""
    return lambda values: getattr(values.dt, unit).astype(str).str.zfill(width).astype(object)


def _half_day(width: int) -> Callable[[pd.Series[pd.Timestamp]], pd.Series[str]]:
    """Return a writer of the hour on a clock of twelve."""
    return lambda values: ((values.dt.hour + 11) % 12 + 1).astype(str).str.zfill(width).astype(object)


WRITERS: dict[str, Callable[[pd.Series[pd.Timestamp]], pd.Series[str]]] = {
    "%Y": _number("year", 4),
    "%y": lambda values: (values.dt.year % 100).astype(str).str.zfill(2).astype(object),
    "%m": _number("month", 2),
    "%-m": _number("month", 1),
    "%b": lambda values: values.dt.month.map(lambda month: MONTHS[month - 1][:3]).astype(object),
    "%B": lambda values: values.dt.month.map(lambda month: MONTHS[month - 1]).astype(object),
    "%d": _number("day", 2),
    "%-d": _number("day", 1),
    "%H": _number("hour", 2),
    "%-H": _number("hour", 1),
    "%I": _half_day(2),
    "%-I": _half_day(1),
    "%M": _number("minute", 2),
    "%S": _number("second", 2),
    "%f": _number("microsecond", 6),
    "%q": _number("quarter", 1),
    "%G": lambda values: values.dt.isocalendar()["year"].astype(str).astype(object),
    "%V": lambda values: values.dt.isocalendar()["week"].astype(str).str.zfill(2).astype(object),
    "%3f": lambda values: (values.dt.microsecond // 1000).astype(str).str.zfill(3).astype(object),
    "%p": lambda values: values.dt.hour.map(lambda hour: "AM" if hour < 12 else "PM").astype(object),
}


def floor_to_step(values: pd.Series[pd.Timestamp], step: Step) -> pd.Series[pd.Timestamp]:
    """Move datetimes (n,) back to the last whole year, month, day, ..."""
    floored = floor_to(values.to_numpy(dtype="datetime64[us]"), step)
    return pd.Series(floored, index=values.index, name=values.name)


def floor_to(values: NDArray[np.datetime64], step: Step) -> NDArray[np.datetime64]:
    """Move datetimes of any shape back to the last whole `step`, in microseconds."""
    return np.asarray(values.astype(f"datetime64[{UNITS[step]}]").astype("datetime64[us]"))


def coarsest_step(values: pd.Series[pd.Timestamp]) -> Step:
    """Return the coarsest calendar unit that all datetimes (n,), missing ones apart, are whole numbers of.

    >>> coarsest_step(pd.Series(pd.to_datetime(["2025-03-01", "2024-01-01"])))
    'month'
    """
    present = values.dropna().astype("datetime64[us]")
    return next(step for step in STEPS if np.array_equal(floor_to_step(present, step), present))

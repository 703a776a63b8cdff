"""Datetimes as whole numbers: a date in years, months or days, and a time of day in steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DATE_UNITS = {"year": "Y", "month": "M", "day": "D"}
"""Name -> numpy's datetime unit."""
MICROSECONDS = {
    "hour": 3_600_000_000,
    "minute": 60_000_000,
    "second": 1_000_000,
    "millisecond": 1_000,
    "microsecond": 1,
}
"""Length of each clock step in microseconds."""


def split_datetime(series: pd.Series[Any], unit: str, clock: str) -> tuple[Floats, Floats]:
    """Return the date in `unit`s since 1970 and the time of day in `clock` steps, each (rows,); missing -> NaN.

    With `clock` empty the times are all NaN.
    """
    stamps = series.to_numpy(dtype="datetime64[us]")
    missing = np.isnat(stamps)
    filled = np.where(missing, np.datetime64(0, "us"), stamps)
    date = filled.astype(f"datetime64[{DATE_UNITS[unit]}]").astype(np.int64).astype(np.float64)
    time = np.full(len(filled), np.nan)
    if clock:
        since_midnight = (filled - filled.astype("datetime64[D]")).astype(np.int64)
        time = np.where(missing, np.nan, since_midnight // MICROSECONDS[clock])
    return np.where(missing, np.nan, date), time


def join_datetime(date: Floats, unit: str, time: Floats | None, clock: str) -> NDArray[np.datetime64]:
    """Return the datetimes (rows,) in microseconds that `split_datetime` came from; missing in either -> NaT."""
    missing = np.isnan(date) if time is None else np.isnan(date) | np.isnan(time)
    days = np.where(missing, 0, date).astype(np.int64).astype(f"datetime64[{DATE_UNITS[unit]}]")
    stamps = days.astype("datetime64[us]")
    if time is not None:
        stamps = stamps + (np.where(missing, 0, time).astype(np.int64) * MICROSECONDS[clock]).astype("timedelta64[us]")
    stamps[missing] = np.datetime64("NaT")
    return stamps


def weekday_and_month(days: Floats) -> tuple[Floats, Floats]:
    """Return weekday (Monday 0 .. Sunday 6) and month (1 .. 12), each (rows,), of `days` since 1970-01-01."""
    stamps = days.astype(np.int64).astype("datetime64[D]")
    months = stamps.astype("datetime64[M]").astype(np.int64) % 12 + 1
    # 1970-01-01 was a Thursday.
    weekdays = (stamps.astype(np.int64) + 3) % 7
    return weekdays.astype(np.float64), months.astype(np.float64)

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.base.calendar import DATE_UNITS, MICROSECONDS, join_datetime, split_datetime, weekday_and_month


def series(*texts: str) -> pd.Series[pd.Timestamp]:
    return pd.Series(np.array(texts, dtype="datetime64[us]"))


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("year", [0.0, 54.0]), ("month", [1.0, 54 * 12 + 2.0]), ("day", [31.0, 19_783.0])],
)
def test_dates_count_from_1970(unit: str, expected: list[float]) -> None:
    date, time = split_datetime(series("1970-02-01", "2024-03-01"), unit, "")
    assert date.tolist() == expected
    assert np.isnan(time).all()


@pytest.mark.parametrize(
    ("clock", "expected"),
    [("hour", 17), ("minute", 17 * 60 + 30), ("second", 63_005), ("millisecond", 63_005_250)],
)
def test_times_of_day_count_from_midnight(clock: str, expected: int) -> None:
    assert split_datetime(series("2024-03-01 17:30:05.250"), "day", clock)[1].tolist() == [expected]


def test_before_1970_days_count_backwards_and_times_forwards() -> None:
    date, time = split_datetime(series("1969-12-31 23:00"), "day", "hour")
    assert (date[0], time[0]) == (-1.0, 23.0)


def test_missing_dates_are_missing_in_both_parts() -> None:
    date, time = split_datetime(series("2024-03-01 10:00", "NaT"), "day", "hour")
    np.testing.assert_array_equal(date, [19_783.0, np.nan])
    np.testing.assert_array_equal(time, [10.0, np.nan])
    joined = join_datetime(np.array([19_783.0, np.nan, 1.0]), "day", np.array([10.0, 5.0, np.nan]), "hour")
    assert joined[0] == np.datetime64("2024-03-01T10")
    assert np.isnat(joined[1:]).all()


def test_weekday_and_month_of_known_days() -> None:
    # 1970-01-01 was a Thursday, 2000-02-29 a Tuesday, 2024-12-31 a Tuesday, 1969-12-29 a Monday.
    days = np.array(["1970-01-01", "2000-02-29", "2024-12-31", "1969-12-29"], dtype="datetime64[D]")
    weekday, month = weekday_and_month(days.astype(np.int64).astype(float))
    assert weekday.tolist() == [3, 1, 1, 0]
    assert month.tolist() == [1, 2, 12, 12]


@given(
    st.lists(st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1)), min_size=1, max_size=20),
    st.sampled_from(sorted(MICROSECONDS)),
)
def test_any_datetime_comes_back_cut_to_its_clock(moments: list[datetime], clock: str) -> None:
    stamps = pd.Series(np.array(moments, dtype="datetime64[us]"))
    date, time = split_datetime(stamps, "day", clock)
    unit = {"hour": "h", "minute": "m", "second": "s", "millisecond": "ms", "microsecond": "us"}[clock]
    expected = stamps.to_numpy().astype(f"datetime64[{unit}]")
    np.testing.assert_array_equal(join_datetime(date, "day", time, clock), expected)


@given(
    st.lists(st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1)), min_size=1, max_size=20),
    st.sampled_from(sorted(DATE_UNITS)),
)
def test_any_date_comes_back_cut_to_its_unit(moments: list[datetime], unit: str) -> None:
    stamps = pd.Series(np.array(moments, dtype="datetime64[us]"))
    date, _ = split_datetime(stamps, unit, "")
    expected = stamps.to_numpy().astype(f"datetime64[{DATE_UNITS[unit]}]")
    np.testing.assert_array_equal(join_datetime(date, unit, None, ""), expected)

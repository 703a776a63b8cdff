from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentsynth.data.dates import coarsest_step, find_format, floor_to_step, formats, parse_dates, write_dates
from agentsynth.data.schema import Step

FORMATS = sorted(set(formats()))


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["2025-01-31", "2024-02-29"], "%Y-%m-%d"),
        (["2025-01-31 10:00:00", "2024-02-29 23:59:59"], "%Y-%m-%d %H:%M:%S"),
        (["2025-01-31T10:00:00Z", "2024-02-29T00:00:00Z"], "%Y-%m-%dT%H:%M:%SZ"),
        (["2025-01-31T10:00:00.250", "2024-02-29T00:00:00.001"], "%Y-%m-%dT%H:%M:%S.%3f"),
        (["2025-01-31 10:00:00+00:00"], "%Y-%m-%d %H:%M:%S+00:00"),
        (["31/01/2025", "01/02/2025"], "%d/%m/%Y"),
        (["01/31/2025", "01/02/2025"], "%m/%d/%Y"),
        (["1/31/2025", "10/2/2025"], "%-m/%-d/%Y"),
        (["31.01.2025 08:30", "01.02.2025 17:00"], "%d.%m.%Y %H:%M"),
        (["Jan 5, 2025", "Dec 31, 2024"], "%b %-d, %Y"),
        (["05-Jan-2025", "31-Dec-2024"], "%d-%b-%Y"),
        (["1/5/25 9:05 AM", "12/31/24 12:00 PM"], "%-m/%-d/%y %-I:%M %p"),
        (["2025-01", "2024-12"], "%Y-%m"),
        (["2025 Jan", "2024 Dec"], "%Y %b"),
        (["2025 Q1", "2024 Q4"], "%Y Q%q"),
        (["2025-W01", "2020-W53"], "%G-W%V"),
        (["08:30", "17:00"], "%H:%M"),
        (["2025-02-30", "2025-01-01"], None),  # no such day
        (["2025-01-01", "01/02/2025"], None),  # two formats
        (["2025-1-5", "2025-10-05"], None),  # written back it would differ
        (["hello", "2025-01-01"], None),
        (["123", "456"], None),
        (["1.5.2", "2.0.1"], None),  # versions
    ],
)
def test_format(texts: list[str], form: str | None) -> None:
    assert find_format(pd.Series(texts)) == form


def test_undecided_day_and_month_are_read_in_the_order_of_rows() -> None:
    assert find_format(pd.Series(["01/02/2025", "02/02/2025", "03/02/2025", "01/03/2025"])) == "%d/%m/%Y"
    assert find_format(pd.Series(["02/01/2025", "02/02/2025", "02/03/2025", "03/01/2025"])) == "%m/%d/%Y"
    assert find_format(pd.Series(["05/01/2025", "02/12/2025", "12/03/2025"])) == "%m/%d/%Y"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)), min_size=1, max_size=20),
    st.sampled_from(FORMATS),
)
def test_what_is_written_is_read_back(moments: list[datetime], form: str) -> None:
    text = write_dates(pd.Series(moments, dtype="datetime64[us]"), form)
    read = parse_dates(text, form)
    assert read.notna().all()
    assert write_dates(read, form).tolist() == text.tolist()
    found = find_format(text)
    assert found is not None
    assert write_dates(parse_dates(text, found), found).tolist() == text.tolist()


def test_missing_stays_missing() -> None:
    written = write_dates(pd.Series([pd.Timestamp("2025-01-01"), pd.NaT]), "%d.%m.%Y")
    assert written.tolist() == ["01.01.2025", None]
    assert parse_dates(written, "%d.%m.%Y").isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("moments", "step"),
    [
        (["2025-01-01", "2020-01-01"], "year"),
        (["2025-03-01", "2020-01-01"], "month"),
        (["2025-03-02", "2020-01-01"], "day"),
        (["2025-03-02 05:00", "2020-01-01 00:00"], "hour"),
        (["2025-03-02 05:30", "2020-01-01 00:00"], "minute"),
        (["2025-03-02 05:30:01", "1969-01-01 00:00:00"], "second"),
        (["2025-03-02 05:30:01.250", "1969-01-01 00:00:00.000"], "millisecond"),
        (["2025-03-02 05:30:01.250001", "1969-01-01 00:00:00.000000"], "microsecond"),
    ],
)
def test_step(moments: list[str], step: Step) -> None:
    values = pd.Series(pd.to_datetime(moments))
    assert coarsest_step(values) == step
    assert floor_to_step(values, step).tolist() == values.tolist()


def test_floor_goes_back_also_before_1970() -> None:
    values = pd.Series(pd.to_datetime(["1969-12-31 23:59:59.5", "2025-05-17 10:00:00"], format="ISO8601"))
    assert floor_to_step(values, "month").tolist() == [pd.Timestamp("1969-12-01"), pd.Timestamp("2025-05-01")]

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.data.lookup import learn_table, look_up
from agentsynth.data.schema import Formula
from agentsynth.errors import SchemaError


def labels(*values: str | None) -> pd.Series[Any]:
    return pd.Series(list(values), dtype=object)


def days(*values: str) -> pd.Series[Any]:
    return pd.Series(pd.to_datetime(list(values))).astype("datetime64[us]")


def lookup(table: Any, result: str = "label") -> Formula:
    return Formula.model_validate({"operation": "lookup", "inputs": ("x",), "table": table, "result": result})


def test_labels_have_an_entry_each_the_missing_one_last() -> None:
    table = learn_table(labels("b", "a", None, "b"), pd.Series([2.0, 1.0, 9.0, 2.0]), "y", "x")
    assert table == (("a", 1.0), ("b", 2.0), (None, 9.0))


def test_numbers_have_an_entry_for_each_step_that_begins_at_a_round_number() -> None:
    ages = pd.Series([17.0, 24.0, 26.0, 39.0, 41.0, 80.0, np.nan])
    bands = labels("young", "young", "middle", "middle", "old", "old", None)
    assert learn_table(ages, bands, "band", "age") == ((17.0, "young"), (26.0, "middle"), (40.0, "old"), (None, None))
    incomes = pd.Series([1200.0, 24_999.5, 25_210.0])
    assert learn_table(incomes, labels("low", "low", "high"), "y", "x") == ((1200.0, "low"), (25_000.0, "high"))


def test_datetimes_step_where_a_month_or_year_begins() -> None:
    moments = days("2023-11-05", "2023-12-30", "2024-01-03", "2024-03-20", "2024-04-02")
    table = learn_table(moments, labels("a", "a", "b", "b", "c"), "y", "x")
    expected = (("2023-11-05T00:00:00", "a"), ("2024-01-01T00:00:00", "b"), ("2024-04-01T00:00:00", "c"))
    assert table == expected
    assert look_up(lookup(table), days("2023-12-31", "2024-03-31", "2030-01-01")).tolist() == ["a", "b", "c"]


def test_labels_without_an_entry_are_missing() -> None:
    found = look_up(lookup((("a", "A"), ("b", "B"), (None, "none"))), labels("b", None, "z"))
    assert found.tolist() == ["B", "none", None]
    assert found.dtype == object


def test_every_number_has_an_entry() -> None:
    table = ((10.0, 1.5), (20.0, 2.5), (None, 0.0))
    found = look_up(lookup(table, "number"), pd.Series([-5.0, 10.0, 19.9, 20.0, 1e9, np.nan]))
    assert found.tolist() == [1.5, 1.5, 1.5, 2.5, 2.5, 0.0]
    assert look_up(lookup(table[:2], "number"), pd.Series([np.nan])).isna().all()


def test_a_lookup_may_give_datetimes() -> None:
    table = learn_table(labels("a", "b"), days("2024-05-01", "NaT"), "y", "x")
    found = look_up(lookup(table, "datetime"), labels("b", "a"))
    pd.testing.assert_series_equal(found, days("NaT", "2024-05-01"))


def test_tables_that_a_user_writes_may_hold_numbers_for_labels() -> None:
    assert look_up(lookup(((1, True), (2.0, 7))), labels("2", "1")).tolist() == ["7", "True"]


def test_rows_that_contradict_each_other_are_named() -> None:
    message = r"'city' shall follow from 'branch', but rows 2 and 4 have the same 'branch' \(B\) and different 'city': "
    with pytest.raises(SchemaError, match=message + r"Rome and missing \(1 rows"):
        learn_table(labels("A", "B", "A", "B"), labels("Oslo", "Rome", "Oslo", None), "city", "branch")


@pytest.mark.parametrize(
    ("table", "result", "message"),
    [
        ((("a", 1.0), ("b", 2.0)), "label", "'x' has keys that do not fit: .*'a'"),
        (((2.0, "a"), (1.0, "b")), "label", "'x' must have its keys in rising order"),
        (((1.0, "a"),), "number", "'x' gives numbers, but its table holds others: .*'a'"),
    ],
)
def test_tables_that_do_not_fit(table: Any, result: str, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        look_up(lookup(table, result), pd.Series([1.0, 2.0], name="x"))


NUMBERS = st.floats(-1e12, 1e12).map(lambda number: number + 0.0)


@given(st.lists(st.tuples(NUMBERS | st.none(), st.sampled_from(["a", "b", None])), min_size=1, max_size=30))
def test_what_was_learned_from_numbers_is_found_again(rows: list[tuple[float | None, str | None]]) -> None:
    known = dict(rows)
    keys = pd.Series([key for key, _ in rows], dtype=np.float64)
    values = labels(*(known[key] for key, _ in rows))
    table = learn_table(keys, values, "y", "x")
    pd.testing.assert_series_equal(look_up(lookup(table), keys), values)
    begins = [key for key, _ in table if key is not None]
    assert begins == sorted(begins)


@given(st.lists(st.tuples(st.text(max_size=2) | st.none(), NUMBERS | st.none()), min_size=1, max_size=30))
def test_what_was_learned_from_labels_is_found_again(rows: list[tuple[str | None, float | None]]) -> None:
    known = dict(rows)
    keys = labels(*(key for key, _ in rows))
    values = pd.Series([known[key] for key, _ in rows], dtype=np.float64)
    table = learn_table(keys, values, "y", "x")
    pd.testing.assert_series_equal(look_up(lookup(table, "number"), keys), values)

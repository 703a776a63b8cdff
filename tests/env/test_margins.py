from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.data.schema import Column, Schema
from agentsynth.env.margins import OTHER, Margin, coarsen, fit_margins, label_margin, numbers_of


def moments(*texts: str) -> pd.Series[pd.Timestamp]:
    return pd.Series(np.array(texts, dtype="datetime64[us]"))


FRAME = pd.DataFrame(
    {
        "x": [1.0, 2.0, np.nan, 5.0],
        "label": pd.Series(["a", "b", None, "unseen"], dtype=object),
        "at": moments("2024-03-01 10:30", "2023-12-31 23:59", "NaT", "1970-01-01"),
    }
)
EACH_KIND = [
    Margin("x", "value", edges=(2.0, 4.0)),
    Margin("x", "value"),
    Margin("label", "label", labels=("a", "b")),
    Margin("label", "label", labels=("a", OTHER)),
    Margin("at", "date", edges=(10.0, 19_000.0)),
    Margin("at", "month"),
    Margin("at", "weekday"),
    Margin("at", "hour"),
]


@pytest.mark.parametrize("margin", EACH_KIND, ids=lambda margin: f"{margin.name}-{margin.size}")
class TestEveryMargin:
    def test_each_row_falls_in_one_of_its_cells(self, margin: Margin) -> None:
        codes = margin.codes(FRAME)
        assert codes.dtype == np.int32
        assert codes.shape == (4,)
        assert codes.min() >= 0
        assert codes.max() < margin.size

    def test_what_is_missing_falls_in_the_last_cell(self, margin: Margin) -> None:
        codes = margin.codes(FRAME)
        assert codes[2] == margin.size - 1
        assert (codes[:2] < margin.size - 1).all()

    def test_rows_are_sorted_one_by_one(self, margin: Margin) -> None:
        order = [3, 1, 2, 0]
        np.testing.assert_array_equal(margin.codes(FRAME.iloc[order]), margin.codes(FRAME)[order])

    def test_a_table_without_rows_has_no_cells(self, margin: Margin) -> None:
        assert margin.codes(FRAME.iloc[:0]).shape == (0,)

    def test_it_survives_json(self, margin: Margin) -> None:
        back = Margin.from_json(json.loads(json.dumps(margin.to_json())))
        assert back == margin
        assert hash(back) == hash(margin)

    def test_coarse_ones_sort_the_same_column(self, margin: Margin) -> None:
        coarse = coarsen(margin, FRAME, 2)
        assert (coarse.column, coarse.aspect) == (margin.column, margin.aspect)
        assert coarse.codes(FRAME).max() < coarse.size


def test_cells_by_hand() -> None:
    value, bare, label, other, date, month, weekday, hour = (margin.codes(FRAME).tolist() for margin in EACH_KIND)
    assert value == [0, 1, 3, 2]
    assert bare == [0, 0, 1, 0]
    # A label that the margin does not have goes with the missing ones, unless there is a cell for others.
    assert label == [0, 1, 2, 2]
    assert other == [0, 1, 2, 1]
    assert date == [2, 2, 3, 0]
    assert month == [2, 11, 12, 0]
    assert weekday == [4, 6, 7, 3]
    assert hour == [10, 23, 24, 0]


def test_numbers_of_a_datetime() -> None:
    at = moments("1970-01-02 12:00", "NaT")
    np.testing.assert_array_equal(numbers_of(at, "date"), [1.5, np.nan])
    np.testing.assert_array_equal(numbers_of(at, "month"), [1, np.nan])
    np.testing.assert_array_equal(numbers_of(at, "weekday"), [4, np.nan])
    np.testing.assert_array_equal(numbers_of(at, "hour"), [12, np.nan])


def test_few_distinct_numbers_have_a_cell_each() -> None:
    frame = pd.DataFrame({"x": [3.0, 1.0, 2.0, 2.0, np.nan]})
    (margin,) = fit_margins(frame, Schema(columns=(Column(name="x", kind="numeric", dtype="float64"),)), bins=3)
    assert margin.edges == (2.0, 3.0)
    assert margin.codes(frame).tolist() == [2, 0, 1, 1, 3]


def test_many_numbers_are_cut_into_equally_full_cells() -> None:
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=1000)})
    (margin,) = fit_margins(frame, Schema(columns=(Column(name="x", kind="numeric", dtype="float64"),)), bins=10)
    counts = np.bincount(margin.codes(frame), minlength=margin.size)
    assert counts.tolist() == [100] * 10 + [0]


def test_a_value_that_repeats_a_lot_fills_a_cell_of_its_own() -> None:
    x = np.concatenate([np.zeros(500), np.linspace(1, 2, 500), [-1.0]])
    frame = pd.DataFrame({"x": x})
    (margin,) = fit_margins(frame, Schema(columns=(Column(name="x", kind="numeric", dtype="float64"),)), bins=8)
    zero = margin.codes(pd.DataFrame({"x": [0.0]}))[0]
    assert (margin.codes(frame) == zero).sum() == 500


@given(st.lists(st.floats(allow_infinity=False), min_size=1, max_size=60), st.integers(2, 12))
def test_cells_of_any_numbers_keep_their_order(numbers: list[float], bins: int) -> None:
    frame = pd.DataFrame({"x": numbers})
    (margin,) = fit_margins(frame, Schema(columns=(Column(name="x", kind="numeric", dtype="float64"),)), bins)
    known = frame["x"].notna().to_numpy()
    codes = margin.codes(frame)
    assert (codes[~known] == margin.size - 1).all()
    assert (codes[known] < margin.size - 1).all()
    order = np.argsort(frame["x"].to_numpy()[known], kind="stable")
    assert (np.diff(codes[known][order]) >= 0).all()
    assert margin.size <= 2 * bins + 1
    # Every cell but the one for missing values is in use.
    assert set(codes[known]) == set(range(margin.size - 1)) or not known.any()


def test_rare_labels_share_a_cell_and_ties_go_by_name() -> None:
    labels = pd.Series([*"aaabbcd", None], dtype=object)
    assert label_margin("label", labels, 3).labels == ("a", "b", "c", OTHER)
    assert label_margin("label", labels, 4).labels == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("start", "days", "step", "aspects"),
    [
        ("2024-01-01 10:00", 400, "minute", ["date", "month", "weekday", "hour"]),
        ("2024-01-01 10:00", 30, "minute", ["date", "weekday", "hour"]),
        ("2024-01-01", 400, "day", ["date", "month", "weekday"]),
        ("2024-01-01", 400, "month", ["date", "month"]),
        ("2024-01-01", 4000, "year", ["date"]),
    ],
)
def test_a_datetime_has_the_calendar_that_it_shows(start: str, days: int, step: str, aspects: list[str]) -> None:
    frame = pd.DataFrame({"at": pd.Series(pd.Timestamp(start) + pd.to_timedelta([0, days], unit="D"))})
    column = Column.model_validate({"name": "at", "kind": "datetime", "dtype": "datetime64[us]", "step": step})
    margins = fit_margins(frame, Schema(columns=(column,)), bins=4)
    assert [margin.aspect for margin in margins] == aspects
    assert [margin.ordered for margin in margins] == [aspect == "date" for aspect in aspects]


def test_a_column_without_any_value_has_one_cell_and_the_missing_one() -> None:
    frame = pd.DataFrame({"x": [np.nan] * 3, "at": moments("NaT", "NaT", "NaT")})
    columns = (
        Column(name="x", kind="numeric", dtype="float64"),
        Column(name="at", kind="datetime", dtype="datetime64[us]", step="second"),
    )
    margins = fit_margins(frame, Schema(columns=columns), bins=4)
    assert [margin.size for margin in margins] == [2, 2]
    assert [margin.codes(frame).tolist() for margin in margins] == [[1, 1, 1], [1, 1, 1]]

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.data.bounds import bounds_first, check_bounds, excess, least, raised, steps_since, with_excess
from agentsynth.data.dates import UNITS, floor_to_step
from agentsynth.data.schema import Column, Kind, Schema, Step
from agentsynth.errors import SchemaError

STEPS: list[Step] = ["year", "month", "day", "hour", "minute", "second", "millisecond", "microsecond"]


def number(*above: str, decimals: int | None = 2, name: str = "y") -> Column:
    return Column(name=name, kind="numeric", dtype="float64", decimals=decimals, above=above)


def moment(*above: str, step: Step = "day", name: str = "y") -> Column:
    return Column(name=name, kind="datetime", dtype="datetime64[us]", step=step, above=above)


def times(*values: str) -> Any:
    return np.array(values, dtype="datetime64[us]")


def test_the_least_value_is_the_largest_bound_rounded_up() -> None:
    frame = {"a": np.array([1.001, 2.5, np.nan, -3.0]), "b": np.array([0.0, 2.75, 1.0, -3.01])}
    np.testing.assert_array_equal(least(number("a", "b"), frame), [1.01, 2.75, np.nan, -3.0])
    np.testing.assert_array_equal(least(number("a", decimals=-1), frame), [10, 10, np.nan, 0])
    np.testing.assert_array_equal(least(number("a", decimals=None), frame), frame["a"])


def test_the_least_datetime_begins_a_step() -> None:
    frame = {"a": times("2024-02-10 14:23:11", "2024-02-10", "NaT")}
    assert least(moment("a"), frame).tolist() == times("2024-02-11", "2024-02-10", "NaT").tolist()
    assert least(moment("a", step="month"), frame).tolist() == times("2024-03-01", "2024-03-01", "NaT").tolist()


def test_bounds_may_be_cut_to_the_step_of_the_column() -> None:
    column = moment("a").model_copy(update={"by_step": True})
    frame = {"a": times("2024-02-10 14:23:11", "2024-02-10", "NaT"), "y": times("2024-02-10", "2024-02-12", "NaT")}
    assert least(column, frame).tolist() == times("2024-02-10", "2024-02-10", "NaT").tolist()
    np.testing.assert_array_equal(excess(column, frame), [0, 2, np.nan])
    typed = pd.DataFrame(frame)
    check_bounds(typed, [column])
    with pytest.raises(SchemaError, match=r"below 'a', but in row 1 .*compare by the day \(`by_step: true`\)"):
        check_bounds(typed, [moment("a")])


def test_the_excess_of_datetimes_counts_steps() -> None:
    frame = {"a": times("2024-02-10 14:00", "2024-02-28", "NaT"), "y": times("2024-02-11", "2024-03-01", "NaT")}
    np.testing.assert_array_equal(excess(moment("a"), frame), [0, 2, np.nan])


def test_the_excess_of_numbers_has_no_floating_point_noise() -> None:
    frame = {"a": np.array([0.1, 1.1]), "y": np.array([0.3, 3.3])}
    assert excess(number("a", decimals=1), frame).tolist() == [0.2, 2.2]


def test_an_excess_does_not_lead_beyond_the_largest_value() -> None:
    frame = {"a": np.array([95.0, 10.0, 120.0])}
    assert with_excess(number("a"), np.array([20.0, 20.0, 1.0]), frame, 100.0).tolist() == [100, 30, 120]
    most = steps_since(times("2024-03-01"), moment())[0]
    dates = {"a": times("2024-02-20", "2024-01-01", "2024-03-05")}
    found = with_excess(moment("a"), np.array([20.0, 20.0, 1.0]), dates, most)
    assert found.tolist() == times("2024-03-01", "2024-01-21", "2024-03-05").tolist()


def test_nor_does_it_lead_below_the_smallest() -> None:
    frame = {"a": np.array([95.0, 10.0, np.nan])}
    np.testing.assert_array_equal(with_excess(number("a"), np.zeros(3), frame, 100.0, 30.0), [95, 30, np.nan])
    smallest, most = steps_since(times("2024-01-20", "2024-03-01"), moment())
    dates = {"a": times("2024-02-20", "2024-01-01", "NaT")}
    found = with_excess(moment("a"), np.array([1.0, 1.0, 1.0]), dates, most, smallest)
    assert found.tolist() == times("2024-02-21", "2024-01-20", "NaT").tolist()


def test_what_falls_below_is_raised_to_the_next_value_known() -> None:
    known = np.array([4.99, 9.99, 19.99])
    frame = {"a": np.array([5.0, 3.0, 19.99, 25.0, np.nan])}
    found = raised(number("a"), np.array([4.99, 4.99, 9.99, 4.99, 4.99]), frame, known, 19.99)
    np.testing.assert_array_equal(found, [9.99, 4.99, 19.99, 25.0, np.nan])


def test_datetimes_below_are_raised_as_far_above() -> None:
    frame = {"a": times("2024-02-10 12:00", "2024-02-10", "NaT")}
    values = times("2024-02-08", "2024-02-12", "2024-02-12")
    found = raised(moment("a"), values, frame, np.zeros(0), steps_since(times("2025-01-01"), moment())[0])
    np.testing.assert_array_equal(found, times("2024-02-14", "2024-02-12", "NaT"))


def test_columns_stand_after_their_bounds_and_else_where_they_stood() -> None:
    columns = [number("b", name="c"), number(name="x"), number("a", name="b"), number(name="a")]
    assert [column.name for column in bounds_first(columns)] == ["x", "a", "b", "c"]


def other(kind: Kind, *above: str) -> Column:
    return Column(name="o", kind=kind, dtype="object", above=above)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([number("y")], "above each other in a circle: y"),
        ([number("z"), number("y", name="z"), number(name="x")], "in a circle: y, z"),
        ([number("nobody")], "'y' shall be above 'nobody', which is no column that is modelled; there are y"),
        ([number("o"), moment(name="o")], r"'y' \(numeric\) shall be above 'o' \(datetime\): both must be numeric"),
        ([number("o"), other("categorical")], r"'y' \(numeric\) shall be above 'o' \(categorical\)"),
        ([number(), other("id", "y")], r"'o' \(id\) shall be above 'y' \(numeric\)"),
    ],
)
def test_bounds_that_do_not_fit(columns: list[Column], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        bounds_first(columns)


def test_rows_below_a_bound_are_named() -> None:
    schema = Schema(columns=(number(name="a"), number("a")))
    frame = pd.DataFrame({"a": [1.0, 2.0, np.nan, 3.0], "y": [1.0, np.nan, np.nan, 4.0]})
    check_bounds(frame, schema)
    with pytest.raises(SchemaError, match=r"'y' shall never be below 'a', but in row 2 it is 1.5, and 'a' is 2.0 \(1"):
        check_bounds(frame.assign(y=[1.0, 1.5, np.nan, 4.0]), schema)
    with pytest.raises(SchemaError, match=r"in row 3 it is 7\.0, and 'a' is nan"):
        check_bounds(frame.assign(y=[1.0, np.nan, 7.0, 4.0]), schema)


DECIMALS = st.none() | st.integers(-2, 4)


@st.composite
def numbers_above(draw: st.DrawFn) -> tuple[Column, dict[str, Any]]:
    """A column and values of it that are never below its two bounds, each in decimals of its own."""
    decimals, others = draw(DECIMALS), [draw(DECIMALS), draw(DECIMALS)]
    floats = st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=5).map(np.array)
    bounds = [x if d is None else np.round(x, d) for d, x in zip(others, [draw(floats), draw(floats)], strict=True)]
    column = number("a", "b", decimals=decimals)
    frame = {"a": bounds[0], "b": bounds[1]}
    above = np.abs(draw(floats))
    bottom = least(column, frame)
    values = bottom + above if decimals is None else np.round(bottom + above, decimals)
    return column, {**frame, "y": values}


@given(numbers_above(), st.floats(0, 1e6))
def test_any_number_comes_back_from_its_excess_and_none_is_below(drawn: Any, more: float) -> None:
    column, frame = drawn
    above = excess(column, frame)
    assert (above >= 0).all()
    again = with_excess(column, above, frame, np.inf)
    np.testing.assert_allclose(again, frame["y"], rtol=0 if column.decimals is not None else 1e-9, atol=1e-9)
    bottom = np.maximum(frame["a"], frame["b"])
    for found in (with_excess(column, above + more, frame, 0.0), raised(column, frame["a"], frame, frame["y"][:1], 0)):
        assert (found >= bottom).all()
        if column.decimals is not None:
            np.testing.assert_array_equal(found, np.round(found, column.decimals))


@given(
    st.lists(st.datetimes(pd.Timestamp("1900-01-01"), pd.Timestamp("2100-01-01")), min_size=2, max_size=2),
    st.sampled_from(STEPS),
    st.sampled_from(STEPS),
    st.integers(0, 5000),
)
def test_any_datetime_comes_back_from_its_excess_and_none_is_below(
    moments: list[Any], step: Step, other_step: Step, more: int
) -> None:
    column = moment("a", step=step)
    low, high = (pd.Series([value]).astype("datetime64[us]") for value in sorted(moments))
    frame = {"a": floor_to_step(low, other_step).to_numpy()}
    frame["y"] = np.maximum(floor_to_step(high, step).to_numpy(), least(column, frame))
    above = excess(column, frame)
    assert (above >= 0).all()
    assert with_excess(column, above, frame, np.inf) == frame["y"]
    further = with_excess(column, above + more, frame, float(steps_since(frame["y"], column)[0]))
    lifted = raised(column, floor_to_step(low, step).to_numpy(), frame, np.zeros(0), -np.inf)
    for found in (further, lifted):
        assert found >= frame["a"]
        assert found.astype(f"datetime64[{UNITS[step]}]") == found

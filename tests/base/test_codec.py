from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentsynth.base.codec import MISSING, Codec, Part
from agentsynth.data.bounds import least
from agentsynth.data.dates import floor_to_step
from agentsynth.data.schema import Column, Schema, Step
from agentsynth.errors import SchemaError

NUMBER = Column(name="x", kind="numeric", dtype="float64")
LABEL = Column(name="label", kind="categorical", dtype="str")
MOMENT = Column(name="at", kind="datetime", dtype="datetime64[us]", step="second")


def fitted(frame: pd.DataFrame, *columns: Column) -> Codec:
    return Codec(Schema(columns=columns)).fit(frame)


def test_numbers_are_coded_by_their_place_among_the_distinct_ones() -> None:
    frame = pd.DataFrame({"x": [5.0, 1.0, 2.0, 2.0, np.nan]})
    codec = fitted(frame, NUMBER)
    assert codec.encode(frame)[:, 0].tolist() == [2.0, 0.0, 1.0, 1.0, MISSING]
    assert codec.parts[0].counts.tolist() == [1, 2, 1]


def test_a_code_between_two_values_stands_for_a_number_between_them() -> None:
    part = Part("x", "number", np.array([1.0, 2.0, 5.0]), np.array([1, 1, 1]))
    np.testing.assert_array_equal(part.numbers(np.array([0.5, 1.25, MISSING])), [1.5, 2.75, np.nan])
    assert part.codes(np.array([1.5, 2.75])).tolist() == [0.5, 1.25]


def test_numbers_between_are_rounded_to_the_columns_decimals_and_training_values_never() -> None:
    part = Part("x", "number", np.array([1.05, 2.0]), np.array([1, 1]), decimals=1)
    assert part.numbers(np.array([0.0, 0.5])).tolist() == [1.05, 1.5]


def test_numbers_beyond_the_training_range_are_coded_as_its_ends() -> None:
    part = Part("x", "number", np.array([1.0, 2.0]), np.array([1, 1]))
    assert part.codes(np.array([-7.0, 9.0])).tolist() == [0.0, 1.0]


def test_a_datetime_is_a_date_and_a_time_of_day() -> None:
    frame = pd.DataFrame(
        {"at": np.array(["2024-01-02 10:00", "2024-01-01 12:00", "2024-01-03 12:00", "NaT"], dtype="datetime64[us]")}
    )
    codec = fitted(frame, MOMENT)
    assert [(part.role, part.unit) for part in codec.parts] == [("date", "day"), ("time", "second")]
    assert codec.encode(frame).tolist() == [[1.0, 0.0], [0.0, 1.0], [2.0, 1.0], [MISSING, MISSING]]
    # Half-way between the dates and the times.
    between = codec.decode(np.array([[0.6, 0.5]]))
    assert between["at"].tolist() == [pd.Timestamp("2024-01-02 11:00")]


def test_a_time_of_day_beyond_the_training_range_becomes_one_within_it() -> None:
    moments = ["2024-01-01 12:00", "2024-01-01 18:00", "2024-01-02 00:00", "2024-01-02 23:00", "2024-01-03 06:00"]
    frame = pd.DataFrame({"at": np.array(moments, dtype="datetime64[us]")})
    codec = fitted(frame, MOMENT.model_copy(update={"step": "hour"}))
    # Times of day: 0, 6, 12, 18, 23 h. On the first date 12 h and later may stand, on the last 6 h and earlier.
    early = codec.decode(np.array([[0.0, time] for time in (0.0, 1.0, 2.0, 3.0)]))
    assert early["at"].dt.hour.tolist() == [12, 18, 12, 18]
    late = codec.decode(np.array([[2.0, time] for time in (1.0, 2.0, 3.0, 4.0)]))
    assert late["at"].dt.hour.tolist() == [6, 0, 6, 6]
    between = codec.decode(np.array([[1.0, time] for time in (0.0, 4.0)]))
    assert between["at"].dt.hour.tolist() == [0, 23]
    pd.testing.assert_frame_equal(codec.decode(codec.encode(frame)), frame)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 3 * 86400), min_size=1, max_size=12),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40),
)
def test_no_datetime_lies_outside_the_training_range(seconds: list[int], places: list[tuple[float, float]]) -> None:
    frame = pd.DataFrame({"at": np.array(seconds, dtype="datetime64[s]").astype("datetime64[us]")})
    codec = fitted(frame, MOMENT)
    highest = np.array([len(part.values) - 1 for part in codec.parts])
    made = codec.decode(np.array(places) * highest)["at"]
    assert made.min() >= frame["at"].min()
    assert made.max() <= frame["at"].max()


@pytest.mark.parametrize(("step", "unit"), [("year", "year"), ("month", "month"), ("day", "day")])
def test_a_date_without_a_time_is_one_part(step: Step, unit: str) -> None:
    frame = pd.DataFrame({"at": pd.to_datetime(["2020-01-01", "2022-01-01"])})
    codec = fitted(frame, Column(name="at", kind="datetime", dtype="datetime64[us]", step=step))
    assert [(part.role, part.unit) for part in codec.parts] == [("date", unit)]
    assert codec.decode(np.array([[0.5]]))["at"].dt.year.tolist() == [2021]


def test_trees_see_weekday_and_month_of_a_date() -> None:
    frame = pd.DataFrame({"at": np.array(["2024-03-01 10:00", "2024-12-31 12:00", "NaT"], dtype="datetime64[us]")})
    codec = fitted(frame, MOMENT)
    assert codec.feature_slices == [slice(0, 3), slice(3, 4)]
    features = codec.features(codec.encode(frame))
    # A Friday in March, a Tuesday in December, nothing known.
    assert features.tolist() == [[0, 4, 3, 0], [1, 1, 12, 1], [-1, -1, -1, -1]]


def test_labels_stand_in_the_order_of_the_numbers_they_go_with() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "label": ["b", "b", "c", "c", "a", "a"]})
    codec = fitted(frame, NUMBER, LABEL)
    order = codec.parts[0].values.tolist()
    assert order in (["b", "c", "a"], ["a", "c", "b"])


def test_the_order_of_labels_depends_neither_on_the_order_of_rows_nor_on_rounding() -> None:
    rng = np.random.default_rng(0)
    label = rng.choice(list("abcdef"), 200)
    x = np.round(rng.normal(size=200) + (label == "b"), 1)
    # Two columns that run against each other: their loadings are equal but for sign and rounding.
    frame = pd.DataFrame({"x": x, "y": -x + 0.1 * rng.integers(0, 3, 200), "label": label.astype(object)})
    columns = [NUMBER, Column(name="y", kind="numeric", dtype="float64"), LABEL]
    orders = {
        tuple(fitted(frame.sample(frac=1, random_state=seed), *columns).parts[2].values.tolist()) for seed in range(5)
    }
    assert len(orders) == 1


def test_without_numbers_labels_stand_in_alphabetical_order() -> None:
    frame = pd.DataFrame({"label": np.array(["c", "a", "b", None, "a"], dtype=object)})
    part = fitted(frame, LABEL).parts[0]
    assert part.values.tolist() == ["a", "b", "c", None]
    assert part.counts.tolist() == [2, 1, 1, 1]


def test_labels_that_were_not_there_are_refused_or_read_as_the_commonest() -> None:
    codec = fitted(pd.DataFrame({"label": ["a", "b", "b"]}, dtype=object), LABEL)
    new = pd.DataFrame({"label": ["z", "a", None]}, dtype=object)
    with pytest.raises(SchemaError, match=r"column 'label' holds \['None', 'z'\], which the training rows do not have"):
        codec.encode(new)
    assert codec.decode(codec.encode(new, lenient=True))["label"].tolist() == ["b", "a", "b"]


@pytest.mark.parametrize("labels", [["a", "a\0"], ["", " "], ["nan", "None"], ["é", "e\u0301"]])
def test_labels_that_look_alike_stay_apart(labels: list[str]) -> None:
    frame = pd.DataFrame({"label": np.array([*labels, None], dtype=object)})
    codec = fitted(frame, LABEL)
    assert codec.decode(codec.encode(frame))["label"].tolist() == [*labels, None]


def test_columns_without_any_value_stay_missing() -> None:
    frame = pd.DataFrame(
        {"x": [np.nan] * 3, "at": np.array(["NaT"] * 3, dtype="datetime64[us]"), "label": np.array([None] * 3, object)}
    )
    codec = fitted(frame, NUMBER, MOMENT, LABEL)
    assert codec.decode(codec.encode(frame)).isna().all(axis=None)
    assert np.isfinite(codec.features(codec.encode(frame))).all()


def test_derived_ids_and_constants_are_not_coded() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0], "n": [1, 2]})
    codec = fitted(frame, NUMBER, Column(name="n", kind="id", dtype="int64"))
    assert [part.column for part in codec.parts] == ["x"]


def bounded(*, excess: bool) -> tuple[Column, ...]:
    """The first column of the table is bounded by the second, a delivery (to the day) by an order (to the second)."""
    return (
        Column(name="high", kind="numeric", dtype="float64", decimals=1, above=("low",), excess=excess),
        Column(name="low", kind="numeric", dtype="float64", decimals=2),
        Column(name="out", kind="datetime", dtype="datetime64[us]", step="day", above=("at",), excess=excess),
        MOMENT,
    )


def bounded_frame() -> pd.DataFrame:
    at = pd.Series(pd.to_datetime(["2024-01-01 10:00", "2024-01-03 00:00", "2024-03-02 23:59", "NaT"]))
    out = pd.Series(pd.to_datetime(["2024-01-02", "2024-01-06", "2024-03-03", "NaT"]))
    frame = pd.DataFrame({"high": [5.3, 2.1, np.nan, 9.0], "low": [5.25, 1.0, 3.0, 9.0], "out": out, "at": at})
    return frame.astype({"out": "datetime64[us]", "at": "datetime64[us]"})


def test_a_column_may_be_coded_by_its_excess_after_its_bounds() -> None:
    frame = bounded_frame()
    codec = fitted(frame, *bounded(excess=True))
    assert [(part.column, part.role) for part in codec.parts] == [
        ("at", "date"),
        ("at", "time"),
        ("low", "number"),
        ("high", "number"),
        ("out", "number"),
    ]
    # Over 5.3, 1.0 and 9.0 (the lowest tenths that are no less than `low`); over the days that begin after `at`.
    assert codec.parts[3].values.tolist() == [0.0, 1.1]
    assert codec.parts[4].values.tolist() == [0.0, 3.0]
    codes = codec.encode(frame)
    pd.testing.assert_frame_equal(codec.decode(codes)[list(frame)], frame, check_exact=True)
    # The first order with the second one's excess, no earlier than the first one of all (10:00, so from the next day
    # on); the last date stays within the training rows'.
    mixed = np.array([[0.0, 0.0, 2.0, 1.0, 1.0], [2.0, 0.0, 2.0, 1.0, 1.0]])
    assert codec.decode(mixed)["high"].tolist() == [6.4, 6.4]
    assert codec.decode(mixed)["out"].tolist() == [pd.Timestamp("2024-01-05"), pd.Timestamp("2024-03-03")]
    # The second order with no excess: 1.0 is less than any number of the training rows.
    assert codec.decode(np.array([[0.0, 0.0, 0.0, 0.0, 0.0]]))["high"].tolist() == [2.1]


def test_a_column_below_its_bound_is_raised_to_a_known_number_or_mirrored() -> None:
    frame = bounded_frame()
    codec = fitted(frame, *bounded(excess=False))
    pd.testing.assert_frame_equal(codec.decode(codec.encode(frame))[list(frame)], frame, check_exact=True)
    assert [part.column for part in codec.parts] == ["at", "at", "low", "high", "out"]
    # low 5.25, high 2.1 -> 5.3; at March 2nd 00:00, out January 2nd -> March 3rd, the last day there is.
    low = codec.decode(np.array([[2.0, 0.0, 2.0, 0.0, 0.0]]))
    assert low["high"].tolist() == [5.3]
    assert low["out"].tolist() == [pd.Timestamp("2024-03-03")]


@pytest.mark.parametrize("excess", [True, False])
def test_without_its_bound_a_column_is_missing(excess: bool) -> None:
    codec = fitted(bounded_frame(), *bounded(excess=excess))
    found = codec.decode(np.array([[-1.0, 1.0, -1.0, -1.0, 1.0]]))
    assert found[["high", "out"]].isna().all(axis=None)


def test_rows_below_a_bound_are_refused() -> None:
    frame = bounded_frame()
    frame.loc[1, "high"] = 0.5
    with pytest.raises(SchemaError, match=r"'high' shall never be below 'low', but in row 2 it is 0\.5"):
        fitted(frame, *bounded(excess=True))


STEPS: list[Step] = ["year", "month", "day", "hour", "minute", "second", "millisecond", "microsecond"]
MOMENTS = st.datetimes(pd.Timestamp("1800-01-01"), pd.Timestamp("2200-01-01")).map(np.datetime64)


@st.composite
def typed_frames(draw: st.DrawFn) -> tuple[pd.DataFrame, Schema]:
    """A typed frame of one to four columns and its schema."""
    rows = draw(st.integers(1, 15))
    data: dict[str, Any] = {}
    columns = []
    for number in range(draw(st.integers(1, 4))):
        name = f"c{number}"
        kind = draw(st.sampled_from(["numeric", "decimal", "datetime", "categorical"]))
        gaps = np.array(draw(st.lists(st.booleans(), min_size=rows, max_size=rows)), dtype=bool)
        if kind == "categorical":
            labels = draw(st.lists(st.text(max_size=3), min_size=rows, max_size=rows))
            marked = [None if gap else label for gap, label in zip(gaps, labels, strict=True)]
            data[name] = pd.Series(marked, dtype=object)
            columns.append(Column(name=name, kind="categorical", dtype="str"))
        elif kind == "datetime":
            step = draw(st.sampled_from(STEPS))
            moments = np.array(draw(st.lists(MOMENTS, min_size=rows, max_size=rows)), dtype="datetime64[us]")
            moments[gaps] = np.datetime64("NaT")
            data[name] = floor_to_step(pd.Series(moments), step)
            columns.append(Column(name=name, kind="datetime", dtype="datetime64[us]", step=step))
        else:
            decimals = draw(st.integers(-1, 3)) if kind == "decimal" else None
            spread = 1e6 if kind == "decimal" else 1e300
            floats = np.array(draw(st.lists(st.floats(-spread, spread), min_size=rows, max_size=rows)))
            data[name] = np.where(gaps, np.nan, floats if decimals is None else np.round(floats, decimals))
            columns.append(Column(name=name, kind="numeric", dtype="float64", decimals=decimals))
    return pd.DataFrame(data), Schema(columns=tuple(columns))


@given(typed_frames())
@settings(deadline=None)
def test_any_typed_frame_comes_back_exactly(drawn: tuple[pd.DataFrame, Schema]) -> None:
    frame, schema = drawn
    codec = Codec(schema).fit(frame)
    codes = codec.encode(frame)
    assert np.array_equal(codes, np.rint(codes))
    pd.testing.assert_frame_equal(codec.decode(codes), frame, check_exact=True)
    assert codec.features(codes).shape == (len(frame), sum(part.width for part in codec.parts))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=6, unique=True))
def test_numbers_of_any_size_stay_between_their_neighbours(numbers: list[float]) -> None:
    values = np.unique(np.array(numbers) + 0.0)
    part = Part("x", "number", values, np.ones(len(values), dtype=np.int64))
    places = np.arange(len(values), dtype=np.float64)
    np.testing.assert_array_equal(part.codes(values), places)
    np.testing.assert_array_equal(part.numbers(places), values)
    between = part.numbers(places[:-1] + 0.5)
    assert ((between >= values[:-1]) & (between <= values[1:])).all()


@given(typed_frames(), st.booleans(), st.integers(0, 1000))
@settings(deadline=None)
def test_bounds_hold_whatever_is_drawn(drawn: tuple[pd.DataFrame, Schema], excess: bool, seed: int) -> None:
    frame, schema = drawn
    columns = [column for column in schema if column.kind in ("numeric", "datetime")]
    rows = frame.copy()
    chained: list[Column] = []
    for column in columns:
        bounds = tuple(other.name for other in chained if other.kind == column.kind)
        bounded_column = column.model_copy(update={"above": bounds, "excess": excess})
        if bounds:
            bottom = pd.Series(least(bounded_column, rows))
            rows[column.name] = rows[column.name].where(rows[column.name] >= bottom, bottom)
        chained.append(bounded_column)
    codec = Codec(Schema(columns=tuple(reversed(chained)))).fit(rows)
    rng = np.random.default_rng(seed)
    codes = np.zeros((20, len(codec.parts)))
    for place, part in enumerate(codec.parts):
        codes[:, place] = rng.uniform(-1, max(len(part.values) - 1, 0), 20)
    known = [column.name for column in chained if rows[column.name].notna().any()]
    assert codec.decode(np.maximum(codes, 0))[known].notna().all(axis=None)
    found = codec.decode(np.where(codes < 0, MISSING, codes))
    for column in chained:
        for name in column.above:
            assert (found[column.name].isna() | (found[column.name] >= found[name])).all()

"""Clock, history, drifts, pool, sizes: what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.data.schema import Column, Schema
from agentsynth.entities.clock import SAME, Clock
from agentsynth.entities.drift import Drifts
from agentsynth.entities.history import History, Steps
from agentsynth.entities.layout import GAP_BEFORE, LEFT, PACE, PLACE, ROWS, Layout, before, mean
from agentsynth.entities.plan import EntityPlan
from agentsynth.entities.pool import EntityPool, places_of
from agentsynth.entities.sizing import Sizes, entities_for, exactly

PLAN = EntityPlan("who", ("sex",), "day", ("state", "weight"))


def moments(*texts: str) -> pd.Series:
    return pd.Series(pd.to_datetime(list(texts)).astype("datetime64[us]"))


def test_gaps_of_dates_are_days_and_the_same_moment_is_told() -> None:
    clock = Clock(Column(name="t", kind="datetime", dtype="datetime64[us]", step="minute"), 1e6)
    start, end = moments("2024-01-01 23:00", "2024-01-01 10:00"), moments("2024-01-03 01:00", "2024-01-01 10:00")
    gaps, times = clock.gaps(start, end)
    assert gaps.tolist() == [2.0, SAME]
    assert times.tolist() == [60.0, 600.0]  # minutes since midnight
    again = clock.after(start, gaps, times, np.random.default_rng(0))
    assert again.tolist() == end.tolist()


def test_gaps_of_months_and_of_numbers() -> None:
    months = Clock(Column(name="t", kind="datetime", dtype="datetime64[us]", step="month"), 1e6)
    assert months.gaps(moments("2024-01-01"), moments("2025-03-01"))[0].tolist() == [14.0]
    numbers = Clock(Column(name="t", kind="numeric", dtype="float64", decimals=1), 9.0)
    assert numbers.gaps(pd.Series([1.0]), pd.Series([2.5]))[0].tolist() == [1.5]
    assert numbers.after(pd.Series([1.0]), np.array([1.5]), np.array([0.0]), np.random.default_rng(0)).tolist() == [2.5]


def test_what_would_come_after_the_last_moment_lies_before_it() -> None:
    clock = Clock(Column(name="t", kind="numeric", dtype="float64", decimals=0), 10.0)
    found = clock.after(pd.Series([4.0] * 500), np.full(500, 99.0), np.zeros(500), np.random.default_rng(0))
    assert found.min() >= 4.0
    assert found.max() <= 10.0
    assert len(np.unique(found)) == 7  # spread over the whole way, not heaped up at its end


def test_steps_know_what_was_before(visits: pd.DataFrame, visits_schema: Schema) -> None:
    rows, entity = PLAN.arranged(visits)
    clock = Clock.of(visits_schema["day"], rows)
    steps = Steps.of(rows, entity, PLAN, visits_schema, clock)
    known = steps.history.features(PLAN, clock)
    assert known["sex"].tolist() == ["f", "f"]
    assert known[before("weight")].tolist() == [60.0, 62.0]
    assert known[mean("weight")].tolist() == [60.0, 61.0]
    assert known[before("state")].tolist() == ["ill", "ill"]
    assert known[ROWS].tolist() == [3.0, 3.0]
    assert known[PLACE].tolist() == [1.0, 2.0]
    assert known[LEFT].tolist() == [2.0, 1.0]
    assert known[PACE].tolist() == [4.5, 6.0]  # 9 days for two rows, 6 for one
    assert np.array_equal(known[GAP_BEFORE], [np.nan, 3.0], equal_nan=True)
    assert steps.after["weight"].tolist() == [62.0, 61.0]


def test_history_that_is_drawn_tells_what_that_of_the_training_rows_tells(
    visits: pd.DataFrame, visits_schema: Schema
) -> None:
    rows, entity = PLAN.arranged(visits)
    clock = Clock.of(visits_schema["day"], rows)
    steps = Steps.of(rows, entity, PLAN, visits_schema, clock)
    history = History.begin(rows.iloc[[0]].reset_index(drop=True), np.array([3.0]), ["weight"], [])
    first = history.features(PLAN, clock)
    second = history.followed(rows.iloc[[1]].reset_index(drop=True), np.array([3.0])).features(PLAN, clock)
    drawn = pd.concat([first, second], ignore_index=True)
    pd.testing.assert_frame_equal(drawn, steps.history.features(PLAN, clock), check_dtype=False)


def test_layout_names_each_column_once(visits_schema: Schema) -> None:
    layout = Layout(PLAN, visits_schema)
    assert set(layout.known) < set(layout.when.names)
    assert {"state", "weight", "day", "(gap)"} <= set(layout.what.names)
    assert "weight" not in layout.known_then


def test_numbers_that_drift_are_changed_and_stay_in_their_range() -> None:
    drifts = Drifts({"age": 0}, {"age": 20.0}, {"age": 60.0})
    last, after = pd.DataFrame({"age": [30.0, 59.0]}), pd.DataFrame({"age": [31.0, 60.0]})
    taken = drifts.taken(last, after)
    assert taken["age (change)"].tolist() == [1.0, 1.0]
    assert drifts.added(last, taken)["age"].tolist() == [31.0, 60.0]
    assert drifts.added(pd.DataFrame({"age": [60.0, 60.0]}), taken)["age"].tolist() == [60.0, 60.0]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=20), st.integers(0, 99), st.data())
def test_exactly_so_many_rows_of_whole_entities_where_some_fit(
    sizes: list[int], seed: int, data: st.DataObject
) -> None:
    rows = data.draw(st.integers(1, sum(sizes)))
    kept = exactly(rows, np.array(sizes), np.random.default_rng(seed))
    assert kept.sum() == rows
    cut = np.flatnonzero((kept > 0) & (kept != sizes))
    assert len(cut) <= 1
    if len(cut):
        taken, rest = np.array(sizes)[(kept > 0) & (kept == sizes)], np.array(sizes)[(kept == 0) | (kept != sizes)]
        lacking = kept[cut[0]]
        # Neither another entity nor one in the place of one would have done.
        assert lacking not in rest
        assert not set(taken + lacking) & set(rest)


def test_one_is_put_in_the_place_of_another_so_that_none_is_cut() -> None:
    sizes = np.array([2, 2, 3, 3])
    for seed in range(20):
        kept = exactly(5, sizes, np.random.default_rng(seed))
        assert sorted(kept[kept > 0]) == [2, 3]


def test_rows_of_a_panel_are_cut_only_where_they_have_to_be() -> None:
    sizes = np.full(9, 8)
    assert sorted(exactly(24, sizes, np.random.default_rng(0))) == [0] * 6 + [8] * 3
    assert sorted(exactly(20, sizes, np.random.default_rng(0))) == [0] * 6 + [4, 8, 8]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=12), st.data())
def test_places_are_those_of_the_entities(sizes: list[int], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(sizes) - 1), min_size=1, max_size=12))
    owner = np.repeat(np.arange(len(sizes)), sizes)
    expected = [place for entity in chosen for place in np.flatnonzero(owner == entity)]
    assert places_of(np.array(sizes), np.array(chosen)).tolist() == expected


@given(st.lists(st.integers(1, 5), min_size=1, max_size=12), st.data())
def test_shortened_entities_lose_their_last_rows(sizes: list[int], data: st.DataObject) -> None:
    kept = np.array([data.draw(st.integers(0, size)) for size in sizes])
    rows = pd.DataFrame({"place": np.concatenate([np.arange(size) for size in sizes])})
    frame, none = pd.DataFrame({"rows": sizes}), np.zeros((len(sizes), 0))
    pool = EntityPool(frame, none, none.astype(np.int32), np.zeros(len(sizes)), rows, np.array(sizes))
    found = pool.shortened(kept)
    assert found.sizes.tolist() == kept[kept > 0].tolist()
    assert found.rows["place"].tolist() == [place for count in kept for place in range(count)]
    assert found.frame["rows"].tolist() == [size for size, count in zip(sizes, kept, strict=True) if count]


@pytest.mark.parametrize(("rows", "mean_rows", "expected"), [(100, 4.0, 27), (1, 9.0, 1)])
def test_entities_for_rows(rows: int, mean_rows: float, expected: int) -> None:
    assert entities_for(rows, mean_rows) == expected


def test_fewer_entities_are_composed_together_the_more_rows_they_have() -> None:
    assert [Sizes(mean).together for mean in (10.0, 1000.0)] == [5000, 100]
    assert [Sizes(8.0).entities(rows) for rows in (1, 80)] == [1, 10]

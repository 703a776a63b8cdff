"""When next rows come: the flow of a table's rows, and which way of drawing gaps is taken."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from agentsynth.config import EntityConfig, GeneratorConfig
from agentsynth.data.inference import infer_schema
from agentsynth.data.schema import Column, Schema
from agentsynth.data.typed import typed
from agentsynth.entities.clock import SAME, Clock
from agentsynth.entities.flow import Flow
from agentsynth.entities.judging import DRAWN, Way, around, better
from agentsynth.entities.layout import GAP, SHARE, Layout
from agentsynth.entities.plan import EntityPlan
from agentsynth.entities.sequences import Sequences

DAYS = Clock(Column(name="t", kind="datetime", dtype="datetime64[us]", step="minute"))
TENTHS = Clock(Column(name="t", kind="numeric", dtype="float64", decimals=1))
ANY = Clock(Column(name="t", kind="numeric", dtype="float64"))
# Days 0 to 3, of 1, 3, 1 and 3 rows, and half a row more in each: own time 1.5, 5, 6.5, 10.
FLOW = Flow(0.0, 1.0, np.array([0.0, 1.5, 5.0, 6.5, 10.0]))


def test_own_time_runs_as_fast_as_rows_come() -> None:
    moments = np.repeat([0.0, 1.0, 2.0, 3.0], [2, 6, 2, 6])
    flow = Flow.of(moments, 1.0)
    assert (flow.start, flow.width) == (0.0, 1.0)
    assert flow.ends.tolist() == [0.0, 2.5, 9.0, 11.5, 18.0]
    # Four rows a bin on average, so two bins of two days.
    assert Flow.of(np.arange(4.0).repeat(2), 1.0).ends.tolist() == [0.0, 4.5, 9.0]


@pytest.mark.parametrize("grain", [0.0, 1.0])
def test_rows_of_one_moment_have_a_flow(grain: float) -> None:
    Flow.of(np.full(9, 5.0), grain).check()


def test_a_gap_is_told_by_its_share_of_the_time_that_is_left_to_each_row() -> None:
    before, left = np.array([0.0, 1.0, 1.0]), np.array([1.0, 2.0, 2.0])
    shares = FLOW.shares(DAYS, before, np.array([2.0, 0.0, SAME]), left, np.zeros(3))
    # 5 of 10; nothing of 8.5; the very same moment.
    assert shares.tolist() == [0.5, 0.0, SAME]
    middle = FLOW.shares(DAYS, before, np.array([3.0, 0.0, 2.0]), left, np.full(3, 0.5))
    assert middle.tolist() == pytest.approx([8.25 / 10, 2 * 1.75 / 8.5, 2 * 6.75 / 8.5])


@given(
    st.sampled_from([DAYS, TENTHS, ANY]),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 9)), min_size=1, max_size=20),
    st.floats(0, 0.999),
)
def test_gaps_come_back_from_their_shares(clock: Clock, steps: list[tuple[int, int, int]], part: float) -> None:
    unit = clock.grain or 0.37
    before, gaps, left = (np.array(column, dtype=np.float64) for column in zip(*steps, strict=True))
    flow = Flow.of(np.concatenate([before, before + gaps]) * unit, clock.grain)
    found = flow.shares(clock, before * unit, gaps * unit, left, np.full(len(gaps), part))
    assert (found >= 0).all()
    assert (found <= left * (1 + 1e-12)).all()
    again = flow.gaps(clock, before * unit, found, left)
    assert again == pytest.approx(gaps * unit, abs=1e-6 * max(1.0, float(flow.ends[-1])))


def test_gaps_of_the_same_moment_come_back() -> None:
    before, left = np.zeros(3), np.ones(3)
    assert FLOW.gaps(DAYS, before, np.array([SAME, -0.6, -0.4]), left).tolist() == [SAME, SAME, 0.0]


def test_the_whole_share_ends_with_the_last_moment() -> None:
    assert FLOW.gaps(DAYS, np.array([0.0, 2.0]), np.array([3.0, 9.0]), np.array([1.0, 2.0])).tolist() == [3.0, 1.0]


def test_a_flow_in_which_no_time_passes_is_refused() -> None:
    FLOW.check()
    for broken in (Flow(0.0, 1.0, np.array([0.0, 1.0, 1.0])), Flow(0.0, 0.0, FLOW.ends), Flow(0.0, 1.0, np.zeros(1))):
        with pytest.raises(ValueError, match="time does not pass"):
            broken.check()


def test_gaps_around_one_are_a_window_or_the_heap_itself() -> None:
    known = np.sort(np.concatenate([np.arange(100.0), np.full(20, 50.5)]))
    low, high = around(known, np.array([50.5, 20.0, 0.0]))
    # Twenty of 50.5 are enough; around 20 five on each side, as ten are wanted and it is there once itself.
    assert low.tolist() == [50.5, 15.0, 0.0]
    assert high.tolist() == [50.5, 25.0, 5.0]


def test_the_way_that_finds_more_held_out_gaps_is_better() -> None:
    gaps, entity = np.tile([1.0, 2.0], 60), np.repeat(np.arange(30), 4)

    def way(offset: float) -> Way:
        def drawn(learned: NDArray[np.intp], judged: NDArray[np.intp], _: int) -> NDArray[np.float64]:
            assert not set(entity[learned]) & set(entity[judged])
            return np.repeat(gaps[judged, None] + offset, DRAWN, axis=1)

        return drawn

    assert better(gaps, entity, [way(5.0), way(0.0)], 0) == 1
    assert better(gaps, entity, [way(0.0), way(5.0)], 0) == 0
    assert better(np.ones(120), entity, [way(5.0), way(0.0)], 0) == 0  # nothing to choose by


def panel(gaps_of: str, entities: int = 60) -> tuple[Sequences, Schema]:
    """Learn entities of 3 to 8 rows: visits every 30 days, or anywhere in a year, more of them late in it."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(entities):
        count = int(rng.integers(3, 9))
        if gaps_of == "visits":
            days = rng.integers(60) + 30 * np.arange(count)
        else:
            days = np.sort(np.floor(365 * rng.beta(1.0 + 2 * (number % 2), 1.0, size=count)))
        rows += [(f"P{number:03d}", int(day), round(float(rng.normal()), 2)) for day in days]
    frame = pd.DataFrame(rows, columns=["who", "day", "weight"])
    schema = infer_schema(frame, {"who": {"kind": "id"}})
    known = typed(frame, schema)
    plan = EntityPlan.of(known, schema, EntityConfig(column="who", time="day"))
    return Sequences.fit(*plan.arranged(known), plan, schema, GeneratorConfig(trees=4), 0), schema


def test_visits_at_fixed_times_are_drawn_as_they_are() -> None:
    sequences, schema = panel("visits")
    assert sequences.when is not None
    assert sequences.when.flow is None
    rows, owner, _ = sequences.draw(50, schema, np.random.default_rng(1))
    gaps = np.diff(rows["day"])[np.diff(owner) == 0]
    # A visit that would lie after all training ones, however often it is drawn, is brought forward.
    assert (gaps <= 30).all()
    assert (gaps < 30).mean() < 0.02


def test_rows_at_any_time_follow_the_flow() -> None:
    sequences, schema = panel("anywhere", 200)
    assert sequences.when is not None
    assert sequences.when.flow is not None
    rows, owner, _ = sequences.draw(200, schema, np.random.default_rng(1))
    days = rows["day"].to_numpy()
    assert (np.diff(days)[np.diff(owner) == 0] >= 0).all()
    assert days.max() <= 364
    assert (days == np.round(days)).all()


def test_layout_draws_a_gap_or_its_share(visits_schema: Schema) -> None:
    plan = EntityPlan("who", ("sex",), "day", ("state", "weight"))
    assert GAP in Layout(plan, visits_schema).when.names
    shares = Layout(plan, visits_schema, by_flow=True)
    assert SHARE in shares.when.names
    assert GAP not in shares.when.names
    assert GAP in shares.what.names

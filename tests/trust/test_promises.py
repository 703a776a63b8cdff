"""What holds for any table, any goal, any order of rows: rules are kept, scores have their range, reports add up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentsynth.agent.qlearning import QLearningAgent
from agentsynth.config import AgentConfig
from agentsynth.data.inference import infer_schema
from agentsynth.env.growth import GAP_RANGE
from agentsynth.metrics.pairs import pair_similarities
from agentsynth.metrics.shape import shapes
from agentsynth.metrics.similarity import typed_similarity
from agentsynth.synth import AgentSynth

FAST = {
    "generator": {"trees": 2},
    "environment": {"rows": 20, "steps": 3, "pairs": 2},
    "agent": {"episodes": 1, "goals": 1},
}
NUMBERS = st.floats(-1e6, 1e6) | st.just(np.nan) | st.sampled_from([0.0, 1.0, 2.0])
LABELS = st.sampled_from(["a", "b", "c", None])
MOMENTS = st.integers(0, 10**9).map(lambda seconds: np.datetime64(seconds, "s").astype("datetime64[us]"))


@st.composite
def typed_frames(draw: st.DrawFn) -> pd.DataFrame:
    """A typed frame of a number, a label and a moment in each row."""
    rows = draw(st.lists(st.tuples(NUMBERS, LABELS, MOMENTS), min_size=2, max_size=25))
    number, label, moment = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "number": np.array(number, dtype=np.float64),
            "label": pd.Series(label, dtype=object),
            "moment": np.array(moment, dtype="datetime64[us]"),
        }
    )


@given(typed_frames(), typed_frames(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=30)
def test_similarities_are_shares_blind_to_the_order_of_rows_and_1_for_the_same_table(
    real: pd.DataFrame, made: pd.DataFrame, shuffler: Any
) -> None:
    order = list(range(len(made)))
    shuffler.shuffle(order)
    shuffled = made.iloc[order].reset_index(drop=True)
    for measure in (shapes, pair_similarities):
        found = measure(real, made)
        assert all(0 <= value <= 1 for value in found.values())
        assert measure(real, shuffled) == pytest.approx(found)
        assert measure(real, real) == pytest.approx(dict.fromkeys(found, 1.0))
    apart = pd.DataFrame({name: made[name].to_numpy()[np.roll(order, place)] for place, name in enumerate(made)})
    assert shapes(made, apart) == pytest.approx(dict.fromkeys(made.columns, 1.0))
    assert 0 <= typed_similarity(real, made) <= 1
    assert typed_similarity(made, made) == pytest.approx(1)


@given(seed=st.integers(0, 2**32), rows=st.integers(20, 60), wanted=st.integers(1, 80))
@settings(deadline=None, max_examples=12)
def test_rules_of_any_table_hold_on_every_generated_row(seed: int, rows: int, wanted: int) -> None:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"price": np.round(rng.lognormal(3, 1, rows), 2), "count": rng.integers(1, 9, rows)})
    table["total"] = np.round(table["price"] * table["count"], 2)
    table["ordered"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, rows), unit="D")
    table["shipped"] = table["ordered"] + pd.to_timedelta(rng.integers(0, 9, rows), unit="D")
    above = {"shipped": {"above": ["ordered"]}}
    made = AgentSynth(FAST, seed=seed).fit(table, schema=infer_schema(table, above)).generate(wanted, seed=seed)
    assert len(made) == wanted
    assert (made.dtypes == table.dtypes).all()
    np.testing.assert_array_equal(made["total"], np.round(made["price"] * made["count"], 2))
    assert (made["shipped"] >= made["ordered"]).all()
    assert made["price"].between(table["price"].min(), table["price"].max()).all()


@given(
    rewards=st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=60),
    rate=st.floats(0.01, 1),
    discount=st.floats(0, 0.95),
    seed=st.integers(0, 999),
)
@settings(deadline=None, max_examples=50)
def test_values_stay_within_what_rewards_can_add_up_to(
    rewards: list[tuple[float, float]], rate: float, discount: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    config = AgentConfig(learning_rate=rate, discount=discount)
    learner = QLearningAgent(("first", "second"), 10, config, rng)

    def seen() -> Any:
        return np.append(rng.normal(size=2) / GAP_RANGE, [0.5, 0.5, 0.5, rng.random()]).astype(np.float32)

    for reward in rewards:
        levels = rng.integers(learner.tables.own.shape[-1], size=2)
        learner.update(seen(), levels, np.array(reward), seen(), done=bool(rng.random() < 0.1))
    most = np.abs(rewards).max() / (1 - discount)
    for values in (learner.tables.own, learner.tables.common, learner.policy.tables):
        assert np.abs(values).max() <= most * (1 + 1e-9)


@pytest.mark.parametrize(("change", "share", "seed"), [(-12, 10, 0), (9, 45, 1)])
def test_a_scenarios_report_adds_up_and_says_what_the_table_has(
    shop_synth: AgentSynth, change: int, share: int, seed: int
) -> None:
    targets = {"price": {"mean": f"{change:+d}%"}, "category": {"share": {"Books": share / 100}}}
    composed = shop_synth.compose(80, {"targets": targets}, seed=seed)
    report = composed.report
    assert report is not None
    mean, books = report.targets
    assert mean.reached == pytest.approx(composed.table["price"].mean())
    assert books.wanted == share / 100
    assert books.reached == pytest.approx((composed.table["category"] == "Books").mean())
    assert report.rows == 80
    for moved in [*report.columns, *report.conditionals]:
        for side in (moved.before, moved.after):
            assert len(side.shares) == len(moved.cells)
            assert sum(side.shares) == pytest.approx(1)
            assert min(side.shares) >= 0
        assert 0 <= moved.distance <= 1 + 1e-9

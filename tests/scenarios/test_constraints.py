from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.schema import Column, Schema
from agentsynth.errors import ScenarioError
from agentsynth.scenarios.constraints import Moments, correlation, deviation, ratio, ratio_of_ratios
from agentsynth.scenarios.grammar import Scenario
from agentsynth.scenarios.measured import Measured, gini, top_share
from agentsynth.scenarios.meeting import meeting, stated
from agentsynth.scenarios.planning import misses, plan
from agentsynth.scenarios.table import Table
from agentsynth.scenarios.targets import constraints_of

RNG = np.random.default_rng(0)
N = 3000
X = RNG.lognormal(3, 0.6, N)
FRAME = pd.DataFrame(
    {"x": X, "y": 0.5 * X + RNG.normal(0, 10, N), "group": RNG.choice(["a", "b"], N, p=[0.7, 0.3]).astype(object)}
)
SCHEMA = Schema(
    columns=(
        Column(name="x", kind="numeric", dtype="float64"),
        Column(name="y", kind="numeric", dtype="float64"),
        Column(name="group", kind="categorical", dtype="str"),
    )
)
EQUAL = np.full(N, 1.0 / N)


def moments(features: Any, combine: Any) -> Moments:
    return Moments("m", 0.0, 1.0, lambda _: 0.0, 0.0, 1.0, np.array(features, dtype=float), combine)


def test_numbers_are_combined_from_means_by_hand() -> None:
    assert ratio(np.array([6.0, 2.0])) == 3.0
    assert ratio_of_ratios(np.array([6.0, 2.0, 2.0, 1.0])) == 1.5
    # 1, 2, 3: mean 2, mean square 14/3, standard deviation sqrt(2/3).
    assert deviation(np.array([2.0, 14 / 3, 1.0])) == pytest.approx(np.sqrt(2 / 3))
    x, y = np.array([1.0, 2, 3, 4]), np.array([2.0, 1, 4, 3])
    means = np.array([x.mean(), y.mean(), (x**2).mean(), (y**2).mean(), (x * y).mean(), 1.0])
    assert correlation(means) == pytest.approx(np.corrcoef(x, y)[0, 1])


def test_the_influence_on_a_mean_is_the_distance_from_it() -> None:
    constraint = moments([[1, 1], [2, 1], [6, 1]], ratio)
    np.testing.assert_allclose(constraint.influence(np.full(3, 1 / 3)), [-2, -1, 3], atol=1e-5)


@pytest.mark.parametrize(
    "targets",
    [
        {"x": {"std": "+10%"}},
        {"x": {"correlation": {"y": 0.3}}},
        {"x": {"ratio": {"group = a / group = b": 1.2}}},
        {"x where group = a": {"mean": "+10%"}},
        {"x": {"quantile": {0.9: "+10%"}}},
    ],
)
def test_the_influence_is_what_a_bit_more_of_a_row_changes(targets: dict[str, Any]) -> None:
    for constraint in stated(Scenario.of({"targets": targets}), FRAME, SCHEMA):
        influence = constraint.influence(EQUAL)
        assert EQUAL @ influence == pytest.approx(0.0, abs=1e-6)
        for row in (0, 17, 256):
            more = (1 - 1e-4) * EQUAL
            more[row] += 1e-4
            change = (constraint.value(more) - constraint.value(EQUAL)) / 1e-4
            assert change == pytest.approx(influence[row], rel=0.02, abs=1e-3 * influence.std())


GOALS: dict[str, dict[str, Any]] = {
    "mean": {"targets": {"x": {"mean": "+20%"}}},
    "total": {"targets": {"x": {"total": "-10%"}}},
    "std": {"targets": {"x": {"std": "+15%"}}},
    "quantiles": {"targets": {"x": {"median": "+10%", "quantile": {0.9: "+15%"}}}},
    "correlation": {"targets": {"x": {"correlation": {"y": 0.3}}}},
    "ratio": {"targets": {"x": {"ratio": {"group = a / group = b": 1.3}}}},
    "conditional": {"targets": {"x where group = b": {"mean": "+20%"}}},
    "gini": {"targets": {"x": {"gini": "+15%"}}},
    "top": {"targets": {"x": {"top_share": {0.1: "+20%"}}}},
    "condition": {"shares": {"x > 30 and group = a": 0.4}},
    "several": {"targets": {"x": {"mean": "+10%", "correlation": {"y": 0.4}}, "group": {"share": {"a": 0.5}}}},
}


def test_a_number_that_jumps_tells_no_direction() -> None:
    found = moments([[0.0], [0.0], [1.0], [1.0]], lambda means: np.inf if means[0] > 0.5 else 0.0)
    assert found.influence(np.full(4, 0.25)).tolist() == [0.0] * 4


@pytest.mark.parametrize("name", GOALS)
def test_plans_meet_goals_of_any_kind(name: str) -> None:
    constraints = stated(Scenario.of(GOALS[name]), FRAME, SCHEMA)
    weights = meeting(constraints, N)
    assert weights.sum() == pytest.approx(1.0)
    assert np.abs(misses(constraints, EQUAL)).max() > 1
    assert np.abs(misses(constraints, weights)).max() < 0.6


def test_a_function_of_the_users_is_probed_and_met() -> None:
    calls: list[int] = []

    def spread(table: pd.DataFrame) -> float:
        calls.append(len(table))
        return float(table["x"].quantile(0.9) / table["x"].median())

    table = Table(FRAME, SCHEMA, N, EQUAL, functions={"spread": spread})
    constraints = constraints_of(Scenario.of({"functions": {"spread": "+20%"}}), table)
    weights = plan(constraints, EQUAL).weights
    assert np.abs(misses(constraints, weights)).max() < 0.6
    assert len(calls) < 1200
    with pytest.raises(ScenarioError, match="wants 'spred' of a function; given were spread"):
        constraints_of(Scenario.of({"functions": {"spred": 1}}), table)


def test_what_is_not_the_goal_stays() -> None:
    """The share of a group is moved; how x is spread within each group is not."""
    constraints = stated(Scenario.of({"targets": {"group": {"share": {"b": 0.6}}}}), FRAME, SCHEMA)
    weights = meeting(constraints, N)
    for level in ("a", "b"):
        inside = (FRAME["group"] == level).to_numpy()
        assert np.average(X[inside], weights=weights[inside]) == pytest.approx(X[inside].mean(), rel=1e-6)


def test_goals_that_contradict_are_approached_from_both_sides() -> None:
    goal = {"shares": {"x <= 20": 0.9}, "targets": {"x": {"mean": 60}}}
    constraints = stated(Scenario.of(goal), FRAME, SCHEMA)
    weights = meeting(constraints, N)
    for constraint in constraints:
        before, after = (abs(constraint.value(w) - constraint.aim) for w in (EQUAL, weights))
        assert after < before
    assert 1 / np.square(weights).sum() > 0.01 * N


def test_a_goal_out_of_reach_keeps_no_other_from_being_reached() -> None:
    goal = {"targets": {"x": {"mean": 1e9}, "group": {"share": {"a": 0.4}}}}
    far, share = stated(Scenario.of(goal), FRAME, SCHEMA)
    found = plan([far, share], EQUAL)
    assert share.value(found.weights) == pytest.approx(0.4, abs=0.01)
    assert far.value(found.weights) > 1.5 * X.mean()
    assert found.aims([far, share]) == [far.value(found.weights), 0.4]
    assert plan([far], EQUAL).aims([far]) == [1e9]


def test_gini_and_top_share_by_hand() -> None:
    assert gini(np.array([1.0, 1, 1, 1])) == pytest.approx(0.0)
    assert gini(np.array([0.0, 0, 0, 4])) == pytest.approx(0.75)
    assert np.isnan(gini(np.array([0.0, np.nan])))
    assert top_share(np.array([1.0, 1, 2, 6]), 0.25) == pytest.approx(0.6)
    assert top_share(np.array([1.0, 1, 2, 6]), 0.375) == pytest.approx(0.7)


def test_measured_numbers_are_of_the_rows_that_are_left() -> None:
    constraint = Measured("m", 0.0, 1.0, lambda _: 0.0, 0.0, 1.0, lambda rows: float(X[rows].max()), X[:, None])
    kept = np.argsort(X)[:10]
    assert constraint.take(kept).of(np.arange(10)) == pytest.approx(np.sort(X)[9])


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        ({"targets": {"x": {"correlation": {"y": 1.5}}}}, r"x: a correlation lies between -1 and 1; found 1\.5"),
        ({"targets": {"x": {"correlation": {"z": 0.5}}}}, "names 'z'; the table has x, y, group"),
        ({"targets": {"x": {"ratio": {"group = a": 2}}}}, "a ratio is between two groups"),
        ({"targets": {"x": {"top_share": {1.5: 0.4}}}}, "the part of top_share lies between 0 and 1"),
        ({"targets": {"y": {"gini": 0.4}}}, "y: gini needs numbers from 0 on; some are negative"),
        ({"targets": {"group": {"gini": 0.4}}}, "column 'group' holds labels"),
        ({"shares": {"x > 3": 1.5}}, r"the share of rows with x > 3 must lie between 0 and 1; found 1\.5"),
        ({"shares": {"x > 3 or y > 1": 0.5}}, "is not one"),
        ({"targets": {"x where group = c": {"mean": 3}}}, "column 'group' has no 'c'; it has a, b"),
        ({"targets": {"x where x > 1e9": {"mean": 3}}}, "'x where x > 1e9' has no values to steer"),
    ],
)
def test_what_does_not_fit_is_named(scenario: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        stated(Scenario.of(scenario), FRAME, SCHEMA)

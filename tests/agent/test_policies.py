from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from agentsynth.agent.composing import compose
from agentsynth.agent.greedy import rising
from agentsynth.agent.policies import (
    GAP_EDGES,
    LEVELS,
    NEUTRAL,
    PROGRESS_BUCKETS,
    NeutralPolicy,
    NoisyPolicy,
    Policy,
    ProportionalPolicy,
    QPolicy,
    RandomPolicy,
)
from agentsynth.env.environment import SyntheticDataEnvironment
from agentsynth.env.goals import Goal
from agentsynth.env.growth import GAP_RANGE
from agentsynth.synth import AgentSynth

FACTORS = 4
NAMES = ("price_factor", "quantity_factor", "category_factor", "seasonal_factor")


def taught() -> QPolicy:
    """Return a policy that has tried all levels everywhere and found something different in each state."""
    policy = QPolicy.blank(NAMES)
    policy.tables[:] = np.random.default_rng(0).normal(size=policy.tables.shape)
    policy.visits[:] = 1
    return policy


def noisy(seed: int) -> NoisyPolicy:
    return NoisyPolicy(taught(), 0.3, np.random.default_rng(seed))


EACH: dict[str, Callable[[int], Policy]] = {
    "neutral": lambda _: NeutralPolicy(FACTORS),
    "random": lambda seed: RandomPolicy(FACTORS, np.random.default_rng(seed)),
    "proportional": lambda _: ProportionalPolicy(FACTORS),
    "steep": lambda _: ProportionalPolicy(FACTORS, gain=50.0),
    "blank": lambda _: QPolicy.blank(NAMES),
    "taught": lambda _: taught(),
    "noisy": noisy,
}
"""Name -> what makes a policy of a seed."""


def observation(gaps: list[float], progress: float = 0.0, components: int = 7) -> NDArray[np.float32]:
    """Return an observation with the given gaps, in noise units."""
    return np.array([*(gap / GAP_RANGE for gap in gaps), *[0.5] * components, progress], dtype=np.float32)


@pytest.mark.parametrize("name", EACH)
class TestEveryPolicy:
    @pytest.mark.parametrize("gap", [-6.0, -0.1, 0.0, 2.0, 6.0])
    @pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
    def test_factors_are_actions(self, name: str, gap: float, progress: float) -> None:
        factors = EACH[name](0).factors(observation([gap] * FACTORS, progress))
        assert factors.shape == (FACTORS,)
        assert factors.dtype == np.float32
        assert factors.min() >= 0.5
        assert factors.max() <= 2.0

    def test_the_same_seed_gives_the_same_factors(self, name: str) -> None:
        first, second = EACH[name](3), EACH[name](3)
        for gap in np.linspace(-6, 6, 9):
            seen = observation([gap, -gap, 0.0, 1.0])
            np.testing.assert_array_equal(first.factors(seen), second.factors(seen))

    def test_an_observation_is_only_looked_at(self, name: str) -> None:
        seen = observation([1.0, -1.0, 3.0, 0.0])
        seen.setflags(write=False)
        EACH[name](0).factors(seen)

    def test_factors_do_not_share_memory(self, name: str) -> None:
        policy, seen = EACH[name](0), observation([6.0] * FACTORS)
        policy.factors(seen)[:] = 77.0
        assert policy.factors(seen).max() <= 2.0

    def test_it_composes_a_table(self, name: str, shop_env: SyntheticDataEnvironment) -> None:
        composition = compose(shop_env, EACH[name](0), Goal(shop_env.real), seed=0)
        assert len(set(composition.chosen)) == 120
        assert 0.5 < composition.similarity <= 1.0
        shares = shop_env.cells.shares(shop_env.pool[composition.chosen])
        np.testing.assert_array_equal(composition.shares, shares)
        assert composition.similarity == pytest.approx(shop_env.similarity.total(composition.components))


def test_levels_are_geometric_and_the_middle_one_is_neutral() -> None:
    assert (LEVELS[0], LEVELS[NEUTRAL], LEVELS[-1]) == (0.5, 1.0, 2.0)
    np.testing.assert_allclose(np.diff(np.log(LEVELS)), np.log(4) / 6)
    assert GAP_EDGES.tolist() == (-GAP_EDGES[::-1]).tolist()


def test_the_plain_rule_presses_in_proportion_to_the_gap() -> None:
    factors = ProportionalPolicy(FACTORS).factors(observation([0.0, 1.0, -1.0, 6.0]))
    np.testing.assert_allclose(factors, [1.0, np.exp(0.5), np.exp(-0.5), 2.0], rtol=1e-6)


def test_the_random_policy_draws_all_levels() -> None:
    policy = RandomPolicy(FACTORS, np.random.default_rng(0))
    drawn = np.array([policy.factors(observation([0.0] * FACTORS)) for _ in range(300)])
    levels, counts = np.unique(drawn, return_counts=True)
    np.testing.assert_allclose(levels, LEVELS, rtol=1e-6)
    assert counts.min() > 0.7 * 1200 / 7


def test_states_by_hand() -> None:
    policy = QPolicy.blank(NAMES)
    low, high = (float(edge) for edge in GAP_EDGES[[2, -1]])
    gap, progress = policy.states(observation([0.0, -6.0, low - 0.01, high + 0.01], progress=0.0))
    assert (gap.tolist(), progress.tolist()) == ([3, 0, 2, 6], [0] * FACTORS)
    shares = np.array([0.0, 0.24, 0.26, 0.49, 0.51, 0.74, 0.76, 0.99])
    buckets = [int(policy.states(observation([0.0] * FACTORS, float(share)))[1][0]) for share in shares]
    assert buckets == (shares * PROGRESS_BUCKETS).astype(int).tolist()
    assert policy.states(observation([0.0] * FACTORS, 1.0))[1].tolist() == [PROGRESS_BUCKETS - 1] * FACTORS


def test_aims_look_at_what_is_needed_and_at_no_progress() -> None:
    policy = QPolicy.blank(NAMES[:1], aims=1)
    gap, progress = policy.states(np.array([0.0, 1.0, -1.0, 0.5, 0.99], dtype=np.float32))
    assert (gap.tolist(), progress.tolist()) == ([3, 0], [PROGRESS_BUCKETS - 1, 0])


@given(st.lists(st.floats(-6, 6), min_size=FACTORS, max_size=FACTORS), st.floats(0, 1))
def test_each_observation_is_in_one_state(gaps: list[float], progress: float) -> None:
    policy = QPolicy.blank(NAMES)
    gap, bucket = policy.states(observation(gaps, progress))
    assert gap.min() >= 0
    assert gap.max() < policy.tables.shape[1]
    assert ((bucket >= 0) & (bucket < policy.tables.shape[2])).all()


def test_what_was_never_visited_is_neutral() -> None:
    policy = QPolicy.blank(NAMES)
    policy.tables[:] = np.random.default_rng(0).normal(size=policy.tables.shape)
    assert (policy.best_levels() == NEUTRAL).all()
    assert policy.factors(observation([6.0, -6.0, 0.0, 1.0])).tolist() == [1.0] * FACTORS


def test_only_levels_that_were_tried_compete() -> None:
    policy = QPolicy.blank(NAMES)
    policy.tables[0, 4, 0] = [0, 0, 0, 1, 5, 0, 9]
    policy.visits[0, 4, 0] = [0, 0, 0, 3, 1, 0, 0]
    assert policy.best_levels()[:, 4, 0].tolist() == [4, NEUTRAL, NEUTRAL, NEUTRAL, NEUTRAL]


@pytest.mark.parametrize(
    ("values", "level"),
    [([1, 1, 1, 1, 1, 1, 1], NEUTRAL), ([2, 0, 0, 0, 0, 2, 0], 5), ([0, 0, 2, 0, 2, 0, 0], 2)],
)
def test_a_tie_goes_to_the_level_nearest_to_neutral(values: list[float], level: int) -> None:
    policy = QPolicy.blank(NAMES)
    policy.tables[0, 4, 0] = values
    policy.visits[0, 4, 0] = 1
    assert policy.best_levels()[0, 4, 0] == level


def pressing(*levels: int) -> QPolicy:
    """Return a policy with such a best level (gap buckets,) of the first factor, however far the episode is."""
    policy = QPolicy.blank(NAMES)
    for gap, level in enumerate(levels):
        policy.tables[0, gap, :, level], policy.visits[0, gap, :, level] = 1.0, 1
    return policy


def test_in_the_middle_of_a_bucket_its_best_level_is_used() -> None:
    policy = pressing(0, 1, 2, 3, 4, 5, 6)
    assert policy.middles.tolist() == [-3.0, -1.4, -0.525, 0.0, 0.525, 1.4, 3.0]
    for gap, level in zip(policy.middles, LEVELS, strict=True):
        assert policy.factors(observation([gap, 0, 0, 0]))[0] == pytest.approx(level)
        assert policy.factors(observation([gap, gap, 0, 0]))[1:].tolist() == [1.0] * 3


def test_between_the_middles_pressure_is_interpolated() -> None:
    policy = pressing(0, 1, 2, 3, 4, 5, 6)
    # Halfway between the middles of the last two buckets, log-factors of 2/3 ln 2 and ln 2; beyond the last, that.
    assert policy.factors(observation([2.2, 0, 0, 0]))[0] == pytest.approx(2 ** (5 / 6))
    assert policy.factors(observation([5.9, 0, 0, 0]))[0] == pytest.approx(2.0)
    assert policy.factors(observation([-5.9, 0, 0, 0]))[0] == pytest.approx(0.5)


def test_where_there_is_no_gap_there_is_no_pressure() -> None:
    policy = pressing(0, 0, 0, 6, 6, 6, 6)
    assert policy.best_levels()[0, :, 0].tolist() == [0, 0, 0, 3, 6, 6, 6]
    factors = [policy.factors(observation([gap, 0, 0, 0]))[0] for gap in (-3.0, 0.0, 0.525)]
    np.testing.assert_allclose(factors, [0.5, 1.0, 2.0])


def test_a_wider_gap_is_pressed_at_least_as_hard() -> None:
    """Levels that fall are pooled to the mean of their logs, weighed by visits; each side of no gap by itself."""
    policy = pressing(0, 1, 2, 3, 5, 4, 6)
    policy.visits[0, 4, :, 5] = 3
    logs = policy.pressures[0, :, 0] / np.log(LEVELS[4])
    np.testing.assert_allclose(logs, [-3, -2, -1, 0, (2 * 3 + 1) / 4, (2 * 3 + 1) / 4, 3], rtol=1e-5)
    np.testing.assert_array_equal(policy.pressures[1:], 0.0)


def test_no_gap_is_pressed_against() -> None:
    policy = pressing(6, 6, 0, 3, 0, 5, 6)
    logs = policy.pressures[0, :, 0] / np.log(LEVELS[4])
    np.testing.assert_allclose(logs, [0, 0, 0, 0, 0, 2, 3], atol=1e-5)


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 100)), min_size=1, max_size=7).map(np.array))
def test_rising_values_are_those_of_scipy(pairs: NDArray[np.float64]) -> None:
    values, weights = pairs.T
    expected = isotonic_regression(values, weights=weights).x
    np.testing.assert_allclose(rising(values, weights), expected, atol=1e-9)
    both = rising(np.stack([values, -values]), np.stack([weights, weights]))
    np.testing.assert_allclose(both, [expected, isotonic_regression(-values, weights=weights).x], atol=1e-9)


def test_noise_is_gaussian_on_the_log_factors() -> None:
    policy = NoisyPolicy(NeutralPolicy(FACTORS), 0.1, np.random.default_rng(0))
    logs = np.log([policy.factors(observation([0.0] * FACTORS)) for _ in range(2000)])
    assert abs(logs.mean()) < 0.01
    assert logs.std() == pytest.approx(0.1, rel=0.05)


def test_without_deviation_there_is_no_noise() -> None:
    seen = observation([1.0, -2.0, 3.0, 0.0], 0.4)
    policy = NoisyPolicy(taught(), 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(policy.factors(seen), taught().factors(seen))


def test_a_learned_policy_depends_on_what_it_observes(shop_synth: AgentSynth) -> None:
    policy = shop_synth.policy_
    low, high = (policy.factors(observation([gap] * FACTORS, 0.5)) for gap in (-2.0, 2.0))
    assert not np.array_equal(low, high)
    assert policy.visits.sum() > 0


def test_aims_use_one_table_whatever_their_number() -> None:
    blank = QPolicy.blank(("a_factor", "b_factor", "c_factor"))
    policy = replace(blank, visits=blank.visits + 1)
    assert policy.table_names == ("a_factor", "b_factor", "c_factor", "goal_factor")
    assert policy.used.tolist() == [0, 1, 2]
    assert policy.for_aims(2).used.tolist() == [0, 1, 2, 3, 3]
    seen = np.zeros(3 + 2 * 2 + 2, dtype=np.float32)
    assert policy.for_aims(2).factors(seen).shape == (5,)

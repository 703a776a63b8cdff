from __future__ import annotations

import numpy as np
import pytest

from agentsynth.config import Config
from agentsynth.env.aims import FURTHEST, Aim, correlation_aim, mean_aim, top_aim
from agentsynth.env.composer import AIM_FACTOR
from agentsynth.env.goals import Goal
from agentsynth.env.vector import SyntheticDataVectorEnvironment
from agentsynth.model import Generator, training_environment

ALL = np.arange(5)
VALUES = np.array([1.0, 2.0, 3.0, 4.0, 10.0])
EQUAL = np.full(5, 0.2)


def test_the_gap_of_a_mean_is_told_in_deviations_of_a_row() -> None:
    aim = mean_aim(VALUES, np.array([0.0, 0, 0, 0.5, 0.5]), ALL)
    assert aim.wanted == 7.0
    assert aim.deviation == pytest.approx(VALUES.std())
    assert aim.gap(ALL) == pytest.approx((7 - 4) / VALUES.std())
    assert aim.gap(np.array([3, 4])) == 0.0
    assert aim.direction.mean() == pytest.approx(0.0)
    assert aim.direction.std() == pytest.approx(1.0)


def test_no_row_counts_for_more_than_the_furthest() -> None:
    far = np.append(np.zeros(99), 1.0)
    assert Aim.of("far", 1.0, far, lambda _: 0.0).direction.max() == FURTHEST


def test_what_a_number_is_short_of_knows_all_of_what_a_row_does() -> None:
    long_tail = np.append(np.zeros(99), 100.0)
    aim = Aim.of("mean", 2.0, long_tail, lambda rows: float(long_tail[rows].mean()))
    rows = np.arange(50, 100)
    assert aim.reading(rows) == 2.0
    # Its influence is that of the pool less 1, in deviations: a mean of 2 lies one above the pool's.
    assert aim.short(rows) == pytest.approx(0.0)
    assert aim.influence[rows].mean() == pytest.approx(1.0 / long_tail.std())
    assert aim.short(np.arange(50)) == pytest.approx(2.0 / long_tail.std())


def test_what_is_guessed_of_far_rows_is_clipped() -> None:
    far = np.append(np.zeros(99), 1.0)
    aim = Aim.of("far", 1.0, far, lambda _: 0.5, exact=False)
    assert aim.influence.max() == FURTHEST
    assert aim.unit == aim.deviation > far.std()


def test_a_number_that_is_not_there_or_that_no_row_moves_has_no_gap() -> None:
    assert Aim.of("none", 1.0, VALUES, lambda _: float("nan")).gap(ALL) == 0.0
    assert not Aim.of("fixed", 1.0, np.ones(5), lambda _: 1.0).direction.any()


def test_tops_and_correlations_by_hand() -> None:
    top = top_aim(VALUES, EQUAL, ALL, part=0.4)
    assert top.wanted == pytest.approx(7.0)
    assert top.reading(ALL) == pytest.approx(7.0)
    both = correlation_aim(VALUES, -2 * VALUES, EQUAL, ALL)
    assert both.wanted == pytest.approx(-1.0)
    assert both.reading(ALL) == pytest.approx(-1.0)
    assert np.isnan(both.reading(np.array([0])))


def test_an_aim_has_a_factor_and_is_observed_twice(shop_generator: Generator, small_config: Config) -> None:
    env, sampler = training_environment(shop_generator, small_config, 5, aims=3)
    goal = sampler.aimed(sampler.push(np.random.default_rng(1)), np.random.default_rng(2))
    assert len(goal.aims) == 3
    assert env.factor_names == (*env.factors.names, AIM_FACTOR, AIM_FACTOR, AIM_FACTOR)
    assert env.action_space.shape == (7,)
    start, info = env.reset(seed=0, options={"goal": goal})
    assert start in env.observation_space
    assert info["gaps"].shape == (7,)
    done = False
    while not done:
        observation, _, done, _, info = env.step(env.action_space.sample())
        assert observation in env.observation_space
    gaps = [aim.gap(info["chosen"]) for aim in goal.aims]
    np.testing.assert_allclose(info["gaps"][4:], gaps)
    missed = np.minimum(np.abs(gaps), 1.0).mean()
    assert env.similarity.names[-1] == "aims"
    assert info["components"][-1] == pytest.approx(1 - missed)
    # Only rows that lean towards the goal are taken.
    assert goal.rows is not None
    assert set(info["chosen"]) <= set(goal.rows)


def test_pressure_on_an_aim_moves_its_number(shop_generator: Generator, small_config: Config) -> None:
    env, sampler = training_environment(shop_generator, small_config, 5, aims=1)
    values = sampler.directions[:, 0]
    aim = mean_aim(values, np.full(len(values), 1 / len(values)), np.arange(len(values)))
    goal = Goal(shop_generator.real, aims=(aim,))
    means = {}
    for factor in (0.5, 1.0, 2.0):
        tables = SyntheticDataVectorEnvironment(env, 8)
        tables.reset(seed=3, options={"goals": [goal] * 8})
        for _ in range(env.steps):
            *_, infos = tables.step(np.tile(np.array([1, 1, 1, 1, factor], dtype=np.float32), (8, 1)))
        means[factor] = values[infos["chosen"]].mean()
    assert means[0.5] < means[1.0] < means[2.0]


def test_more_aims_than_the_environment_was_made_for_are_refused(
    shop_generator: Generator, small_config: Config
) -> None:
    env, _ = training_environment(shop_generator, small_config, 5, aims=0)
    aim = Aim.of("x", 0.0, np.zeros(len(env.pool)), lambda _: 0.0)
    with pytest.raises(ValueError, match="the goal has 1 aims, 1 more than the environment was made for"):
        env.reset(options={"goal": Goal(shop_generator.real, aims=(aim,))})

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pandas as pd
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from agentsynth.agent.composing import compose
from agentsynth.agent.policies import NeutralPolicy
from agentsynth.config import Config
from agentsynth.env.composer import batch_sizes
from agentsynth.env.environment import SyntheticDataEnvironment
from agentsynth.env.goals import Goal
from agentsynth.env.growth import GAP_RANGE
from agentsynth.model import Generator
from agentsynth.seeding import stream

ENV_ID = "agentsynth.env:AgentSynth/Compose-v0"
ASYMMETRIC = "we recommend using a symmetric and normalized space"
"""The one warning allowed: the action space [0.5, 2], 1 being neutral, is what this environment's users ask for."""


def make(
    generator: Generator, rows: int = 120, steps: int = 24, pool: int = 1200, **more: Any
) -> SyntheticDataEnvironment:
    """Return an environment without a goal sampler."""
    config = Config.of({"environment": {"rows": rows, "steps": steps, **more}})
    return generator.environment(generator.draw_pool(pool, stream(3, "pool")).cells, config)


def play(
    env: SyntheticDataEnvironment, seed: int, **options: Any
) -> list[tuple[NDArray[np.float32], float, dict[str, Any]]]:
    """Play an episode of random actions."""
    rng = np.random.default_rng(seed)
    env.reset(seed=seed, options=options)
    record, done = [], False
    while not done:
        action = rng.uniform(0.5, 2, env.action_space.shape).astype(np.float32)
        observation, reward, done, truncated, info = env.step(action)
        assert not truncated
        record.append((observation, float(reward), info))
    return record


def test_gymnasiums_checker_finds_nothing_but_the_users_action_space(small_config: Config) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(gym.make(ENV_ID).unwrapped)
        check_env(gym.make(ENV_ID, config=small_config).unwrapped)
    assert [str(warning.message) for warning in caught if ASYMMETRIC not in str(warning.message)] == []


def test_environments_of_equal_seeds_run_side_by_side(shop_table: pd.DataFrame, small_config: Config) -> None:
    first, second = (gym.make(ENV_ID, table=shop_table, config=small_config, seed=4) for _ in range(2))
    assert first.observation_space == second.observation_space
    assert first.action_space == second.action_space
    first.action_space.seed(0)
    start, other = first.reset(seed=9), second.reset(seed=9)
    np.testing.assert_array_equal(start[0], other[0])
    done = False
    while not done:
        action = first.action_space.sample()
        one, two = first.step(action), second.step(action)
        np.testing.assert_array_equal(one[0], two[0])
        assert one[1:4] == two[1:4]
        assert one[4].keys() == two[4].keys()
        for key, value in one[4].items():
            np.testing.assert_array_equal(value, two[4][key])
        done = one[2]


def test_a_reset_with_a_seed_begins_the_same_episode_again(shop_env: SyntheticDataEnvironment) -> None:
    first, again, other = (play(shop_env, seed)[-1][2]["chosen"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_resets_without_a_seed_go_on_with_new_episodes(shop_env: SyntheticDataEnvironment) -> None:
    shop_env.reset(seed=1)
    goals = []
    for _ in range(3):
        shop_env.reset()
        goals.append(shop_env.goal.shares)
    assert not np.array_equal(goals[0], goals[1])
    assert not np.array_equal(goals[1], goals[2])


def test_the_global_generator_is_left_alone(shop_env: SyntheticDataEnvironment) -> None:
    np.random.seed(0)  # noqa: NPY002  # the one that must not be used
    before = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    play(shop_env, 1)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # type: ignore[index]  # noqa: NPY002


def test_the_return_of_an_episode_is_the_similarity_of_its_table(shop_env: SyntheticDataEnvironment) -> None:
    record = play(shop_env, 1)
    returns = np.cumsum([reward for _, reward, _ in record])
    np.testing.assert_allclose(returns, [info["similarity"] for _, _, info in record], atol=1e-12)
    cells = shop_env.cells
    shares = cells.shares(shop_env.pool[record[-1][2]["chosen"]])
    components = shop_env.similarity.components(shop_env.goal.shares - shares)
    np.testing.assert_allclose(components, record[-1][2]["components"], atol=1e-12)
    assert returns[-1] == pytest.approx(shop_env.similarity.total(components))


def test_rows_come_from_the_pool_and_none_comes_twice(shop_env: SyntheticDataEnvironment) -> None:
    pool = shop_env.pool.copy()
    chosen = play(shop_env, 1)[-1][2]["chosen"]
    assert chosen.shape == (120,)
    assert len(set(chosen)) == 120
    assert chosen.min() >= 0
    assert chosen.max() < len(pool)
    np.testing.assert_array_equal(shop_env.pool, pool)


def test_every_step_reports_and_observes_the_table_so_far(shop_env: SyntheticDataEnvironment) -> None:
    factors, components = len(shop_env.factors.names), len(shop_env.similarity.names)
    start, info = shop_env.reset(seed=0)
    assert start.tolist() == [0.0] * (factors + components + 1)
    assert (info["rows"], info["similarity"]) == (0, 0.0)
    for number, (observation, _, info) in enumerate(play(shop_env, 0), start=1):
        assert observation in shop_env.observation_space
        assert info["rows"] == 5 * number
        assert observation[-1] == pytest.approx(number / 24)
        np.testing.assert_allclose(observation[factors:-1], info["components"], rtol=1e-6)
        assert ("chosen" in info) == (number == 24)


def test_gaps_are_counted_in_noise_units(shop_generator: Generator) -> None:
    env = make(shop_generator)
    goal = Goal(shop_generator.real)
    env.reset(seed=0, options={"goal": goal})
    observation, *_ = env.step(np.ones(4, dtype=np.float32))
    chosen = env.growth.chosen[0, :5]
    margins = len(env.cells.margins)
    directions = env.factors.directions(env.cells, shop_generator.real, goal.shares)
    have = directions[env.pool[chosen][:, :margins]].sum(axis=1).mean(axis=0)
    want = goal.shares[: env.cells.margin_cells] @ directions
    expected = np.clip((want - have) * np.sqrt(5) / GAP_RANGE, -1, 1)
    np.testing.assert_allclose(observation[:4], expected, atol=1e-6)


def test_a_goal_of_dearer_rows_shows_as_a_gap_upwards(
    shop_env: SyntheticDataEnvironment, shop_generator: Generator
) -> None:
    assert shop_env.goals is not None
    plain = make(shop_generator, selection=False)
    for push in (2.0, -2.0):
        plain.reset(seed=0, options={"goal": shop_env.goals.pushed(np.array([push, 0.0, 0.0, 0.0]))})
        for _ in range(10):
            observation, *_ = plain.step(np.ones(4, dtype=np.float32))
        assert np.sign(push) * observation[0] > 0.3


@pytest.mark.parametrize("factor", range(4))
def test_a_factor_presses_on_its_column(shop_generator: Generator, factor: int) -> None:
    env = make(shop_generator, selection=False)
    means = []
    for value in (0.5, 1.0, 2.0):
        action = np.ones(4, dtype=np.float32)
        action[factor] = value
        env.reset(seed=0)
        done = False
        while not done:
            *_, done, _, info = env.step(action)
        means.append(env.composer.steering(env.goal).by_row[info["chosen"], factor].mean())
    assert means[0] < means[1] - 0.2
    assert means[1] < means[2] - 0.2


def test_neutral_factors_without_selection_draw_from_the_pool_evenly(shop_generator: Generator) -> None:
    env = make(shop_generator, selection=False)
    hits = np.zeros(len(env.pool))
    for seed in range(100):
        hits[compose(env, NeutralPolicy(4), Goal(shop_generator.real), seed).chosen] += 1
    # Each row is in one table of ten; its number of tables is binomial.
    assert hits.mean() == 10.0
    assert hits.var() == pytest.approx(9.0, rel=0.15)
    by_score = env.composer.steering(env.goal).by_row.sum(axis=1).argsort()
    assert np.corrcoef(hits[by_score], np.arange(len(hits)))[0, 1] == pytest.approx(0.0, abs=0.1)


def test_selection_brings_a_table_nearer_to_its_goal(shop_generator: Generator) -> None:
    goal = Goal(shop_generator.real)
    plain, selected = (
        np.mean(
            [compose(make(shop_generator, selection=on), NeutralPolicy(4), goal, seed).similarity for seed in range(3)]
        )
        for on in (False, True)
    )
    assert selected > plain + 0.02


def test_without_a_goal_it_mimics_the_real_table(shop_generator: Generator) -> None:
    env = make(shop_generator)
    env.reset(seed=0)
    np.testing.assert_array_equal(env.goal.shares, shop_generator.real)


def test_a_goal_can_be_set(shop_env: SyntheticDataEnvironment) -> None:
    goal = replace(Goal(shop_env.real), name="mine")
    shop_env.reset(seed=0, options={"goal": goal})
    assert shop_env.goal is goal
    shop_env.reset(seed=0, options={})
    assert shop_env.goal.name == "pushed"


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (np.ones(3), "an action has one factor for each of .*'seasonal_factor'.*; found shape \\(3,\\)"),
        (np.array([0.4, 1, 1, 1]), r"factors lie in \[0\.5, 2\.0\]; found \[0\.4, 1\.0, 1\.0, 1\.0\]"),
        (np.array([1, 1, 1, 2.1]), "factors lie in"),
        (np.array([1, 1, 1, np.nan]), "factors lie in"),
    ],
)
def test_actions_outside_the_space_are_refused(shop_env: SyntheticDataEnvironment, action: Any, message: str) -> None:
    shop_env.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        shop_env.step(action)


def test_steps_before_the_first_reset_and_after_the_end_are_refused(shop_generator: Generator) -> None:
    env = make(shop_generator, rows=3, steps=1)
    with pytest.raises(gym.error.ResetNeeded, match="call reset"):
        env.step(np.ones(4, dtype=np.float32))
    env.reset(seed=0)
    env.step(np.ones(4, dtype=np.float32))
    with pytest.raises(ValueError, match="the table is complete; call reset"):
        env.step(np.ones(4, dtype=np.float32))


@pytest.mark.parametrize(("rows", "steps", "pool"), [(1, 100, 50), (7, 100, 50), (50, 3, 50), (80, 10, 50)])
def test_tables_of_any_size_are_composed_in_full(shop_generator: Generator, rows: int, steps: int, pool: int) -> None:
    env = make(shop_generator, rows, steps, pool)
    record = play(env, 0)
    assert len(record) == min(rows, steps)
    assert sorted(set(record[-1][2]["chosen"])) == sorted(record[-1][2]["chosen"])
    assert record[-1][2]["rows"] == min(rows, pool)


@given(st.integers(1, 5000), st.integers(1, 500))
def test_batches_are_even_and_none_is_empty(rows: int, steps: int) -> None:
    sizes = batch_sizes(rows, steps)
    assert sizes.sum() == rows
    assert len(sizes) == min(rows, steps)
    assert sizes.min() >= 1
    assert sizes.max() - sizes.min() <= 1


def test_a_table_without_factors_is_composed_by_selection_alone() -> None:
    owner = np.repeat(np.arange(60), 5)
    table = pd.DataFrame(
        {"user_id": [f"U{number:03d}" for number in owner], "kind": np.array(["a", "b", "c"])[owner % 3]}
    )
    env = gym.make(ENV_ID, table=table, config={"environment": {"rows": 30, "steps": 5}})
    assert env.action_space.shape == (0,)
    env.reset(seed=0)
    done = False
    while not done:
        _, _, done, _, info = env.step(np.empty(0, dtype=np.float32))
    assert info["similarity"] > 0.9

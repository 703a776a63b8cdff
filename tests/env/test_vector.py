from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pandas as pd
import pytest
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from numpy.typing import NDArray

from agentsynth.agent.composing import compose, compose_all
from agentsynth.agent.policies import ProportionalPolicy
from agentsynth.config import Config
from agentsynth.env.environment import SyntheticDataEnvironment
from agentsynth.env.goals import Goal
from agentsynth.env.vector import SyntheticDataVectorEnvironment
from agentsynth.model import Generator, training_environment

ENV_ID = "agentsynth.env:AgentSynth/Compose-v0"


@pytest.fixture
def aiming_env(shop_generator: Generator, small_config: Config) -> SyntheticDataEnvironment:
    """An environment whose goals may have three aims."""
    return training_environment(shop_generator, small_config, 5, aims=3)[0]


def goals_of(env: SyntheticDataEnvironment) -> list[Goal]:
    """Return goals that differ in all that goals can differ by: shares, aims, and rows that may be taken."""
    sampler = env.goals
    assert sampler is not None
    pushed = sampler.pushed(np.array([1.0, 0, 0, 0]))
    aimed = [sampler.aimed(np.array([0, push, 0.5, 0]), np.random.default_rng(2)) for push in (-1.0, 1.0)]
    return [sampler.base, aimed[0], pushed, aimed[1]]


def actions_of(env: SyntheticDataEnvironment, seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return rng.uniform(0.5, 2, (env.steps, *(env.action_space.shape or ()))).astype(np.float32)


@pytest.mark.parametrize("selection", [True, False])
def test_each_table_is_what_it_would_be_by_itself(
    shop_generator: Generator, small_config: Config, selection: bool
) -> None:
    environment = small_config.environment.model_copy(update={"selection": selection})
    config = small_config.model_copy(update={"environment": environment})
    env, _ = training_environment(shop_generator, config, 5, aims=3)
    goals, seeds = goals_of(env), [7, 3, 8, 1]
    tables = SyntheticDataVectorEnvironment(env, 4)
    actions = np.array([actions_of(env, seed) for seed in seeds])
    starts, _ = tables.reset(seed=seeds, options={"goals": goals})
    steps = [tables.step(actions[:, step]) for step in range(env.steps)]
    for number, (goal, seed) in enumerate(zip(goals, seeds, strict=True)):
        start, _ = env.reset(seed=seed, options={"goal": goal})
        np.testing.assert_array_equal(starts[number], start)
        for action, (observations, rewards, terminated, _, _) in zip(actions[number], steps, strict=True):
            observation, reward, done, _, info = env.step(action)
            np.testing.assert_array_equal(observations[number], observation)
            assert (rewards[number], terminated[number]) == (reward, done)
        infos = steps[-1][-1]
        assert infos.keys() == info.keys() | {f"_{name}" for name in info}
        for name, value in info.items():
            np.testing.assert_array_equal(infos[name][number], value)


def test_policies_see_all_tables_at_once(aiming_env: SyntheticDataEnvironment) -> None:
    goals = goals_of(aiming_env)
    policy = ProportionalPolicy(len(aiming_env.factor_names))
    together = compose_all(aiming_env, policy, goals, [1, 2, 3, 4])
    for made, goal, seed in zip(together, goals, [1, 2, 3, 4], strict=True):
        alone = compose(aiming_env, policy, goal, seed)
        np.testing.assert_array_equal(made.chosen, alone.chosen)
        np.testing.assert_array_equal(made.factors, alone.factors)
        assert made.similarity == alone.similarity


def test_gymnasium_makes_it_and_its_wrappers_take_it(shop_table: pd.DataFrame, small_config: Config) -> None:
    made = gym.make_vec(
        ENV_ID, num_envs=3, vectorization_mode="vector_entry_point", table=shop_table, config=small_config
    )
    envs: gym.vector.VectorEnv[Any, Any, Any] = RecordEpisodeStatistics(made)
    observations, _ = envs.reset(seed=4)
    assert observations in envs.observation_space
    assert observations.shape == (3, *(envs.single_observation_space.shape or ()))
    envs.action_space.seed(0)
    returns, terminated = np.zeros(3), np.zeros(3, dtype=bool)
    while not terminated.any():
        observations, rewards, terminated, truncated, infos = envs.step(envs.action_space.sample())
        assert observations in envs.observation_space
        assert not truncated.any()
        returns += rewards
    assert terminated.all()
    np.testing.assert_allclose(returns, infos["similarity"])
    np.testing.assert_allclose(infos["episode"]["r"], returns)
    # The next step begins other tables.
    ended = infos["chosen"]
    observations, rewards, terminated, _, infos = envs.step(envs.action_space.sample())
    assert (infos["rows"].tolist(), rewards.tolist(), terminated.any()) == ([0] * 3, [0.0] * 3, False)
    while not terminated.any():
        _, _, terminated, _, infos = envs.step(envs.action_space.sample())
    assert not np.array_equal(infos["chosen"], ended)


def test_seeds_and_goals_are_one_for_each_table(shop_env: SyntheticDataEnvironment) -> None:
    tables = SyntheticDataVectorEnvironment(shop_env, 2)
    with pytest.raises(gym.error.ResetNeeded, match="call reset"):
        tables.step(np.ones((2, 4), dtype=np.float32))
    with pytest.raises(ValueError, match="each of the 2 tables has a seed; found 3"):
        tables.reset(seed=[1, 2, 3])
    with pytest.raises(ValueError, match="each of the 2 tables has a goal; found 1"):
        tables.reset(options={"goals": [Goal(shop_env.real)]})
    tables.reset(seed=5)
    with pytest.raises(ValueError, match=r"an action has one factor for each of .*; found shape \(4,\)"):
        tables.step(np.ones(4, dtype=np.float32))
    both = tables.step(np.ones((2, 4), dtype=np.float32))[0]
    # A number is the seed of the first; a seed left out goes on with what was drawn from.
    tables.reset(seed=[None, 6])
    assert np.array_equal(tables.step(np.ones((2, 4), dtype=np.float32))[0][1], both[1])


def test_a_goal_has_to_leave_a_tables_rows(shop_env: SyntheticDataEnvironment) -> None:
    few = Goal(shop_env.real, rows=np.arange(100))
    with pytest.raises(ValueError, match="the goal leaves 100 rows of the pool; a table has 120"):
        shop_env.reset(options={"goal": few})


def test_nearly_all_of_a_pool_can_be_taken(shop_env: SyntheticDataEnvironment) -> None:
    """Where a stretch of the shuffled pool is in the table already, rows are looked for further on."""
    few = Goal(shop_env.real, rows=np.arange(125))
    made = compose(shop_env, ProportionalPolicy(4), few, 0)
    assert len(set(made.chosen)) == 120
    assert made.chosen.max() < 125

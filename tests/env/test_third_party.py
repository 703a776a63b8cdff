"""Agents that know nothing of AgentSynth: plain code against the Gymnasium interface."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pandas as pd
import pytest
from gymnasium.wrappers import FlattenObservation, NormalizeReward, RecordEpisodeStatistics, RescaleAction, TimeLimit
from numpy.typing import NDArray

ENV_ID = "agentsynth.env:AgentSynth/Compose-v0"
# Without selection, so that the table is the agent's work alone.
SETTINGS = {"environment": {"rows": 100, "steps": 10, "pairs": 0, "critic": False, "selection": False}}


def run_linear_policy(env: gym.Env[Any, Any], weights: NDArray[np.float64], seed: int) -> float:
    """Play one episode: each log-factor is linear in the gap of its column, which the observation begins with."""
    box: Any = env.action_space
    gain, offset = weights
    observation, _ = env.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        action = np.clip(np.exp(gain * observation[: len(gain)] + offset), box.low, box.high)
        observation, reward, terminated, truncated, _ = env.step(action.astype(np.float32))
        total += float(reward)
        over = terminated or truncated
    return total


def test_a_cross_entropy_method_learns_to_steer(shop_table: pd.DataFrame) -> None:
    env = gym.make(ENV_ID, table=shop_table, config=SETTINGS)
    box: Any = env.action_space
    rng = np.random.default_rng(0)
    mean, spread = np.zeros((2, *box.shape)), np.ones((2, *box.shape))
    training, unseen = range(8), range(100, 120)
    before = np.mean([run_linear_policy(env, mean, seed) for seed in unseen])
    for _ in range(3):
        population = mean + spread * rng.normal(size=(12, *mean.shape))
        scores = [np.mean([run_linear_policy(env, weights, seed) for seed in training]) for weights in population]
        elite = population[np.argsort(scores)[-4:]]
        mean, spread = elite.mean(axis=0), elite.std(axis=0) + 0.05
    after = np.mean([run_linear_policy(env, mean, seed) for seed in unseen])
    assert after > before + 0.02


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_it_runs_in_a_vector_of_environments(shop_table: pd.DataFrame, mode: str) -> None:
    envs = gym.make_vec(ENV_ID, num_envs=2, vectorization_mode=mode, table=shop_table, config=SETTINGS)
    observations, _ = envs.reset(seed=7)
    assert observations.shape == (2, envs.single_observation_space.shape[0])  # type: ignore[index]
    envs.action_space.seed(0)
    returns = np.zeros(2)
    for step in range(1, 11):
        _, rewards, terminated, truncated, infos = envs.step(envs.action_space.sample())
        returns += rewards
        assert terminated.tolist() == [step == 10] * 2
        assert not truncated.any()
    np.testing.assert_allclose(returns, infos["similarity"])
    # The next step begins other tables.
    _, _, terminated, _, infos = envs.step(envs.action_space.sample())
    assert not terminated.any()
    envs.close()


def test_it_runs_under_the_usual_wrappers(shop_table: pd.DataFrame) -> None:
    plain = gym.make(ENV_ID, table=shop_table, config=SETTINGS)
    env: gym.Env[Any, Any] = RecordEpisodeStatistics(TimeLimit(plain, max_episode_steps=7))
    env = NormalizeReward(FlattenObservation(RescaleAction(env, np.float32(-1), np.float32(1))))
    env.reset(seed=0)
    for step in range(1, 8):
        _, _, terminated, truncated, info = env.step(np.zeros(4, dtype=np.float32))
        assert (terminated, truncated) == (False, step == 7)
    assert info["episode"]["l"] == 7
    assert info["episode"]["r"] == pytest.approx(info["similarity"])

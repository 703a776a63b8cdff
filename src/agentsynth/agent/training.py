"""Training: episodes of Q-learning, with a held-out check of the greedy policy on the way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from agentsynth.agent.composing import compose
from agentsynth.agent.history import TrainingHistory
from agentsynth.agent.policies import NeutralPolicy, Policy, QPolicy, RandomPolicy
from agentsynth.agent.qlearning import QLearningAgent
from agentsynth.config import AgentConfig
from agentsynth.env.environment import SyntheticDataEnvironment
from agentsynth.env.goals import Goal
from agentsynth.seeding import child_seed, stream

CHECKS = 3
"""Held-out checks in a training, the last of them after the last episode."""


def examine(env: SyntheticDataEnvironment, policy: Policy, goals: list[Goal], seed: int) -> float:
    """Return the mean similarity to their goal of tables composed by `policy`, one for each of `goals`."""
    tables = (compose(env, policy, goal, child_seed(seed, f"exam.{number}")) for number, goal in enumerate(goals))
    return float(np.mean([table.similarity for table in tables]))


def train(
    env: SyntheticDataEnvironment,
    config: AgentConfig,
    goals: list[Goal],
    held_out: list[Goal],
    seed: int,
    advance: Callable[[], None] = lambda: None,
    watch: Callable[[int, QPolicy], None] = lambda *_: None,
) -> tuple[QPolicy, TrainingHistory]:
    """Train an agent in `env` and return the policy that did best in the held-out checks, and the history.

    The checks compose for the same goals with the same seeds, so that they differ by the policy alone.

    Args:
        env: the environment.
        config: the agent's parameters.
        goals: what the episodes steer to, in turn: any `len(goals)` episodes in a row have the same goals, so that a
            moving average over as many moves by learning alone. The first is what the history's best action is told of.
        held_out: goals that no episode steers to; the greedy policy is judged on them.
        seed: decides everything random here.
        advance: called after each episode.
        watch: called after each episode with its number and the policy so far; what it raises ends the training.
    """
    names = env.factor_names
    agent = QLearningAgent(env.factors.names, env.steps, config, stream(seed, "exploration"), env.aims)
    exam_seed = child_seed(seed, "exams")
    rivals = {
        "neutral": examine(env, NeutralPolicy(len(names)), held_out, exam_seed),
        "random": examine(env, RandomPolicy(len(names), stream(seed, "random rival")), held_out, exam_seed),
    }
    checks = set(np.linspace(0, config.episodes, CHECKS + 1).round().astype(int) - 1)
    record = _Record()
    best, best_score = agent.policy, -np.inf
    for episode in range(config.episodes):
        total = play(env, agent, goals[episode % len(goals)], child_seed(seed, f"episode.{episode}"))
        # The check composes in the same environment: what the episode reached is noted first.
        components = env.components
        policy = agent.policy
        score = examine(env, policy, held_out, exam_seed) if episode in checks else np.nan
        record.add(total, agent.epsilon, env.similarity.total(components), score, components)
        if score > best_score:
            best, best_score, record.best_episode = policy, score, episode
        agent.end_episode()
        advance()
        watch(episode, policy)
    action = best_action(env, best, goals[0], exam_seed)
    return best.for_aims(0), record.history(env, action, rivals, len(goals))


def fine_tuned(
    env: SyntheticDataEnvironment, config: AgentConfig, policy: QPolicy, goal: Goal, episodes: int, seed: int
) -> QPolicy:
    """Return what `policy` becomes by so many episodes on one goal, from where the training left off.

    Exploration begins at `epsilon_end`, as the last episodes of the training had it; a policy that has learned nothing
    (`QPolicy.blank`) begins at `epsilon_start`.
    """
    agent = QLearningAgent(env.factors.names, env.steps, config, stream(seed, "exploration"), env.aims)
    if policy.visits.any():
        agent.start_from(policy)
        agent.epsilon = config.epsilon_end
    for episode in range(episodes):
        play(env, agent, goal, child_seed(seed, f"episode.{episode}"))
        agent.end_episode()
    return agent.policy


def play(env: SyntheticDataEnvironment, agent: QLearningAgent, goal: Goal, seed: int) -> float:
    """Play one episode to `goal` and learn from it; return the sum of its rewards."""
    observation, info = env.reset(seed=seed, options={"goal": goal})
    returns, step, done = 0.0, 0, False
    while not done:
        levels = agent.act(observation)
        gaps = np.abs(info["gaps"])
        after, reward, done, _, info = env.step(agent.to_action(levels))
        rewards = agent.rewards(step, gaps - np.abs(info["gaps"]), float(reward))
        if rewards is not None:
            agent.update(observation, levels, rewards, after, done)
        observation, step = after, step + 1
        returns += float(reward)
    return returns


def best_action(env: SyntheticDataEnvironment, policy: Policy, goal: Goal, seed: int) -> dict[str, float]:
    """Return the factor of each column with which `policy` composes a table, as the geometric mean over its steps."""
    factors = compose(env, policy, goal, seed).factors[:, : len(env.factors.names)]
    means = np.exp(np.log(factors.astype(np.float64)).mean(axis=0))
    return {name: float(mean) for name, mean in zip(env.factors.names, means, strict=True)}


class _Record:
    """Collects what the history needs."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, float, float, float]] = []
        self.components: list[NDArray[np.float64]] = []
        self.best_episode = 0

    def add(
        self, returns: float, epsilon: float, similarity: float, held_out: float, components: NDArray[np.float64]
    ) -> None:
        self.rows.append((returns, epsilon, similarity, held_out))
        self.components.append(components)

    def history(
        self, env: SyntheticDataEnvironment, action: dict[str, float], rivals: dict[str, float], goals: int
    ) -> TrainingHistory:
        returns, epsilon, similarity, held_out = np.array(self.rows).T
        components = dict(zip(env.similarity.names, np.array(self.components).T, strict=True))
        return TrainingHistory(
            returns, epsilon, similarity, held_out, components, action, self.best_episode, rivals, goals
        )

"""Training: episodes of Q-learning, with a held-out check of the greedy policy on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agentsynth.agent.composing import compose
from agentsynth.agent.history import TrainingHistory
from agentsynth.agent.policies import Policy, QPolicy
from agentsynth.agent.qlearning import QLearningAgent
from agentsynth.config import AgentConfig
from agentsynth.env.environment import SyntheticDataEnvironment
from agentsynth.env.goals import Goal
from agentsynth.seeding import child_seed, stream

CHECKS = 6
"""Held-out checks in a training, the last of them after the last episode."""


@dataclass(frozen=True)
class Exam:
    """A goal to steer to, and the shares of held-out rows that the result is compared with."""

    goal: Goal
    held_out: NDArray[np.float64]


def examine(env: SyntheticDataEnvironment, policy: Policy, exams: list[Exam], seed: int) -> float:
    """Return the mean held-out similarity of tables composed by `policy`, one for each exam."""
    scores = []
    for number, exam in enumerate(exams):
        shares = compose(env, policy, exam.goal, child_seed(seed, f"exam.{number}")).shares
        scores.append(env.similarity.total(env.similarity.components(exam.held_out - shares)))
    return float(np.mean(scores))


def train(
    env: SyntheticDataEnvironment,
    config: AgentConfig,
    goals: list[Goal],
    exams: list[Exam],
    seed: int,
    advance: Callable[[], None] = lambda: None,
) -> tuple[QPolicy, TrainingHistory]:
    """Train an agent in `env` and return the policy that did best in the held-out checks, and the history.

    The checks play the same exams with the same seeds, so that they differ by the policy alone.

    Args:
        env: the environment.
        config: the agent's parameters.
        goals: what the episodes steer to, in turn: any `len(goals)` episodes in a row have the same goals, so that a
            moving average over as many moves by learning alone.
        exams: what the greedy policy is judged on.
        seed: decides everything random here.
        advance: called after each episode.
    """
    own = np.array([env.similarity.names.index(column) for column in env.factors.columns], dtype=np.intp)
    agent = QLearningAgent(env.factors.names, own, config, stream(seed, "exploration"))
    checks = set(np.linspace(0, config.episodes, CHECKS + 1).round().astype(int) - 1)
    record = _Record()
    best, best_score = agent.policy, -np.inf
    for episode in range(config.episodes):
        total = play(env, agent, goals[episode % len(goals)], child_seed(seed, f"episode.{episode}"))
        # The exams play in the same environment: what the episode reached is noted first.
        components = env.components
        score = examine(env, agent.policy, exams, child_seed(seed, "exams")) if episode in checks else np.nan
        record.add(total, agent.epsilon, components, score)
        if score > best_score:
            best_score, record.best_episode = score, episode
            best = replace(agent.policy, tables=agent.policy.tables.copy(), visits=agent.policy.visits.copy())
        agent.end_episode()
        advance()
    return best, record.history(env, best_action(best))


def play(env: SyntheticDataEnvironment, agent: QLearningAgent, goal: Goal, seed: int) -> float:
    """Play one episode to `goal` and learn from it; return the sum of its rewards."""
    observation, _ = env.reset(seed=seed, options={"goal": goal})
    components, returns, done = env.components, 0.0, False
    while not done:
        levels = agent.act(observation)
        after, reward, done, _, info = env.step(agent.to_action(levels))
        rewards = agent.rewards(info["components"] - components, float(reward))
        agent.update(observation, levels, rewards, after, done)
        observation, components = after, info["components"]
        returns += float(reward)
    return returns


def best_action(policy: QPolicy) -> dict[str, float]:
    """Return the level of each factor that was worth most over the states it was in (Q-values weighed by visits)."""
    state_visits = policy.visits.sum(axis=-1, keepdims=True)
    known = policy.visits > 0
    weight = (state_visits * known).sum(axis=(1, 2))
    worth = (policy.tables * state_visits * known).sum(axis=(1, 2)) / np.maximum(weight, 1)
    best = np.where(weight > 0, worth, -np.inf).argmax(axis=-1)
    return {name: float(policy.levels[level]) for name, level in zip(policy.factor_names, best, strict=True)}


class _Record:
    """Collects what the history needs."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, float, float, float]] = []
        self.components: list[NDArray[np.float64]] = []
        self.best_episode = 0

    def add(self, returns: float, epsilon: float, components: NDArray[np.float64], held_out: float) -> None:
        self.rows.append((returns, epsilon, returns, held_out))
        self.components.append(components)

    def history(self, env: SyntheticDataEnvironment, action: dict[str, float]) -> TrainingHistory:
        returns, epsilon, similarity, held_out = np.array(self.rows).T
        components = dict(zip(env.similarity.names, np.array(self.components).T, strict=True))
        return TrainingHistory(returns, epsilon, similarity, held_out, components, action, self.best_episode)

"""Training: episodes of Q-learning, some side by side, with held-out checks of the greedy policy on the way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from agentsynth.agent.composing import compose, compose_all
from agentsynth.agent.history import TrainingHistory
from agentsynth.agent.policies import NeutralPolicy, Policy, QPolicy, RandomPolicy
from agentsynth.agent.qlearning import QLearningAgent
from agentsynth.config import AgentConfig
from agentsynth.env.environment import SyntheticDataEnvironment
from agentsynth.env.goals import Goal
from agentsynth.env.vector import SyntheticDataVectorEnvironment
from agentsynth.seeding import child_seed, stream

Floats = NDArray[np.float64]
SIDE_BY_SIDE = 5
"""Episodes that are played in step; what one of them meets, all learn from at once."""
CHECKS = 3
"""Held-out checks in a training, the last of them after the last episode."""


def examine(env: SyntheticDataEnvironment, policy: Policy, goals: list[Goal], seed: int) -> float:
    """Return the mean similarity to their goal of tables composed by `policy`, one for each of `goals`."""
    seeds = [child_seed(seed, f"exam.{number}") for number in range(len(goals))]
    return float(np.mean([table.similarity for table in compose_all(env, policy, goals, seeds)]))


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
        watch: called for each episode with its number and the policy after its round; what it raises ends the training.
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
    for episodes in _rounds(config.episodes, checks):
        steered = [goals[episode % len(goals)] for episode in episodes]
        seeds = [child_seed(seed, f"episode.{episode}") for episode in episodes]
        epsilons = agent.next_epsilons(len(episodes))
        returns, components = play(env, agent, steered, seeds, epsilons)
        policy, score = agent.policy, np.nan
        if episodes[-1] in checks:
            score = examine(env, policy, held_out, exam_seed)
            if score > best_score:
                best, best_score, record.best_episode = policy, score, episodes[-1]
        record.add(returns, epsilons, env.similarity.total(components), score, components)
        for episode in episodes:
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
    for numbers in _rounds(episodes):
        seeds = [child_seed(seed, f"episode.{number}") for number in numbers]
        play(env, agent, [goal] * len(numbers), seeds, agent.next_epsilons(len(numbers)))
    return agent.policy


def play(
    env: SyntheticDataEnvironment,
    agent: QLearningAgent,
    goals: Sequence[Goal],
    seeds: Sequence[int],
    epsilons: Floats,
) -> tuple[Floats, Floats]:
    """Play an episode to each of `goals` side by side and learn from them.

    Returns:
        The sums (episodes,) of their rewards, and the similarity (episodes, components) of the tables they end with.
    """
    tables = SyntheticDataVectorEnvironment(env, len(goals))
    observations, infos = tables.reset(seed=seeds, options={"goals": goals})
    returns, done = np.zeros(len(goals)), False
    for step in range(env.steps):
        levels = agent.act(observations, epsilons[:, None])
        gaps = np.abs(infos["gaps"])
        after, improved, ended, _, infos = tables.step(agent.to_action(levels))
        done = bool(ended.all())
        rewards = agent.rewards(step, gaps - np.abs(infos["gaps"]), improved)
        if rewards is not None:
            agent.update(observations, levels, rewards, after, done)
        observations = after
        returns += improved
    return returns, infos["components"]


def _rounds(episodes: int, ends: Collection[int] = ()) -> Iterator[range]:
    """Yield the numbers of the episodes that are played side by side; those of `ends` end a round."""
    first = 0
    for last in range(episodes):
        if last - first + 1 == SIDE_BY_SIDE or last in ends or last == episodes - 1:
            yield range(first, last + 1)
            first = last + 1


def best_action(env: SyntheticDataEnvironment, policy: Policy, goal: Goal, seed: int) -> dict[str, float]:
    """Return the factor of each column with which `policy` composes a table, as the geometric mean over its steps."""
    factors = compose(env, policy, goal, seed).factors[:, : len(env.factors.names)]
    means = np.exp(np.log(factors.astype(np.float64)).mean(axis=0))
    return {name: float(mean) for name, mean in zip(env.factors.names, means, strict=True)}


class _Record:
    """Collects what the history needs, round by round."""

    def __init__(self) -> None:
        self.rows: list[Floats] = []
        self.components: list[Floats] = []
        self.best_episode = 0

    def add(self, returns: Floats, epsilons: Floats, similarities: Floats, held_out: float, components: Floats) -> None:
        """Take in a round: each (episodes,), `components` (episodes, components); the check is its last episode's."""
        checked = np.full(len(returns), np.nan)
        checked[-1] = held_out
        self.rows.append(np.column_stack([returns, epsilons, similarities, checked]))
        self.components.append(components)

    def history(
        self, env: SyntheticDataEnvironment, action: dict[str, float], rivals: dict[str, float], goals: int
    ) -> TrainingHistory:
        returns, epsilon, similarity, held_out = np.concatenate(self.rows).T
        components = dict(zip(env.similarity.names, np.concatenate(self.components).T, strict=True))
        return TrainingHistory(
            returns, epsilon, similarity, held_out, components, action, self.best_episode, rivals, goals
        )

"""Factored tabular Q-learning."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agentsynth.agent.baseline import StepBaseline
from agentsynth.agent.policies import Action, QPolicy
from agentsynth.config import AgentConfig
from agentsynth.env.environment import Observation

Floats = NDArray[np.float64]
State = tuple[NDArray[np.intp], int]
"""The gap bucket (factors,) of each factor, and the progress bucket."""


class QLearningAgent:
    """One Q-table per factor: (signed-gap bucket x progress bucket) x level (Watkins 1989; Sutton and Barto 2018, 6.5).

    The factors share nothing but the reward, so cost grows linearly with columns. A factor's reward mixes what became
    of its own column's gap with the change of the table's similarity, both against what the step usually brings.

    Args:
        factor_names: the columns' factors, in the order of the action.
        steps: steps of an episode.
        config: learning rate, discount, epsilon, mixing share.
        rng: where exploration comes from.
        aims: how many aims the goals have.
    """

    def __init__(
        self,
        factor_names: tuple[str, ...],
        steps: int,
        config: AgentConfig,
        rng: np.random.Generator,
        aims: int = 0,
    ) -> None:
        self.config = config
        self.rng = rng
        self.epsilon = config.epsilon_start
        self.policy = QPolicy.blank(factor_names, aims)
        self._baseline = StepBaseline(steps, len(factor_names) + aims + 1)

    def act(self, observation: Observation) -> NDArray[np.intp]:
        """Return a level (factors,) for each factor: random with probability epsilon, else greedy."""
        greedy = self.policy.greedy(*self.policy.states(observation))
        explore = self.rng.random(len(greedy)) < self.epsilon
        return np.where(explore, self.rng.integers(self.policy.tables.shape[-1], size=len(greedy)), greedy)

    def to_action(self, levels: NDArray[np.intp]) -> Action:
        """Return the factors that `levels` (factors,) stand for."""
        return self.policy.levels[levels].astype(np.float32)

    def rewards(self, step: int, closed: Floats, improved: float) -> Floats | None:
        """Return the reward (factors,) of every factor, or None while too little is known of the step.

        Args:
            step: number of the step in its episode.
            closed: (factors,) by how much the absolute gap of each factor's column, or aim, shrank.
            improved: by how much the table's similarity rose. An aim is rewarded for its own gap alone.
        """
        found = self._baseline.standardised(step, np.append(closed, improved))
        if found is None:
            return None
        share = np.full(len(closed), self.config.own_share)
        share[len(self.policy.factor_names) :] = 1.0
        mixed: Floats = share * found[:-1] + (1 - share) * found[-1]
        return mixed

    def update(
        self, before: Observation, levels: NDArray[np.intp], rewards: Floats, after: Observation, done: bool
    ) -> Floats:
        """Apply one TD update to every factor's table and return the TD errors (factors,).

        Q(s, a) += rate * (r + discount * max_a' Q(s', a') - Q(s, a)); nothing follows the last step. What is seen of an
        aim is learned of its reverse, too: a number that is too low is one whose negative is too high.
        """
        gap, progress = self.policy.states(before)
        next_gap, next_progress = self.policy.states(after)
        used = self.policy.used
        errors = self._learn(used, (gap, progress), levels, rewards, None if done else (next_gap, next_progress))
        aims = slice(len(self.policy.factor_names), len(levels))
        last, reverse = len(self.policy.gap_edges), len(self.policy.levels) - 1
        follows = None if done else (last - next_gap[aims], next_progress)
        self._learn(used[aims], (last - gap[aims], progress), reverse - levels[aims], rewards[aims], follows)
        return errors

    def _learn(
        self, used: NDArray[np.intp], state: State, levels: NDArray[np.intp], rewards: Floats, follows: State | None
    ) -> Floats:
        tables = self.policy.tables
        future = 0.0 if follows is None else tables[used, *follows].max(axis=1)
        gap, progress = state
        places = np.ravel_multi_index((used, gap, np.full_like(gap, progress), levels), tables.shape)
        errors: Floats = rewards + self.config.discount * future - tables.reshape(-1)[places]
        # Several aims may be in the same place: each counts.
        np.add.at(tables.reshape(-1), places, self.config.learning_rate * errors)
        np.add.at(self.policy.visits.reshape(-1), places, 1)
        return errors

    def end_episode(self) -> None:
        """Let epsilon decay."""
        self.epsilon = max(self.config.epsilon_end, self.epsilon * self.config.epsilon_decay)

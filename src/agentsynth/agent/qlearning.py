"""Factored tabular Q-learning."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agentsynth.agent.baseline import StepBaseline
from agentsynth.agent.policies import Action, QPolicy
from agentsynth.config import AgentConfig
from agentsynth.env.environment import Observation

Floats = NDArray[np.float64]


class QLearningAgent:
    """One Q-table per factor: (signed-gap bucket x progress bucket) x level (Watkins 1989; Sutton and Barto 2018, 6.5).

    The factors share nothing but the reward, so cost grows linearly with columns. A factor's reward mixes what became
    of its own column's gap with the change of the table's similarity, both against what the step usually brings.

    Args:
        factor_names: the factors, in the order of the action.
        steps: steps of an episode.
        config: learning rate, discount, epsilon, mixing share.
        rng: where exploration comes from.
    """

    def __init__(
        self, factor_names: tuple[str, ...], steps: int, config: AgentConfig, rng: np.random.Generator
    ) -> None:
        self.config = config
        self.rng = rng
        self.epsilon = config.epsilon_start
        self.policy = QPolicy.blank(factor_names)
        self._baseline = StepBaseline(steps, len(factor_names) + 1)

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
            closed: (factors,) by how much the absolute gap of each factor's column shrank.
            improved: by how much the table's similarity rose.
        """
        found = self._baseline.standardised(step, np.append(closed, improved))
        if found is None:
            return None
        mixed: Floats = self.config.own_share * found[:-1] + (1 - self.config.own_share) * found[-1]
        return mixed

    def update(
        self, before: Observation, levels: NDArray[np.intp], rewards: Floats, after: Observation, done: bool
    ) -> Floats:
        """Apply one TD update to every factor's table and return the TD errors (factors,).

        Q(s, a) += rate * (r + discount * max_a' Q(s', a') - Q(s, a)); nothing follows the last step.
        """
        tables, rows = self.policy.tables, np.arange(len(levels))
        gap, progress = self.policy.states(before)
        next_gap, next_progress = self.policy.states(after)
        future = 0.0 if done else tables[rows, next_gap, next_progress].max(axis=1)
        place = (rows, gap, progress, levels)
        errors: Floats = rewards + self.config.discount * future - tables[place]
        tables[place] += self.config.learning_rate * errors
        self.policy.visits[place] += 1
        return errors

    def end_episode(self) -> None:
        """Let epsilon decay."""
        self.epsilon = max(self.config.epsilon_end, self.epsilon * self.config.epsilon_decay)

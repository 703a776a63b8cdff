"""Factored tabular Q-learning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agentsynth.agent.baseline import StepBaseline
from agentsynth.agent.greedy import greedy_levels
from agentsynth.agent.policies import AT_ANY_TIME, DISTANCES, Action, QPolicy
from agentsynth.agent.tables import Tables
from agentsynth.config import AgentConfig
from agentsynth.env.environment import Observation

Floats = NDArray[np.float64]


class QLearningAgent:
    """One Q-table per factor: (signed-gap bucket x progress bucket) x level (Watkins 1989; Sutton and Barto 2018, 6.5).

    Factors act and are rewarded each by itself, so cost grows linearly with columns; what they learn they share (see
    `Tables`). A factor's reward mixes what became of its own column's gap with the change of the table's similarity,
    both against what the step usually brings.

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
        self._blank = QPolicy.blank(factor_names, aims)
        self.tables = Tables.blank(self._blank.tables.shape)
        self._baseline = StepBaseline(steps, len(factor_names) + aims + 1)
        self._own_share = np.repeat([config.own_share, 1.0], [len(factor_names), aims])

    @property
    def policy(self) -> QPolicy:
        """What is learned so far; later updates leave it as it is."""
        tables, visits = self.tables.all_values()
        for told in (tables, visits):
            told[-1] = told[-1, :, AT_ANY_TIME][:, None]  # Aims do the same at any time.
        return replace(self._blank, tables=tables, visits=visits)

    def start_from(self, policy: QPolicy) -> None:
        """Take over what a policy has learned."""
        visits = policy.visits.copy()
        visits[-1, :, AT_ANY_TIME + 1 :] = 0
        self.tables = Tables.of(policy.tables, visits)

    def act(self, observation: Observation, epsilon: Floats | float | None = None) -> NDArray[np.intp]:
        """Return a level (..., factors) for each factor: random with probability epsilon, else greedy.

        `epsilon` (..., 1) is that of each observation (..., observations); None: the agent's.
        """
        greedy = greedy_levels(*self.tables.values(self._blank.used, self._blank.states(observation)), DISTANCES)
        explore = self.rng.random(greedy.shape) < (self.epsilon if epsilon is None else epsilon)
        return np.where(explore, self.rng.integers(self.tables.own.shape[-1], size=greedy.shape), greedy)

    def to_action(self, levels: NDArray[np.intp]) -> Action:
        """Return the factors that `levels` (..., factors) stand for."""
        return self._blank.levels[levels].astype(np.float32)

    def rewards(self, step: int, closed: Floats, improved: Floats) -> Floats | None:
        """Return the reward (episodes, factors) of every factor, or None while too little is known of the step.

        Args:
            step: number of the step in its episode.
            closed: (episodes, factors) by how much the absolute gap of each factor's column, or aim, shrank.
            improved: (episodes,) by how much the table's similarity rose. An aim is rewarded for its own gap alone.
        """
        found = self._baseline.standardised(step, np.column_stack([closed, improved]))
        if found is None:
            return None
        share = self._own_share
        mixed: Floats = share * found[:, :-1] + (1 - share) * found[:, -1:]
        return mixed

    def update(
        self, before: Observation, levels: NDArray[np.intp], rewards: Floats, after: Observation, done: bool
    ) -> Floats:
        """Apply one TD update to every factor's value and return the TD errors (..., factors).

        Q(s, a) += rate * (r + discount * max_a' Q(s', a') - Q(s, a)); nothing follows the last step. What is seen is
        learned of its reverse, too: a mean that is too low is one whose negative is too high.

        Args:
            before: (..., observations) what was seen.
            levels: (..., factors) what was done.
            rewards: (..., factors) what came of it.
            after: (..., observations) what was seen then.
            done: whether the step was the last.
        """
        used, (gap, progress), rate = self._blank.used, self._blank.states(before), self.config.learning_rate
        targets = rewards
        if not done:
            follows = self.tables.values(used, self._blank.states(after))[0]
            targets = rewards + self.config.discount * follows.max(axis=-1)
        errors = self.tables.learn(used, (gap, progress), levels, targets, rate)
        opposite, reverse = len(self._blank.gap_edges) - gap, len(self._blank.levels) - 1 - levels
        self.tables.learn(used, (opposite, progress), reverse, targets, rate)
        return errors

    def next_epsilons(self, episodes: int) -> Floats:
        """Return the epsilon (episodes,) of each of the next episodes, and let it decay."""
        found = np.empty(episodes)
        for episode in range(episodes):
            found[episode] = self.epsilon
            self.end_episode()
        return found

    def end_episode(self) -> None:
        """Let epsilon decay."""
        self.epsilon = max(self.config.epsilon_end, self.epsilon * self.config.epsilon_decay)

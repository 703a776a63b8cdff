"""Policies: from an observation to factors. The learned one, and the rivals it has to beat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agentsynth.env.environment import AIM_FACTOR, GAP_RANGE, HIGHEST_FACTOR, LOWEST_FACTOR, Observation

Action = NDArray[np.float32]
LEVELS = np.geomspace(LOWEST_FACTOR, HIGHEST_FACTOR, 7)
"""Factor values an agent chooses among; the middle one is exactly 1."""
NEUTRAL = len(LEVELS) // 2
LEVELS[NEUTRAL] = 1.0
GAP_EDGES = np.array([-2.0, -0.8, -0.25, 0.25, 0.8, 2.0])
"""Borders of the gap buckets, in noise units (the deviation of a mean of as many random rows)."""
PROGRESS_BUCKETS = 2


class Policy(Protocol):
    """Anything that turns an observation into factors."""

    def factors(self, observation: Observation) -> Action:
        """Return the factors (factors,) for an observation of the environment."""
        ...


@dataclass(frozen=True)
class NeutralPolicy:
    """Leaves every column alone: selection does all the work."""

    count: int

    def factors(self, observation: Observation) -> Action:  # noqa: ARG002  # the interface hands it over
        """Return ones."""
        return np.ones(self.count, dtype=np.float32)


@dataclass(frozen=True)
class RandomPolicy:
    """Draws each factor from the levels at random."""

    count: int
    rng: np.random.Generator

    def factors(self, observation: Observation) -> Action:  # noqa: ARG002  # the interface hands it over
        """Return random levels."""
        return self.rng.choice(LEVELS, size=self.count).astype(np.float32)


@dataclass(frozen=True)
class ProportionalPolicy:
    """The plain rule: the log-factor is proportional to the gap.

    Attributes:
        count: number of factors.
        gain: log-factor per noise unit of gap.
    """

    count: int
    gain: float = 0.5

    def factors(self, observation: Observation) -> Action:
        """Return exp(gain * gap), kept in the allowed range."""
        gaps = observation[: self.count].astype(np.float64) * GAP_RANGE
        return np.clip(np.exp(self.gain * gaps), LOWEST_FACTOR, HIGHEST_FACTOR).astype(np.float32)


@dataclass(frozen=True)
class QPolicy:
    """Greedy use of learned Q-tables: one for each column's factor, and one that all aims of a goal share.

    Attributes:
        factor_names: (factors,) names of the columns' factors.
        tables: (factors + 1, gap buckets, progress buckets, levels) Q-values; the last table is that of aims.
        visits: the same shape, updates each value has had.
        levels: (levels,) factor values.
        gap_edges: (gap buckets - 1,) borders in noise units.
        aims: how many aims the goals have that it is used for.
    """

    factor_names: tuple[str, ...]
    tables: NDArray[np.float64]
    visits: NDArray[np.int64]
    levels: NDArray[np.float64]
    gap_edges: NDArray[np.float64]
    aims: int = 0

    @classmethod
    def blank(cls, factor_names: tuple[str, ...], aims: int = 0) -> QPolicy:
        """Return a policy that has learned nothing: it is neutral everywhere."""
        shape = (len(factor_names) + 1, len(GAP_EDGES) + 1, PROGRESS_BUCKETS, len(LEVELS))
        zeros, visits = np.zeros(shape), np.zeros(shape, dtype=np.int64)
        return cls(factor_names, zeros, visits, LEVELS.copy(), GAP_EDGES.copy(), aims)

    def for_aims(self, aims: int) -> QPolicy:
        """Return the policy for goals of so many aims: what was learned of one serves them all."""
        return replace(self, aims=aims)

    @property
    def table_names(self) -> tuple[str, ...]:
        """Names (factors + 1,) of the tables."""
        return (*self.factor_names, AIM_FACTOR)

    @cached_property
    def used(self) -> NDArray[np.intp]:
        """The table (factors + aims,) of each factor of an action."""
        own = len(self.factor_names)
        return np.minimum(np.arange(own + self.aims), own)

    def states(self, observation: Observation) -> tuple[NDArray[np.intp], int]:
        """Return the gap bucket (factors + aims,) of every factor, and the progress bucket.

        The bucket of a column is that of its gap, of an aim that of what is needed of the next batch.
        """
        own = len(self.factor_names)
        gaps = observation[: own + 2 * self.aims].astype(np.float64) * GAP_RANGE
        gaps = np.concatenate([gaps[:own], gaps[own + self.aims :]])
        buckets = self.tables.shape[2]
        return np.searchsorted(self.gap_edges, gaps), min(int(observation[-1] * buckets), buckets - 1)

    def greedy(self, gap: NDArray[np.intp], progress: int) -> NDArray[np.intp]:
        """Return the greedy level (factors + aims,) in the given state."""
        return greedy_levels(self.tables[self.used, gap, progress], self.visits[self.used, gap, progress])

    def best_levels(self) -> NDArray[np.intp]:
        """Return the greedy level (factors + 1, gap buckets, progress buckets) of every state."""
        return greedy_levels(self.tables, self.visits)

    def factors(self, observation: Observation) -> Action:
        """Return the greedy factors."""
        return self.levels[self.greedy(*self.states(observation))].astype(np.float32)


def from_neutral(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each of `levels` (levels,) lies from 1, in logs; rounded, so that a level and its inverse tie."""
    distance: NDArray[np.float64] = np.abs(np.log(levels)).round(9)
    return distance


DISTANCES = from_neutral(LEVELS)


def greedy_levels(
    values: NDArray[np.float64], visits: NDArray[np.integer], distances: NDArray[np.float64] = DISTANCES
) -> NDArray[np.intp]:
    """Return the best level along the last axis.

    Only levels that were tried compete; a tie goes to the level nearest to neutral, and so does a state that was never
    visited: greedy use of an unvisited state would throw the table off. `distances` (levels,) are those `from_neutral`.
    """
    tried = np.where(visits > 0, values, -np.inf)
    best = tried.max(axis=-1, keepdims=True)
    # Where nothing was tried, all levels tie at -inf and neutral is the nearest.
    levels: NDArray[np.intp] = np.where(tried == best, distances, np.inf).argmin(axis=-1)
    return levels


@dataclass(frozen=True)
class NoisyPolicy:
    """Another policy's factors with Gaussian noise on their logs, so that tables of one policy vary.

    Attributes:
        policy: the policy.
        deviation: standard deviation of the noise on the log-factors.
        rng: where the noise comes from.
    """

    policy: Policy
    deviation: float
    rng: np.random.Generator

    def factors(self, observation: Observation) -> Action:
        """Return the noisy factors, kept in the allowed range."""
        factors = self.policy.factors(observation)
        noisy = factors * np.exp(self.rng.normal(0.0, self.deviation, size=factors.shape))
        return np.clip(noisy, LOWEST_FACTOR, HIGHEST_FACTOR).astype(np.float32)

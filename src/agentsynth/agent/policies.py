"""Policies: from an observation to factors. The learned one, and the rivals it has to beat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agentsynth.agent import greedy
from agentsynth.env.composer import AIM_FACTOR, HIGHEST_FACTOR, LOWEST_FACTOR
from agentsynth.env.environment import Observation
from agentsynth.env.growth import GAP_RANGE

Action = NDArray[np.float32]
LEVELS = np.geomspace(LOWEST_FACTOR, HIGHEST_FACTOR, 7)
"""Factor values an agent chooses among; the middle one is exactly 1."""
NEUTRAL = len(LEVELS) // 2
LEVELS[NEUTRAL] = 1.0
DISTANCES = greedy.from_neutral(LEVELS)
"""How far each level is from neutral."""
GAP_EDGES = np.array([-2.0, -0.8, -0.25, 0.25, 0.8, 2.0])
"""Borders of the gap buckets, in noise units (the deviation of a mean of as many random rows)."""
OUTER = 1.5
"""Where the middle of an outermost bucket is, as a multiple of its border."""
PROGRESS_BUCKETS = 2
AT_ANY_TIME = 0
"""The progress bucket of aims, whatever the progress."""


class Policy(Protocol):
    """Anything that turns an observation into factors."""

    def factors(self, observation: Observation) -> Action:
        """Return the factors (..., factors) for observations (..., observations) of the environment."""
        ...


@dataclass(frozen=True)
class NeutralPolicy:
    """Leaves every column alone: selection does all the work."""

    count: int

    def factors(self, observation: Observation) -> Action:
        """Return ones."""
        return np.ones((*observation.shape[:-1], self.count), dtype=np.float32)


@dataclass(frozen=True)
class RandomPolicy:
    """Draws each factor from the levels at random."""

    count: int
    rng: np.random.Generator

    def factors(self, observation: Observation) -> Action:
        """Return random levels."""
        return self.rng.choice(LEVELS, size=(*observation.shape[:-1], self.count)).astype(np.float32)


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
        gaps = observation[..., : self.count].astype(np.float64) * GAP_RANGE
        return np.clip(np.exp(self.gain * gaps), LOWEST_FACTOR, HIGHEST_FACTOR).astype(np.float32)


@dataclass(frozen=True)
class QPolicy:
    """Greedy use of learned Q-tables: one for each column's factor, and one that all aims of a goal share.

    A wider gap is pressed at least as hard as a narrower one (`pressures`). Buckets of gaps are for learning; what is
    done between the middles of two lies between what is done in them.

    Attributes:
        factor_names: (factors,) names of the columns' factors.
        tables: (factors + 1, gap buckets, progress buckets, levels) Q-values; the last table is that of aims.
        visits: the same shape, updates each value has had; 1 where it is known from other factors only.
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

    def states(self, observation: Observation) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the gap bucket and the progress bucket (..., factors + aims) of every factor.

        The bucket of a column is that of its gap, of an aim that of what is needed of the next batch; that tells how
        far the table is, too, so that aims look at no progress beside it.
        """
        return np.searchsorted(self.gap_edges, self._gaps(observation)), self._progress(observation)

    def _gaps(self, observation: Observation) -> NDArray[np.float64]:
        own = len(self.factor_names)
        gaps = observation[..., : own + 2 * self.aims].astype(np.float64) * GAP_RANGE
        return np.concatenate([gaps[..., :own], gaps[..., own + self.aims :]], axis=-1)

    def _progress(self, observation: Observation) -> NDArray[np.intp]:
        buckets = int(self.tables.shape[2])
        now = np.minimum((observation[..., -1:] * buckets).astype(np.intp), buckets - 1)
        return np.where(self.used < len(self.factor_names), now, AT_ANY_TIME)

    def best_levels(self) -> NDArray[np.intp]:
        """Return the greedy level (factors + 1, gap buckets, progress buckets) of every state."""
        return greedy.best_levels(self.tables, self.visits, self.levels)

    def factors(self, observation: Observation) -> Action:
        """Return the greedy factors; their logs are interpolated between the buckets' middles."""
        gaps, progress = self._gaps(observation), self._progress(observation)
        middles = self.middles
        below = np.clip(np.searchsorted(middles, gaps) - 1, 0, len(middles) - 2)
        way = np.clip((gaps - middles[below]) / (middles[below + 1] - middles[below]), 0.0, 1.0)
        lower, upper = self.pressures[self.used, below, progress], self.pressures[self.used, below + 1, progress]
        factors = np.exp(lower * (1 - way) + upper * way)
        return np.clip(factors, self.levels[0], self.levels[-1]).astype(np.float32)

    @cached_property
    def middles(self) -> NDArray[np.float64]:
        """Middles (gap buckets,) of the buckets; of the first and last, which have no end, half as far out again."""
        edges = self.gap_edges
        return np.concatenate([edges[:1] * OUTER, (edges[1:] + edges[:-1]) / 2, edges[-1:] * OUTER])

    @cached_property
    def pressures(self) -> NDArray[np.float64]:
        """Logs (factors + 1, gap buckets, progress buckets) of the factors in the middles of the buckets."""
        return greedy.pressures(self.tables, self.visits, self.levels)


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

"""Policies: from an observation to factors. The learned one, and the rivals it has to beat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agentsynth.env.composer import AIM_FACTOR, HIGHEST_FACTOR, LOWEST_FACTOR
from agentsynth.env.environment import Observation
from agentsynth.env.growth import GAP_RANGE

Action = NDArray[np.float32]
LEVELS = np.geomspace(LOWEST_FACTOR, HIGHEST_FACTOR, 7)
"""Factor values an agent chooses among; the middle one is exactly 1."""
NEUTRAL = len(LEVELS) // 2
LEVELS[NEUTRAL] = 1.0
GAP_EDGES = np.array([-2.0, -0.8, -0.25, 0.25, 0.8, 2.0])
"""Borders of the gap buckets, in noise units (the deviation of a mean of as many random rows)."""
OUTER = 1.5
"""Where the middle of an outermost bucket is, as a multiple of its border."""
UNSEEN = 1e-6
"""Weight of a state that was never visited, in visits."""
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
        return at_rest(greedy_levels(self.tables, self.visits), len(self.levels) // 2)

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
        return pressures(self.tables, self.visits, self.levels)


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


def at_rest(best: NDArray[np.intp], neutral: int) -> NDArray[np.intp]:
    """Return best levels (factors, gap buckets, progress buckets) that are neutral where there is no gap.

    What is learned of a gap is learned of the opposite one: in the middle bucket every level is as good as its reverse.
    """
    best = best.copy()
    best[:, best.shape[1] // 2] = neutral
    return best


def pressures(
    tables: NDArray[np.float64], visits: NDArray[np.integer], levels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the logs (factors, gap buckets, progress buckets) of the factors by which a policy presses.

    They are those of the greedy levels, fitted so that they rise with the gap and have its sign, each weighed by the
    visits of its state (isotonic regression): few visits leave near levels nearly tied, and what is best by chance in
    one state is rarely so in the next. Puterman (1994), Markov Decision Processes, 4.7, on monotone policies.

    Args:
        tables: (factors, gap buckets, progress buckets, levels) Q-values.
        visits: the same shape, updates that each has had.
        levels: (levels,) factor values, of which the middle one is neutral.
    """
    neutral = len(levels) // 2
    logs = np.log(levels)[at_rest(greedy_levels(tables, visits, from_neutral(levels)), neutral)].swapaxes(1, 2)
    # A state that was never visited does as the others do.
    weights = (visits.sum(axis=-1) + UNSEEN).swapaxes(1, 2)
    rest = logs.shape[-1] // 2
    found = np.zeros(logs.shape)
    for side, sign in ((slice(rest + 1, None), 1.0), (slice(rest - 1, None, -1), -1.0)):
        if logs[..., side].size:
            found[..., side] = sign * np.maximum(rising(sign * logs[..., side], weights[..., side]), 0.0)
    return found.swapaxes(1, 2)


def rising(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the nondecreasing values (..., n) nearest to `values` (..., n) in the weighted mean of squares.

    By the max-min formula for isotonic regression: Robertson, Wright and Dykstra (1988), Order Restricted Statistical
    Inference, p. 23.
    """
    size = values.shape[-1]
    first = np.zeros((*values.shape[:-1], 1))
    sums, totals = (np.concatenate([first, each.cumsum(axis=-1)], axis=-1) for each in (values * weights, weights))
    inside = np.triu(np.ones((size, size), dtype=bool))
    # Mean [a, b] of the values from a to b.
    over = np.where(inside, totals[..., None, 1:] - totals[..., :-1, None], 1.0)
    means = np.where(inside, (sums[..., None, 1:] - sums[..., :-1, None]) / over, np.inf)
    least = np.minimum.accumulate(means[..., ::-1], axis=-1)[..., ::-1]
    found: NDArray[np.float64] = np.where(inside, least, -np.inf).max(axis=-2)
    return found


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

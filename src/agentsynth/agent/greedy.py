"""From Q-values to what is done: the best level of a state, and the pressures that a policy makes of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

UNSEEN = 1e-6
"""Weight of a state that was never visited, in visits."""


def from_neutral(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each of `levels` (levels,) lies from 1, in logs; rounded, so that a level and its inverse tie."""
    distance: NDArray[np.float64] = np.abs(np.log(levels)).round(9)
    return distance


def greedy_levels(
    values: NDArray[np.float64], visits: NDArray[np.integer], distances: NDArray[np.float64]
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


def best_levels(
    tables: NDArray[np.float64], visits: NDArray[np.integer], levels: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Return the greedy levels (factors, gap buckets, progress buckets), neutral where there is no gap.

    What is learned of a gap is learned of the opposite one: in the middle bucket every level is as good as its reverse.

    Args:
        tables: (factors, gap buckets, progress buckets, levels) Q-values.
        visits: the same shape, updates that each has had.
        levels: (levels,) factor values.
    """
    distances = from_neutral(levels)
    best = greedy_levels(tables, visits, distances)
    best[:, best.shape[1] // 2] = distances.argmin()
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
        levels: (levels,) factor values.
    """
    logs = np.log(levels)[best_levels(tables, visits, levels)].swapaxes(1, 2)
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

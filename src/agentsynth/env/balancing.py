"""Entropy balancing: the weights nearest to equal ones that meet given means."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

Floats = NDArray[np.float64]
RIDGE = 1e-4
"""Keeps the multipliers finite where the means cannot be met: the weights then come as near as they can."""


def balance(columns: Floats, means: Floats) -> Floats:
    """Return weights (rows,), summing to 1, under which the `columns` (rows, constraints) have the given `means`.

    Of all such weights they have the least Kullback-Leibler divergence from equal ones (Hainmueller 2012, Political
    Analysis 20(1), p. 30): found through the convex dual. Means beyond a column's range are taken for its end, and a
    small ridge makes contradictory ones give the nearest weights instead of none.
    """
    if not columns.shape[1]:
        return np.full(len(columns), 1.0 / len(columns))
    deviation = columns.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1.0)
    standard = (columns - np.clip(means, columns.min(axis=0), columns.max(axis=0))) / scale

    def dual(multipliers: Floats) -> tuple[float, Floats]:
        logs = standard @ multipliers
        total = logsumexp(logs)
        gradient = np.exp(logs - total) @ standard + RIDGE * multipliers
        return float(total + RIDGE / 2 * multipliers @ multipliers), gradient

    found = minimize(dual, np.zeros(columns.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    logs = standard @ found
    weights: Floats = np.exp(logs - logsumexp(logs))
    return weights


def thin(weights: Floats, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return `count` different rows, each taken with a probability in proportion to its weight, as far as it can be.

    A probability is at most 1: the heaviest rows are all taken. Where there are no more than `count` rows, all are.
    Systematic sampling (Madow 1949, Ann. Math. Statist. 20(3), p. 333).
    """
    if count >= len(weights):
        return np.arange(len(weights))
    weights = weights / weights.max()  # Tiny ones would have no reciprocal.
    heaviest = np.sort(np.maximum(weights, 1e-12))[::-1]
    # If the k heaviest are surely taken, the others share out count - k among them: k is the least that fits.
    factors = (count - np.arange(len(weights))) / np.cumsum(heaviest[::-1])[::-1]
    factor = factors[np.argmax(factors * heaviest <= 1.0)]
    steps = np.cumsum(np.minimum(1.0, factor * np.maximum(weights, heaviest[-1])))
    taken = np.searchsorted(steps, rng.random() + np.arange(count))
    return np.unique(np.minimum(taken, len(weights) - 1))


def effective_size(weights: Floats) -> float:
    """Return Kish's effective number of rows of `weights`."""
    return float(weights.sum() ** 2 / np.square(weights).sum())

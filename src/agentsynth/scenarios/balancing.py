"""Entropy balancing: the weights nearest to equal ones that meet given means."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RIDGE = 1e-4
"""Keeps the multipliers finite where the means cannot be met: the weights then come as near as they can."""


def balance(columns: Floats, means: Floats, base: Floats | None = None) -> Floats:
    """Return weights (rows,), summing to 1, under which the `columns` (rows, constraints) have the given `means`.

    Of all such weights they have the least Kullback-Leibler divergence from the `base` weights (rows,), or from equal
    ones (Hainmueller 2012, Political Analysis 20(1), p. 30): found through the convex dual. Means beyond a column's
    range are taken for its end, and a small ridge makes contradictory ones give the nearest weights instead of none.
    """
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    if base is None:
        base = np.full(len(columns), 1.0 / len(columns))
    if not columns.shape[1]:
        equal: Floats = base / base.sum()
        return equal
    offset = np.log(np.maximum(base, 1e-300))
    deviation = columns.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1.0)
    standard = (columns - np.clip(means, columns.min(axis=0), columns.max(axis=0))) / scale

    def dual(multipliers: Floats) -> tuple[float, Floats]:
        logs = standard @ multipliers + offset
        total = logsumexp(logs)
        gradient = np.exp(logs - total) @ standard + RIDGE * multipliers
        return float(total + RIDGE / 2 * multipliers @ multipliers), gradient

    found = minimize(dual, np.zeros(columns.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    logs = standard @ found + offset
    weights: Floats = np.exp(logs - logsumexp(logs))
    return weights

"""Weighted rows: how many they are worth, and picking some of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LOSS = 0.02
"""Share of a weighting that thinning may undo."""


def thin(weights: Floats, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return `count` different rows, each taken with a probability in proportion to its weight, as far as it can be.

    A probability is at most 1: the heaviest rows are all taken. Where there are no more than `count` rows, all are.
    """
    if count >= len(weights):
        return np.arange(len(weights))
    weights = weights / weights.max()  # Tiny ones would have no reciprocal.
    heaviest = np.sort(np.maximum(weights, 1e-12))[::-1]
    # If the k heaviest are surely taken, the others share out count - k among them: k is the least that fits.
    factors = (count - np.arange(len(weights))) / np.cumsum(heaviest[::-1])[::-1]
    factor = factors[np.argmax(factors * heaviest <= 1.0)]
    shares = np.minimum(1.0, factor * np.maximum(weights, heaviest[-1]))
    return np.unique(systematic(shares, count, rng.random()))


def fair_size(weights: Floats, loss: float = LOSS) -> int:
    """Return how many rows `thin` can take before the cap on probabilities undoes more than `loss` of the weighting.

    A row that weighs more than 1 / count is taken once, and what it weighs beyond that is lost. What there is to
    lose is the distance (total variation) of the weights from equal ones.
    """
    heaviest = np.sort(weights / weights.sum())[::-1]
    apart = np.maximum(heaviest - 1.0 / len(heaviest), 0.0).sum()
    if apart < 1e-9:
        return len(weights)
    counts = 1.0 / np.maximum(heaviest, 1e-300)
    lost = np.cumsum(heaviest) - np.arange(1, len(heaviest) + 1) / counts
    # Both grow along the order: the first count that loses too much is one too many.
    return int(min(len(weights), counts[max(0, int(np.searchsorted(lost, loss * apart)) - 1)]))


def systematic(weights: Floats, count: int, start: float) -> NDArray[np.intp]:
    """Return `count` rows, each as often as its share of the weights asks, but for a fraction; `start` lies in [0, 1).

    Systematic sampling (Madow 1949, Ann. Math. Statist. 20(3), p. 333).
    """
    steps = np.cumsum(weights) * (count / weights.sum())
    return np.minimum(np.searchsorted(steps, start + np.arange(count)), len(weights) - 1)


def rake(
    cells: NDArray[np.int32], shares: Floats, rounds: int, spared: NDArray[np.bool_] | None = None
) -> tuple[Floats, Floats]:
    """Return weights (rows,), summing to 1, by which rows have given shares in the cells of every group.

    Raking (Deming and Stephan 1940, Ann. Math. Statist. 11(4), p. 427): group by group, weights are multiplied by
    wanted over present share, until all groups hold; cells that no row is in are passed over.

    Args:
        cells: (rows, groups) of the rows.
        shares: (cells,) wanted.
        rounds: times that it goes through all groups.
        spared: (cells,) further ones that are passed over.

    Returns:
        The weights, and the logarithms (cells,) of what each cell multiplies them by: another row's weight, but for its
        scale, is the sum of those of its cells.
    """
    raked = np.ones(len(shares), dtype=bool) if spared is None else ~spared
    weights, logs = np.full(len(cells), 1.0 / max(len(cells), 1)), np.zeros(len(shares))
    for _ in range(rounds):
        for places in cells.T:
            present = np.bincount(places, weights, minlength=len(shares))
            change = np.divide(shares, present, out=np.ones_like(present), where=(present > 0) & raked)
            with np.errstate(divide="ignore"):
                logs += np.log(change)
            weights *= change[places]
            weights /= weights.sum()
    return weights, logs


def effective_size(weights: Floats) -> float:
    """Return Kish's effective number of rows of `weights`."""
    return float(weights.sum() ** 2 / np.square(weights).sum())

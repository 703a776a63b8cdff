"""Exchange: refine a composed table by swapping rows of it for rows of the pool that it has not taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BLOCK = 256
"""Rows of the table, and as many of the pool, looked at together."""
AIM_WEIGHT = 200.0
"""Weight of a mean that is pulled, where a margin's cell has 1: a mean that is off by the noise of a sample counts so
much."""
GAIN = -1e-9
"""Change of the distance below which a swap is made: what lies between it and 0 is rounding."""
SWAPS = 16
"""Swaps tried in each block: the rows that gain most by leaving for those that cost least to enter."""


@dataclass(frozen=True)
class Pulls:
    """Means that a table should have beside its cells.

    Attributes:
        directions: (pool rows, pulls) of deviation 1.
        wanted: (pulls,) their wanted means over the table.
    """

    directions: Floats
    wanted: Floats


def exchange(
    cells: NDArray[np.int32],
    chosen: NDArray[np.intp],
    goal: Floats,
    importance: Floats,
    tries: float,
    rng: np.random.Generator,
    pulls: Pulls | None = None,
) -> NDArray[np.intp]:
    """Return a table like `chosen` whose shares are nearer to the goal.

    A swap is made when it lowers `sum_c importance_c (count_c - wanted_c)^2 / (wanted_c + 1/2)`, chi-squared's distance
    summed over all groups of cells; so no table is left worse than it came. Exchange as in the design of experiments
    (Fedorov 1972, Theory of Optimal Experiments, ch. 3; Cook and Nachtsheim 1980, Technometrics 22(3), p. 315), over
    random blocks instead of all pairs of rows. What a sample of independent draws gets wrong by chance alone, a
    classifier can learn; a refined table has next to none of it.

    Args:
        cells: (pool rows, groups) cell of each row in each group.
        chosen: (rows,) indices into the pool.
        goal: (cells,) wanted shares.
        importance: (cells,) weight of each cell in the distance.
        tries: swaps tried per row of the table.
        rng: decides which rows are looked at together.
        pulls: directions of rows whose mean over the table is wanted too; its distance counts as
            `weight * rows * (mean - wanted)^2` for each.

    Returns:
        (rows,) indices into the pool, all different.
    """
    table, spare = chosen.copy(), np.setdiff1d(np.arange(len(cells)), chosen)
    if not len(spare) or not len(table):
        return table
    rng.shuffle(spare)
    wanted = goal * len(table)
    price = importance / (wanted + 0.5)
    excess = np.bincount(cells[table].ravel(), minlength=len(goal)) - wanted
    pulls = pulls or Pulls(np.zeros((len(cells), 0)), np.zeros(0))
    off = pulls.directions[table].sum(axis=0) - pulls.wanted * len(table)
    force = AIM_WEIGHT / len(table)
    for number in range(round(tries * len(table) / SWAPS)):
        inside = rng.choice(len(table), size=min(BLOCK, len(table)), replace=False)
        outside = np.arange(number * BLOCK, number * BLOCK + min(BLOCK, len(spare))) % len(spare)
        leaving = ((1 - 2 * excess) * price)[cells[table[inside]]].sum(axis=1)
        entering = ((1 + 2 * excess) * price)[cells[spare[outside]]].sum(axis=1)
        leaving -= 2 * force * (pulls.directions[table[inside]] @ off)
        entering += 2 * force * (pulls.directions[spare[outside]] @ off)
        places, others = inside[_cheapest(leaving)], outside[_cheapest(entering)]
        count = min(len(places), len(others))
        places, others = places[:count], others[:count]
        old, new = cells[table[places]], cells[spare[others]]
        steps = pulls.directions[spare[others]] - pulls.directions[table[places]]
        change = _changes(old, new, excess, price) + force * (steps * (2 * off + steps)).sum(axis=1)
        # Nine in ten gain nothing. A swap made moves what the next ones gain, so each is looked at once more.
        for pair in np.flatnonzero(change < GAIN):
            step = steps[pair]
            pulled = force * float(step @ (2 * off + step))
            if _swap(old[pair], new[pair], excess, price, pulled):
                table[places[pair]], spare[others[pair]] = spare[others[pair]], table[places[pair]]
                off += step
    return table


def _cheapest(costs: Floats) -> NDArray[np.intp]:
    """Return the indices of the `SWAPS` lowest costs, lowest first."""
    if len(costs) > SWAPS:
        found = np.argpartition(costs, SWAPS)[:SWAPS]
        return found[np.argsort(costs[found])]
    return np.argsort(costs)


def _changes(old: NDArray[np.int32], new: NDArray[np.int32], excess: Floats, price: Floats) -> Floats:
    """Return by how much (pairs,) the distance changes where a row of cells `new` comes for one of cells `old`."""
    moved = price[new] * (1 + 2 * excess[new]) + price[old] * (1 - 2 * excess[old])
    changes: Floats = np.where(old == new, 0.0, moved).sum(axis=1)
    return changes


def _swap(old: NDArray[np.int32], new: NDArray[np.int32], excess: Floats, price: Floats, pulled: float) -> bool:
    """Count a row of cells `new` instead of one of cells `old` if that is nearer to the goal; tell whether it is.

    `pulled` is what the swap adds to the distance by what is wanted beside the cells.
    """
    differ = old != new
    left, entered = old[differ], new[differ]
    change = pulled + (price[entered] * (1 + 2 * excess[entered]) + price[left] * (1 - 2 * excess[left])).sum()
    if change >= GAIN:
        return False
    excess[left] -= 1
    excess[entered] += 1
    return True

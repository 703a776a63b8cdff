"""Exchange: refine a composed table by swapping rows of it for rows of the pool that it has not taken."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BLOCK = 256
"""Rows of the table, and as many of the pool, looked at together."""
SWAPS = 16
"""Swaps tried in each block: the rows that gain most by leaving for those that cost least to enter."""


def exchange(
    cells: NDArray[np.int32],
    chosen: NDArray[np.intp],
    goal: Floats,
    importance: Floats,
    tries: float,
    rng: np.random.Generator,
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
    for number in range(round(tries * len(table) / SWAPS)):
        inside = rng.integers(len(table), size=min(BLOCK, len(table)))
        outside = np.arange(number * BLOCK, number * BLOCK + min(BLOCK, len(spare))) % len(spare)
        leaving = ((1 - 2 * excess) * price)[cells[table[inside]]].sum(axis=1)
        entering = ((1 + 2 * excess) * price)[cells[spare[outside]]].sum(axis=1)
        pairs = zip(inside[_cheapest(leaving)], outside[_cheapest(entering)], strict=False)
        for place, other in pairs:
            if _swap(cells[table[place]], cells[spare[other]], excess, price):
                table[place], spare[other] = spare[other], table[place]
    return table


def _cheapest(costs: Floats) -> NDArray[np.intp]:
    """Return the indices of the `SWAPS` lowest costs, lowest first."""
    if len(costs) > SWAPS:
        found = np.argpartition(costs, SWAPS)[:SWAPS]
        return found[np.argsort(costs[found])]
    return np.argsort(costs)


def _swap(old: NDArray[np.int32], new: NDArray[np.int32], excess: Floats, price: Floats) -> bool:
    """Count a row of cells `new` instead of one of cells `old` if that is nearer to the goal; tell whether it is."""
    differ = old != new
    left, entered = old[differ], new[differ]
    change = (price[entered] * (1 + 2 * excess[entered]) + price[left] * (1 - 2 * excess[left])).sum()
    if change >= -1e-9:
        return False
    excess[left] -= 1
    excess[entered] += 1
    return True

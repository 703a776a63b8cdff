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
ROWS_AT_ONCE = 1024
"""Rows of the pool whose prices are added up together."""


@dataclass(frozen=True)
class Pulls:
    """Means that a table should have beside its cells.

    Attributes:
        directions: (pool rows, pulls) of deviation 1.
        wanted: (pulls,) their wanted means over the table.
        weight: of them, see `AIM_WEIGHT`.
    """

    directions: Floats
    wanted: Floats
    weight: float = AIM_WEIGHT


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
    costs = _Costs.of(cells, table, goal, importance)
    pulls = pulls or Pulls(np.zeros((len(cells), 0)), np.zeros(0))
    off = pulls.directions[table].sum(axis=0) - pulls.wanted * len(table)
    force = pulls.weight / len(table)
    for number in range(round(tries * len(table) / SWAPS)):
        inside = rng.choice(len(table), size=min(BLOCK, len(table)), replace=False)
        outside = np.arange(number * BLOCK, number * BLOCK + min(BLOCK, len(spare))) % len(spare)
        looked_at = np.concatenate([table[inside], spare[outside]])
        own, pressed = costs.of_rows(looked_at)
        pressed += 2 * force * (pulls.directions.take(looked_at, axis=0) @ off)
        leaving, entering = (own - pressed)[: len(inside)], (own + pressed)[len(inside) :]
        first, second = _cheapest(leaving), _cheapest(entering)
        count = min(len(first), len(second))
        first, second = first[:count], second[:count]
        places, others = inside[first], outside[second]
        old, new = cells.take(table[places], axis=0), cells.take(spare[others], axis=0)
        steps = pulls.directions.take(spare[others], axis=0) - pulls.directions.take(table[places], axis=0)
        change = leaving[first] + entering[second] - costs.shared(old, new) + force * (steps * steps).sum(axis=1)
        # Nine in ten gain nothing. A swap made moves what the next ones gain, so each is looked at once more.
        for pair in np.flatnonzero(change < GAIN):
            step = steps[pair]
            pulled = force * float(step @ (2 * off + step))
            if costs.swap(old[pair], new[pair], pulled):
                table[places[pair]], spare[others[pair]] = spare[others[pair]], table[places[pair]]
                off += step
    return table


@dataclass(frozen=True)
class _Costs:
    """What it costs, in distance, that a row leaves the table or enters it.

    A row that leaves a cell changes the distance by `price (1 - 2 excess)`, one that enters by `price (1 + 2 excess)`.

    Attributes:
        cells: (pool rows, groups) cell of each row in each group.
        price: (cells,) distance of a row that is one too many or too few.
        push: (cells,) `2 price excess`; `swap` changes it.
        own: (pool rows,) sum of the prices of a row's cells.
    """

    cells: NDArray[np.int32]
    price: Floats
    push: Floats
    own: Floats

    @classmethod
    def of(cls, cells: NDArray[np.int32], table: NDArray[np.intp], goal: Floats, importance: Floats) -> _Costs:
        """Return the costs of a table: `goal` (cells,) wanted shares, `importance` (cells,) weights of the cells."""
        wanted = goal * len(table)
        price = importance / (wanted + 0.5)
        excess = np.bincount(cells[table].ravel(), minlength=len(goal)) - wanted
        blocks = [_sums(price, cells[first : first + ROWS_AT_ONCE]) for first in range(0, len(cells), ROWS_AT_ONCE)]
        return cls(cells, price, 2 * price * excess, np.concatenate(blocks))

    def of_rows(self, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Return, of each row (rows,), what entering and leaving have in common, and what entering costs beyond it."""
        return self.own.take(rows), _sums(self.push, self.cells.take(rows, axis=0))

    def shared(self, old: NDArray[np.int32], new: NDArray[np.int32]) -> Floats:
        """Return what is counted too much (pairs,) where a row comes for one of, in part, the same cells."""
        twice: Floats = 2 * (((old == new) * self.price.take(old)) @ np.ones(old.shape[1]))
        return twice

    def swap(self, old: NDArray[np.int32], new: NDArray[np.int32], pulled: float) -> bool:
        """Count a row of cells `new` instead of one of cells `old` if that is nearer to the goal; tell whether it is.

        `pulled` is what the swap adds to the distance by what is wanted beside the cells.
        """
        differ = np.flatnonzero(old != new)
        left, entered = old.take(differ), new.take(differ)
        prices, others = self.price.take(left), self.price.take(entered)
        change = pulled + (others + self.push.take(entered)).sum() + (prices - self.push.take(left)).sum()
        if change >= GAIN:
            return False
        self.push[left] -= 2 * prices
        self.push[entered] += 2 * others
        return True


def _sums(weights: Floats, cells: NDArray[np.int32]) -> Floats:
    """Return the sum (rows,) of the weights of each row's cells (rows, groups)."""
    # `take` and a product take half the time of `weights[cells].sum(axis=1)`.
    sums: Floats = weights.take(cells) @ np.ones(cells.shape[1])
    return sums


def _cheapest(costs: Floats) -> NDArray[np.intp]:
    """Return the indices of the `SWAPS` lowest costs, lowest first."""
    if len(costs) > SWAPS:
        found = np.argpartition(costs, SWAPS)[:SWAPS]
        return found[np.argsort(costs[found])]
    return np.argsort(costs)

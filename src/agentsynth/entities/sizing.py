"""How many entities make so many rows, and a table of exactly so many."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SPARE = 1.05
"""Entities made beyond the number that has the wanted rows on average."""
TOGETHER = 50_000
"""Rows, about, of the entities that are composed together: their pool is many times as large."""
FEWEST_TOGETHER = 100
"""Fewer entities than this are not composed together, whatever rows they have: shares would be coarse."""
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Sizes:
    """How many rows entities have.

    Attributes:
        mean: rows of an entity.
        step: greatest common divisor of their numbers of rows: a panel of ten years has tables of 10, 20, ... rows.
    """

    mean: float
    step: int = 1

    @property
    def together(self) -> int:
        """Most entities that are composed together."""
        return max(FEWEST_TOGETHER, round(TOGETHER / self.mean))

    def entities(self, rows: int) -> int:
        """Return how many entities have so many rows on average, at least one."""
        return max(1, round(rows / self.mean))


def entities_for(rows: int, mean: float) -> int:
    """Return how many entities to make for `rows` rows, where an entity has `mean` of them.

    >>> entities_for(100, 4.0)
    27
    """
    return math.ceil(SPARE * rows / mean)


def exactly(rows: int, sizes: Integers, rng: np.random.Generator) -> Integers:
    """Choose entities at random that have `rows` rows together.

    Where those that come first do not fit, another one is added, or put in the place of one; where none fits, the next
    one is to lose its last rows.

    Args:
        rows: wanted rows, no more than there are.
        sizes: (entities,) rows of each entity.
        rng: chooses.

    Returns:
        (entities,) rows that each keeps; 0: it is not taken.
    """
    order = rng.permutation(len(sizes))
    whole = np.cumsum(sizes[order]) <= rows
    taken, rest = order[whole], order[~whole]
    kept = np.zeros(len(sizes), dtype=np.int64)
    kept[taken] = sizes[taken]
    lacking = rows - int(kept.sum())
    if not lacking:
        return kept
    # One that has what is lacking, or so much more than one that is taken.
    fitting = rest[np.isin(sizes[rest], [lacking, *(sizes[taken] + lacking)])]
    added = fitting[0] if len(fitting) else rest[0]
    if len(fitting) and sizes[added] != lacking:
        kept[taken[sizes[taken] == sizes[added] - lacking][0]] = 0
    kept[added] = sizes[added] if len(fitting) else lacking
    return kept

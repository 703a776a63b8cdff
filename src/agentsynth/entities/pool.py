"""A pool of entities: one row for each in what it is steered by, and its own rows beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.stretches import Stretches
from agentsynth.env.pool import Pool


@dataclass(frozen=True)
class EntityPool(Pool):
    """Candidate entities: `frame`, `codes`, `cells` and `logs` have a row for each.

    Attributes:
        rows: typed frame with derived columns: the entities' rows, by entity and in order of time.
        sizes: (entities,) how many of them each entity has.
    """

    rows: pd.DataFrame
    sizes: NDArray[np.int64]

    def take(self, rows: NDArray[np.intp]) -> EntityPool:
        """Return the pool of some entities only, with their rows."""
        own = places_of(self.sizes, rows)
        return EntityPool(
            **vars(super().take(rows)), rows=self.rows.iloc[own].reset_index(drop=True), sizes=self.sizes[rows]
        )

    def followed_by(self, *others: Pool) -> EntityPool:
        """Return the entities of this pool and of others, in order."""
        pools = [self, *(other for other in others if isinstance(other, EntityPool))]
        return EntityPool(
            **vars(super().followed_by(*others)),
            rows=pd.concat([pool.rows for pool in pools], ignore_index=True),
            sizes=np.concatenate([pool.sizes for pool in pools]),
        )

    def shortened(self, kept: NDArray[np.int64]) -> EntityPool:
        """Return the entities that keep rows, with the first ones that each keeps of its own (entities,)."""
        taken = self.take(np.flatnonzero(kept))
        sizes = kept[kept > 0]
        if (sizes == taken.sizes).all():
            return taken
        own = np.flatnonzero(Stretches.of(taken.owner).places < np.repeat(sizes, taken.sizes))
        return replace(taken, rows=taken.rows.iloc[own].reset_index(drop=True), sizes=sizes)

    @property
    def owner(self) -> NDArray[np.int64]:
        """The number of each row's entity, (rows,)."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)


def places_of(sizes: NDArray[np.int64], entities: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return where the rows of some entities stand, one entity after the other.

    >>> places_of(np.array([2, 1, 3]), np.array([2, 0])).tolist()
    [3, 4, 5, 0, 1]
    """
    ends = np.cumsum(sizes)
    chosen = sizes[entities]
    shifts = (ends - sizes)[entities] - (np.cumsum(chosen) - chosen)
    found: NDArray[Any] = np.arange(int(chosen.sum())) + np.repeat(shifts, chosen)
    return found

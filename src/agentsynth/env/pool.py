"""The pool: rows of the base generator that a table is composed from, as integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.base.held import FREE, Held
from agentsynth.base.trees import SequentialTrees
from agentsynth.data.schema import Schema
from agentsynth.data.typed import add_derived
from agentsynth.env.cells import Cells


@dataclass(frozen=True)
class Pool:
    """Candidate rows.

    Attributes:
        frame: (rows) typed frame with derived columns.
        codes: (rows, parts) their codes.
        cells: (rows, groups) their cells.
        logs: (rows,) logarithms of what they count for, as columns were held to a value; else 0.
    """

    frame: pd.DataFrame
    codes: NDArray[np.float64]
    cells: NDArray[np.int32]
    logs: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.cells)

    def take(self, rows: NDArray[np.intp]) -> Pool:
        """Return the pool of some rows only."""
        return Pool(self.frame.iloc[rows].reset_index(drop=True), self.codes[rows], self.cells[rows], self.logs[rows])

    def followed_by(self, *others: Pool) -> Pool:
        """Return the rows of this pool and of others, in order."""
        pools = [self, *others]
        return Pool(
            pd.concat([pool.frame for pool in pools], ignore_index=True),
            np.concatenate([pool.codes for pool in pools]),
            np.concatenate([pool.cells for pool in pools]),
            np.concatenate([pool.logs for pool in pools]),
        )


Keep: TypeAlias = Callable[[Pool], NDArray[np.bool_]]
"""Tells which rows of a pool to keep, which is not sorted into cells yet."""


def every(pool: Pool) -> NDArray[np.bool_]:
    """Keep every row."""
    return np.ones(len(pool), dtype=bool)


def draw_pool(
    trees: SequentialTrees,
    schema: Schema,
    cells: Cells,
    rows: int,
    rng: np.random.Generator,
    held: Held = FREE,
    keep: Keep = every,
) -> Pool:
    """Draw `rows` candidates from the base generator, with columns held to a value; return those that are kept."""
    codes, logs = trees.draw_held(rows, held, rng)
    pool = Pool(add_derived(trees.codec.decode(codes, held), schema), codes, np.empty((rows, 0), np.int32), logs)
    kept = keep(pool)
    if not kept.all():
        # Before they are sorted into cells, which takes longer than to draw them.
        pool = pool.take(np.flatnonzero(kept))
    return replace(pool, cells=cells.of(pool.frame, trees.codec.features(pool.codes)))

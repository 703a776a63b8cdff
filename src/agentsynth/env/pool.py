"""The pool: rows of the base generator that a table is composed from, as integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
    """

    frame: pd.DataFrame
    codes: NDArray[np.float64]
    cells: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.cells)

    def take(self, rows: NDArray[np.intp]) -> Pool:
        """Return the pool of some rows only."""
        return Pool(self.frame.iloc[rows].reset_index(drop=True), self.codes[rows], self.cells[rows])


def draw_pool(trees: SequentialTrees, schema: Schema, cells: Cells, rows: int, rng: np.random.Generator) -> Pool:
    """Draw `rows` candidates from the base generator."""
    codes = trees.draw(rows, rng)
    frame = add_derived(trees.codec.decode(codes), schema)
    return Pool(frame, codes, cells.of(frame, trees.codec.features(codes)))

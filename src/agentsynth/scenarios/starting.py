"""Where a scenario starts from: a pool weighted to be as the real table is in every column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.env.cells import Cells
from agentsynth.env.margins import Margin
from agentsynth.env.weights import rake

Floats = NDArray[np.float64]
ROUNDS = 10
"""Times that all margins are gone through."""
FURTHEST = 3.0
"""No row is taken for more than so many, or for less than one of so many."""


@dataclass(frozen=True)
class Start:
    """What the rows of a pool count for, by the cells of margins.

    Attributes:
        cells: how rows are sorted: margins only.
        logs: (cells,) logarithm of what a row of a cell counts for.
    """

    cells: Cells
    logs: Floats

    @classmethod
    def of(cls, frame: pd.DataFrame, margins: Sequence[Margin], shares: Floats) -> Start:
        """Rake a pool.

        Args:
            frame: (rows, p) typed frame with derived columns.
            margins: that are to hold.
            shares: (cells,) wanted share of rows in each cell of the margins, one after the other, and further ones
                that are not looked at; cells of which none is wanted are passed over.
        """
        cells = Cells(tuple(margins))
        wanted = shares[: cells.margin_cells]
        return cls(cells, rake(_places(cells, frame), wanted, ROUNDS, wanted <= 0)[1])

    def weights(self, frame: pd.DataFrame) -> Floats:
        """Return the logarithms of the weights (rows,) of a typed frame with derived columns."""
        total = np.zeros(len(frame))
        for places in _places(self.cells, frame).T:
            total += self.logs[places]
        return np.clip(total, -np.log(FURTHEST), np.log(FURTHEST))


def _places(cells: Cells, frame: pd.DataFrame) -> NDArray[np.int32]:
    """Return the cell (rows, margins) of every row in each margin."""
    return cells.of(frame, np.empty((len(frame), 0), dtype=np.float32))

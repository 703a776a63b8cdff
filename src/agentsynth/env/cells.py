"""Cells: every row as a handful of integers, one for each histogram, pair of histograms and critic tree."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.base.forest import Forest
from agentsynth.data.schema import Schema
from agentsynth.env.margins import Margin, coarsen, fit_margins

Indices = NDArray[np.int32]
PAIR_BINS = 8
"""Cells of a margin inside a pair, the one for missing values aside."""


@dataclass(frozen=True)
class Cells:
    """The cells of a table: margins first, then pairs, then the leaves of the critic's trees.

    Each of them is a *group*: every row falls in exactly one cell of each group. Cells are numbered through.
    """

    margins: tuple[Margin, ...]
    pairs: tuple[tuple[Margin, Margin], ...] = ()
    critic: Forest | None = None

    @cached_property
    def sizes(self) -> Indices:
        """Cells in each group, (groups,)."""
        margins = [margin.size for margin in self.margins]
        pairs = [first.size * second.size for first, second in self.pairs]
        trees = [] if self.critic is None else self.critic.leaf_counts
        return np.array([*margins, *pairs, *trees], dtype=np.int32)

    @cached_property
    def offsets(self) -> Indices:
        """First cell of each group, (groups,)."""
        sizes = self.sizes
        return (np.cumsum(sizes) - sizes).astype(np.int32)

    @cached_property
    def groups(self) -> list[str]:
        """What each group belongs to: its column's name, `pairs` or `critic` (in brackets if a column is so called)."""
        columns = [margin.column for margin in self.margins]
        pairs, critic = (f"({name})" if name in columns else name for name in ("pairs", "critic"))
        trees = 0 if self.critic is None else len(self.critic.roots)
        return [*columns, *[pairs] * len(self.pairs), *[critic] * trees]

    @cached_property
    def margin_cells(self) -> int:
        """Number of cells that belong to margins; they come first."""
        return sum(margin.size for margin in self.margins)

    def of(self, frame: pd.DataFrame, features: NDArray[np.float32]) -> Indices:
        """Return the cells (rows, groups) of a typed frame with derived columns and its feature matrix."""
        codes: dict[Margin, Indices] = {}
        for margin in {*self.margins, *(margin for pair in self.pairs for margin in pair)}:
            codes[margin] = margin.codes(frame)
        columns = [codes[margin] for margin in self.margins]
        columns += [codes[first] * second.size + codes[second] for first, second in self.pairs]
        if self.critic is not None:
            number = self.critic.leaf_numbers
            columns += [number[self.critic.leaves(features, tree)] for tree in range(len(self.critic.roots))]
        found: Indices = (np.column_stack(columns) + self.offsets).astype(np.int32)
        return found

    def shares(self, cells: Indices, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return the share of rows in every cell; each group sums to 1. `weights` (rows,) count rows unequally."""
        rows, groups = cells.shape
        per_cell = None if weights is None else np.repeat(weights / weights.sum() * rows, groups)
        counts = np.bincount(cells.ravel(), weights=per_cell, minlength=int(self.sizes.sum()))
        shares: NDArray[np.float64] = counts / rows
        return shares

    def row_directions(self, directions: NDArray[np.float64], cells: Indices) -> NDArray[np.float64]:
        """Return the direction (rows, factors) of rows, given that of every margin cell (margin cells, factors)."""
        found = np.zeros((len(cells), directions.shape[1]))
        for group, margin in enumerate(self.margins):
            first = int(self.offsets[group])
            if directions[first : first + margin.size].any():
                found += directions[cells[:, group]]
        return found

    def with_critic(self, critic: Forest) -> Cells:
        """Return these cells with the leaves of a critic added."""
        return Cells(self.margins, self.pairs, critic)


def fit_cells(frame: pd.DataFrame, schema: Schema, bins: int, pairs: int) -> Cells:
    """Choose margins and the most informative pairs on a typed frame with derived columns."""
    margins = fit_margins(frame, schema, bins)
    coarse = [coarsen(margin, frame, PAIR_BINS) for margin in margins]
    codes = [margin.codes(frame) for margin in coarse]
    scored = [
        (_information(codes[i], codes[j], coarse[i].size, coarse[j].size), i, j)
        for i, j in combinations(range(len(coarse)), 2)
        if coarse[i].column != coarse[j].column
    ]
    # Most informative first; equal ones in the order of columns, so that the choice is the same everywhere.
    scored.sort(key=lambda item: (-item[0], item[1], item[2]))
    chosen = [(coarse[i], coarse[j]) for _, i, j in scored[:pairs]]
    return Cells(tuple(margins), tuple(chosen))


def _information(first: Indices, second: Indices, rows: int, columns: int) -> float:
    """Return the mutual information of two code vectors in nats, less the bias of a finite sample.

    Miller (1955): the plug-in estimate exceeds the truth by about (r - 1)(c - 1) / 2n over the cells in use.
    """
    table = np.bincount(first * columns + second, minlength=rows * columns).reshape(rows, columns) / len(first)
    row, column = table.sum(1), table.sum(0)
    used = table > 0
    information = float(np.sum(table[used] * np.log(table[used] / np.outer(row, column)[used])))
    freedom = (np.count_nonzero(row) - 1) * (np.count_nonzero(column) - 1)
    return information - freedom / (2 * len(first))

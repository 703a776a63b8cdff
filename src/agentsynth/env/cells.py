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
ROWS_AT_ONCE = 10_000
"""Rows whose cells are counted together: with 200 columns this holds some 80 MB."""


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
        return self.with_leaves(frame, self._leaves(features))

    def leaves(self, cells: Indices) -> Indices:
        """Return the numbers (rows, trees) of the critic's leaves that rows are in, given their cells."""
        first = len(self.margins) + len(self.pairs)
        return cells[:, first:] - self.offsets[first:]

    def with_leaves(self, frame: pd.DataFrame, leaves: Indices) -> Indices:
        """Return what `of` does where the numbers (rows, trees) of the critic's leaves are known already."""
        codes: dict[Margin, Indices] = {}
        for margin in {*self.margins, *(margin for pair in self.pairs for margin in pair)}:
            codes[margin] = margin.codes(frame)
        found = np.empty((max(len(frame), len(leaves)), len(self.sizes)), dtype=np.int32)
        for group, margin in enumerate(self.margins):
            found[:, group] = codes[margin]
        for group, (one, other) in enumerate(self.pairs, start=len(self.margins)):
            found[:, group] = codes[one] * other.size + codes[other]
        if self.critic is not None:
            found[:, len(self.margins) + len(self.pairs) :] = leaves
        found += self.offsets
        return found

    def _leaves(self, features: NDArray[np.float32]) -> Indices:
        return np.empty((len(features), 0), np.int32) if self.critic is None else self.critic.all_leaves(features)

    def shares(self, cells: Indices, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return the share of rows in every cell; each group sums to 1. `weights` (rows,) count rows unequally."""
        return cell_shares(cells, int(self.sizes.sum()), weights)

    def row_directions(self, directions: NDArray[np.float64], cells: Indices) -> NDArray[np.float64]:
        """Return the direction (rows, factors) of rows, given that of every margin cell (margin cells, factors)."""
        found = np.zeros((len(cells), directions.shape[1]))
        for group, margin in enumerate(self.margins):
            first = int(self.offsets[group])
            if directions[first : first + margin.size].any():
                found += directions[cells[:, group]]
        return found

    def with_critic(self, critic: Forest | None) -> Cells:
        """Return these cells with the leaves of a critic added."""
        return Cells(self.margins, self.pairs, critic)


def cell_shares(cells: Indices, count: int, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Return the share of rows in each of `count` cells, given the cells (rows, groups) of every row."""
    rows, groups = cells.shape
    parts = None if weights is None else weights / weights.sum() * rows
    counts: NDArray[np.float64] = np.zeros(count)
    # In blocks, as each cell is made eight bytes wide on the way.
    for first in range(0, rows, ROWS_AT_ONCE):
        block = slice(first, first + ROWS_AT_ONCE)
        per_cell = None if parts is None else np.repeat(parts[block], groups)
        counts += np.bincount(cells[block].ravel(), weights=per_cell, minlength=count)
    counts /= rows
    return counts


def fit_cells(frame: pd.DataFrame, schema: Schema, bins: int, pairs: int) -> Cells:
    """Choose margins and the most informative pairs on a typed frame with derived columns."""
    margins = fit_margins(frame, schema, bins)
    coarse = [coarsen(margin, frame, PAIR_BINS) for margin in margins]
    information = _informations([margin.codes(frame) for margin in coarse], [margin.size for margin in coarse])
    scored = [
        (float(information[i, j]), i, j)
        for i, j in combinations(range(len(coarse)), 2)
        if coarse[i].column != coarse[j].column
    ]
    # Most informative first; equal ones in the order of columns, so that the choice is the same everywhere.
    scored.sort(key=lambda item: (-item[0], item[1], item[2]))
    chosen = [(coarse[i], coarse[j]) for _, i, j in scored[:pairs]]
    return Cells(tuple(margins), tuple(chosen))


def _informations(codes: list[Indices], sizes: list[int]) -> NDArray[np.float64]:
    """Return the mutual information (margins, margins) of code vectors in nats, less the bias of a finite sample.

    Miller (1955): the plug-in estimate exceeds the truth by about (r - 1)(c - 1) / 2n over the cells in use.
    """
    if not codes:
        return np.zeros((0, 0))
    starts = np.cumsum([0, *sizes[:-1]])
    joint = _joint_counts(codes, starts, sum(sizes)) / len(codes[0])
    single = np.diagonal(joint)
    entropy = np.add.reduceat(_surprise(single), starts)
    together = np.add.reduceat(np.add.reduceat(_surprise(joint), starts, axis=0), starts, axis=1)
    used = np.add.reduceat(single > 0, starts, dtype=np.int64) - 1
    freedom: NDArray[np.int64] = used[:, None] * used
    return entropy[:, None] + entropy - together - freedom / (2 * len(codes[0]))


def _joint_counts(codes: list[Indices], starts: NDArray[np.int64], cells: int) -> NDArray[np.float64]:
    """Return in how many rows each two cells occur together, (cells, cells)."""
    counts = np.zeros((cells, cells))
    for first in range(0, len(codes[0]), ROWS_AT_ONCE):
        block = np.column_stack([code[first : first + ROWS_AT_ONCE] for code in codes]) + starts
        member = np.zeros((len(block), cells), dtype=np.float32)
        np.put_along_axis(member, block, 1.0, axis=1)
        counts += member.T @ member  # Whole numbers, so exact in single precision.
    return counts


def _surprise(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return -p log p of each share, 0 where p is."""
    return -shares * np.log(np.where(shares > 0, shares, 1.0))

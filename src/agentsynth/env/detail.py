"""Detail: the fine cells by which a composed table is refined, too many to be looked at in every step of an episode."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.base.codec import Codec
from agentsynth.base.forest import Forest
from agentsynth.base.trees import SequentialTrees
from agentsynth.env.cells import Cells, cell_shares
from agentsynth.env.nearness import fair_shares, nearest
from agentsynth.env.novelty import Novelty

Floats = NDArray[np.float64]
Indices = NDArray[np.int32]
PAIR_WEIGHT = 4.0
"""Importance of all pairs that a column belongs to, about; a margin's is 1."""
CRITIC_WEIGHT = 1.0
SECOND_CRITIC_WEIGHT = 4.0
"""The same of all columns together for each tree of a critic."""
NOVELTY_WEIGHT = 6.0
"""Importance of not lying nearer to the training rows than real rows do, in a table of five columns or more."""
NOVELTY_OF_ONE = 0.25
"""The same in a table of one column; it grows with the square of their number."""

LEANING = 0.5
"""Part of the way to the generator's own shares that the wanted shares of pairs go, where it has many rows to show."""

JUDGED, COMPARED = 500, 5000
"""Most rows whose distance to the training rows is found, and most training rows they are compared with."""


@dataclass(frozen=True)
class Detail:
    """Fine margins, many pairs, the critic's leaves, and how much rows resemble training rows.

    Attributes:
        cells: margins, pairs and critic.
        novelty: the last two groups.
        real: (cells,) shares wanted in all groups: those of the training rows, of pairs `leaning`.
        rows: number of training rows.
        second_critic: tells real rows from those of refined tables; its leaves are groups after `cells`.
    """

    cells: Cells
    novelty: Novelty
    real: Floats
    rows: int
    second_critic: Forest | None = None

    @classmethod
    def fit(
        cls, frame: pd.DataFrame, trees: SequentialTrees, codes: Floats, cells: Cells, rng: np.random.Generator
    ) -> Detail:
        """Learn the shares of the training rows: their typed frame with derived columns, and their codes.

        Candidates of the base generator are drawn to see how much more novel rows must be than real ones are.
        """
        parts = trees.codec.parts
        novelty, shares = Novelty.fit(parts, codes, rng)
        sample = rng.permutation(len(codes))[:COMPARED]
        candidates = trees.draw(min(len(codes), JUDGED), rng)
        if len(codes) > 1:
            levels = slice(0, int(novelty.sizes[0]))
            shares[levels] = fair_shares(
                shares[levels],
                novelty.of(parts, candidates)[:, 0],
                nearest(parts, candidates, codes[sample]),
                nearest(parts, codes[sample[:JUDGED]], codes[sample], themselves=True),
            )
        own = cells.shares(cells.of(frame, trees.codec.features(codes)))
        return cls(cells, novelty, np.concatenate([own, shares]), len(codes))

    @cached_property
    def sizes(self) -> Indices:
        """Cells in each group, (groups,)."""
        leaves = [] if self.second_critic is None else self.second_critic.leaf_counts
        return np.concatenate([self.cells.sizes, leaves, self.novelty.sizes]).astype(np.int32)

    @cached_property
    def offsets(self) -> Indices:
        """First cell of each group, (groups,)."""
        return (np.cumsum(self.sizes) - self.sizes).astype(np.int32)

    @cached_property
    def importance(self) -> Floats:
        """Weight (cells,) of each cell when a table is refined."""
        columns = len({margin.column for margin in self.cells.margins})
        trees = len(self.cells.sizes) - len(self.cells.margins) - len(self.cells.pairs)
        groups = [1.0] * len(self.cells.margins)
        groups += [PAIR_WEIGHT / columns] * len(self.cells.pairs) + [CRITIC_WEIGHT / columns] * trees
        groups += [SECOND_CRITIC_WEIGHT / columns] * (len(self.sizes) - len(groups) - 2)
        # Among few columns rows lie near one another whatever one does: the columns' own shares come first there.
        novelty = min(NOVELTY_WEIGHT, NOVELTY_OF_ONE * columns**2)
        return np.repeat([*groups, novelty, novelty], self.sizes)

    def of(self, frame: pd.DataFrame, codec: Codec, codes: Floats, leaves: Indices) -> Indices:
        """Return the cells (rows, groups) of generated rows.

        Args:
            frame: typed frame with derived columns.
            codec: of the codes.
            codes: (rows, parts).
            leaves: (rows, trees) numbers of the critic's leaves, as the coarser cells have them, too.
        """
        own, critic = len(self.cells.sizes), self.second_critic
        groups = [self.cells.with_leaves(frame, leaves)]
        if critic is not None:
            groups.append(critic.all_leaves(codec.features(codes)) + self.offsets[own:-2])
        groups.append(self.novelty.of(codec.parts, codes) + self.offsets[-2:])
        return np.column_stack(groups).astype(np.int32, copy=False)

    def leaning(self, drawn: Indices) -> Detail:
        """Return the same with the wanted shares of pairs nearer to those of rows as the generator draws them.

        A pair has many cells, and few training rows in most: what the generator has made of all of them is about as
        good an estimate of a cell's share, with errors of its own, and the mean of two is better than either
        (shrinkage: Efron and Morris 1973, JASA 68(341), p. 117). It gives less away of single training rows, too.

        Args:
            drawn: (rows, groups) cells of drawn rows. The fewer they are beside the training rows, the less they count.
        """
        own = len(self.cells.margins)
        pairs = np.zeros(len(self.sizes))
        pairs[own : own + len(self.cells.pairs)] = LEANING * len(drawn) / (len(drawn) + self.rows)
        part = np.repeat(pairs, self.sizes)
        return replace(self, real=(1 - part) * self.real + part * self.shares(drawn))

    def with_critic(self, critic: Forest, features: NDArray[np.float32]) -> Detail:
        """Return the same with the trees of one more critic, given the features (rows, features) of the real rows."""
        sizes = np.array(critic.leaf_counts, dtype=np.int32)
        shares = cell_shares(critic.all_leaves(features) + np.cumsum(sizes) - sizes, int(sizes.sum()))
        before = int(self.offsets[-2])
        real = np.concatenate([self.real[:before], shares, self.real[before:]])
        whole = critic if self.second_critic is None else self.second_critic.followed_by(critic)
        return replace(self, real=real, second_critic=whole)

    def with_leaves(self, cells: Indices, leaves: Indices) -> Indices:
        """Return the cells that rows have here, given those they had before the last critic came, and its leaves.

        Args:
            cells: (rows, groups) their cells, where `with_critic` was called.
            leaves: (rows, trees) numbers of that critic's leaves.
        """
        before, added = cells[:, :-2], slice(cells.shape[1] - 2, -2)
        novelty = cells[:, -2:] + self.sizes[added].sum(dtype=np.int32)
        return np.column_stack([before, leaves + self.offsets[added], novelty])

    def shares(self, cells: Indices, weights: Floats | None = None) -> Floats:
        """Return the share of rows in every cell; each group sums to 1. `weights` (rows,) count rows unequally."""
        return cell_shares(cells, int(self.sizes.sum()), weights)

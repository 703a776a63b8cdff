"""Growth: tables that are composed side by side, batch by batch, each towards its own goal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agentsynth.env.composer import Composer
from agentsynth.env.goals import Goal
from agentsynth.env.selection import cell_scores, top

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Observations = NDArray[np.float32]

GAP_RANGE = 6.0
"""Gaps beyond so many noise units look alike to the agent."""
PROPOSED = 4.0
"""Rows of the pool looked at per candidate kept by the proposal."""
NEEDED = 2.0
"""Gap of an aim, in deviations that the next batch's mean would have to have to close it, that looks to the agent like
a noise unit: so its buckets part what the factors can do at once from what they cannot."""


class Growth:
    """Empty tables, and what they have in each cell as they grow.

    A table depends on its own goal and generator alone, not on those beside it: what numpy does in one call for all of
    them would otherwise be done in as many calls, and the calls are what takes the time.

    Args:
        composer: what the tables are composed of.
        goals: the goal of each table.
        generators: decide everything random, one for each table.

    Attributes:
        rows: rows that every table has so far.
        chosen: (tables, rows of a whole table) indices into the pool, in the order they were added.
        gaps: (tables, factors) goal mean of each direction less the table's; of an aim: the number wanted less the
            table's, in deviations of a row. At first those of a table of real rows.
        components: (tables, components) similarity by component.
        similarity: (tables,) their weighted means.

    Raises:
        ValueError: a goal does not fit the pool (see `Composer.steering`).
    """

    def __init__(self, composer: Composer, goals: Sequence[Goal], generators: Sequence[np.random.Generator]) -> None:
        self.composer, self.goals, self._generators = composer, goals, generators
        self._steerings = [composer.steering(goal) for goal in goals]
        self._goal_shares = np.array([goal.shares for goal in goals])
        self._by_cell = np.array([steering.by_cell for steering in self._steerings])
        self._aimed = np.array([len(goal.aims) for goal in goals])
        # Twice over, so that any stretch of it is one slice.
        self._orders = [
            np.tile(rng.permutation(steering.usable), 2)
            for rng, steering in zip(generators, self._steerings, strict=True)
        ]
        tables, cells = self._goal_shares.shape
        self._each = np.arange(tables)[:, None]
        self._first_cells = (np.arange(tables) * cells)[:, None, None]
        self._ones = np.ones(composer.pool.shape[1])
        self._taken = np.zeros((tables, len(composer.pool)), dtype=bool)
        self._counts = np.zeros((tables, cells))
        self._step = self._looked_at = 0
        self.rows = 0
        self.chosen: Rows = np.empty((tables, composer.rows), dtype=np.intp)
        self.components = np.zeros((tables, len(composer.similarity.names)))
        self.similarity = np.zeros(tables)
        # Directions have mean 0 on the real rows, so this is the gap of a table of real rows.
        usable = [steering.usable for steering in self._steerings]
        self.gaps = np.hstack([self._column_gaps(self._goal_shares), self._aim_gaps(usable)])

    @property
    def done(self) -> bool:
        """Whether the tables have all their rows."""
        return self._step >= len(self.composer.batches)

    def step(self, pressures: Floats) -> Floats:
        """Add one batch to each table, by the logs (tables, factors) of its factors; return the rise in similarity."""
        batch = int(self.composer.batches[self._step])
        candidates, free = self._propose(pressures, batch)
        if self.composer.config.selection:
            chosen = self._select(candidates, free, batch, pressures)
        else:
            chosen = candidates[self._each, np.argsort(~free, axis=1, kind="stable")[:, :batch]]
        before = self.similarity
        self._add(chosen)
        return self.similarity - before

    def observations(self) -> Observations:
        """Return what the agent sees of each table (tables, observations), see `SyntheticDataEnvironment`."""
        noise_units = self.gaps * np.sqrt(self.rows)
        # How far the mean of the next batch would have to be off for the gap to close: what a factor can do at once.
        batches = self.composer.batches
        batch = batches[min(self._step, len(batches) - 1)]
        needed = NEEDED * self.gaps[:, len(self.composer.factors.names) :] * (self.rows / batch)
        progress = np.full((len(self.goals), 1), self.rows / self.chosen.shape[1])
        gaps = np.concatenate([noise_units, needed], axis=1) / GAP_RANGE
        seen = np.concatenate([gaps, self.components, progress], axis=1, dtype=np.float32)
        # Gaps are clipped; similarities and progress lie in [0, 1] anyway.
        return np.minimum(np.maximum(seen, np.float32(-1.0)), np.float32(1.0))

    def _propose(self, pressures: Floats, batch: int) -> tuple[Rows, NDArray[np.bool_]]:
        """Return candidates (tables, oversample * batch), drawn by the factors' tilt, and whether each can be had."""
        count = max(batch, round(self.composer.config.oversample * batch))
        block, free = self._next_block(max(count, round(PROPOSED * count)), batch)
        scores = self._gumbel(block.shape[1])
        for score, rows, steering, pressure in zip(scores, block, self._steerings, pressures, strict=True):
            score += steering.by_row.take(rows, axis=0) @ pressure
        scores[~free] = -np.inf
        # In the order of the shuffled pool: without selection the first of them are taken, whatever their scores.
        places = np.sort(top(scores, count), axis=1)
        return block[self._each, places], free[self._each, places]

    def _next_block(self, count: int, batch: int) -> tuple[Rows, NDArray[np.bool_]]:
        """Return the next `count` rows of each shuffled pool, going round, and whether they can still be taken."""
        block = np.zeros((len(self.goals), count), dtype=np.intp)
        free = np.zeros(block.shape, dtype=bool)
        for rows, empty, order, taken in zip(block, free, self._orders, self._taken, strict=True):
            usable = len(order) // 2
            first = self._looked_at % usable
            stretch = order[first : first + min(count, usable)]
            rows[: len(stretch)] = stretch
            np.logical_not(taken.take(stretch), out=empty[: len(stretch)])
            if np.count_nonzero(empty) < batch:
                # Nearly all of this stretch is in the table: go on until there are enough others.
                left = order[first : first + usable]
                left = left[~taken.take(left)][:count]
                rows[: len(left)], empty[: len(left)], empty[len(left) :] = left, True, False
        self._looked_at += count
        return block, free

    def _select(self, candidates: Rows, free: NDArray[np.bool_], batch: int, pressures: Floats) -> Rows:
        """Return the batch (tables, batch): candidates drawn by how much their cells still lack."""
        cells = self._cells(candidates)
        counted = cells if free.all() else cells[free]
        counts = np.bincount(counted.ravel(), minlength=self._counts.size).reshape(self._counts.shape)
        expected = counts * (batch / free.sum(axis=1))[:, None]
        wanted = self._goal_shares * (self.rows + batch) - self._counts
        scores = cell_scores(wanted, expected, self.composer.importance).take(cells) @ self._ones
        own = len(self.composer.factors.names)
        for table in np.flatnonzero(self._aimed):
            leaning = self._steerings[table].by_row.take(candidates[table], axis=0)[:, own:]
            scores[table] += leaning @ pressures[table, own:]
        scores += self._gumbel(candidates.shape[1])
        scores[~free] = -np.inf
        return candidates[self._each, top(scores, batch)]

    def _cells(self, rows: Rows) -> NDArray[np.intp]:
        """Return the cells (tables, rows, groups) of rows of the pool (tables, rows), those of all tables numbered."""
        cells: NDArray[np.intp] = self.composer.pool.take(rows, axis=0) + self._first_cells
        return cells

    def _gumbel(self, count: int) -> Floats:
        noise: Floats = -np.log([rng.standard_exponential(count) for rng in self._generators])
        return noise

    def _add(self, chosen: Rows) -> None:
        self._taken[self._each, chosen] = True
        batch = chosen.shape[1]
        self.chosen[:, self.rows : self.rows + batch] = chosen
        added = np.bincount(self._cells(chosen).ravel(), minlength=self._counts.size)
        self._counts += added.reshape(self._counts.shape)
        self.rows += batch
        self._step += 1
        gap = self._goal_shares - self._counts / self.rows
        aims = self._aim_gaps(self.chosen[:, : self.rows])
        self.gaps = np.hstack([self._column_gaps(gap), aims])
        self.components = self.composer.similarity.components(gap, aims, self._aimed)
        self.similarity = self.composer.similarity.total(self.components)

    def _column_gaps(self, shares: Floats) -> Floats:
        """Return the sum (tables, columns' factors) of each direction over shares (tables, cells)."""
        summed: Floats = (shares[:, None, : self._by_cell.shape[1]] @ self._by_cell)[:, 0]
        return summed

    def _aim_gaps(self, rows: Sequence[Rows] | Rows) -> Floats:
        """Return the gap (tables, aims) of each aim for some rows of each table; 0 for those that a goal lacks."""
        gaps = np.zeros((len(self.goals), self.composer.aims))
        for gap, goal, own in zip(gaps, self.goals, rows, strict=True):
            gap[: len(goal.aims)] = [aim.gap(own) for aim in goal.aims]
        return gaps

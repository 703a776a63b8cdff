"""What stays the same from one composed table to the next: the pool, how it is sorted, and what presses on it."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from agentsynth.config import EnvironmentConfig
from agentsynth.data.schema import Schema
from agentsynth.env.cells import Cells
from agentsynth.env.factors import Factors
from agentsynth.env.goals import Goal
from agentsynth.env.similarity import Similarity

Floats = NDArray[np.float64]
Space = gym.Space[NDArray[np.float32]]
LOWEST_FACTOR, HIGHEST_FACTOR = 0.5, 2.0
AIM_FACTOR = "goal_factor"
"""Name of the factors that press on the numbers a goal aims at."""


@dataclass(frozen=True)
class Steering:
    """What a goal makes of the pool.

    Attributes:
        by_cell: (margin cells, columns' factors) direction of every margin cell.
        by_row: (pool rows, factors) direction of every row, those of aims last.
        usable: rows of the pool (indices) that may be taken.
    """

    by_cell: Floats
    by_row: Floats
    usable: NDArray[np.intp]


class Composer:
    """A pool that tables are composed of, batch by batch.

    Args:
        schema: the table's schema.
        cells: how rows are sorted into cells.
        real: (cells,) shares of the real rows.
        pool: (rows, groups) cells of the candidates.
        config: rows, steps, oversampling, selection, factors, reward weights.
        aims: how many aims a goal may have.
    """

    def __init__(
        self,
        schema: Schema,
        cells: Cells,
        real: Floats,
        pool: NDArray[np.int32],
        config: EnvironmentConfig,
        aims: int = 0,
    ) -> None:
        self.cells, self.real, self.pool, self.config, self.aims = cells, real, pool, config, aims
        self.factors = Factors.of(schema, config.factors)
        self.factor_names = (*self.factors.names, *[AIM_FACTOR] * aims)
        self.similarity = Similarity(cells, schema, config.reward_weights, aims=aims > 0)
        self.batches = batch_sizes(min(config.rows, len(pool)), config.steps)
        self.importance = _importance(cells)
        self._steerings: WeakKeyDictionary[Goal, Steering] = WeakKeyDictionary()

    @property
    def rows(self) -> int:
        """Rows of a table."""
        return int(self.batches.sum())

    @property
    def spaces(self) -> tuple[Space, Space]:
        """The action space and the observation space of one table, see `SyntheticDataEnvironment`."""
        factors, others = len(self.factor_names), self.aims + len(self.similarity.names) + 1
        return (
            gym.spaces.Box(LOWEST_FACTOR, HIGHEST_FACTOR, (factors,), np.float32),
            gym.spaces.Box(-1.0, 1.0, (factors + others,), np.float32),
        )

    def pressures(self, action: NDArray[np.float32], space: Space) -> Floats:
        """Return the logs of the factors of an action.

        Raises:
            ValueError: it is not in the action space.
        """
        factors = np.asarray(action, dtype=np.float64)
        if factors.shape != space.shape:
            raise ValueError(f"an action has one factor for each of {self.factor_names}; found shape {factors.shape}.")
        lowest, highest = factors.min(initial=1.0), factors.max(initial=1.0)
        if not (lowest >= LOWEST_FACTOR - 1e-6 and highest <= HIGHEST_FACTOR + 1e-6):
            raise ValueError(f"factors lie in [{LOWEST_FACTOR}, {HIGHEST_FACTOR}]; found {factors.tolist()}.")
        logs: Floats = np.log(factors)
        return logs

    def steering(self, goal: Goal) -> Steering:
        """Return what a goal makes of the pool; it is worked out once for each goal.

        Raises:
            ValueError: the goal has more aims than goals may have here, or leaves fewer rows than a table has.
        """
        if goal not in self._steerings:
            self._steerings[goal] = self._steered(goal)
        return self._steerings[goal]

    def _steered(self, goal: Goal) -> Steering:
        if len(goal.aims) > self.aims:
            more = len(goal.aims) - self.aims
            raise ValueError(f"the goal has {len(goal.aims)} aims, {more} more than the environment was made for.")
        usable = np.arange(len(self.pool)) if goal.rows is None else goal.rows
        if len(usable) < self.rows:
            raise ValueError(f"the goal leaves {len(usable)} rows of the pool; a table has {self.rows}.")
        aimed = np.zeros((len(self.pool), self.aims))
        for place, aim in enumerate(goal.aims):
            aimed[:, place] = aim.direction
        by_cell = self.factors.directions(self.cells, self.real, goal.shares)
        return Steering(by_cell, np.hstack([self.cells.row_directions(by_cell, self.pool), aimed]), usable)


def batch_sizes(rows: int, steps: int) -> NDArray[np.int64]:
    """Return the rows of each batch: as even as can be, none empty."""
    ends = np.linspace(0, rows, min(rows, steps) + 1).round().astype(np.int64)
    return np.diff(ends)


def _importance(cells: Cells) -> Floats:
    """Return the weight (cells,) of cells in selection: 1 for margins, 1 / number of columns for pairs and critic."""
    margins, groups = len(cells.margins), len(cells.sizes)
    columns = len({margin.column for margin in cells.margins})
    return np.repeat([1.0] * margins + [1.0 / columns] * (groups - margins), cells.sizes)

"""Goals: the share of rows wanted in every cell, and random ones to train on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agentsynth.env.aims import Aim, correlation_aim, mean_aim, top_aim
from agentsynth.env.cells import Cells
from agentsynth.env.weights import fair_size, thin

Floats = NDArray[np.float64]
DOUBT = 5.0
"""Rows that a cell is taken to have more, in the goal as in the pool, when one is held against the other."""


@dataclass(frozen=True, eq=False)
class Goal:
    """What a composed table should look like; a goal equals itself alone.

    Attributes:
        shares: (cells,) wanted share of rows in each cell; every group sums to 1.
        name: what to call it in reports.
        aims: numbers wanted beside the shares.
        rows: rows of the pool (indices) that may be taken; None: all.
    """

    shares: Floats
    name: str = "mimic"
    aims: tuple[Aim, ...] = ()
    rows: NDArray[np.intp] | None = None


class Grouped(Protocol):
    """Cells in groups: (groups,) how many cells each group has, and its first."""

    @property
    def sizes(self) -> NDArray[np.int32]: ...  # noqa: D102
    @property
    def offsets(self) -> NDArray[np.int32]: ...  # noqa: D102


def moved(goal: Goal, cells: Grouped, before: Floats, after: Floats, name: str, rows: float = np.inf) -> Goal:
    """Return the goal that is to `goal` as the shares `after` (cells,) are to `before` (cells,).

    Both are shares in the pool, before and after its rows are filtered or weighted. Each share moves by their ratio
    instead of being replaced: what the pool gets wrong is thus not learned as a wish.

    Args:
        goal: shares of the real rows.
        cells: how they are grouped.
        before: shares of the pool.
        after: shares of its rows that are left, or by their weights.
        name: of the new goal.
        rows: real rows that the goal stands for. Where a cell has few of them, the pool is believed instead: a level
            that one real row has may be wanted in a hundred, and then not with the numbers of that row alone.
    """
    doubt = DOUBT / rows
    ratio = np.divide(goal.shares + doubt, before + doubt, out=np.ones_like(after), where=before > 0)
    shares = after * ratio
    totals = np.add.reduceat(shares, cells.offsets)
    # A group that lost all its mass (no real row there) takes the pool's shares as they are.
    lost = np.repeat(totals <= 0, cells.sizes)
    return Goal(np.where(lost, after, shares / np.repeat(np.where(totals > 0, totals, 1.0), cells.sizes)), name)


class GoalSampler:
    """Draws goals to train on: the table with one to three columns pushed up or down.

    Args:
        base: the goal that mimics the table.
        cells: its cells.
        pool: (rows, groups) cells of the pool.
        directions: (rows, factors) standardised direction of every factor's column.
        strength: standard deviation of a push, in log-odds for one standard deviation of the direction.
        rows: rows of a table, for which at least twice as many are left to choose from.
    """

    def __init__(
        self,
        base: Goal,
        cells: Cells,
        pool: NDArray[np.int32],
        directions: Floats,
        strength: float = 1.0,
        rows: int = 1,
    ) -> None:
        self.base = base
        self.cells = cells
        self.pool = pool
        self.directions = directions
        self.strength = strength
        self.rows = rows
        self._before = cells.shares(pool)

    def draw(self, rng: np.random.Generator) -> Goal:
        """Return a pushed goal."""
        return self.pushed(self.push(rng))

    def push(self, rng: np.random.Generator) -> Floats:
        """Return a random push (factors,): zero but for one to three columns."""
        factors = self.directions.shape[1]
        push = np.zeros(factors)
        if factors:
            chosen = rng.permutation(factors)[: rng.integers(1, min(3, factors) + 1)]
            push[chosen] = rng.normal(0.0, self.strength, size=len(chosen))
        return push

    def pushed(self, push: Floats) -> Goal:
        """Return the base goal with its columns pushed by `push` (factors,)."""
        if not push.any():
            return self.base
        return self._goal(np.exp(self.directions @ push))

    def aimed(self, push: Floats, rng: np.random.Generator) -> Goal:
        """Return the goal of `pushed` with an aim, to be composed of rows that lean towards it, as in a scenario.

        It is a mean, the mean of the largest tenth, or a correlation, which is itself pushed.
        """
        if not push.any():
            return self.base
        first = self.directions[:, rng.choice(np.flatnonzero(push))]
        second = self.directions[:, rng.integers(len(push))]
        weights = np.exp(self.directions @ push + rng.normal(0.0, self.strength / 2) * first * second)
        weights /= weights.sum()
        kept = thin(weights, max(2 * self.rows, fair_size(weights)), rng)
        aims = (
            mean_aim(first, weights, kept),
            top_aim(second, weights, kept),
            correlation_aim(first, second, weights, kept),
        )
        return replace(self._goal(weights), aims=aims, rows=kept)

    def _goal(self, weights: Floats) -> Goal:
        return moved(self.base, self.cells, self._before, self.cells.shares(self.pool, weights), "pushed")

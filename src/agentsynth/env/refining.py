"""Refining a composed table: rows of it are exchanged by fine cells, and by what is left of the gaps of its aims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agentsynth.env.aims import Aim
from agentsynth.env.exchange import AIM_WEIGHT, Pulls, exchange

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
ROUNDS = 6
"""Times that the numbers a goal aims at are measured anew while a table is refined."""
LAST_WEIGHT = 5 * AIM_WEIGHT
"""Weight of these numbers in the last round, when cells are settled, and a number with a long tail may still miss."""
MOST_EFFECT = 4.0
"""The furthest that a number is taken to move beyond what the influence of rows tells, or to fall short of it."""


@dataclass(frozen=True)
class Refinement:
    """What a table is refined towards, over a pool.

    Attributes:
        cells: (pool rows, groups) fine cells of the rows.
        shares: (cells,) wanted.
        importance: (cells,) weight of each.
        aims: the numbers that are wanted beside them.
        tries: swaps tried per row of the table.
    """

    cells: NDArray[np.int32]
    shares: Floats
    importance: Floats
    aims: Sequence[Aim]
    tries: float

    def of(self, chosen: Rows, rng: np.random.Generator) -> Rows:
        """Return a table like `chosen` (rows,) that is nearer to it, as rows of the pool."""
        weights = [AIM_WEIGHT] * (ROUNDS - 1) + [LAST_WEIGHT] if self.aims else [AIM_WEIGHT]
        # That one row moves a number by ten deviations, which directions do not tell, has to be known to reach it.
        influences = np.column_stack([np.zeros((len(self.cells), 0)), *(aim.influence for aim in self.aims)])
        effects, tries = Effects.unknown(len(self.aims), len(chosen)), self.tries / len(weights)
        had, gaps = influences[chosen].mean(axis=0), self._gaps(chosen)
        for weight in weights:
            pulls = Pulls(influences, had + gaps / effects.found, weight)
            chosen = exchange(self.cells, chosen, self.shares, self.importance, tries, rng, pulls)
            (before, short), (had, gaps) = (had, gaps), (influences[chosen].mean(axis=0), self._gaps(chosen))
            effects = effects.seen(had - before, short - gaps)
        return chosen

    def _gaps(self, chosen: Rows) -> Floats:
        """Return by how much the mean influence of the rows has to rise for each aim; that measures each number."""
        return np.array([aim.short(chosen) for aim in self.aims])


@dataclass(frozen=True)
class Effects:
    """How far numbers moved, against what the influence of the rows exchanged told; learned from round to round.

    Of a number that is measured, influence is a guess, and clipped: rows may move it twice as far, and a table that is
    corrected by the guess then swings from one side to the other. So steps are scaled as in the secant method, by least
    squares through the origin over all rounds, where 1 is expected to begin with.

    Attributes:
        product: (aims,) sum of what was told times what came of it.
        square: (aims,) sum of squares of what was told.
    """

    product: Floats
    square: Floats

    @classmethod
    def unknown(cls, aims: int, rows: int) -> Effects:
        """Return what is expected before anything was seen: 1, with the weight of a step by the noise of a sample."""
        return cls(np.full(aims, 1.0 / rows), np.full(aims, 1.0 / rows))

    @property
    def found(self) -> Floats:
        """The effects (aims,)."""
        return np.clip(self.product / self.square, 1 / MOST_EFFECT, MOST_EFFECT)

    def seen(self, told: Floats, came: Floats) -> Effects:
        """Return what is known after a further step: of what was told (aims,), so much came (aims,)."""
        return Effects(self.product + told * came, self.square + told**2)

"""Measured constraints: any function of a table, whose direction is found by probing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.env.weights import systematic
from agentsynth.scenarios.constraints import Constraint, Floats, Rows

PROBES = 256
"""Rows whose influence is measured; that of the others is predicted from them."""
PROBED, READ = 1000, 10_000
"""Most rows of a table that is probed, and of one that is measured once."""
COPIES = 0.01
"""Share of the table that the copies of a probed row make up."""
TREES = 100


@dataclass(frozen=True)
class Measured(Constraint):
    """A number that is known only by measuring a table: the user's own function, a Gini coefficient, a test's score.

    Attributes:
        measure: the number of some rows of the pool (indices).
        features: (rows, features) what each row is like, by which influence is predicted.
    """

    measure: Callable[[Rows], float]
    features: Floats
    probed: ClassVar[bool] = True

    def value(self, weights: Floats) -> float:
        """Return the number of a table that stands for `weights`."""
        return self.of(standing_for(weights, READ))

    def of(self, rows: Rows) -> float:
        """Return the number of some rows."""
        return float(self.measure(rows))

    def influence(self, weights: Floats) -> Floats:
        """Measure what copies of some rows change, and predict the influence of all from it with a forest.

        The forest: extremely randomised trees (Geurts, Ernst and Wehenkel 2006, Machine Learning 63, p. 3).
        """
        from sklearn.ensemble import ExtraTreesRegressor

        table = standing_for(weights, PROBED)
        copies = max(1, round(COPIES * len(table)))
        grid = np.unique(np.linspace(0, len(weights) - 1, PROBES // 2).round().astype(np.intp))
        probes = np.unique(np.concatenate([table[:: max(1, len(table) // (PROBES // 2))], grid]))
        now = self.of(table)
        changes = np.array([self.of(np.append(table, np.full(copies, row))) - now for row in probes])
        changes *= (len(table) + copies) / copies
        known = np.isfinite(changes)
        if not known.any():
            return np.zeros(len(weights))
        forest = ExtraTreesRegressor(TREES, min_samples_leaf=2, random_state=0)
        forest.fit(self.features[probes[known]], changes[known])
        predicted: Floats = forest.predict(self.features)
        return predicted - weights @ predicted

    def take(self, rows: Rows) -> Measured:
        """Return the constraint over some rows only."""
        measure = self.measure
        return replace(self, measure=lambda chosen: measure(rows[chosen]), features=self.features[rows])


def as_meant(constraint: Constraint, frame: pd.DataFrame, weights: Floats) -> float:
    """Return the number of a frame's rows under weights (rows,), as the user means it.

    That is not the steered one where another number stands in for it.
    """
    if constraint.aim == constraint.wanted:
        return constraint.value(weights)
    return constraint.read(frame.iloc[standing_for(weights, len(weights))])


def standing_for(weights: Floats, most: int) -> Rows:
    """Return rows, each as often as its weight asks, that make a table of at most so many rows."""
    return systematic(weights, min(most, len(weights)), 0.5)


def gini(numbers: NDArray[np.float64]) -> float:
    """Return the Gini coefficient of numbers from 0 on: 0 = all alike, 1 = one has it all; NaN without any."""
    ordered = np.sort(numbers[~np.isnan(numbers)])
    total = ordered.sum()
    if not total > 0:
        return float("nan")
    ranks = np.arange(1, len(ordered) + 1)
    return float(2 * (ranks @ ordered) / (len(ordered) * total) - (len(ordered) + 1) / len(ordered))


def top_share(numbers: NDArray[np.float64], part: float) -> float:
    """Return the share of the total that the largest `part` (0 to 1) of the numbers have; NaN without any."""
    ordered = np.sort(numbers[~np.isnan(numbers)])[::-1]
    total = ordered.sum()
    if not total > 0:
        return float("nan")
    count = part * len(ordered)
    whole = int(count)
    rest = (count - whole) * ordered[whole] if whole < len(ordered) else 0.0
    return float((ordered[:whole].sum() + rest) / total)

"""Constraints: numbers that a table should have, and how much each row moves them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Constraint(ABC):
    """One number that the table should have, over the rows of a pool.

    Attributes:
        name: e.g. `price mean`.
        wanted: the number as the user means it (e.g. a quantile's value).
        tolerance: how far from `wanted` counts as reached.
        read: the number that a typed frame has, NaN where it has none.
        aim: the wanted value of the number that is steered: `wanted`, unless another one stands in for it (for a
            quantile the share of rows below its value).
        unit: the tolerance in terms of the number that is steered.
        probed: whether the influence of rows is guessed from probes: that takes long, and is not to be trusted of far
            rows.
    """

    name: str
    wanted: float
    tolerance: float
    read: Callable[[pd.DataFrame], float]
    aim: float
    unit: float
    probed: ClassVar[bool] = False

    @property
    def told(self) -> dict[str, Floats]:
        """What has to stand in a frame (column -> (rows,) values) for `read` to read it; nothing, mostly."""
        return {}

    def weight(self, frame: pd.DataFrame) -> float:
        """Return what a frame counts for where the number of a whole is told from those of its parts: its rows."""
        return float(len(frame))

    @abstractmethod
    def value(self, weights: Floats) -> float:
        """Return the steered number of the pool under `weights` (rows,), which sum to 1; NaN where there is none."""

    @abstractmethod
    def of(self, rows: Rows) -> float:
        """Return the steered number of some rows of the pool (indices, repeated where a row stands twice)."""

    @abstractmethod
    def influence(self, weights: Floats) -> Floats:
        """Return how much a bit more of each row (rows,) moves the number, under `weights`; mean 0 under them.

        The influence function (Hampel 1974, JASA 69(346), p. 383).
        """

    @abstractmethod
    def take(self, rows: Rows) -> Constraint:
        """Return the constraint over some rows of the pool only."""


@dataclass(frozen=True)
class Moments(Constraint):
    """A smooth function of means: means, shares, ratios, deviations, correlations.

    Attributes:
        features: (rows, means) functions of each row.
        combine: makes the number of their means (means,).
        columns: what features are called in a frame, where they cannot be told from its other columns; else none.
        counted: which of these tells how much each row of a frame counts for; empty: all alike.
    """

    features: Floats
    combine: Callable[[Floats], float]
    columns: tuple[str, ...] = ()
    counted: str = ""

    def weight(self, frame: pd.DataFrame) -> float:
        """Return what a frame counts for: its rows, or those that it stands for."""
        return float(frame[self.counted].sum()) if self.counted else super().weight(frame)

    @property
    def told(self) -> dict[str, Floats]:
        """The features, where they cannot be told from other columns."""
        return {name: self.features[:, place] for place, name in enumerate(self.columns)}

    def value(self, weights: Floats) -> float:
        """Return the number under `weights`."""
        return self._combined(weights @ self.features)

    def of(self, rows: Rows) -> float:
        """Return the number of some rows."""
        return self._combined(self.features[rows].mean(axis=0))

    def influence(self, weights: Floats) -> Floats:
        """Return the influence: the gradient of `combine` at the means, times each row's distance from them."""
        means = weights @ self.features
        steps = 1e-6 * np.maximum(np.abs(means), np.sqrt(weights @ self.features**2)) + 1e-12
        gradient = np.empty(len(means))
        for place, step in enumerate(steps):
            nudge = np.zeros(len(means))
            nudge[place] = step
            gradient[place] = (self._combined(means + nudge) - self._combined(means - nudge)) / (2 * step)
        # Where a number jumps (a correlation with what does not vary), no direction is told.
        found: Floats = (self.features - means) @ np.where(np.isfinite(gradient), gradient, 0.0)
        return found

    def take(self, rows: Rows) -> Moments:
        """Return the constraint over some rows only."""
        return replace(self, features=self.features[rows])

    def _combined(self, means: Floats) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(self.combine(means))


def ratio(means: Floats) -> float:
    """Combine two means into the first over the second: the mean of a number over the rows that the second marks."""
    return float(np.divide(means[0], means[1]))


def ratio_of_ratios(means: Floats) -> float:
    """Combine four means into how many times the mean of one group is that of another."""
    return float(np.divide(means[0] * means[3], means[1] * means[2]))


def deviation(means: Floats) -> float:
    """Combine the means of a number, its square and the mark of its rows into its standard deviation."""
    mean = np.divide(means[0], means[2])
    return float(np.sqrt(np.maximum(np.divide(means[1], means[2]) - mean**2, 0.0)))


def correlation(means: Floats) -> float:
    """Combine the means of x, y, x^2, y^2, xy and the mark of their rows into Pearson's correlation."""
    x, y, xx, yy, xy = means[:5] / means[5]
    return float((xy - x * y) / np.sqrt((xx - x**2) * (yy - y**2)))

"""Q-tables of several factors that learn from one another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
State = tuple[NDArray[np.intp], NDArray[np.intp]]
"""The gap bucket and the progress bucket (..., factors) of each factor."""

PRIOR = 50.0
"""Visits that what all factors have in common counts for beside a factor's own."""
COMMON_RATE = 0.2
"""Least step of a common value, as a part of the learning rate: all factors move it."""


@dataclass(frozen=True)
class Tables:
    """A table for each column's factor, one that all aims share, and one that they all have in common.

    Gaps are in units that make them alike, so what pressing does is nearly the same for each, and a training leaves a
    factor few visits of each state. A value is therefore the mean of the factor's own, weighed by its visits, and of
    the common one, weighed by `PRIOR` (shrinkage: Efron and Morris 1973, JASA 68(341), p. 117).

    Attributes:
        own: (factors + 1, gap buckets, progress buckets, levels) Q-values; the last table is that of aims.
        visits: the same shape, updates each of them has had.
        common: (gap buckets, progress buckets, levels) Q-values that the factors have in common.
        common_visits: the same shape, updates.
    """

    own: Floats
    visits: Counts
    common: Floats
    common_visits: Counts

    @classmethod
    def blank(cls, shape: tuple[int, ...]) -> Tables:
        """Return tables (factors + 1, gap buckets, progress buckets, levels) that have learned nothing."""
        return cls.of(np.zeros(shape), np.zeros(shape, dtype=np.int64))

    @classmethod
    def of(cls, own: Floats, visits: Counts) -> Tables:
        """Return tables that begin with such values; common are their means over the factors, by visits."""
        common_visits: Counts = visits.sum(axis=0)
        common: Floats = (own * visits).sum(axis=0) / np.maximum(common_visits, 1)
        return cls(own.copy(), visits.copy(), common, common_visits)

    def values(self, used: NDArray[np.intp], state: State) -> tuple[Floats, Counts]:
        """Return the values of all levels (..., factors, levels) in states, and the visits they rest on.

        Args:
            used: (factors,) the table of each factor.
            state: what each factor sees.
        """
        gap, progress = state
        own, visits = self.own[used, gap, progress], self.visits[used, gap, progress]
        return _shrunken(own, visits, self.common[gap, progress], self.common_visits[gap, progress])

    def all_values(self) -> tuple[Floats, Counts]:
        """Return the values (factors + 1, gap buckets, progress buckets, levels) and the visits they rest on."""
        return _shrunken(self.own, self.visits, self.common, self.common_visits)

    def learn(
        self, used: NDArray[np.intp], state: State, levels: NDArray[np.intp], targets: Floats, rate: float
    ) -> Floats:
        """Move values (..., factors) towards their targets (..., factors); return by how much they were off."""
        gap, progress = state
        _, gaps, progresses, levels_ = self.own.shape
        places = ((used * gaps + gap) * progresses + progress) * levels_ + levels
        errors: Floats = targets - self.own.reshape(-1)[places]
        _move(self.own, self.visits, places, targets, rate)
        # A place in the tables, less those of the tables before.
        _move(self.common, self.common_visits, places % self.common.size, targets, COMMON_RATE * rate)
        return errors


def _move(values: Floats, visits: Counts, places: NDArray[np.intp], targets: Floats, rate: float) -> None:
    """Move values towards targets: to their mean as long as they are few, then by the learning rate."""
    values, visits = values.reshape(-1), visits.reshape(-1)
    before = visits[places]
    np.add.at(visits, places, 1)
    # Several factors may be in the same place: each counts, and together they go no further than to their mean.
    rates = np.maximum(np.minimum(rate, 1.0 / (visits[places] - before)), 1.0 / visits[places])
    np.add.at(values, places, rates * (targets - values[places]))


def _shrunken(own: Floats, visits: Counts, common: Floats, common_visits: Counts) -> tuple[Floats, Counts]:
    """Return the weighed means of own and common values, and the visits: own ones, or 1 where only others were."""
    prior = np.where(common_visits > 0, PRIOR, 0.0)
    values: Floats = (own * visits + common * prior) / np.maximum(visits + prior, 1.0)
    return values, np.maximum(visits, common_visits > 0)

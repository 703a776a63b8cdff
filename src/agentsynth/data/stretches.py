"""Rows that stand together: stretches of a sorted number, such as the entity of each row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Stretches:
    """Where the rows of each entity begin, and how many they are.

    Attributes:
        starts, sizes: (entities,).

    >>> found = Stretches.of(np.array([0, 0, 0, 1, 2, 2]))
    >>> found.starts.tolist(), found.sizes.tolist(), found.places.tolist()
    ([0, 3, 4], [3, 1, 2], [0, 1, 2, 0, 0, 1])
    """

    starts: Integers
    sizes: Integers

    @classmethod
    def of(cls, numbers: Integers) -> Stretches:
        """Return the stretches of equal numbers (rows,), from 0 on and sorted."""
        starts = np.flatnonzero(np.diff(numbers, prepend=-1))
        return cls(starts, np.diff(starts, append=len(numbers)))

    @property
    def places(self) -> Integers:
        """The place of each row (rows,) in its stretch, from 0 on."""
        found: Integers = np.arange(int(self.sizes.sum())) - np.repeat(self.starts, self.sizes)
        return found

"""Two things measured in pairs (the same seeds, the same rows): how far they lie apart, and whether that is chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student


class Difference(NamedTuple):
    """The mean of paired differences, and the half width of its 95 % t interval."""

    mean: float
    half: float

    @property
    def told_apart(self) -> bool:
        """Whether the interval leaves 0 out."""
        return abs(self.mean) > self.half

    def __str__(self) -> str:
        """Return both, as they stand in reports."""
        return f"{self.mean:+.4f} ± {self.half:.4f}"


def difference(ours: Sequence[float], theirs: Sequence[float]) -> Difference:
    """Return ours less theirs, each (pairs,), of two or more.

    >>> print(difference([0.5, 0.7, 0.9], [0.4, 0.5, 0.6]))
    +0.2000 ± 0.2484
    """
    gaps = np.subtract(ours, theirs)
    half = student.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / np.sqrt(len(gaps))
    return Difference(float(gaps.mean()), float(half))

"""The flow of a table's rows: its own time, which runs as fast as rows come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agentsynth.entities.clock import SAME, Clock

Floats = NDArray[np.float64]
ROWS_A_BIN = 4
"""Training rows that a bin of the time has on average: fewer would tell of single rows, not of the flow."""
MOST_BINS = 10_000
ANYWHERE = 0.5
"""Rows that each bin is taken to hold beside its own: the next row may come in one that has none, too."""


@dataclass(frozen=True)
class Flow:
    """Tells how much of the table's own time passes between moments.

    In its own time (operational time: Feller 1971, An Introduction to Probability Theory and Its Applications 2, X.7)
    rows come at an even rate: a week of December counts more than one of July where it has more rows. A gap is told by
    the share that it takes of what is left of this time, times the rows that are left: 1 is an even pace. So entities
    in a hurry and slow ones, early and late, are told apart by their rhythm alone; in days, each would need rows of its
    own to be learned from.

    Attributes:
        start: where the first bin begins, as `Clock.split` counts.
        width: of each bin.
        ends: (bins + 1,) own time at the edges of the bins, from 0 on.
    """

    start: float
    width: float
    ends: Floats

    @classmethod
    def of(cls, moments: Floats, grain: float) -> Flow:
        """Return the flow of the training rows' moments (rows,), of which each lasts for a `grain`."""
        first, span = float(moments.min()), float(np.ptp(moments)) + grain
        width = span / min(max(len(moments) // ROWS_A_BIN, 1), MOST_BINS) or 1.0
        if grain:
            # Bins of whole days: the week would be blurred by others.
            width = grain * np.ceil(width / grain - 1e-9)
        bins = max(1, int(np.ceil(span / width - 1e-9)))
        place = np.minimum(((moments - first) / width).astype(np.intp), bins - 1)
        counts = np.bincount(place, minlength=bins) + ANYWHERE
        return cls(first, float(width), np.concatenate([[0.0], np.cumsum(counts)]))

    def shares(self, clock: Clock, before: Floats, gaps: Floats, left: Floats, part: Floats) -> Floats:
        """Return what share of the own time left to each row that is left gaps (rows,) take.

        Args:
            clock: of the moments.
            before: (rows,) the moments that the gaps begin at.
            gaps: (rows,); `SAME` stays so.
            left: (rows,) how many rows are left.
            part: (rows,) in [0, 1): what part of its grain has passed at the moment that a gap ends at.
        """
        begun = self._passed(before)
        remaining = self.ends[-1] - begun
        passed = self._passed(before + np.maximum(gaps, 0.0) + part * clock.grain) - begun
        shares = left * passed / np.where(remaining > 0, remaining, 1.0)
        return np.where(gaps == SAME, SAME, shares) if clock.step else shares

    def gaps(self, clock: Clock, before: Floats, shares: Floats, left: Floats) -> Floats:
        """Return the gaps (rows,) that take such shares: what `shares` tells of them, the other way round."""
        begun = self._passed(before)
        taken = np.clip(shares / left, 0.0, 1 - 1e-9) * (self.ends[-1] - begun)
        gaps: Floats = self._moment(begun + taken) - before
        if clock.grain:
            gaps = np.floor(gaps / clock.grain + 1e-9) * clock.grain
        # A share between `SAME` and the least real one is nearer to one of them.
        found: Floats = np.where((shares < SAME / 2) & bool(clock.step), SAME, np.maximum(gaps, 0.0))
        return found

    def check(self) -> None:
        """Check a flow that was read from a file.

        Raises:
            ValueError: it is none.
        """
        grows = len(self.ends) > 1 and self.ends[0] == 0 and (np.diff(self.ends) > 0).all()
        if not (grows and np.isfinite(self.start) and 0 < self.width < np.inf):
            raise ValueError("the flow of the rows is none: time does not pass in it")

    def _passed(self, moments: Floats) -> Floats:
        return np.interp(moments, self._edges, self.ends)

    def _moment(self, passed: Floats) -> Floats:
        return np.interp(passed, self.ends, self._edges)

    @property
    def _edges(self) -> Floats:
        return np.asarray(self.start + self.width * np.arange(len(self.ends)), dtype=np.float64)

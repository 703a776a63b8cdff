"""How near generated rows lie to training rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agentsynth.base.codec import Part
from agentsynth.env.nearness import nearest
from agentsynth.scenarios.report import Nearest

Floats = NDArray[np.float64]
JUDGED, COMPARED = 500, 5000
"""Most rows whose distance is found, and most training rows that they are compared with."""


def nearest_rows(
    parts: Sequence[Part], train: Floats, steered: Floats, unguided: Floats, rng: np.random.Generator
) -> Nearest:
    """Return how far rows lie from the nearest training row.

    Args:
        parts: what codes stand for.
        train: codes (rows, parts) of the training rows.
        steered: codes of rows of a steered table.
        unguided: codes of rows that no goal chose.
        rng: chooses the training rows that are compared with.
    """
    sample = train[rng.permutation(len(train))[:COMPARED]]
    own = nearest(parts, sample[:JUDGED], sample, themselves=True)
    steered_far, unguided_far = (nearest(parts, rows[:JUDGED], sample) for rows in (steered, unguided))
    return Nearest(*(_summary(far, len(parts)) for far in (steered_far, unguided_far, own)))


def _summary(distances: Floats, columns: int) -> tuple[float, float]:
    """Return fifth percentile and median of distances, which are summed over columns."""
    low, middle = np.quantile(distances / columns, (0.05, 0.5))
    return float(low), float(middle)

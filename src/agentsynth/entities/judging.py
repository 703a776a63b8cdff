"""Judging: which way of drawing gaps tells best of other entities how long they wait."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.seeding import child_seed, stream

Floats = NDArray[np.float64]
Way = Callable[[NDArray[np.intp], NDArray[np.intp], int], Floats]
"""Given steps to learn from, steps to be drawn for and a seed: their drawn gaps, (steps to be drawn for, `DRAWN`)."""
DRAWN = 32
"""Gaps drawn for each step that is judged by."""
JUDGED = 1000
"""Most steps that are judged by."""
FEWEST = 40
"""Steps below which nothing is tried: a half would be a leaf or two."""
WINDOW, FEWEST_AROUND = 0.02, 10
"""A gap is found where one is drawn among the gaps around it: so large a share of them, at least so many; where it
repeats as often, as weeks and years do, where it is drawn itself."""


def better(gaps: Floats, entity: NDArray[np.int64], ways: list[Way], seed: int) -> int:
    """Return which of several ways (its index) draws gaps (steps,) best of entities that it was not learned from.

    Half of the entities are learned from. The logarithm of how often a held-out gap is found is a proper score of what
    is drawn for it (Gneiting and Raftery 2007, JASA 102(477), p. 359).

    Args:
        gaps: the true ones.
        entity: (steps,) whose they are.
        ways: of drawing them; the first is taken where there is nothing to choose by.
        seed: decides which half is learned from, and what is drawn.
    """
    if len(gaps) < FEWEST or (gaps == gaps[0]).all():
        return 0
    order = stream(seed, "halves").permutation(int(entity.max()) + 1)
    learned = np.isin(entity, order[: len(order) // 2])
    judged = np.flatnonzero(~learned)[:JUDGED]
    if not learned.any() or not len(judged):
        return 0
    low, high = around(np.sort(gaps), gaps[judged])
    scores = []
    for number, way in enumerate(ways):
        drawn = way(np.flatnonzero(learned), judged, child_seed(seed, f"way.{number}"))
        found = ((drawn >= low[:, None]) & (drawn <= high[:, None])).sum(axis=1)
        scores.append(float(np.log((found + 0.5) / (DRAWN + 1)).mean()))
    return int(np.argmax(scores))


def around(known: Floats, gaps: Floats) -> tuple[Floats, Floats]:
    """Return the least and the largest of the gaps around some (steps,), among all `known` ones, sorted.

    >>> around(np.repeat([1.0, 2.0, 3.0], [4, 20, 4]), np.array([1.0, 2.0]))
    (array([1., 2.]), array([2., 2.]))
    """
    first, after = np.searchsorted(known, gaps, side="left"), np.searchsorted(known, gaps, side="right")
    wanted = max(WINDOW * len(known), FEWEST_AROUND)
    lacking = np.ceil(np.maximum(wanted - (after - first), 0.0) / 2).astype(np.intp)
    return known[np.maximum(first - lacking, 0)], known[np.minimum(after + lacking, len(known)) - 1]


def repeated(frame: pd.DataFrame) -> pd.DataFrame:
    """Return each row of a frame `DRAWN` times, one after the other."""
    return frame.iloc[np.repeat(np.arange(len(frame)), DRAWN)].reset_index(drop=True)

"""How far rows lie from the training rows, and which shares of novelty keep generated rows as far as real ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agentsynth.base.codec import Part

Floats = NDArray[np.float64]
CHUNK = 256
"""Rows whose distances are held at a time."""
AIM = 0.42
"""Share of comparisons in which candidates shall be nearer: less than half, as all else that a table is refined by
draws rows towards the training rows (measured: by about 0.1)."""
STEEPEST = 1.0
"""Each level of novelty is at most e times as much in demand as the next."""


def places(parts: Sequence[Part], codes: Floats) -> Floats:
    """Return where codes (rows, parts) stand: middle ranks in [0, 1] for ordered parts (missing: -1), else the code."""
    found = codes.copy()
    for column, part in enumerate(parts):
        if part.ordered and len(part.values):
            middles = (np.cumsum(part.counts) - part.counts / 2) / part.counts.sum()
            placed = np.interp(codes[:, column], np.arange(len(middles)), middles)
            found[:, column] = np.where(codes[:, column] < 0, -1.0, placed)
    return found


def nearest(parts: Sequence[Part], rows: Floats, others: Floats, *, themselves: bool = False) -> Floats:
    """Return the distance (rows,) of codes (rows, parts) to the nearest of other codes (others, parts).

    Gower's (1971, Biometrics 27, p. 857), summed over parts: the difference of middle ranks, or 1 where labels differ;
    missing stands in the middle of the ranks and half a unit aside.

    Args:
        parts: what the codes stand for.
        rows: codes of the rows.
        others: codes of the rows to compare with.
        themselves: `others` begin with the rows themselves, and none is compared with itself.
    """
    from scipy.spatial.distance import cdist

    ordered = np.array([part.ordered for part in parts], dtype=bool)
    (points, labels), (their_points, their_labels) = (_split(places(parts, codes), ordered) for codes in (rows, others))
    found = np.empty(len(rows))
    for first in range(0, len(rows), CHUNK):
        chunk = slice(first, first + CHUNK)
        far = cdist(points[chunk], their_points, "cityblock")
        far += cdist(labels[chunk], their_labels, "hamming") * labels.shape[1]
        if themselves:
            at = np.arange(len(far))
            far[at, first + at] = np.inf
        found[chunk] = far.min(axis=1)
    return found


def _split(placed: Floats, ordered: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return the points that ordered parts make, missing ones put aside, and the labels; never without a column."""
    numbers, missing = placed[:, ordered], placed[:, ordered] < 0
    nothing = np.zeros((len(placed), 1))
    return np.hstack([np.where(missing, 0.5, numbers), missing / 2, nothing]), np.hstack([placed[:, ~ordered], nothing])


def fair_shares(real: Floats, levels: NDArray[np.int32], distances: Floats, real_distances: Floats) -> Floats:
    """Return the share (levels,) of each level of novelty that keeps candidates as far from training rows as real rows.

    The levels tell distance only roughly: rows of one level lie nearer when they are generated than when they are real.
    So the real shares are tilted towards novel rows (exponentially, as entropy balancing would), just so far that a
    candidate is nearer to the training rows than a real row is in a share `AIM` of all comparisons.

    Args:
        real: (levels,) shares of the real rows; the first level is the most novel.
        levels: (candidates,) level of each candidate.
        distances: (candidates,) their distances to the nearest training row.
        real_distances: (rows,) those of training rows to the nearest other one.
    """
    from scipy.optimize import brentq

    counts = np.bincount(levels, minlength=len(real))
    order = np.sort(real_distances)
    beyond = 2 * len(order) - np.searchsorted(order, distances, "left") - np.searchsorted(order, distances, "right")
    nearer = np.bincount(levels, beyond / (2 * len(order)), minlength=len(real)) / np.maximum(counts, 1)
    present = np.where(counts > 0, real, 0.0)

    def tilted(shares: Floats, slope: float) -> Floats:
        weights: Floats = shares * np.exp(-slope * np.arange(len(shares)))
        weights /= weights.sum()
        return weights

    def excess(slope: float) -> float:
        return float(tilted(present, slope) @ nearer) - AIM

    if not present.sum() or excess(0.0) <= 0:
        return real
    return tilted(real, STEEPEST if excess(STEEPEST) >= 0 else brentq(excess, 0.0, STEEPEST))

"""Novelty: how much a row resembles the training rows, told without keeping any of them.

Many random coarse views of a row (some of its columns, numbers in wide bins) are hashed; a bit array for each view
remembers which hashes occurred among the training rows (a Bloom filter: Bloom 1970, Commun. ACM 13(7), p. 422; random
coarse views of which near rows share many: Indyk and Motwani 1998, STOC, p. 604). A generated row that is known in
more views than a training row is, with that row itself left out, lies nearer to them than a new real row would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agentsynth.base.codec import Floats, Part
from agentsynth.env.nearness import places

VIEWS = 128
"""Views wanted; the more, the finer nearness is told."""
ATTEMPTS = 4
"""Views drawn at the most, per view wanted, in search of such that tell something."""
FEWEST, MOST = 0.05, 0.5
"""Share of training rows that another training row shares a view with: below, nothing is near, above, everything."""
BINS = (2, 3, 6, 12)
"""Bins of equally many training rows that a view may cut numbers and dates into."""
BITS_PER_ROW = 64
MOST_BITS = 1 << 20
"""Bits of a view's array: so many that few rows share a bit by chance, but no more than this, whatever the rows."""
WHOLE_BITS = 1 << 23
"""The same of whole rows: a row is hardly ever taken for another."""
LEVELS = 12
"""Cells of about equally many training rows, by the number of views that know a row."""
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
"""Fibonacci hashing's constant, 2^64 over the golden ratio (Knuth, TAOCP vol. 3, 6.4)."""


@dataclass(frozen=True)
class Novelty:
    """Two groups of cells: the number of views that know a row, and whether the row is known whole.

    Attributes:
        parts: (views, parts) whether a view looks at a part.
        bins: (views,) bins it cuts ordered parts into.
        shifts: (views, parts) where its bins begin, in bins.
        known: (views, bits / 8) packed bits of the hashes that occurred.
        whole: (bits / 8,) the same of whole rows.
        edges: (levels - 1,) a row that n views know belongs to the cell of the number of edges <= n.
    """

    parts: NDArray[np.bool_]
    bins: Floats
    shifts: Floats
    known: NDArray[np.uint8]
    whole: NDArray[np.uint8]
    edges: Floats

    FIELDS: ClassVar = ("parts", "bins", "shifts", "known", "whole", "edges")

    @property
    def sizes(self) -> NDArray[np.int32]:
        """Cells in each of the two groups."""
        return np.array([len(self.edges) + 1, 2], dtype=np.int32)

    @classmethod
    def fit(cls, parts: Sequence[Part], codes: Floats, rng: np.random.Generator) -> tuple[Novelty, NDArray[np.int32]]:
        """Learn views from the codes (rows, parts) of the training rows.

        Returns:
            The novelty, and the cells (rows, 2) of the training rows, each as if it were not among them.
        """
        placed, ordered = places(parts, codes), np.array([part.ordered for part in parts], dtype=bool)
        wanted = 1 << int(np.ceil(np.log2(BITS_PER_ROW * len(codes))))
        bits = min(MOST_BITS, wanted)
        views: list[tuple[NDArray[np.bool_], float, Floats]] = []
        known: list[NDArray[np.uint8]] = []
        hits = np.zeros(len(codes), dtype=np.int32)
        for _ in range(ATTEMPTS * VIEWS):
            view = _random_view(len(parts), rng)
            bitmap, shared = _remember(_view_hashes(placed, ordered, *view), bits)
            if FEWEST < shared.mean() < MOST:
                views.append(view)
                known.append(bitmap)
                hits += shared
            if len(views) == VIEWS:
                break
        whole, twins = _remember(_hashes(codes.astype(np.int64)), max(WHOLE_BITS, wanted))
        found = cls(
            np.array([view[0] for view in views], dtype=bool).reshape(-1, len(parts)),
            np.array([view[1] for view in views], dtype=np.float64),
            np.array([view[2] for view in views], dtype=np.float64).reshape(-1, len(parts)),
            np.array(known, dtype=np.uint8).reshape(-1, bits // 8),
            whole,
            np.unique(np.quantile(hits, np.arange(1, LEVELS) / LEVELS)),
        )
        return found, found._cells(hits, twins)

    def of(self, parts: Sequence[Part], codes: Floats) -> NDArray[np.int32]:
        """Return the cells (rows, 2) of generated rows, given their codes (rows, parts)."""
        placed, ordered = places(parts, codes), np.array([part.ordered for part in parts], dtype=bool)
        hits = np.zeros(len(codes), dtype=np.int32)
        for chosen, bins, shifts, known in zip(self.parts, self.bins, self.shifts, self.known, strict=True):
            hits += _occurs(_view_hashes(placed, ordered, chosen, float(bins), shifts), known)
        # Between two training values stands none of them.
        values = np.all(codes == np.floor(codes), axis=1)
        twins = values & _occurs(_hashes(codes.astype(np.int64)), self.whole)
        return self._cells(hits, twins)

    def _cells(self, hits: NDArray[np.int32], twins: NDArray[np.bool_]) -> NDArray[np.int32]:
        level = np.searchsorted(self.edges, hits, side="right")
        return np.column_stack([level, twins]).astype(np.int32)


def _random_view(parts: int, rng: np.random.Generator) -> tuple[NDArray[np.bool_], float, Floats]:
    chosen = np.zeros(parts, dtype=bool)
    chosen[rng.permutation(parts)[: rng.integers(min(2, parts), parts + 1)]] = True
    return chosen, float(rng.choice(BINS)), rng.random(parts)


def _view_hashes(
    placed: Floats, ordered: NDArray[np.bool_], chosen: NDArray[np.bool_], bins: float, shifts: Floats
) -> NDArray[np.uint64]:
    columns = placed[:, chosen]
    numbers = ordered[chosen]
    columns = np.where(numbers, np.floor(columns * bins + shifts[chosen]), columns)
    # Missing stands at -1, and so in a bin of its own only if that lies clear of the first: move it away.
    missing = numbers & (placed[:, chosen] < 0)
    return _hashes(np.where(missing, -1000, columns).astype(np.int64))


def _hashes(keys: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return one hash (rows,) of whole numbers (rows, columns)."""
    found = np.zeros(len(keys), dtype=np.uint64)
    for column in keys.T.astype(np.uint64):
        found = (found ^ column) * _MULTIPLIER
        found ^= found >> np.uint64(32)
    return found


def _remember(hashes: NDArray[np.uint64], bits: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the packed bits (bits / 8,) that the hashes set, and whether another row sets the bit of each, (rows,)."""
    slots, inverse, counts = np.unique(hashes % np.uint64(bits), return_inverse=True, return_counts=True)
    packed = np.zeros(bits // 8, dtype=np.uint8)
    np.bitwise_or.at(packed, slots >> np.uint64(3), np.uint8(128) >> (slots & np.uint64(7)).astype(np.uint8))
    return packed, counts[inverse] > 1


def _occurs(hashes: NDArray[np.uint64], known: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell for each hash (rows,) whether its slot among the packed bits is set."""
    slots = (hashes % np.uint64(8 * len(known))).astype(np.intp)
    found: NDArray[np.bool_] = (known[slots >> 3] >> (7 - (slots & 7)).astype(np.uint8)) & 1 == 1
    return found

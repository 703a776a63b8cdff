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
SHIFTS = 4
"""Places that a view's bins may begin at."""
BITS_PER_ROW = 64
MOST_BITS = 20
"""Bits of a view's array, as a power of two at the most: so many that few rows share a bit by chance."""
MOST_ROWS = 20_000
"""Training rows that views are made of; of a larger table a sample, as nobody stands out in a crowd."""
WHOLE_BITS = 1 << 23
"""The same of whole rows: a row is hardly ever taken for another."""
ROWS_AT_ONCE = 16_384
LEVELS = 12
"""Cells of about equally many training rows, by the number of views that know a row."""


@dataclass(frozen=True)
class Novelty:
    """Two groups of cells: the number of views that know a row, and whether the row is known whole.

    Attributes:
        parts: (views, parts) whether a view looks at a part.
        bins: (views,) bins it cuts ordered parts into.
        shifts: (views, parts) where its bins begin, in parts of a bin.
        known: (views, bits / 8) packed bits of the hashes that occurred.
        whole: (bits / 8,) the same of whole rows.
        edges: (levels - 1,) a row that n views know belongs to the cell of the number of edges <= n.
    """

    parts: NDArray[np.bool_]
    bins: NDArray[np.int64]
    shifts: NDArray[np.int64]
    known: NDArray[np.uint8]
    whole: NDArray[np.uint8]
    edges: Floats

    FIELDS: ClassVar = ("parts", "bins", "shifts", "known", "whole", "edges")

    @property
    def sizes(self) -> NDArray[np.int32]:
        """Cells in each of the two groups."""
        return np.array([len(self.edges) + 1, 2], dtype=np.int32)

    @classmethod
    def fit(cls, parts: Sequence[Part], codes: Floats, rng: np.random.Generator) -> tuple[Novelty, Floats]:
        """Learn views from the codes (rows, parts) of the training rows, or from a random sample of very many.

        Returns:
            The novelty, and the shares (cells,) of the training rows in its two groups, each row being judged as if it
            were not among them.
        """
        seen = codes if len(codes) <= MOST_ROWS else codes[rng.permutation(len(codes))[:MOST_ROWS]]
        hasher = _Hasher(parts, seen)
        bits = _bits(len(seen))
        views: list[tuple[NDArray[np.bool_], int, NDArray[np.int64]]] = []
        known: list[NDArray[np.uint8]] = []
        hits = np.zeros(len(seen), dtype=np.int32)
        for _ in range(ATTEMPTS * VIEWS):
            view = _random_view(len(parts), rng)
            bitmap, shared = _remember(hasher.view(*view), bits)
            if FEWEST < shared.mean() < MOST:
                views.append(view)
                known.append(bitmap)
                hits += shared
            if len(views) == VIEWS:
                break
        whole, twins = _remember(_Hasher(parts, codes).whole(), max(WHOLE_BITS, _bits(len(codes))))
        found = cls(
            np.array([view[0] for view in views], dtype=bool).reshape(-1, len(parts)),
            np.array([view[1] for view in views], dtype=np.int64),
            np.array([view[2] for view in views], dtype=np.int64).reshape(-1, len(parts)),
            np.array(known, dtype=np.uint8).reshape(-1, bits // 8),
            whole,
            np.unique(np.quantile(hits, np.arange(1, LEVELS) / LEVELS)),
        )
        levels = np.bincount(found._levels(hits), minlength=int(found.sizes[0])) / len(seen)
        return found, np.array([*levels, 1 - twins.mean(), twins.mean()])

    def of(self, parts: Sequence[Part], codes: Floats) -> NDArray[np.int32]:
        """Return the cells (rows, 2) of generated rows, given their codes (rows, parts)."""
        found = np.empty((len(codes), 2), dtype=np.int32)
        for first in range(0, len(codes), ROWS_AT_ONCE):
            block = slice(first, first + ROWS_AT_ONCE)
            found[block] = self._block(parts, codes[block])
        return found

    def _block(self, parts: Sequence[Part], codes: Floats) -> NDArray[np.int32]:
        hasher = _Hasher(parts, codes)
        hits = np.zeros(len(codes), dtype=np.int32)
        for chosen, bins, shifts, known in zip(self.parts, self.bins, self.shifts, self.known, strict=True):
            hits += _occurs(hasher.view(chosen, int(bins), shifts), known)
        # Between two training values stands none of them.
        values = np.all(codes == np.floor(codes), axis=1)
        return np.column_stack([self._levels(hits), values & _occurs(hasher.whole(), self.whole)])

    def _levels(self, hits: NDArray[np.int32]) -> NDArray[np.intp]:
        return np.searchsorted(self.edges, hits, side="right")


def _bits(rows: int) -> int:
    return 1 << min(MOST_BITS, int(np.ceil(np.log2(BITS_PER_ROW * rows))))


def _random_view(parts: int, rng: np.random.Generator) -> tuple[NDArray[np.bool_], int, NDArray[np.int64]]:
    """Return which parts a view looks at, its bins, and where they begin, in parts of a bin."""
    chosen = np.zeros(parts, dtype=bool)
    chosen[rng.permutation(parts)[: rng.integers(min(2, parts), parts + 1)]] = True
    return chosen, int(rng.choice(BINS)), rng.integers(SHIFTS, size=parts)


class _Hasher:
    """Hashes views of rows: the parts' hashes, each made once for all views that need it, are put together by XOR.

    (Tabulation hashing: Zobrist 1970, Univ. of Wisconsin, Technical Report 88.)
    """

    def __init__(self, parts: Sequence[Part], codes: Floats) -> None:
        self._codes, self._placed = codes, places(parts, codes)
        self._ordered = [part.ordered for part in parts]
        self._made: dict[tuple[int, int, int], NDArray[np.uint64]] = {}

    def view(self, chosen: NDArray[np.bool_], bins: int, shifts: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return the hash (rows,) of a view."""
        found = np.zeros(len(self._codes), dtype=np.uint64)
        for part in np.flatnonzero(chosen):
            found ^= self._binned(int(part), *((bins, int(shifts[part])) if self._ordered[part] else (0, 0)))
        return _mixed(found)

    def whole(self) -> NDArray[np.uint64]:
        """Return the hash (rows,) of whole rows."""
        found = np.zeros(len(self._codes), dtype=np.uint64)
        for part, codes in enumerate(self._codes.T):
            found ^= _hashed(np.floor(codes), part)
        return _mixed(found)

    def _binned(self, part: int, bins: int, shift: int) -> NDArray[np.uint64]:
        """Return the hash (rows,) of a part's bins; of its labels, where `bins` is 0."""
        key = part, bins, shift
        if key not in self._made:
            placed = self._placed[:, part]
            # A missing value has a bin of its own, away from the first.
            values = np.where(placed < 0, -1000.0, np.floor(placed * bins + shift / SHIFTS)) if bins else placed
            self._made[key] = _hashed(values, part)
        return self._made[key]


def _hashed(values: Floats, salt: int) -> NDArray[np.uint64]:
    """Return the hash (rows,) of whole numbers; another one for another salt."""
    return _mixed(values.astype(np.int64).astype(np.uint64) + np.uint64(salt << 40))


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return whole numbers (rows,) so mixed that each bit depends on all (Stafford's variant of MurmurHash3's end)."""
    mixed = keys >> np.uint64(30)
    mixed ^= keys
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _remember(hashes: NDArray[np.uint64], bits: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the packed bits (bits / 8,) that the hashes set, and whether another row sets the bit of each, (rows,)."""
    slots = _slots(hashes, bits)
    in_order = np.sort(slots)
    once, twice = np.zeros((2, bits), dtype=bool)
    once[slots] = True
    twice[in_order[1:][in_order[1:] == in_order[:-1]]] = True
    return np.packbits(once), twice[slots]


def _occurs(hashes: NDArray[np.uint64], known: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell for each hash (rows,) whether its slot among the packed bits is set."""
    slots = _slots(hashes, 8 * len(known))
    found: NDArray[np.bool_] = known.take(slots >> 3) << (slots & 7).astype(np.uint8) >= np.uint8(128)
    return found


def _slots(hashes: NDArray[np.uint64], bits: int) -> NDArray[np.intp]:
    """Return the slot of each hash (rows,) among so many bits, a power of two."""
    return (hashes & np.uint64(bits - 1)).astype(np.intp)

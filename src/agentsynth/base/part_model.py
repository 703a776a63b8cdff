"""How one part is drawn: a forest's leaves, and the training codes in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agentsynth.base.forest import Forest
from agentsynth.base.parts import Floats, Part
from agentsynth.base.spans import Span
from agentsynth.base.trend import Trend

WAY = 2.0
"""Part of the way to its neighbour that a value is spread over, in halves."""
PRIOR = 1.0
"""Rows of the whole table that a leaf is taken to hold beside its own, when it is asked how likely a value is there."""


@dataclass(frozen=True)
class PartModel:
    """How one part is drawn: walk a tree of `forest` to a leaf, then draw among the leaf's training codes.

    Attributes:
        start, size: (nodes,) the slice of `codes` that belongs to a leaf; unused for inner nodes.
        codes: (trees * training rows,) training codes, sorted within each leaf; of a part with a trend, residuals.
        trend: what the part follows beside its trees; None: nothing.
    """

    forest: Forest
    start: NDArray[np.int32]
    size: NDArray[np.int32]
    codes: NDArray[np.int32]
    trend: Trend | None = None

    @property
    def rows(self) -> int:
        """Training rows that the part was learned from."""
        return len(self.codes) // len(self.forest.roots)

    @property
    def is_sound(self) -> bool:
        """Whether every leaf has codes, all of them inside `codes`."""
        leaf = self.forest.feature < 0
        start, size = self.start[leaf].astype(np.int64), self.size[leaf].astype(np.int64)
        return bool((start >= 0).all() and (size > 0).all() and (start + size <= len(self.codes)).all())

    def draw(self, features: NDArray[np.float32], part: Part, rng: np.random.Generator) -> Floats:
        """Return a code (rows,) for each row of `features`.

        A leaf's sorted codes are read as a quantile function: a value that is not kept (see `Part.kept`) is spread over
        the way to its neighbours in the leaf, and lands on a number that ends as it does (see `Part.steps`).
        """
        tree = rng.integers(len(self.forest.roots), size=len(features))
        leaf = self.forest.leaves(features, tree)
        return self._drawn(self.start[leaf], self.size[leaf], part, rng)

    def draw_within(
        self, features: NDArray[np.float32], part: Part, span: Span, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Return a code (rows,) of its span for each row, and how likely the span is in the row's leaf.

        Where a leaf has no code of the span, one of all training codes in the span is drawn.
        """
        leaf = self.forest.leaves(features, rng.integers(len(self.forest.roots), size=len(features)))
        start, size = self.inside(leaf, span)
        code = self._drawn(np.minimum(start, len(self.codes) - 1), np.maximum(size, 1), part, rng)
        first, last = self._overall(span)
        anywhere = self._sorted[np.minimum(first + (rng.random(len(leaf)) * (last - first)).astype(np.intp), last - 1)]
        return np.where(size > 0, code, anywhere), self.share(size, self.size[leaf], last - first)

    def chance(self, features: NDArray[np.float32], span: Span) -> Floats:
        """Return how likely (rows,) a code of its span is for each row of `features`: the mean over all trees."""
        first, last = self._overall(span)
        return self.mean_share(features, span, last - first)

    def mean_share(self, features: NDArray[np.float32], span: Span, overall: NDArray[np.intp]) -> Floats:
        """Return the mean `share` (rows,) over all trees."""
        total: Floats = np.zeros(len(features))
        for tree in range(len(self.forest.roots)):
            leaf = self.forest.leaves(features, tree)
            total += self.share(self.inside(leaf, span)[1], self.size[leaf], overall)
        total /= len(self.forest.roots)
        return total

    def share(self, inside: NDArray[np.intp], size: NDArray[np.int32], overall: NDArray[np.intp]) -> Floats:
        """Return the share of a leaf's codes that are inside a span, `PRIOR` rows of the whole table added: never 0."""
        found: Floats = (inside + PRIOR * overall / self.rows) / (size + PRIOR)
        return found

    def inside(self, leaf: NDArray[np.int32], span: Span) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return where in `codes` those of a row's leaf and span begin, and how many they are; both (rows,)."""
        # Codes stand by leaf, then by size: with the leaf's number in front they are in order throughout.
        highest = int(self._sorted[-1])
        keys, own = self._keys, leaf.astype(np.int64) * (highest + 2) + 1
        first = np.searchsorted(keys, own + np.clip(span.low, -1, highest + 1))
        return first, np.searchsorted(keys, own + np.minimum(span.high, highest), side="right") - first

    def _overall(self, span: Span) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the places (rows,) among all training codes, sorted, where a span begins and where it has ended."""
        return np.searchsorted(self._sorted, span.low), np.searchsorted(self._sorted, span.high, side="right")

    @cached_property
    def _sorted(self) -> NDArray[np.int32]:
        return np.sort(self.codes[: self.rows])

    @cached_property
    def _keys(self) -> NDArray[np.int64]:
        leaf = np.repeat(np.arange(len(self.size), dtype=np.int64), self.size)
        keys: NDArray[np.int64] = leaf * (int(self._sorted[-1]) + 2) + self.codes + 1
        return keys

    def _drawn(
        self, start: NDArray[np.integer], size: NDArray[np.integer], part: Part, rng: np.random.Generator
    ) -> Floats:
        """Return a code (rows,) of the `size` ones that begin at each `start`."""
        code, moved, between = self.spread(start, size, rng)
        if not part.ordered or not len(part.values):
            return code
        free = between & ~part.kept[code.astype(np.intp)]
        code[free] = part.landed(moved[free], code[free])
        return code

    def spread(
        self, start: NDArray[np.integer], size: NDArray[np.integer], rng: np.random.Generator
    ) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Return a code (rows,) of the `size` ones that begin at each `start`, the same spread, and whether it can be.

        It is spread over the way to its neighbours; a missing one, or the only one, has none.
        """
        position = rng.random(len(start)) * size
        slot = np.minimum(position.astype(np.int32), size - 1)
        code: Floats = self.codes[start + slot].astype(np.float64)
        offset = position - slot - 0.5
        # The ends of a leaf have one neighbour only, and spread towards it, lest they repeat a training value.
        neighbour = np.where(((offset < 0) & (slot > 0)) | (slot == size - 1), slot - 1, slot + 1)
        inside = (neighbour >= 0) & (neighbour < size) & (code >= 0)
        other = self.codes[start + np.where(inside, neighbour, slot)]
        between = inside & (other >= 0)
        return code, np.where(between, code + WAY * np.abs(offset) * (other - code), code), between


def with_leaves(forest: Forest, features: NDArray[np.float32], codes: Floats, trend: Trend | None = None) -> PartModel:
    """Sort the training codes, of a part with a trend its residuals, into the leaves of every tree."""
    # Codes are whole numbers from -1 (missing) on: a leaf and a code in one number, which is sorted faster than two.
    # The nodes of a tree come after those of the trees before it, and so do their codes.
    whole = codes.astype(np.int64) + 1
    span = int(whole.max(initial=0)) + 1
    size = np.zeros(len(forest.feature), dtype=np.int64)
    inside = np.empty((len(forest.roots), len(codes)), dtype=np.int32)
    for tree, row in enumerate(inside):
        leaves = forest.leaves(features, tree)
        size += np.bincount(leaves, minlength=len(size))
        keys = leaves.astype(np.int64) * span + whole
        keys.sort()
        row[:] = keys % span - 1
    start = np.cumsum(size) - size
    return PartModel(forest, start.astype(np.int32), size.astype(np.int32), inside.ravel(), trend)

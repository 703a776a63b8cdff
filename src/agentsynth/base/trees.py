"""The base generator: each part is modelled by a small forest given the parts before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentsynth.base.codec import MISSING, Codec, Floats, Part
from agentsynth.base.forest import Forest
from agentsynth.config import GeneratorConfig
from agentsynth.seeding import child_seed, stream

MOST_CLASSES = 40
"""Above so many levels, or one for two rows, a part of labels is split like a number, on its codes: classification
costs trees x levels, and says little where most levels have a single row."""

MOST_ROWS = 50_000
"""Rows that a tree is grown on at the most: from here on, growing would take nearly all the time of a fit."""
THRESHOLDS = 15
RANK_WEIGHT = 4.0


@dataclass(frozen=True)
class PartModel:
    """How one part is drawn: walk a tree of `forest` to a leaf, then draw among the leaf's training codes.

    Attributes:
        start, size: (nodes,) the slice of `codes` that belongs to a leaf; unused for inner nodes.
        codes: (trees * training rows,) training codes, sorted within each leaf.
    """

    forest: Forest
    start: NDArray[np.int32]
    size: NDArray[np.int32]
    codes: NDArray[np.int32]

    def draw(self, features: NDArray[np.float32], part: Part, rng: np.random.Generator) -> Floats:
        """Return a code (rows,) for each row of `features`.

        A leaf's sorted codes are read as a quantile function: a value that is not kept (see `Part.kept`) is spread over
        half the way to its neighbours in the leaf.
        """
        tree = rng.integers(len(self.forest.roots), size=len(features))
        leaf = self.forest.leaves(features, tree)
        start, size = self.start[leaf], self.size[leaf]
        position = rng.random(len(features)) * size
        slot = np.minimum(position.astype(np.int32), size - 1)
        code = self.codes[start + slot].astype(np.float64)
        if not part.ordered or not len(part.values):
            return code
        offset = position - slot - 0.5
        # The ends of a leaf have one neighbour only, and spread towards it, lest they repeat a training value.
        neighbour = np.where(((offset < 0) & (slot > 0)) | (slot == size - 1), slot - 1, slot + 1)
        inside = (neighbour >= 0) & (neighbour < size) & (code >= 0)
        other = self.codes[start + np.where(inside, neighbour, slot)]
        spread = inside & (other >= 0) & (rng.random(len(code)) >= part.kept[code.astype(np.intp)])
        moved = code[spread] + np.abs(offset[spread]) * (other[spread] - code[spread])
        code[spread] = part.snapped(moved)
        return code


class SequentialTrees:
    """Draws rows part by part, as in CART synthesis (Reiter 2005, J. Official Statistics 21(3), p. 441), with forests.

    Args:
        codec: fitted codec of the table.
        config: trees per part, leaf size, share of features per split.
    """

    def __init__(self, codec: Codec, config: GeneratorConfig) -> None:
        self.codec = codec
        self.config = config
        self.order: list[int] = []
        self.models: list[PartModel] = []

    def fit(self, codes: Floats, seed: int, advance: Callable[[], None] = lambda: None) -> SequentialTrees:
        """Grow the forests on the training codes (rows, parts); `advance` is called after each part."""
        features = self.codec.features(codes)
        slices = self.codec.feature_slices
        self.order = _order(self.codec.parts)
        self.models = []
        columns = np.empty(0, dtype=np.int32)
        for index in self.order:
            part = self.codec.parts[index]
            rows = _taught_by(part, codes[:, index])
            seen, target = features[rows], codes[rows, index]
            trees = self._grow(seen[:, columns], target, part, child_seed(seed, f"trees.{index}"))
            self.models.append(_with_leaves(Forest.of(trees, columns), seen, target))
            columns = np.append(columns, np.arange(slices[index].start, slices[index].stop, dtype=np.int32))
            advance()
        return self

    def _grow(self, features: NDArray[np.float32], codes: Floats, part: Part, seed: int) -> list[Any]:
        """Return fitted scikit-learn trees that predict the part from `features` (rows, earlier features)."""
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        classes = not part.ordered and len(part.values) <= min(MOST_CLASSES, len(codes) // 2)
        estimator = DecisionTreeClassifier if classes else DecisionTreeRegressor
        target = codes if classes else _rank_targets(codes)
        count = self.config.trees
        if not features.shape[1]:
            # The first part has nothing to split on: one tree, one leaf.
            features, count = np.zeros((len(codes), 1), dtype=np.float32), 1
        grown = []
        for tree in range(count):
            rows = _sample(len(codes), seed + tree)
            model = estimator(
                min_samples_leaf=min(self.config.min_leaf, len(codes)),
                max_features=self.config.max_features,
                random_state=seed + tree,
            )
            grown.append(model.fit(features[rows], target[rows]))
        return grown

    def draw(self, rows: int, rng: np.random.Generator) -> Floats:
        """Return the codes (rows, parts) of freshly drawn rows."""
        codes = np.zeros((rows, len(self.codec.parts)))
        slices = self.codec.feature_slices
        features = np.zeros((rows, slices[-1].stop if slices else 0), dtype=np.float32)
        for index, model in zip(self.order, self.models, strict=True):
            part = self.codec.parts[index]
            codes[:, index] = model.draw(features, part, rng)
            if part.role == "time":
                # Its date stands just before it, and is missing or not for both.
                codes[codes[:, index - 1] < 0, index] = MISSING
            features[:, slices[index]] = np.column_stack(part.features(codes[:, index]))
        return codes


def _order(parts: list[Part]) -> list[int]:
    """Return the order in which parts are drawn: few-level labels, dates, numbers, many-level labels."""

    def key(index: int) -> tuple[int, int, int]:
        part = parts[index]
        if part.role == "label":
            return (0 if len(part.values) <= MOST_CLASSES else 3, len(part.values), index)
        return (2 if part.role == "number" else 1, 0, index)

    return sorted(range(len(parts)), key=key)


def _taught_by(part: Part, codes: Floats) -> NDArray[np.intp]:
    """Return the training rows that teach a part: of a time of day those that have one, of other parts all."""
    known = np.flatnonzero(codes >= 0)
    return known if part.role == "time" and len(known) else np.arange(len(codes))


def _sample(rows: int, seed: int) -> NDArray[np.intp] | slice:
    """Return the rows that a tree is grown on: all, or of a long table so many at random; its leaves hold all rows."""
    return slice(None) if rows <= MOST_ROWS else stream(seed, "rows").permutation(rows)[:MOST_ROWS]


def _rank_targets(codes: Floats) -> NDArray[np.float64]:
    """Return what a tree of an ordered part predicts: (rows, 1 + THRESHOLDS) targets made of the code's middle rank.

    Ranks are robust to heavy tails. Beside the rank stand indicators "above the j-th quantile": squared error summed
    over them is a discrete CRPS (Gneiting and Raftery 2007, JASA 102(477), p. 367), so that splits part rows whose
    distributions differ, also where their means do not.
    """
    ranks = _middle_ranks(codes)
    above = ranks[:, None] > np.arange(1, THRESHOLDS + 1) / (THRESHOLDS + 1)
    return np.column_stack([RANK_WEIGHT * ranks, above.astype(np.float64)])


def _middle_ranks(codes: Floats) -> Floats:
    """Return each code's mean rank in [0, 1]; ties share it."""
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    ranks: Floats = middle[inverse] / len(codes)
    return ranks


def _with_leaves(forest: Forest, features: NDArray[np.float32], codes: Floats) -> PartModel:
    """Sort the training codes into the leaves of every tree."""
    nodes = len(forest.feature)
    leaves = np.concatenate([forest.leaves(features, tree) for tree in range(len(forest.roots))])
    repeated = np.tile(codes, len(forest.roots))
    by_leaf = np.lexsort((repeated, leaves))
    size = np.bincount(leaves, minlength=nodes)
    start = np.cumsum(size) - size
    return PartModel(forest, start.astype(np.int32), size.astype(np.int32), repeated[by_leaf].astype(np.int32))

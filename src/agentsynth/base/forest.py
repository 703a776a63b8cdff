"""A forest as flat integer and float arrays, walked for many rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Forest:
    """The nodes of several trees laid end to end.

    Attributes:
        roots: (trees,) index of each tree's first node.
        feature: (nodes,) column of the feature matrix to look at; -1 in a leaf.
        threshold: (nodes,) go left where feature <= threshold.
        left, right: (nodes,) index of the children.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]

    @classmethod
    def of(cls, trees: Sequence[Any], columns: NDArray[np.int32]) -> Forest:
        """Lay fitted scikit-learn trees end to end; `columns` maps their features to the full feature matrix."""
        structures = [tree.tree_ for tree in trees]
        roots = np.cumsum([0, *(tree.node_count for tree in structures)])[:-1]
        leaf = np.concatenate([tree.children_left < 0 for tree in structures])

        def gather(name: str) -> NDArray[Any]:
            return np.concatenate([getattr(tree, name) for tree in structures])

        def shifted(name: str) -> NDArray[np.int32]:
            return np.concatenate(
                [getattr(tree, name) + root for tree, root in zip(structures, roots, strict=True)]
            ).astype(np.int32)

        feature = (
            np.where(leaf, -1, columns[np.where(leaf, 0, gather("feature"))]) if len(columns) else -leaf.astype(int)
        )
        return cls(
            roots.astype(np.int32),
            feature.astype(np.int32),
            _rounded_down(gather("threshold")),
            shifted("children_left"),
            shifted("children_right"),
        )

    def followed_by(self, other: Forest) -> Forest:
        """Return the trees of this forest and of another, in order."""
        nodes = len(self.feature)
        return Forest(
            np.concatenate([self.roots, other.roots + nodes]).astype(np.int32),
            np.concatenate([self.feature, other.feature]),
            np.concatenate([self.threshold, other.threshold]),
            np.concatenate([self.left, other.left + nodes]).astype(np.int32),
            np.concatenate([self.right, other.right + nodes]).astype(np.int32),
        )

    @property
    def is_sound(self) -> bool:
        """Whether every walk ends in a leaf: children come after their node, and there are as many of all as nodes."""
        nodes, inner = len(self.feature), np.flatnonzero(self.feature >= 0)
        sizes = {len(field) for field in (self.threshold, self.left, self.right)}
        children = np.concatenate([self.left[inner], self.right[inner]])
        ends = [*self.roots, *children]
        return sizes == {nodes} and bool(
            len(self.roots) and min(ends) >= 0 and max(ends) < nodes and (children > np.tile(inner, 2)).all()
        )

    @property
    def leaf_counts(self) -> list[int]:
        """Leaves of each tree."""
        return [int(count) for count in np.add.reduceat(self.feature < 0, self.roots, dtype=np.int64)]

    @property
    def leaf_numbers(self) -> NDArray[np.int32]:
        """Number (nodes,) of each leaf among those of its tree, from 0; of no use for inner nodes."""
        before: NDArray[np.int64] = np.cumsum(self.feature < 0) - (self.feature < 0)
        nodes = np.diff([*self.roots, len(self.feature)])
        return (before - np.repeat(before[self.roots], nodes)).astype(np.int32)

    def leaves(self, features: NDArray[np.float32], tree: NDArray[np.intp] | int) -> NDArray[np.int32]:
        """Return the leaf (node index, (rows,)) that each row of `features` reaches in its `tree`."""
        rows, width = features.shape
        node = np.broadcast_to(self.roots[tree], rows).astype(np.intp)
        if not width:
            return node.astype(np.int32)
        feature, threshold, children = self._steps
        flat, at, active = features.ravel(), node, np.arange(rows)
        first = active * width
        while True:
            left = flat.take(first + feature.take(at)) <= threshold.take(at)
            below = children.take(2 * at + left)
            moving = below != at
            at, count = below, np.count_nonzero(moving)
            if not count or 2 * count < len(at):
                # Rows in a leaf stay there: to look at them is cheap, until they are the most.
                node[active] = at
                if not count:
                    return node.astype(np.int32)
                active, at, first = active[moving], at[moving], first[moving]

    def all_leaves(self, features: NDArray[np.float32]) -> NDArray[np.int32]:
        """Return the number (rows, trees) of the leaf that each row of `features` reaches in each tree, from 0."""
        number, trees = self.leaf_numbers, range(len(self.roots))
        return np.column_stack([number[self.leaves(features, tree)] for tree in trees])

    @cached_property
    def _steps(self) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.intp]]:
        """Column and threshold (nodes,) to look at, and the nodes (2 * nodes,) to the right and left of each.

        Indices are as wide as the machine's, so that none is converted on the way; a leaf leads to itself.
        """
        leaf, own = self.feature < 0, np.arange(len(self.feature))
        children = np.column_stack([np.where(leaf, own, self.right), np.where(leaf, own, self.left)])
        return np.where(leaf, 0, self.feature).astype(np.intp), self.threshold, children.ravel().astype(np.intp)


def _rounded_down(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round thresholds down to float32: `x <= threshold` then has the same answer for every float32 x."""
    single = threshold.astype(np.float32)
    above = single > threshold
    single[above] = np.nextafter(single[above], np.float32(-np.inf))
    return single

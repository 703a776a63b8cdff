"""Rarity: how dense the real table is where a row lies, and weights that make rare rows likelier, or less likely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agentsynth.data.schema import Schema
from agentsynth.env.cells import Cells

Floats = NDArray[np.float64]
WORTH = 0.2
"""Least share of its rows that a pool is worth under the weights: the heaviest are cut down to that."""
PRIOR = 1.0
"""Rows that a cell is taken to hold beside the real ones: of a margin spread evenly, of a pair as if independent."""


@dataclass(frozen=True)
class Rarity:
    """The density of the real table, as a forest of dependencies between columns.

    Rows are told apart by margins, which count as independent but for the pairs on a maximum spanning forest by mutual
    information: of all such forests the likeliest (Chow and Liu 1968, IEEE Trans. Inf. Theory 14(3), p. 462).

    Attributes:
        groups: the margins, and the pairs of the forest, among the groups of the cells.
        logs: (cells,) what a cell of these adds to the logarithm of a row's density.
    """

    groups: tuple[int, ...]
    logs: Floats

    @classmethod
    def of(cls, cells: Cells, real: Floats, rows: int, schema: Schema) -> Rarity:
        """Learn the density.

        Args:
            cells: how rows are sorted into cells.
            real: (cells,) shares of the real rows.
            rows: how many these are.
            schema: of the table. Derived columns follow from others, and add nothing.
        """
        margins = [group for group, margin in enumerate(cells.margins) if _counts(group, cells, schema)]
        nodes = {cells.margins[group].name: place for place, group in enumerate(margins)}
        logs = np.zeros(len(real))
        for group in margins:
            own = _cells_of(group, cells)
            logs[own] = np.log((rows * real[own] + PRIOR / len(real[own])) / (rows + PRIOR))
        edges: list[tuple[int, int, float, int]] = []
        for place, (first, second) in enumerate(cells.pairs):
            if first.name not in nodes or second.name not in nodes:
                continue
            group = len(cells.margins) + place
            own = _cells_of(group, cells)
            joint = real[own].reshape(first.size, second.size)
            logs[own] = _dependence(joint, rows).ravel()
            edges.append((nodes[first.name], nodes[second.name], information(joint, rows), group))
        return cls((*margins, *spanning_forest(edges, len(margins))), logs)

    def of_rows(self, cells: NDArray[np.int32]) -> Floats:
        """Return the logarithm of the density (rows,) of rows, by their cells (rows, groups)."""
        found: Floats = self.logs[cells[:, list(self.groups)]].sum(axis=1)
        return found

    def weights(self, cells: NDArray[np.int32], temperature: float) -> Floats:
        """Return the logarithms of the weights (rows,) that make rows of density p as frequent as p^(1 / T)."""
        return capped((1 / temperature - 1) * self.of_rows(cells), WORTH)


def _counts(group: int, cells: Cells, schema: Schema) -> bool:
    """Return whether a margin tells rows apart: it is modelled, and a date has no margin for its month as well."""
    margin = cells.margins[group]
    if schema[margin.column].kind == "derived":
        return False
    return margin.aspect != "date" or f"{margin.column}.month" not in {other.name for other in cells.margins}


def _cells_of(group: int, cells: Cells) -> slice:
    first = int(cells.offsets[group])
    return slice(first, first + int(cells.sizes[group]))


def _dependence(joint: Floats, rows: int) -> Floats:
    """Return the logarithm of how much likelier each two cells are together than if they were independent."""
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    ratio = np.divide(joint, apart, out=np.ones_like(joint), where=apart > 0)
    found: Floats = np.log((rows * ratio + PRIOR) / (rows + PRIOR))
    return found


def information(joint: Floats, rows: int) -> float:
    """Return the mutual information, in nats, of two margins by the shares of their cells, less a sample's bias.

    The bias: Miller (1955), about (r - 1)(c - 1) / 2n over the cells in use.
    """
    first, second = joint.sum(axis=1), joint.sum(axis=0)
    used = joint > 0
    plain = float((joint[used] * np.log(joint[used] / np.outer(first, second)[used])).sum())
    return plain - (np.count_nonzero(first) - 1) * (np.count_nonzero(second) - 1) / (2 * rows)


def spanning_forest(edges: Sequence[tuple[int, int, float, int]], nodes: int) -> list[int]:
    """Return the labels of the edges (node, node, worth, label) that make a forest of the most worth; none of 0."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    worth = [edge for edge in edges if edge[2] > 0]
    if not worth:
        return []
    first, second, value, labels = zip(*worth, strict=True)
    places = np.array([first, second], dtype=np.int32)  # csgraph before scipy 1.17 takes no wider integers
    tree = minimum_spanning_tree(coo_array((-np.array(value), places), shape=(nodes, nodes)).tocsr())
    kept = set(zip(*(places.tolist() for places in tree.nonzero()), strict=True))
    return [label for a, b, label in zip(first, second, labels, strict=True) if (a, b) in kept]


def capped(logs: Floats, worth: float) -> Floats:
    """Return log weights (rows,), the heaviest cut down until the rows are worth at least this share of their number.

    The effective number of weighted rows is at least their sum over the largest; truncation: Ionides (2008), J. Comput.
    Graph. Statist. 17(2), p. 295.
    """
    ordered = np.sort(logs - logs.max(initial=-np.inf))[::-1]
    if not len(ordered):
        return logs
    weights = np.exp(ordered)
    rest = np.cumsum(weights[::-1])[::-1]
    wanted = worth * len(logs)
    # If the k heaviest are cut to the next one, all are worth k and the others' sum over it; k is the least that does.
    enough = int(np.argmax(np.arange(len(logs)) + rest / np.maximum(weights, 1e-300) >= wanted))
    cut: Floats = np.minimum(logs, logs.max() + ordered[enough])
    return cut

"""What an attacker reads off a synthetic table about a record: clues that the record was learned from, or was not.

They follow the attacks of the literature: distances to the nearest synthetic rows (Chen et al., "GAN-Leaks", CCS 2020),
and counts of the synthetic rows that share some of a record's values, for random subsets of columns (the query-based
attack of Houssiau et al., "TAPAS: a toolbox for adversarial privacy auditing of synthetic data", NeurIPS 2022
workshop on synthetic data); those of one and two columns stand for the summaries of Stadler, Oprisanu & Troncoso,
"Synthetic data - anonymisation groundhog day", USENIX Security 2022. Besides, exact values: a value that only one
record has, or an extreme, is in the synthetic table only if the record was learned from (or by luck).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.metrics.privacy import Points, Space, distances
from agentsynth.metrics.values import kind_of, numbers
from agentsynth.seeding import stream

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

NEIGHBOURS = (1, 2, 4, 8, 16)
"""Distances looked at: to the nearest synthetic row, the second nearest, ..."""
NEAR = 0.01
"""Distances (of 1, mean over columns) are read on a logarithmic scale down to this."""
BINS = 10
"""Bins of a number's ranks in queries."""
SIZES = (1, 2, 3, 4)
"""Columns that a query asks for at a time."""
QUERIES = 40
"""Random subsets of columns of each size."""
FAMILIES = {"distances": slice(0, 5), "queries": slice(5, 9), "exact values": slice(9, 14)}
"""Which clues are of a kind."""


@dataclass(frozen=True)
class Attacker:
    """Knows the records (n, p) that he asks about, typed, and how columns are placed; not which were learned from."""

    records: pd.DataFrame
    space: Space
    points: Points
    subsets: tuple[tuple[tuple[int, ...], ...], ...]
    """For each of SIZES, the columns of its queries."""
    pairs: tuple[tuple[int, ...], ...]
    """Columns of the queries for exact values."""

    @classmethod
    def of(cls, records: pd.DataFrame, seed: int) -> Attacker:
        """Prepare the questions about typed records."""
        space = Space.of(records)
        width = len(records.columns)
        subsets = tuple(_subsets(width, min(size, width), stream(seed, f"queries {size}")) for size in SIZES)
        pairs = _subsets(width, min(2, width), stream(seed, "queries of values"))
        return cls(records, space, space.place(records), subsets, pairs)

    def clues(self, table: pd.DataFrame) -> Floats:
        """Return the clues (n, clues) in a typed synthetic table; the larger, the more they speak for membership."""
        placed = self.space.place(table)
        near = self._nearness(placed)
        bins = _bins(self.points), _bins(placed)
        counted = [self._queries(*bins, subsets) for subsets in self.subsets]
        return np.column_stack([near, *counted, *self._values(table), self._outside(table)])

    def outlyingness(self) -> Floats:
        """Return the distance (n,) of each record to its nearest other record."""
        found = distances(self.points, self.points)
        np.fill_diagonal(found, np.inf)
        nearest: Floats = found.min(axis=1)
        return nearest

    def _nearness(self, placed: Points) -> Floats:
        """Return minus the logarithms (n, len(NEIGHBOURS)) of the distances to the nearest synthetic rows."""
        found = distances(self.points, placed) / len(self.records.columns)
        ranks = [min(rank, found.shape[1]) - 1 for rank in NEIGHBOURS]
        nearness: Floats = -np.log(np.partition(found, ranks, axis=1)[:, ranks] + NEAR)
        return nearness

    def _queries(self, known: Integers, made: Integers, subsets: tuple[tuple[int, ...], ...]) -> Floats:
        """Return the mean over queries of log(1 + matching synthetic rows), (n,)."""
        logs = [np.log1p(_matches(known[:, columns], made[:, columns])) for columns in map(list, subsets)]
        mean: Floats = np.mean(logs, axis=0)
        return mean

    def _values(self, table: pd.DataFrame) -> tuple[Floats, Floats, Floats, Floats]:
        """Return what exact values tell, (n,) each: how often, minus how many are absent, the rare ones, pairs."""
        known, made = _value_codes(self.records, table)
        counts = np.column_stack([_matches(known[:, [j]], made[:, [j]]) for j in range(known.shape[1])])
        common = np.column_stack([np.bincount(column)[column] for column in known.T])
        present = counts > 0
        return (
            np.log1p(counts).mean(axis=1),
            -(~present).sum(axis=1).astype(np.float64),
            (present / common).sum(axis=1),
            self._queries(known, made, self.pairs),
        )

    def _outside(self, table: pd.DataFrame) -> Floats:
        """Return minus the number of columns (n,) in which a record lies beyond all synthetic values."""
        beyond = np.zeros(len(self.records))
        for name in self.space.references:
            values, made = numbers(self.records[name]), numbers(table[name])
            made = made[~np.isnan(made)]
            if len(made):
                beyond += (values < made.min()) | (values > made.max())
        return -beyond


def _subsets(columns: int, size: int, rng: np.random.Generator) -> tuple[tuple[int, ...], ...]:
    """Return different subsets of `size` columns, at most QUERIES."""
    drawn = (tuple(sorted(rng.choice(columns, size, replace=False).tolist())) for _ in range(QUERIES))
    return tuple(dict.fromkeys(drawn))


def _bins(points: Points) -> Integers:
    """Return the bins of placed rows, (rows, p): ranks in BINS parts, missing, or the level."""
    ranks, aside = points.positions[:, ::2], points.positions[:, 1::2]
    binned = np.where(aside > 0, BINS, np.minimum((ranks * BINS).astype(np.int64), BINS - 1))
    return np.column_stack([binned, points.codes.astype(np.int64)])


def _value_codes(records: pd.DataFrame, table: pd.DataFrame) -> tuple[Integers, Integers]:
    """Return codes (n, p) and (rows, p) that are equal where values are; missing is a value."""
    columns = []
    for name in records.columns:
        both = pd.concat([_plain(records[name]), _plain(table[name])], ignore_index=True)
        columns.append(pd.factorize(both, use_na_sentinel=False)[0].astype(np.int64))
    codes = np.column_stack(columns)
    return codes[: len(records)], codes[len(records) :]


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.astype(object) if kind_of(column) == "categorical" else pd.Series(numbers(column))


def _matches(known: Integers, made: Integers) -> Integers:
    """Return how many rows of `made` equal each row of `known` in all of a few columns, (n,)."""
    both = np.concatenate([known, made])
    both -= both.min(axis=0)
    keys = np.zeros(len(both), dtype=np.int64)
    for column in both.T:
        # Renumbered after every column, so that the product stays below rows squared.
        keys, _ = pd.factorize(keys * (column.max() + 1) + column)
    return np.bincount(keys[len(known) :], minlength=keys.max() + 1)[keys[: len(known)]]

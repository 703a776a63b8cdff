"""Privacy: do synthetic rows give away training rows?

**Exact copies.** Name: exact_copies. Goal: low. Range: 0 to 1. The share of rows that equal a training row in every
modelled column (derived columns follow from them, ids are made up). 0 = none; the ceiling tells how often an unseen
real row happens to equal a training row, which is often where a table has few columns of few values.

**Nearer to training.** Name: nearer_to_training. Goal: low. Range: 0 to 1. The share of rows whose nearest training row
is nearer than their nearest unseen real row, of equally many of each; ties count half. 0.5 = fair: the rows know no
more of the training rows than of rows nobody saw; 1 = every row leans on a training row.

Distance: Gower's, the mean over modelled columns of |difference of ranks| (numbers and datetimes; ranks in [0, 1] among
the real rows of both kinds) or 0 / 1 (same level or not). A missing number stands in the middle of the ranks and half a
unit aside. Neither figure is a proof of privacy: no differential privacy is claimed.
Sources: Gower, "A general coefficient of similarity", Biometrics 27 (1971), p. 857; Platzer & Reutterer, "Holdout-based
empirical assessment of mixed-type synthetic data", Front. Big Data 4 (2021), p. 4 (share nearer to training).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from agentsynth.metrics.baselines import sample
from agentsynth.metrics.score import CannotScoreError, Definition
from agentsynth.metrics.values import Floats, Integers, kind_of, numbers

COPIES = Definition("exact_copies", "lower", "share of rows that equal a training row; fair: as among unseen real rows")
NEARER = Definition(
    "nearer_to_training", "lower", "share of rows nearer to a training than to an unseen row; 0.5 = fair"
)

_CHUNK = 256
"""Rows whose distances are held at a time: 256 x 5,000 distances are 10 MB."""


def exact_copies(train: pd.DataFrame, rows: pd.DataFrame) -> float:
    """Return the share of `rows` that occur in `train`; both are typed frames of the modelled columns.

    Raises:
        CannotScoreError: there is no column.
    """
    if not len(rows.columns):
        raise CannotScoreError("no modelled column")
    keys = _row_keys(pd.concat([train, rows], ignore_index=True))
    return float(np.isin(keys[len(train) :], keys[: len(train)]).mean())


def nearer_to_training(
    train: pd.DataFrame, unseen: pd.DataFrame, rows: pd.DataFrame, seed: int = 0, max_rows: int = 5000
) -> float:
    """Return the share of `rows` nearer to training rows; all are typed frames of the modelled columns.

    Time grows with the product of the rows (at most `max_rows` of each frame); memory does not.

    Raises:
        CannotScoreError: there is no column, or no unseen row.
    """
    count = min(len(train), len(unseen), max_rows)
    if not len(rows.columns) or not count:
        raise CannotScoreError("no modelled column" if count else "no unseen real row to compare with")
    train, unseen = sample(train, count, seed, "train"), sample(unseen, count, seed, "unseen")
    space = Space.of(pd.concat([train, unseen], ignore_index=True))
    points = space.place(sample(rows, max_rows, seed, "judged"))
    lead = nearest(points, space.place(unseen)) - nearest(points, space.place(train))
    lead[np.abs(lead) < 1e-9] = 0  # Equal distances may differ by rounding.
    return float(((lead > 0) + (lead == 0) / 2).mean())


@dataclass(frozen=True)
class Points:
    """Rows placed for Gower's distance."""

    positions: Floats
    """Shape (rows, numbers + those that may be missing): distances add up as absolute differences."""
    codes: Floats
    """Shape (rows, categorical columns): distances add up as 1 for each difference."""

    def part(self, rows: slice) -> Points:
        """Return some of the rows."""
        return Points(self.positions[rows], self.codes[rows])


@dataclass(frozen=True)
class Space:
    """The ranks and levels that rows are placed by."""

    references: dict[str, Floats]
    """Numeric or datetime column -> its sorted observed values."""
    levels: dict[str, pd.Index[Any]]
    """Categorical column -> its levels; levels not among them are alike."""

    @classmethod
    def of(cls, real: pd.DataFrame) -> Space:
        """Learn ranks and levels from a typed frame."""
        categorical = [name for name in real.columns if kind_of(real[name]) == "categorical"]
        values = {name: numbers(real[name]) for name in real.columns if name not in categorical}
        return cls(
            references={name: np.sort(column[~np.isnan(column)]) for name, column in values.items()},
            levels={name: pd.Index(real[name].dropna().unique(), dtype=object) for name in categorical},
        )

    def place(self, frame: pd.DataFrame) -> Points:
        """Place the rows of a typed frame."""
        positions = [part for name in self.references for part in self._position(numbers(frame[name]), name)]
        codes = [self._codes(frame, name) for name in self.levels]
        return Points(*(np.stack(part, axis=1) if part else np.empty((len(frame), 0)) for part in (positions, codes)))

    def _position(self, values: Floats, name: str) -> tuple[Floats, Floats]:
        """Return the mid-ranks in [0, 1], and how far aside each value stands (missing: 1/2)."""
        reference, missing = self.references[name], np.isnan(values)
        ranks = np.searchsorted(reference, values, "left") + np.searchsorted(reference, values, "right")
        return np.where(missing, 0.5, ranks / (2 * max(len(reference), 1))), missing / 2

    def _codes(self, frame: pd.DataFrame, name: str) -> Floats:
        codes = self.levels[name].get_indexer(pd.Index(frame[name].astype(object))).astype(np.float64)
        return np.where(frame[name].isna().to_numpy(), -2.0, codes)


def nearest(points: Points, others: Points) -> Floats:
    """Return the distance from each point to the nearest of the others, summed over columns, shape (points,)."""
    starts = range(0, len(points.positions), _CHUNK)
    chunks = (points.part(slice(start, start + _CHUNK)) for start in starts)
    return np.concatenate([distances(chunk, others).min(axis=1) for chunk in chunks])


def distances(points: Points, others: Points) -> Floats:
    """Return the distance from each point to each of the others, summed over columns, shape (points, others)."""
    total = np.zeros((len(points.positions), len(others.positions)))
    if points.positions.shape[1]:
        total += cdist(points.positions, others.positions, "cityblock")
    if points.codes.shape[1]:
        total += cdist(points.codes, others.codes, "hamming") * points.codes.shape[1]
    return total


def _row_keys(frame: pd.DataFrame) -> Integers:
    """Return one exact integer key a row: equal keys, equal rows (missing equals missing)."""
    keys = np.zeros(len(frame), dtype=np.int64)
    for name in frame.columns:
        codes, levels = pd.factorize(frame[name], use_na_sentinel=False)
        # Renumbered after every column, so that the product stays below rows squared.
        keys, _ = pd.factorize(keys * len(levels) + codes)
    return keys

"""Distances between rows where every column counts alike: Gower's, with numbers scaled by their range.

The distance of two rows is the sum over columns of |difference| / range of the reference rows (numbers and datetimes)
or 0 / 1 (the same level or not; missing is a level of its own). It is the city-block distance of rows whose numbers are
scaled to [0, 1] and whose levels are one-hot / 2. A missing number stands in the middle of the range and half a unit
aside. A column that is constant in the reference rows counts 1 for any other value.
Source: Gower, "A general coefficient of similarity", Biometrics 27 (1971), p. 857; without the division by the number
of columns, as Jolicoeur-Martineau, Fatras & Kachman use it (see `wasserstein`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from agentsynth.metrics.score import CannotScoreError
from agentsynth.metrics.values import Floats, kind_of, numbers, pooled_codes

FARTHEST = 1e9
"""Ranges that a number may lie outside the reference's; beyond, where a range is next to nothing, all are alike."""


def distances(reference: pd.DataFrame, first: pd.DataFrame, second: pd.DataFrame) -> Floats:
    """Return the distance from each row of `first` to each of `second`, shape (rows of first, rows of second).

    All are typed frames with the columns of `reference`, whose rows say how wide each column is.

    Raises:
        CannotScoreError: there is no column, or a frame has no row.
    """
    if not len(reference.columns):
        raise CannotScoreError("no column to compare rows by")
    if min(len(reference), len(first), len(second)) == 0:
        raise CannotScoreError("a table has no row")
    total = np.zeros((len(first), len(second)))
    categorical = [name for name in reference.columns if kind_of(reference[name]) == "categorical"]
    if categorical:
        codes = [pooled_codes(first[name], second[name])[:2] for name in categorical]
        one, other = (np.stack(side, axis=1).astype(np.float64) for side in zip(*codes, strict=True))
        total += cdist(one, other, "hamming") * len(categorical)
    numeric = [name for name in reference.columns if name not in categorical]
    if numeric:
        one, other = (
            np.concatenate([_place(reference[name], frame[name]) for name in numeric], axis=1)
            for frame in (first, second)
        )
        total += cdist(one, other, "cityblock")
    return total


def _place(reference: pd.Series[Any], column: pd.Series[Any]) -> Floats:
    """Return the positions on the reference's range, and how far aside each value stands, shape (rows, 2)."""
    known, values = numbers(reference), numbers(column)
    observed, missing = known[~np.isnan(known)], np.isnan(values)
    low, high = (observed.min(), observed.max()) if len(observed) else (0.0, 0.0)
    with np.errstate(over="ignore"):
        scaled = (values - low) / (high - low) if high > low else np.where(values == low, 0.0, 1.0)
    scaled = np.clip(scaled, -FARTHEST, FARTHEST)
    return np.stack([np.where(missing, 0.5, scaled), missing / 2], axis=1)

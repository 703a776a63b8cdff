"""Single columns: mean, standard deviation, missing share, distribution difference.

**Distribution difference.** Name: Kolmogorov-Smirnov statistic (numeric, datetime) or total variation (categorical).
Goal: low. Range: 0 (the two columns hold the same values in the same shares) to 1 (they share no value, or one lies
wholly beyond the other). Missing values are a mass of their own: a column that is missing throughout differs by 1 from
one that never is. Sources: Massey, "The Kolmogorov-Smirnov test for goodness of fit", JASA 46 (1951), p. 68; Levin,
Peres & Wilmer, "Markov Chains and Mixing Times" (2009), p. 47 (total variation).

**Mean difference.** (synthetic mean - real mean) / real standard deviation; goal 0; unbounded. **Std difference.**
synthetic std / real std - 1; goal 0; at least -1 (a constant column). Both are undefined for categories.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from agentsynth.metrics.score import CannotScoreError, Definition
from agentsynth.metrics.values import Floats, Integers, ValueKind, kind_of, numbers, pooled_codes

MEAN_DIFFERENCE = Definition(
    "mean_difference", "lower", "how far column means are off, in real standard deviations; 0 = exact"
)
STD_DIFFERENCE = Definition("std_difference", "lower", "how far standard deviations are off, relative; 0 = exact")


@dataclass(frozen=True)
class Marginal:
    """One column, real and synthetic; None where a figure is undefined (categories, nothing observed).

    Means and standard deviations (population form) of datetimes are in seconds (since 1970).
    """

    kind: ValueKind
    difference: float
    real_mean: float | None
    synthetic_mean: float | None
    mean_difference: float | None
    real_std: float | None
    synthetic_std: float | None
    std_difference: float | None
    real_missing: float
    synthetic_missing: float


def marginals(real: pd.DataFrame, synthetic: pd.DataFrame) -> dict[str, Marginal]:
    """Compare two typed frames column by column; neither may be empty."""
    return {name: marginal(real[name], synthetic[name]) for name in real.columns}


def marginal(real: pd.Series[Any], synthetic: pd.Series[Any]) -> Marginal:
    """Compare two typed columns."""
    real_mean, real_std = _moments(real)
    synthetic_mean, synthetic_std = _moments(synthetic)
    return Marginal(
        kind=kind_of(real),
        difference=distribution_difference(real, synthetic),
        real_mean=real_mean,
        synthetic_mean=synthetic_mean,
        mean_difference=_mean_difference(real_mean, synthetic_mean, real_std),
        real_std=real_std,
        synthetic_std=synthetic_std,
        std_difference=_std_difference(real_std, synthetic_std),
        real_missing=float(real.isna().mean()),
        synthetic_missing=float(synthetic.isna().mean()),
    )


def distribution_difference(real: pd.Series[Any], synthetic: pd.Series[Any]) -> float:
    """Return the distribution difference (see the module) of two typed columns, in [0, 1]."""
    if kind_of(real) == "categorical":
        return total_variation(*pooled_codes(real, synthetic))
    return kolmogorov_smirnov(numbers(real), numbers(synthetic))


def kolmogorov_smirnov(first: Floats, second: Floats) -> float:
    """Return the largest difference between two cumulative shares; NaN is missing, a mass of its own.

    The missing mass is placed once below all values and once above them, and the larger difference is taken, so that
    the statistic is the same for x and -x.

    >>> kolmogorov_smirnov(np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 3, np.nan]))
    0.25
    """
    ordered_first, ordered_second = (np.sort(values[~np.isnan(values)]) for values in (first, second))
    points = np.concatenate([ordered_first, ordered_second])
    below = np.searchsorted(ordered_first, points, side="right") / len(first)
    below_second = np.searchsorted(ordered_second, points, side="right") / len(second)
    gap = below - below_second
    missing_gap = len(ordered_first) / len(first) - len(ordered_second) / len(second)
    return float(max(np.abs(gap).max(initial=0.0), np.abs(gap - missing_gap).max(initial=0.0), abs(missing_gap)))


def total_variation(first: Integers, second: Integers, size: int) -> float:
    """Return half the sum of the differences of shares between two arrays of codes in [0, size).

    >>> total_variation(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1]), 2)
    0.25
    """
    counts, others = (np.bincount(codes, minlength=size).astype(np.int64) for codes in (first, second))
    # In whole numbers: sums of shares can come to a hair above 1.
    return int(np.abs(counts * len(second) - others * len(first)).sum()) / (2 * len(first) * len(second))


def mean_difference(columns: Mapping[str, Marginal]) -> float:
    """Return the mean absolute mean difference over the columns that have one.

    Raises:
        CannotScoreError: no column has a mean and a spread.
    """
    return _mean_size([column.mean_difference for column in columns.values()])


def std_difference(columns: Mapping[str, Marginal]) -> float:
    """Return the mean absolute std difference over the columns that have one.

    Raises:
        CannotScoreError: no column has a spread.
    """
    return _mean_size([column.std_difference for column in columns.values()])


def _mean_size(differences: list[float | None]) -> float:
    known = [abs(difference) for difference in differences if difference is not None]
    if not known:
        raise CannotScoreError("no numeric or datetime column varies")
    return float(np.mean(known))


def _moments(column: pd.Series[Any]) -> tuple[float | None, float | None]:
    """Return mean and standard deviation of the observed values."""
    if kind_of(column) == "categorical":
        return None, None
    values = numbers(column)
    values = values[~np.isnan(values)]
    if not len(values):
        return None, None
    return float(values.mean()), float(values.std()) if np.ptp(values) > 0 else 0.0


def _mean_difference(real: float | None, synthetic: float | None, spread: float | None) -> float | None:
    if real is None or synthetic is None or spread is None:
        return None
    if spread == 0:  # In units of a spread that is none, only equality has a value.
        return 0.0 if real == synthetic else None
    return (synthetic - real) / spread


def _std_difference(real: float | None, synthetic: float | None) -> float | None:
    if real is None or synthetic is None:
        return None
    if real == 0:
        return 0.0 if synthetic == 0 else None
    return synthetic / real - 1

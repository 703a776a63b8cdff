"""Correlation: are columns associated as strongly as in the real table?

Name: correlation. Goal: high. Range: 0 to 1. 1 = every pair is as strongly associated as in the real table; 0 = every
association is off by 1 or more (perfect where there is none, none where it is perfect, or of the opposite sign). It is
1 - mean over pairs of min(1, |real association - synthetic association|), over the pairs whose association is defined
in the real table (both columns vary); undefined in the synthetic one counts as no association.

Associations: two numbers (datetimes are numbers): Spearman's rank correlation, in [-1, 1], over the rows that have
both, ranks taken per column; number and category: the correlation ratio of the ranks, square root of the adjusted eta
squared, in [0, 1]; two categories: bias-corrected Cramer's V, in [0, 1]. The corrections keep chance associations of
small samples near 0, so that tables of different sizes can be compared. Categories count by their 10 most frequent
real levels, others, and missing. Sources: Spearman, Am. J. Psychol. 15 (1904), p. 72; Kelley, "An unbiased correlation
ratio measure", PNAS 21 (1935), p. 554; Bergsma, "A bias-correction for Cramer's V and Tschuprow's T", J. Korean Stat.
Soc. 42 (2013), p. 323.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from agentsynth.metrics.binning import ColumnBins, learn_bins
from agentsynth.metrics.score import CannotScoreError, Definition
from agentsynth.metrics.values import Floats, Integers, kind_of, numbers

DEFINITION = Definition("correlation", "higher", "associations as strong as in unseen real rows; 1 = all the same")


def correlation_similarity(real: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Return the correlation similarity of two typed frames, in [0, 1].

    Raises:
        CannotScoreError: no two columns of the real frame vary.
    """
    bins = learn_bins(real)
    return association_similarity(associations(real, bins), associations(synthetic, bins))


def association_similarity(real: Floats, synthetic: Floats) -> float:
    """Return the similarity of two association matrices, shape (columns, columns).

    Raises:
        CannotScoreError: the real one is undefined (NaN) off the diagonal.
    """
    defined = np.triu(~np.isnan(real), k=1)
    if not defined.any():
        raise CannotScoreError("no two columns vary in the real rows")
    difference = np.abs(real[defined] - np.nan_to_num(synthetic[defined]))
    return float(1 - np.minimum(difference, 1).mean())


def associations(frame: pd.DataFrame, bins: dict[str, ColumnBins]) -> Floats:
    """Return the association of every pair of columns of a typed frame, shape (columns, columns), symmetric.

    The diagonal and undefined associations are NaN.
    """
    numeric = [i for i, name in enumerate(frame.columns) if kind_of(frame[name]) != "categorical"]
    others = [i for i in range(len(frame.columns)) if i not in numeric]
    matrix = np.full((len(frame.columns),) * 2, np.nan)
    ranks = np.stack([_ranks(numbers(frame.iloc[:, i])) for i in numeric], axis=1) if numeric else None
    codes = {i: bins[frame.columns[i]].codes(frame.iloc[:, i]) for i in others}
    if ranks is not None:
        matrix[np.ix_(numeric, numeric)] = spearman(ranks)
    for position, i in enumerate(others):
        if ranks is not None:
            matrix[i, numeric] = matrix[numeric, i] = correlation_ratio(codes[i], ranks)
        for j in others[:position]:
            matrix[i, j] = matrix[j, i] = cramers_v(codes[i], codes[j])
    np.fill_diagonal(matrix, np.nan)
    return matrix


def spearman(ranks: Floats) -> Floats:
    """Return the correlation of every two columns, over the rows that have both.

    Args:
        ranks: Shape (rows, columns), NaN where missing.

    Returns:
        Shape (columns, columns); NaN where a column does not vary.
    """
    have = (~np.isnan(ranks)).astype(np.float64)
    values = np.nan_to_num(ranks)
    rows = np.maximum(have.T @ have, 1)
    means = (values.T @ have) / rows
    variances = np.maximum((values**2).T @ have / rows - means**2, 0)
    covariances = (values.T @ values) / rows - means * means.T
    return _divide(covariances, np.sqrt(variances * variances.T)).clip(-1, 1)


def correlation_ratio(codes: Integers, ranks: Floats) -> Floats:
    """Return the adjusted correlation ratio of each column of ranks, shape (rows, columns), given categories."""
    have = (~np.isnan(ranks)).astype(np.float64)
    values = np.nan_to_num(ranks)
    groups = np.eye(codes.max(initial=0) + 1)[codes]
    counts, sums = groups.T @ have, groups.T @ values
    rows = have.sum(axis=0)
    centre = values.sum(axis=0) ** 2 / np.maximum(rows, 1)
    between = (sums**2 / np.maximum(counts, 1)).sum(axis=0) - centre
    total = (values**2).sum(axis=0) - centre
    levels = (counts > 0).sum(axis=0)
    unexplained = _divide(total - between, total) * _divide(rows - 1, rows - levels)
    ratio: Floats = np.sqrt((1 - unexplained).clip(0, 1))
    return np.where(levels > 1, ratio, np.nan)


def cramers_v(first: Integers, second: Integers) -> float:
    """Return the bias-corrected Cramer's V of two arrays of codes; NaN where either does not vary."""
    size = int(second.max(initial=0)) + 1
    table = np.bincount(first * size + second, minlength=(int(first.max(initial=0)) + 1) * size).reshape(-1, size)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0] / max(len(first), 1)
    if min(table.shape) < 2:
        return float("nan")
    expected = np.outer(table.sum(axis=1), table.sum(axis=0))
    squared = ((table - expected) ** 2 / expected).sum()
    freedom = len(first) - 1
    excess = max(0.0, squared - (table.shape[0] - 1) * (table.shape[1] - 1) / freedom)
    room = min(size - (size - 1) ** 2 / freedom for size in table.shape) - 1
    return float(np.sqrt(min(1.0, excess / room))) if room > 0 else float("nan")


def _ranks(values: Floats) -> Floats:
    """Return ranks scaled into [-1/2, 1/2] (ties share theirs), NaN where missing."""
    ranks = np.full(len(values), np.nan)
    observed = ~np.isnan(values)
    if observed.any():
        ranks[observed] = (rankdata(values[observed]) - 0.5) / observed.sum() - 0.5
    return ranks


def _divide(numerator: Floats, denominator: Floats) -> Floats:
    """Divide; NaN where the denominator is not clearly above zero (rounding leaves crumbs of 1e-17 there)."""
    result: Floats = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    np.divide(numerator, denominator, out=result, where=denominator > 1e-12)
    return result

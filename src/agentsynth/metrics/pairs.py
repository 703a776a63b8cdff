"""Pairs: do columns go together as in the real table?

Name: pairs. Goal: high. Range: 0 to 1. 1 = in every pair of columns, all combinations are as frequent as in the real
table; 0 = no combination is shared. Per pair 1 - total variation of the two contingency tables, over at most 10
quantile bins of the real column (missing among them) or the 10 most frequent real levels, others, and missing; the
table's score is the mean over all pairs of columns. Two samples of the same source stay below 1, the further the fewer
rows they have: read it beside the ceiling. Source: the ContingencySimilarity of SDMetrics ("Column Pair Trends"), here
for numbers too, binned at quantiles. Costs linear time in rows, quadratic in columns.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from agentsynth.metrics.binning import code_matrix, learn_bins
from agentsynth.metrics.marginals import total_variation
from agentsynth.metrics.score import CannotScoreError, Definition

DEFINITION = Definition("pairs", "higher", "columns go together as in unseen real rows; 1 = the same in every pair")


def pair_similarities(real: pd.DataFrame, synthetic: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Return pair of columns -> similarity of two typed frames, in [0, 1]; neither may be empty."""
    if len(real.columns) < 2:
        return {}
    bins = learn_bins(real)
    names = list(real.columns)
    sizes = [bins[name].size for name in names]
    first, second = code_matrix(real, bins), code_matrix(synthetic, bins)
    return {
        (names[i], names[j]): 1
        - total_variation(
            first[i] * sizes[j] + first[j],
            second[i] * sizes[j] + second[j],
            sizes[i] * sizes[j],
        )
        for i, j in combinations(range(len(names)), 2)
    }


def mean_pair_similarity(similarities: dict[tuple[str, str], float]) -> float:
    """Return the mean over pairs.

    Raises:
        CannotScoreError: there is no pair.
    """
    if not similarities:
        raise CannotScoreError("a single column has no pair")
    return float(np.mean(list(similarities.values())))

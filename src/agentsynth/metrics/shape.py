"""Shape: does every column, by itself, look as in the real table?

Name: shape. Goal: high. Range: 0 to 1. 1 = every column holds the same values in the same shares; 0 = no column shares
anything with the real one. Per column 1 - Kolmogorov-Smirnov statistic (numeric) or 1 - total variation
(categorical), missing values as a mass of their own; the table's score is the mean over columns. A datetime column is
the mean of 1 - KS on time and 1 - TV of each calendar part (month, weekday, hour) that varies in the real column: KS
alone hardly sees that all visits fall on Sunday at three in the morning.
Source: the KSComplement and TVComplement of SDMetrics ("Column Shapes"), here with missing values and the calendar.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from agentsynth.metrics.marginals import distribution_difference, total_variation
from agentsynth.metrics.score import Definition
from agentsynth.metrics.values import Integers, calendar_part, kind_of

DEFINITION = Definition("shape", "higher", "single columns look as in unseen real rows; 1 = the same shares")

_PARTS = {"month": 13, "day_of_week": 7, "hour": 24}
"""Calendar part -> one more than its largest value, which is the code of a missing one."""


def shapes(real: pd.DataFrame, synthetic: pd.DataFrame) -> dict[str, float]:
    """Return column -> shape similarity of two typed frames, in [0, 1]; neither may be empty."""
    return {name: shape(real[name], synthetic[name]) for name in real.columns}


def shape(real: pd.Series[Any], synthetic: pd.Series[Any]) -> float:
    """Return the shape similarity of two typed columns, in [0, 1]."""
    parts = [1 - distribution_difference(real, synthetic)]
    if kind_of(real) == "datetime":
        parts += [
            1 - total_variation(_codes(real, part), _codes(synthetic, part), missing + 1)
            for part, missing in _PARTS.items()
            if len(np.unique(calendar_part(real.dropna(), part))) > 1
        ]
    return float(np.mean(parts))


def _codes(column: pd.Series[Any], part: str) -> Integers:
    values = calendar_part(column, part)
    return np.where(np.isnan(values), _PARTS[part], values).astype(np.int64)

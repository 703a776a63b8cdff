"""Columns as small integer codes, learned on the real table: what pairs and associations are counted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.metrics.values import Floats, Integers, kind_of, numbers

MISSING = 0
"""The code of a missing value, in every column."""


@dataclass(frozen=True)
class ColumnBins:
    """The codes of one column: 0 = missing, then its bins or levels, and for categories last of all "other"."""

    edges: Floats | None
    """Numeric and datetime: inner edges; a value on an edge belongs below it."""
    levels: pd.Index[Any] | None
    """Categorical: the levels that have a code of their own."""

    @classmethod
    def learn(cls, real: pd.Series[Any], most: int = 10) -> ColumnBins:
        """Choose bins from a typed real column.

        Numbers and datetimes are cut at the real quantiles into at most `most` bins, missing counted among them (few
        distinct values: a bin for each); categories keep the `most` most frequent levels, the others are one.
        """
        if kind_of(real) == "categorical":
            counts = real.value_counts().rename_axis("level").reset_index(name="rows")
            counts = counts.sort_values(["rows", "level"], ascending=[False, True])  # Ties: the same in any row order.
            return cls(edges=None, levels=pd.Index(counts["level"].head(most).astype(object)))
        values = numbers(real)
        observed = np.sort(values[~np.isnan(values)])
        return cls(edges=_edges(observed, most - (len(observed) < len(values))), levels=None)

    @property
    def size(self) -> int:
        """Number of codes."""
        if self.levels is not None:
            return len(self.levels) + 2
        assert self.edges is not None  # noqa: S101  # one of the two is always there; for the type checker
        return len(self.edges) + 2

    def codes(self, column: pd.Series[Any]) -> Integers:
        """Return the code of every row, in [0, size)."""
        if self.levels is not None:
            known = self.levels.get_indexer(pd.Index(column.astype(object))).astype(np.int64)
            codes = np.where(known < 0, len(self.levels), known) + 1
        else:
            assert self.edges is not None  # noqa: S101
            codes = np.searchsorted(self.edges, numbers(column), side="left") + 1
        return np.where(column.isna().to_numpy(), MISSING, codes).astype(np.int64)


def learn_bins(real: pd.DataFrame, most: int = 10) -> dict[str, ColumnBins]:
    """Choose the bins of every column of a typed real frame."""
    return {name: ColumnBins.learn(real[name], most) for name in real.columns}


def code_matrix(frame: pd.DataFrame, bins: dict[str, ColumnBins]) -> NDArray[np.int64]:
    """Return the codes of a typed frame, shape (columns, rows): a column's codes lie side by side in memory."""
    return np.stack([bins[name].codes(frame[name]) for name in frame.columns])


def _edges(observed: Floats, bins: int) -> Floats:
    """Return at most `bins` - 1 inner edges, all of them observed values."""
    edges: Floats = np.unique(observed)
    if len(edges) > bins:
        edges = np.unique(np.quantile(observed, np.arange(1, bins) / bins, method="inverted_cdf"))
    # The largest value closes the last bin; as an edge it would leave an empty one above it.
    below = edges < observed.max(initial=-np.inf)
    return np.asarray(edges[below], dtype=np.float64)

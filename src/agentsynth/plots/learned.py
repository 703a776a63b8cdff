"""What figures read from a learned policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from agentsynth.agent import greedy
from agentsynth.errors import InputError
from agentsynth.plots import style


class LearnedTables(Protocol):
    """A factored Q-learning policy, as far as figures look at it."""

    @property
    def tables(self) -> npt.NDArray[np.float64]:
        """(factors, gap buckets, progress buckets, levels) Q-values."""

    @property
    def visits(self) -> npt.NDArray[np.integer]:
        """The same shape: how often each was updated."""

    @property
    def levels(self) -> npt.NDArray[np.float64]:
        """(levels,) factor values."""

    @property
    def gap_edges(self) -> npt.NDArray[np.float64]:
        """(gap buckets - 1,) bounds between the buckets, in units of sampling noise."""

    @property
    def table_names(self) -> Sequence[str]:
        """(factors,) names."""


def check_policy(policy: LearnedTables) -> None:
    """Check that a policy's parts fit together.

    Raises:
        InputError: they do not.
    """
    shape = np.shape(policy.tables)
    expected = (len(policy.table_names), len(policy.gap_edges) + 1, *shape[2:3], len(policy.levels))
    if shape != expected or np.shape(policy.visits) != shape:
        raise InputError(
            f"a policy's tables and visits must have the shape {expected} (factors, gap buckets, progress buckets, "
            f"levels), as its names, edges and levels say; found {shape} and {np.shape(policy.visits)}."
        )


def first_factors(policy: LearnedTables, most: int) -> tuple[list[str], str]:
    """Return the names of at most `most` factors, and a sentence that names the others."""
    names = list(policy.table_names)
    left_out = ", ".join(style.shorten(name) for name in names[most:])
    return names[:most], f" Not shown: {left_out}." if left_out else ""


def visited_states(policy: LearnedTables) -> npt.NDArray[np.bool_]:
    """Return (factors, gap buckets, progress buckets): was any action ever tried there?"""
    visited: npt.NDArray[np.bool_] = np.any(np.asarray(policy.visits) > 0, axis=-1)
    return visited


def greedy_levels(policy: LearnedTables) -> npt.NDArray[np.intp]:
    """Return (factors, gap buckets, progress buckets) indices of the levels that the greedy policy takes."""
    return greedy.best_levels(
        np.asarray(policy.tables), np.asarray(policy.visits), np.asarray(policy.levels, dtype=float)
    )


def advantages(policy: LearnedTables) -> npt.NDArray[np.float64]:
    """Return, in the tables' shape, Q-values less the mean of those tried in the same state; NaN where not tried."""
    tried = np.asarray(policy.visits) > 0
    values = np.where(tried, policy.tables, 0.0)
    mean = values.sum(axis=-1, keepdims=True) / np.maximum(tried.sum(axis=-1, keepdims=True), 1)
    return np.where(tried, values - mean, np.nan)


def progress_label(bucket: int, buckets: int) -> str:
    """Return the part of an episode that a progress bucket covers.

    >>> progress_label(1, 4)
    '25-50 %'
    """
    return f"{100 * bucket / buckets:.0f}-{100 * (bucket + 1) / buckets:.0f} %"

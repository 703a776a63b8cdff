from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.metrics.binning import MISSING, ColumnBins


def test_few_distinct_numbers_have_a_bin_each() -> None:
    bins = ColumnBins.learn(pd.Series([0.0, 5.0, 0.0, 7.0]))
    assert bins.codes(pd.Series([0.0, 5.0, 7.0, 99.0, -1.0, 6.0])).tolist() == [1, 2, 3, 3, 1, 3]
    assert bins.size == 4


def test_many_numbers_are_cut_at_quantiles() -> None:
    values = pd.Series(np.arange(100.0))
    counts = np.bincount(ColumnBins.learn(values).codes(values))
    assert counts.tolist() == [0] + [10] * 10


def test_missing_counts_among_the_bins() -> None:
    values = pd.Series([np.nan, *np.arange(99.0)])
    codes = ColumnBins.learn(values).codes(values)
    assert codes[0] == MISSING
    assert len(np.unique(codes)) == 10


def test_a_value_of_most_rows_is_one_bin() -> None:
    values = pd.Series([0.0] * 70 + list(np.arange(1.0, 31.0)))
    codes = ColumnBins.learn(values).codes(values)
    assert set(codes[:70]) == {1}
    assert codes[70] == 2


def test_levels_beyond_the_tenth_and_unknown_ones_are_other() -> None:
    column = pd.Series([f"L{i:02d}" for i in range(12) for _ in range(20 - i)] + [None], dtype=object)
    bins = ColumnBins.learn(column)
    assert bins.size == 12
    assert bins.codes(pd.Series(["L00", "L09", "L10", "new", None], dtype=object)).tolist() == [1, 10, 11, 11, MISSING]


@pytest.mark.parametrize("column", [pd.Series([np.nan] * 3), pd.Series([None] * 3, dtype=object)])
def test_all_missing(column: pd.Series[float]) -> None:
    assert ColumnBins.learn(column).codes(column).tolist() == [MISSING] * 3


@given(
    st.lists(st.floats(-5, 5) | st.just(np.nan), min_size=1, max_size=50),
    st.lists(st.floats(-9, 9) | st.just(np.nan), min_size=1, max_size=50),
)
def test_codes_stay_in_range(real: list[float], other: list[float]) -> None:
    bins = ColumnBins.learn(pd.Series(real, dtype=float))
    codes = bins.codes(pd.Series(other, dtype=float))
    assert codes.min() >= 0
    assert codes.max() < bins.size
    observed = bins.codes(pd.Series(real, dtype=float))
    assert len(np.unique(observed)) <= 10

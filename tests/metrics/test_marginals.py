from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from agentsynth.metrics.marginals import (
    distribution_difference,
    kolmogorov_smirnov,
    marginal,
    marginals,
    mean_difference,
    std_difference,
    total_variation,
)
from agentsynth.metrics.score import CannotScoreError

VALUES = st.lists(st.floats(-9, 9) | st.just(np.nan), min_size=1, max_size=30).map(np.array)


def numeric(*values: float) -> pd.Series[float]:
    return pd.Series(values, dtype="float64")


def labels(*values: str | None) -> pd.Series[str]:
    return pd.Series(values, dtype=object)


def dates(*values: str | None) -> pd.Series[pd.Timestamp]:
    return pd.to_datetime(pd.Series(values)).astype("datetime64[us]")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([1, 2, 3, 4], [1, 2, 3, 4], 0),
        ([1, 2], [3, 4], 1),
        ([1, 2, 3, 4], [1, 2, 3, 9], 0.25),
        ([0, 0, 0, 1], [0, 1, 1, 1], 0.5),  # an atom at zero: .75 against .25
        ([np.nan, np.nan], [1, 2], 1),
        ([np.nan, 1], [1, 1], 0.5),
        ([np.nan, np.nan], [np.nan], 0),
    ],
)
def test_ks_by_hand(first: list[float], second: list[float], expected: float) -> None:
    assert kolmogorov_smirnov(np.array(first, float), np.array(second, float)) == pytest.approx(expected)


@given(VALUES, VALUES)
def test_ks_is_a_share_symmetric_and_blind_to_direction_and_order(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> None:
    difference = kolmogorov_smirnov(first, second)
    assert 0 <= difference <= 1
    assert kolmogorov_smirnov(second, first) == pytest.approx(difference)
    assert kolmogorov_smirnov(-first, -second) == pytest.approx(difference)
    assert kolmogorov_smirnov(first[::-1], second) == difference
    assert kolmogorov_smirnov(first, first) == 0


def test_total_variation_by_hand() -> None:
    assert total_variation(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1]), 3) == pytest.approx(0.5)


def test_total_variation_is_never_above_1() -> None:
    # Shares of tenths and halves, summed as floats, come to 1 + 2e-16.
    first, second = np.array([1, 3, 4, 4, 5, 5, 6, 12, 12, 13]), np.array([14, 15])
    assert total_variation(first, second, 16) == 1


def test_missing_is_a_level() -> None:
    assert distribution_difference(labels("a", None), labels("a", "a")) == 0.5
    assert distribution_difference(labels(None, None), labels(None)) == 0


def test_renamed_levels_and_other_row_order_change_nothing() -> None:
    real, synthetic = labels("a", "a", "b", None), labels("b", "b", "a", "c")
    renamed = {"a": "z", "b": "y", "c": "x"}
    assert distribution_difference(real, synthetic) == distribution_difference(
        real.map(renamed)[::-1].astype(object), synthetic.map(renamed).astype(object)
    )


def test_moments_by_hand() -> None:
    figures = marginal(numeric(0, 2, 0, 2, np.nan), numeric(3, 3, 3, 7))
    assert (figures.kind, figures.real_mean, figures.synthetic_mean) == ("numeric", 1, 4)
    assert figures.mean_difference == pytest.approx(3)  # the real standard deviation is 1
    assert figures.std_difference == pytest.approx(np.sqrt(3) - 1)
    assert (figures.real_missing, figures.synthetic_missing) == (0.2, 0)


def test_datetimes_count_in_seconds() -> None:
    figures = marginal(dates("1970-01-01", "1970-01-03", None), dates("1970-01-02", "1970-01-02"))
    assert figures.kind == "datetime"
    assert figures.real_mean == 86_400
    assert figures.real_std == 86_400
    assert figures.std_difference == -1


def test_constant_columns_are_off_by_nothing_or_by_nobody_knows() -> None:
    assert marginal(numeric(5, 5), numeric(5, 5)).mean_difference == 0
    assert marginal(numeric(5, 5), numeric(6, 6)).mean_difference is None
    assert marginal(numeric(5, 5), numeric(6, 7)).std_difference is None


def test_nothing_observed_and_categories_have_no_moments() -> None:
    for figures in (marginal(numeric(np.nan), numeric(1.0)), marginal(labels("a"), labels("b"))):
        assert figures.mean_difference is None
        assert figures.std_difference is None


def test_means_over_columns_are_of_sizes() -> None:
    real = pd.DataFrame({"up": [0.0, 2.0], "down": [0.0, 2.0]})
    synthetic = pd.DataFrame({"up": [1.0, 3.0], "down": [-2.0, 0.0]})
    columns = marginals(real, synthetic)
    assert mean_difference(columns) == pytest.approx(1.5)
    assert std_difference(columns) == 0


def test_without_numbers_there_is_no_mean_difference() -> None:
    frame = pd.DataFrame({"a": labels("x", "y")})
    with pytest.raises(CannotScoreError, match="no numeric"):
        mean_difference(marginals(frame, frame))

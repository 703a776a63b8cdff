from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.datasets import load_iris

from agentsynth.metrics.baselines import shuffled_columns
from agentsynth.metrics.binning import learn_bins
from agentsynth.metrics.correlation import (
    association_similarity,
    associations,
    correlation_ratio,
    correlation_similarity,
    cramers_v,
)
from agentsynth.metrics.score import CannotScoreError


def test_numbers_have_spearmans_correlation() -> None:
    data = load_iris().data
    frame = pd.DataFrame(data, columns=list("abcd"))
    matrix = associations(frame, learn_bins(frame))
    expected = np.asarray(spearmanr(data).statistic)
    off = ~np.eye(4, dtype=bool)
    assert matrix[off] == pytest.approx(expected[off])
    assert np.isnan(np.diag(matrix)).all()


def test_missing_numbers_leave_the_pair_out() -> None:
    frame = pd.DataFrame({"x": [1.0, 2, 3, np.nan, 9], "y": [3.0, 2, 1, 7, np.nan]})
    assert associations(frame, learn_bins(frame))[0, 1] == pytest.approx(-1)


def test_a_category_that_fixes_a_number_has_ratio_one() -> None:
    codes = np.repeat([0, 1, 2], 10)
    assert correlation_ratio(codes, codes[:, None].astype(float)) == pytest.approx([1])


def test_correlation_ratio_by_hand() -> None:
    # Groups {0, 2} and {2, 4}: total 8, between 4, so eta^2 = 1/2, adjusted 1 - 1/2 * 3/2 = 1/4.
    codes, values = np.array([0, 0, 1, 1]), np.array([[0.0], [2.0], [2.0], [4.0]])
    assert correlation_ratio(codes, values) == pytest.approx([0.5])


def test_cramers_v_by_hand() -> None:
    codes = np.repeat([0, 1], 50)
    assert cramers_v(codes, codes) == pytest.approx(1)
    assert cramers_v(codes, np.tile([0, 1], 50)) == 0
    # 2x2 of 40, 10, 10, 40: phi^2 = .36, less 1/99; room 1 - 1/99.
    mixed = np.concatenate([np.repeat([0, 1], [40, 10]), np.repeat([0, 1], [10, 40])])
    assert cramers_v(codes, mixed) == pytest.approx(np.sqrt((0.36 - 1 / 99) / (1 - 1 / 99)))
    assert np.isnan(cramers_v(codes, np.zeros(100, dtype=np.int64)))


def test_chance_associations_are_near_zero() -> None:
    rng = np.random.default_rng(0)
    values = [cramers_v(rng.integers(0, 10, 100), rng.integers(0, 10, 100)) for _ in range(50)]
    assert np.mean(values) < 0.1  # 0.3 without the correction


def test_similarity_by_hand() -> None:
    real = np.array([[np.nan, 0.8, np.nan], [0.8, np.nan, 0.5], [np.nan, 0.5, np.nan]])
    synthetic = np.array([[np.nan, -0.9, 0.3], [-0.9, np.nan, np.nan], [0.3, np.nan, np.nan]])
    # Pairs defined in the real table: |0.8 + 0.9| counts as 1, and 0.5 against none.
    assert association_similarity(real, synthetic) == pytest.approx(1 - (1 + 0.5) / 2)


def test_same_table_is_one_and_shuffled_columns_are_lower(frames: tuple[pd.DataFrame, ...]) -> None:
    train, test, _ = frames
    assert correlation_similarity(train, train.sample(frac=1, random_state=0)) == pytest.approx(1)
    assert correlation_similarity(test, train) > 0.9
    assert correlation_similarity(test, shuffled_columns(train, 0)) < 0.8


def test_constant_and_missing_columns_are_left_out() -> None:
    frame = pd.DataFrame({"x": [1.0, 2, 3], "same": [1.0] * 3, "none": [np.nan] * 3})
    with pytest.raises(CannotScoreError, match="vary"):
        correlation_similarity(frame, frame)
    both = frame.assign(y=[2.0, 3, 5])
    assert correlation_similarity(both, both) == pytest.approx(1)
    assert correlation_similarity(both, both.assign(y=7.0)) == pytest.approx(0)

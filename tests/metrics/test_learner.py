from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agentsynth.metrics.features import MOST_LEVELS, Features
from agentsynth.metrics.learner import class_shares, macro_auc, predictions, r_squared, roc_auc, stratified_folds
from agentsynth.metrics.score import CannotScoreError


def test_auc_by_hand() -> None:
    truth = np.array([True, True, False, False])
    assert roc_auc(truth, np.array([3.0, 1, 2, 0])) == 0.75
    assert roc_auc(truth, np.zeros(4)) == 0.5
    assert roc_auc(truth, np.array([0.0, 0, 1, 1])) == 0
    with pytest.raises(CannotScoreError, match="one class"):
        roc_auc(np.ones(3, dtype=bool), np.zeros(3))


def test_macro_auc_averages_over_the_classes_that_occur() -> None:
    shares = np.array([[0.9, 0.1, 0], [0.8, 0.2, 0], [0.5, 0.5, 0], [0.9, 0.1, 0]])
    # Class 0: pairs (0,2), (0,3), (1,2), (1,3) give 1, .5, 1, 0; class 2 was never predicted: ties.
    assert macro_auc(np.array([0, 0, 2, 2]), shares) == pytest.approx((2.5 / 4 + 0.5) / 2)


def test_r_squared_is_clipped() -> None:
    truth = np.array([0.0, 2.0])
    assert r_squared(truth, truth) == 1
    assert r_squared(truth, np.array([0.0, 1.0])) == 0.5
    assert r_squared(truth, np.array([9.0, -9.0])) == 0
    with pytest.raises(CannotScoreError, match="does not vary"):
        r_squared(np.ones(3), truth)


def test_folds_hold_each_class_evenly() -> None:
    labels = np.repeat([0, 1], [10, 5])
    folds = stratified_folds(labels, 5, np.random.default_rng(0))
    assert np.bincount(folds[labels == 0]).tolist() == [2] * 5
    assert np.bincount(folds[labels == 1]).tolist() == [1] * 5


def test_a_class_never_seen_gets_no_share() -> None:
    frame = pd.DataFrame({"x": np.arange(40.0)})
    shares = class_shares(frame, np.repeat([0, 2], 20), frame, 3, seed=0)
    assert shares[:, 1].tolist() == [0] * 40
    assert (shares.argmax(axis=1) == np.repeat([0, 2], 20)).mean() > 0.9


def test_one_class_or_no_feature_that_varies_gives_the_class_shares() -> None:
    frame = pd.DataFrame({"x": [1.0, 1, 1, 1]})
    assert class_shares(frame, np.array([1, 1, 1, 1]), frame, 2, 0)[0].tolist() == [0, 1]
    assert class_shares(frame, np.array([1, 0, 1, 1]), frame, 2, 0)[0].tolist() == [0.25, 0.75]
    assert predictions(frame, np.array([1.0, 2, 3, 6]), frame, 0).tolist() == [3] * 4


def test_features_of_each_kind() -> None:
    frame = pd.DataFrame(
        {
            "x": [1.5, np.nan],
            "when": pd.Series(["1970-02-01 03:04:05", None]).astype("datetime64[us]"),
            "c": pd.Series(["b", None], dtype=object),
        }
    )
    matrix, categorical = Features.learn(frame).matrix(frame)
    assert matrix[0].tolist() == [1.5, 31 * 86_400 + 3 * 3600 + 4 * 60 + 5, 2, 1, 6, 3, 4, 5, 0]
    assert np.isnan(matrix[1]).all()
    assert categorical == [False] * 8 + [True]


def test_levels_unseen_are_missing_and_rare_ones_share_a_code() -> None:
    frame = pd.DataFrame({"c": pd.Series([f"L{i}" for i in range(500)], dtype=object)})
    features = Features.learn(frame)
    assert features.matrix(frame)[0].max() == MOST_LEVELS
    assert np.isnan(features.matrix(pd.DataFrame({"c": pd.Series(["new"], dtype=object)}))[0]).all()

"""The gradient-boosting models that detection and utility ask, and how their answers are marked.

Source: Friedman, "Greedy function approximation: a gradient boosting machine", Ann. Stat. 29 (2001), p. 1189; here
scikit-learn's histogram form, without early stopping.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from agentsynth.metrics.features import Features
from agentsynth.metrics.score import CannotScoreError
from agentsynth.metrics.values import Floats, Integers


@dataclass(frozen=True)
class Boosting:
    """The size of a model: trees one after the other, and leaves of each."""

    rounds: int = 100
    leaves: int = 31


STRONG = Boosting()
"""Finds most (scikit-learn's defaults)."""
MEDIUM = Boosting(leaves=15)
"""Half the time, as good at prediction on a few thousand rows."""
QUICK = Boosting(rounds=30, leaves=8)
"""To compare tasks, not tables."""


def class_shares(
    fit: pd.DataFrame, labels: Integers, rows: pd.DataFrame, classes: int, seed: int, size: Boosting = STRONG
) -> Floats:
    """Fit a classifier and return what it predicts, shape (rows, classes); a class it never saw gets 0.

    Args:
        fit: Typed rows to learn from, shape (rows fitted, columns).
        labels: Their classes, in [0, classes).
        rows: Typed rows to predict.
        classes: Number of classes.
        seed: Seed of the model.
        size: Size of the model.
    """
    seen = np.unique(labels)
    shares = np.zeros((len(rows), classes))
    features, wanted, categorical = _matrices(fit, rows)
    if len(seen) == 1 or features.shape[1] == 0:
        shares[:] = np.bincount(labels, minlength=classes) / len(labels)
        return shares
    # More threads than one cost time on tables of this size, the more so on a busy machine.
    with threadpool_limits(limits=1):
        model = HistGradientBoostingClassifier(**_arguments(len(fit), categorical, seed, size))
        shares[:, seen] = model.fit(features, labels).predict_proba(wanted)
    return shares


def predictions(fit: pd.DataFrame, values: Floats, rows: pd.DataFrame, seed: int, size: Boosting = STRONG) -> Floats:
    """Fit a regression on typed rows and return what it predicts for `rows`, shape (rows,)."""
    features, wanted, categorical = _matrices(fit, rows)
    if features.shape[1] == 0 or np.ptp(values) == 0:
        return np.full(len(rows), values.mean())
    with threadpool_limits(limits=1):
        model = HistGradientBoostingRegressor(**_arguments(len(fit), categorical, seed, size))
        predicted: Floats = model.fit(features, values).predict(wanted)
    return predicted


def roc_auc(truth: NDArray[np.bool_], evidence: Floats) -> float:
    """Return the share of (true, false) pairs of rows in which the true one has more evidence; ties count half.

    Raises:
        CannotScoreError: all rows are true, or none is.
    """
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if positives == 0 or negatives == 0:
        raise CannotScoreError("there is only one class")
    return float((rankdata(evidence)[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def macro_auc(labels: Integers, shares: Floats) -> float:
    """Return the ROC AUC of each class against the rest, averaged over the classes that occur in `labels`.

    Raises:
        CannotScoreError: there is only one class.
    """
    return float(np.mean([roc_auc(labels == label, shares[:, label]) for label in np.unique(labels)]))


def r_squared(truth: Floats, predicted: Floats) -> float:
    """Return the share of variance explained, clipped to [0, 1].

    Raises:
        CannotScoreError: the true values do not vary.
    """
    spread = float(((truth - truth.mean()) ** 2).sum())
    if np.ptp(truth) == 0 or spread == 0:
        raise CannotScoreError("the target does not vary in the unseen rows")
    return float(np.clip(1 - ((truth - predicted) ** 2).sum() / spread, 0, 1))


def stratified_folds(labels: Integers, folds: int, generator: np.random.Generator) -> Integers:
    """Deal rows into folds at random, the rows of each class as evenly as possible; return each row's fold."""
    order = generator.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    dealt = np.empty(len(labels), dtype=np.int64)
    dealt[order] = np.arange(len(labels)) % folds
    return dealt


def _arguments(rows: int, categorical: list[bool], seed: int, size: Boosting) -> dict[str, object]:
    return {
        "max_iter": size.rounds,
        "max_leaf_nodes": size.leaves,
        "early_stopping": False,
        "categorical_features": categorical,
        "min_samples_leaf": min(20, max(1, rows // 10)),  # scikit-learn's 20 would leave a table of 30 unsplit.
        "random_state": seed,
    }


def _matrices(fit: pd.DataFrame, rows: pd.DataFrame) -> tuple[Floats, Floats, list[bool]]:
    """Return the features of both frames, without those that are constant in `fit`, and which are categorical."""
    features = Features.learn(fit)
    matrix, categorical = features.matrix(fit)
    varies = [_varies(column) for column in matrix.T]
    kept = [flag for flag, keep in zip(categorical, varies, strict=True) if keep]
    return matrix[:, varies], features.matrix(rows)[0][:, varies], kept


def _varies(column: Floats) -> bool:
    return len(np.unique(column)) > 1  # NaN counts as one value of its own.

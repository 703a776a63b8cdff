"""How well simple models fitted on drawn rows predict unseen ones: the mean over four kinds of model.

As in the published comparison (Jolicoeur-Martineau, Fatras & Kachman, AISTATS 2024: a linear model, AdaBoost, a random
forest, and gradient boosting; macro F1 of classes, R squared of numbers), with scikit-learn's gradient boosting instead
of XGBoost, columns standardised for the linear model, and one run of each instead of five.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import f1_score, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from agentsynth.metrics.values import kind_of, numbers

Floats = NDArray[np.float64]


def prediction(train: pd.DataFrame, rows: pd.DataFrame, unseen: pd.DataFrame, target: str, seed: int) -> float:
    """Return the mean score on `unseen` of the models fitted on `rows`: F1 of classes, R squared of a number.

    All are typed frames; `train` says which levels there are, and which number stands for a missing one. Rows without a
    target are left out. Models that know but one class predict it.
    """
    rows, unseen = rows[rows[target].notna()], unseen[unseen[target].notna()]
    features = train.drop(columns=target)
    fit, asked = (_matrix(features, frame.drop(columns=target)) for frame in (rows, unseen))
    if kind_of(train[target]) == "categorical":
        known, truth = rows[target].astype(str).to_numpy(), unseen[target].astype(str).to_numpy()
        if len(np.unique(known)) == 1:
            return float(f1_score(truth, np.full(len(truth), known[0]), average="macro"))
        scores = [f1_score(truth, _predict(model, fit, known, asked), average="macro") for model in _classifiers(seed)]
    else:
        values, wanted = numbers(rows[target]), numbers(unseen[target])
        scores = [r2_score(wanted, _predict(model, fit, values, asked)) for model in _regressors(seed)]
    return float(np.mean(scores))


def _classifiers(seed: int) -> list[Any]:
    return [
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        AdaBoostClassifier(random_state=seed),
        RandomForestClassifier(random_state=seed),
        HistGradientBoostingClassifier(max_iter=50, random_state=seed),
    ]


def _regressors(seed: int) -> list[Any]:
    return [
        make_pipeline(StandardScaler(), LinearRegression()),
        AdaBoostRegressor(random_state=seed),
        RandomForestRegressor(random_state=seed),
        HistGradientBoostingRegressor(max_iter=50, random_state=seed),
    ]


def _predict(model: Any, fit: Floats, known: NDArray[Any], asked: Floats) -> NDArray[Any]:
    with threadpool_limits(limits=1):
        predicted: NDArray[Any] = model.fit(fit, known).predict(asked)
    return predicted


def _matrix(train: pd.DataFrame, frame: pd.DataFrame) -> Floats:
    """Return (rows, features): numbers, missing ones replaced by the training median, and levels one-hot."""
    parts = []
    for name in train.columns:
        if kind_of(train[name]) == "categorical":
            labels = frame[name].astype(object).to_numpy()
            parts += [(labels == level).astype(np.float64) for level in train[name].dropna().unique()]
        else:
            values = numbers(frame[name])
            parts.append(np.where(np.isnan(values), np.nanmedian(numbers(train[name])), values))
    return np.stack(parts, axis=1)

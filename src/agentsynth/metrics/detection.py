"""Detection: can a classifier tell synthetic rows from unseen real ones?

Name: detection. Goal: low. Range: 0 to 1. 0.5 = it cannot; 1 = it always can. (Below 0.5 is chance, or a sign that rows
of one table are copied in the other.) The ROC AUC of a gradient-boosting classifier, on equally many real and synthetic
rows, with every row judged by a model fitted without it: the mean over 5 stratified folds.
Source: Lopez-Paz & Oquab, "Revisiting classifier two-sample tests", ICLR 2017, section 3.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from agentsynth.metrics.baselines import sample
from agentsynth.metrics.learner import class_shares, roc_auc, stratified_folds
from agentsynth.metrics.score import CannotScoreError, Definition
from agentsynth.seeding import child_seed, stream

DEFINITION = Definition("detection", "lower", "AUC of a classifier telling them from unseen real rows; 0.5 = cannot")

_FOLDS = 5
_FEWEST = 5
"""Fewest rows of each table: one a fold."""


def detection(real: pd.DataFrame, synthetic: pd.DataFrame, seed: int = 0, max_rows: int = 5000) -> float:
    """Return the cross-validated ROC AUC for two typed frames, at most `max_rows` rows of each.

    Raises:
        CannotScoreError: a frame has fewer than 5 rows.
    """
    rows = min(len(real), len(synthetic), max_rows)
    if rows < _FEWEST:
        raise CannotScoreError(f"needs {_FEWEST} rows of each table, found {rows}")
    both = pd.concat([sample(real, rows, seed, "real"), sample(synthetic, rows, seed, "synthetic")], ignore_index=True)
    labels = np.repeat([0, 1], rows).astype(np.int64)
    folds = stratified_folds(labels, _FOLDS, stream(seed, "detection folds"))
    return float(np.mean([_fold_auc(both, labels, folds == fold, seed) for fold in range(_FOLDS)]))


def _fold_auc(rows: pd.DataFrame, labels: np.ndarray, judged: np.ndarray, seed: int) -> float:
    shares = class_shares(rows[~judged], labels[~judged], rows[judged], 2, child_seed(seed, "detection model"))
    return roc_auc(labels[judged] == 1, shares[:, 1])

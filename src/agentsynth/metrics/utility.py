"""Utility: does a model trained on synthetic rows predict real ones as well as a model trained on real rows?

Name: utility. Goal: high. Range: 0 to 1. The score on unseen real rows of a gradient-boosting model that was fitted on
synthetic rows (train-synthetic-test-real); its ceiling is the same model fitted on as many real rows
(train-real-test-real). For classes the ROC AUC, one class against the rest, averaged over classes (1 = always right,
0.5 = knows nothing); for numbers R squared, clipped to [0, 1] (1 = exact, 0 = no better than the mean).
Source: Esteban, Hyland & Raetsch, "Real-valued (medical) time series generation with recurrent conditional GANs",
arXiv:1706.02633 (2017), section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from agentsynth.data.schema import Schema
from agentsynth.errors import InputError
from agentsynth.metrics.baselines import sample
from agentsynth.metrics.binning import learn_bins
from agentsynth.metrics.correlation import associations
from agentsynth.metrics.learner import (
    MEDIUM,
    QUICK,
    Boosting,
    class_shares,
    macro_auc,
    predictions,
    r_squared,
    stratified_folds,
)
from agentsynth.metrics.score import CannotScoreError, Definition
from agentsynth.metrics.values import Integers, kind_of, numbers
from agentsynth.seeding import child_seed, stream

DEFINITION = Definition(
    "utility", "higher", "a model fitted on them predicts unseen real rows; ceiling: fitted on real"
)

_MOST_CLASSES = 10
_CANDIDATES = 6
"""Columns tried as a target: those most associated with any other one."""
_TRIVIAL = 0.995
"""A column predicted better than this follows from others by rule, or nearly so, and tells tables apart no more."""
_CHOICE_ROWS, _CHOICE_FOLDS, _FEWEST = 1000, 3, 10


@dataclass(frozen=True)
class Task:
    """What is predicted from what."""

    target: str
    features: tuple[str, ...]
    classes: pd.Index[Any] | None
    """The classes (most frequent real levels; all others are one more class); None: the target is a number."""

    @classmethod
    def of(cls, target: str, real: pd.DataFrame, schema: Schema) -> Task:
        """Set the task of predicting `target`, a column of the typed frame `real`.

        Columns derived from the target give it away and are left out of the features.

        Raises:
            InputError: there is no such column among the compared ones.
        """
        names = [column.name for column in schema.compared]
        if target not in names:
            raise InputError(f"target {target!r} is not a column that can be predicted; choose one of {names}.")
        given_away = _descendants(target, schema)
        features = tuple(name for name in names if name != target and name not in given_away)
        if kind_of(real[target]) != "categorical":
            return cls(target, features, None)
        return cls(target, features, real[target].value_counts().index[:_MOST_CLASSES])

    def score(self, fit: pd.DataFrame, unseen: pd.DataFrame, seed: int = 0, size: Boosting = MEDIUM) -> float:
        """Fit on typed rows and return the score on unseen ones; rows without a target are left out of both.

        Raises:
            CannotScoreError: no feature, too few rows with a target, or a target that does not vary in the unseen rows.
        """
        fit, unseen = fit[fit[self.target].notna()], unseen[unseen[self.target].notna()]
        if not self.features:
            raise CannotScoreError(f"there is no column to predict {self.target!r} from")
        if len(fit) < 2 or len(unseen) < 2:
            raise CannotScoreError(f"fewer than 2 rows have a value of {self.target!r}")
        rows, asked = fit[list(self.features)], unseen[list(self.features)]
        model_seed = child_seed(seed, "utility model")
        if self.classes is None:
            values, truth = numbers(fit[self.target]), numbers(unseen[self.target])
            return r_squared(truth, predictions(rows, values, asked, model_seed, size))
        shares = class_shares(rows, self.labels(fit), asked, len(self.classes) + 1, model_seed, size)
        return macro_auc(self.labels(unseen), shares)

    def labels(self, frame: pd.DataFrame) -> Integers:
        """Return the class of every row, in [0, classes]; the last is "any other"."""
        assert self.classes is not None  # noqa: S101  # for the type checker
        codes = self.classes.get_indexer(pd.Index(frame[self.target].astype(object))).astype(np.int64)
        return np.where(codes < 0, len(self.classes), codes)


def utility(
    task: Task, fit: pd.DataFrame, unseen: pd.DataFrame, rows: int, seed: int = 0, max_rows: int = 5000
) -> float:
    """Return the score on unseen real rows of a model fitted on at most `rows` and `max_rows` rows of `fit`.

    Raises:
        CannotScoreError: see `Task.score`.
    """
    fit = sample(fit, min(rows, max_rows), seed, "utility fit")
    return task.score(fit, sample(unseen, max_rows, seed, "utility unseen"), seed)


def choose_target(train: pd.DataFrame, schema: Schema, seed: int = 0) -> str:
    """Return the column that the others predict best on the typed training rows (3-fold cross-validation).

    Classes and numbers are compared by skill: 2 AUC - 1, and R squared. Derived columns are no candidates, and columns
    derived from a candidate are no features: they give it away. A column that others determine by rule or
    nearly so (skill above 0.995) is chosen only if there is no other.

    Raises:
        CannotScoreError: no column can be predicted at all.
    """
    rows = sample(train, _CHOICE_ROWS, seed, "target choice")
    skills = {name: _skill(Task.of(name, rows, schema), rows, seed) for name in _candidates(rows, schema)}
    known = {name: skill for name, skill in skills.items() if skill is not None}
    if not known:
        raise CannotScoreError(
            "no column can serve as a target: none varies enough, or there is no other to predict it from"
        )
    honest = {name: skill for name, skill in known.items() if skill <= _TRIVIAL} or known
    return max(honest, key=lambda name: honest[name])


def _candidates(rows: pd.DataFrame, schema: Schema) -> list[str]:
    """Return the few classes and numbers most strongly associated with any feature they have, strongest first."""
    names = [column.name for column in schema.compared]
    strength = np.nan_to_num(np.abs(associations(rows[names], learn_bins(rows[names]))))
    strongest = {}
    for column in schema.of_kind("categorical", "numeric"):
        features = list(Task.of(column.name, rows, schema).features)
        if features and _enough(rows[column.name]):
            strongest[column.name] = strength[names.index(column.name), [names.index(name) for name in features]].max()
    return sorted(strongest, key=lambda name: -strongest[name])[:_CANDIDATES]


def _enough(column: pd.Series[Any]) -> bool:
    """Tell whether a target has enough observed rows, and enough outside its most frequent value, to be learnt."""
    counts = column.value_counts()
    return bool(counts.sum() >= _FEWEST and counts.sum() - counts.max() >= _FEWEST / 2)


def _skill(task: Task, rows: pd.DataFrame, seed: int) -> float | None:
    """Return the cross-validated skill of predicting a column, or None where a fold cannot be marked."""
    rows = rows[rows[task.target].notna()]
    labels = np.zeros(len(rows), dtype=np.int64) if task.classes is None else task.labels(rows)
    folds = stratified_folds(labels, _CHOICE_FOLDS, stream(seed, "target folds"))
    try:
        marks = [task.score(rows[folds != fold], rows[folds == fold], seed, QUICK) for fold in range(_CHOICE_FOLDS)]
    except CannotScoreError:
        return None
    mean = float(np.mean(marks))
    return mean if task.classes is None else 2 * mean - 1


def _descendants(name: str, schema: Schema) -> set[str]:
    """Return the derived columns that are computed from `name`, directly or through others."""
    found = {name}
    derived = [column for column in schema.of_kind("derived") if column.formula is not None]
    for _ in derived:  # Each pass adds at least one more generation.
        found |= {column.name for column in derived if column.formula and found & set(column.formula.inputs)}
    return found - {name}

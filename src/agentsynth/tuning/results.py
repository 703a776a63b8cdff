"""What a study found: the best parameters, the Pareto front, every trial, and what mattered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
import pandas as pd

from agentsynth.errors import InputError
from agentsynth.tuning.space import Range, Value, nested
from agentsynth.tuning.study import Setting, began_with
from agentsynth.tuning.trials import TrialRecord, finished

FEWEST_TRIALS = 10
"""Complete trials needed before anything is said about which parameter matters."""


@dataclass(frozen=True)
class Tuning:
    """What a study found.

    Attributes:
        trials: every finished trial.
        best: the trial chosen: of the highest similarity; with two objectives, of those no less private than the first.
        default: the trial of the parameters that the study began with.
        front: with two objectives, the trials that none is better than in one and no worse in the other; else empty.
        importance: parameter -> share of the similarity's variance; empty where too few trials tell.
        began_with: the parameters that the study began with.
        objectives: what the values are called.
        logarithmic: the parameters that are looked for on a logarithmic scale.
    """

    trials: list[TrialRecord]
    best: TrialRecord
    default: TrialRecord
    front: list[TrialRecord]
    importance: dict[str, float]
    began_with: dict[str, Value]
    objectives: list[str]
    logarithmic: frozenset[str] = frozenset()

    @property
    def is_default(self) -> bool:
        """Whether nothing better was found than what the study began with."""
        return dict(self.best.params) == self.began_with

    def nested(self) -> dict[str, Any]:
        """Return the best parameters as `params.yaml` nests them."""
        return nested(self.best.params)

    def frame(self, trials: Sequence[TrialRecord] | None = None) -> pd.DataFrame:
        """Return a row for each trial: number, state, the objectives' values, the parameters, and why it failed."""
        chosen = self.trials if trials is None else trials
        rows = [
            {
                "number": trial.number,
                "state": trial.state,
                **dict(zip(self.objectives, trial.values or [np.nan] * len(self.objectives), strict=True)),
                **trial.params,
                "seconds": _seconds(trial),
                "error": trial.error,
            }
            for trial in chosen
        ]
        return pd.DataFrame(rows)


def _seconds(trial: TrialRecord) -> float:
    return (trial.ended - trial.began).total_seconds() if trial.began and trial.ended else float("nan")


def found(study: optuna.Study, setting: Setting) -> Tuning:
    """Return what the study found so far.

    Raises:
        InputError: no trial has a value yet.
    """
    trials = finished(study)
    complete = [trial for trial in trials if trial.values]
    default = next((trial for trial in complete if trial.base), None)
    if default is None:
        raise InputError(
            f"the study {setting.name!r} has no complete trial yet: the first, of the present parameters, did not end. "
            "Give it more time, and run the same command again."
        )
    front = _front(complete) if len(setting.objectives) > 1 else []
    best = _best(front or complete, default)
    logarithmic = frozenset(name for name, where in setting.space.items() if isinstance(where, Range) and where.log)
    importance, begun = _importance(study, complete), began_with(study)
    return Tuning(trials, best, default, front, importance, begun, setting.objectives, logarithmic)


def _best(trials: Sequence[TrialRecord], default: TrialRecord) -> TrialRecord:
    """Return the trial of the highest similarity among those no less private than the first; of equals the earliest."""
    fair = [trial for trial in trials if trial.values[1:] <= default.values[1:]]
    return max(fair, key=lambda trial: (trial.values[0], -trial.number))


def _front(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return the trials that no other dominates (similarity high, excess low), the most similar first."""
    best: list[TrialRecord] = []
    for trial in sorted(trials, key=lambda one: (-one.values[0], one.values[1], one.number)):
        if not best or trial.values[1] < best[-1].values[1]:
            best.append(trial)
    return best


def _importance(study: optuna.Study, complete: Sequence[TrialRecord]) -> dict[str, float]:
    """Return Optuna's fANOVA importance (Hutter et al. 2014, ICML 32), the most important first."""
    if len(complete) < FEWEST_TRIALS or len({trial.values[0] for trial in complete}) < 2:
        return {}
    target = None if len(complete[0].values) == 1 else lambda trial: float(trial.values[0])
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    shares = optuna.importance.get_param_importances(study, evaluator=evaluator, target=target)
    return {name: float(share) for name, share in shares.items()}


def words(tuning: Tuning) -> list[str]:
    """Return the result in lines: the best trial beside the first, the front, and what mattered."""
    states = pd.Series([trial.state for trial in tuning.trials]).value_counts()
    counted = ", ".join(f"{count} {state}" for state, count in states.items())
    similarity, start = tuning.best.values[0], tuning.default.values[0]
    lines = [
        f"{len(tuning.trials)} trials ({counted}); best is trial {tuning.best.number}: {tuning.objectives[0]} "
        f"{similarity:.4f}, and {start:.4f} with the parameters it began with"
    ]
    if tuning.is_default:
        lines.append("  no trial did better than the parameters it began with")
    else:
        began = tuning.began_with
        lines += [
            f"  {name}: {_short(value)} (was {_short(began[name])})" for name, value in tuning.best.params.items()
        ]
    if tuning.front:
        lines += ["Pareto front:", *_front_lines(tuning)]
    if tuning.importance:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in tuning.importance.items())
        lines.append(f"importance: {shares}")
    return lines


def _front_lines(tuning: Tuning) -> list[str]:
    first, second = tuning.objectives
    head = f"  {'trial':>5}  {first}  {second}  parameters"
    return [
        head,
        *(
            f"  {trial.number:>5}  {trial.values[0]:>{len(first)}.4f}  {trial.values[1]:>{len(second)}.4f}  "
            + ", ".join(f"{name} {_short(value)}" for name, value in trial.params.items())
            for trial in tuning.front
        ),
    ]


def _short(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)

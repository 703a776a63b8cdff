"""A study's trials: their state in our words, and the taking back of those whose process is gone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import optuna
from optuna.trial import FrozenTrial, TrialState

from agentsynth.processes import is_alive
from agentsynth.tuning.space import Value

BASE, WORKER, COMMAND, SEEN, ERROR, AGAIN, TRIED, SCORES = (
    "base",
    "worker",
    "command",
    "seen",
    "error",
    "again",
    "tried",
    "scores",
)
"""What is noted with a trial: whether it tries the present parameters, the process that runs it and the command that
began that, the last sign of life, why it failed, which trial it makes up for, its values as they were tried, and the
objectives' values by seed."""
UNBEGUN = 60.0
"""Seconds after which a trial that nobody signed is taken back: its process died between two steps of beginning it."""


@dataclass(frozen=True)
class TrialRecord:
    """A finished trial.

    Attributes:
        number: from 0.
        state: complete, pruned or fail.
        params: what it tried.
        values: the objectives' values; none where it did not end.
        curve: step -> score of the policy so far.
        scores: (seeds,) the objectives' values of each training.
        error: why it failed; empty where it did not.
        command: the command that ran it.
        began, ended: when.
        base: whether it tried the parameters that the study began with.
    """

    number: int
    state: str
    params: Mapping[str, Value]
    values: tuple[float, ...]
    curve: Mapping[int, float]
    scores: tuple[tuple[float, ...], ...]
    error: str
    command: str
    began: datetime | None
    ended: datetime | None
    base: bool = field(default=False)

    @classmethod
    def of(cls, trial: FrozenTrial) -> TrialRecord:
        """Return the record of one of Optuna's trials."""
        noted = trial.user_attrs
        complete = trial.state == TrialState.COMPLETE
        return cls(
            number=trial.number,
            state=trial.state.name.lower(),
            params=noted.get(TRIED, trial.params),
            values=tuple(trial.values) if complete else (),
            curve=dict(trial.intermediate_values),
            scores=tuple(tuple(score) for score in noted.get(SCORES, [])),
            error=noted.get(ERROR, ""),
            command=noted.get(COMMAND, ""),
            began=trial.datetime_start,
            ended=trial.datetime_complete,
            base=bool(noted.get(BASE)),
        )


def finished(study: optuna.Study) -> list[TrialRecord]:
    """Return the trials that ended by themselves: complete, pruned, or failed by their parameters."""
    trials = study.get_trials(deepcopy=False)
    ended = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED) or _failed(trial)]
    return [TrialRecord.of(trial) for trial in ended]


def _failed(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.FAIL and ERROR in trial.user_attrs


def running(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that are being run."""
    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))


def take_back(study: optuna.Study) -> None:
    """Take back the trials whose process is gone: each is tried again, with the same values."""
    for trial in running(study):
        if _abandoned(trial):
            give_back(study, trial)


def _abandoned(trial: FrozenTrial) -> bool:
    began = trial.datetime_start.timestamp() if trial.datetime_start else 0.0
    worker = trial.user_attrs.get(WORKER)
    if worker is None:
        return time.time() - began > UNBEGUN
    return not is_alive(worker, max(began, trial.user_attrs.get(SEEN, 0.0)))


def give_back(study: optuna.Study, trial: FrozenTrial) -> None:
    """End a trial as failed, and queue its values again: in this order, what is killed in between is done again.

    Of a trial that ended while its values were drawn nothing is queued: the next one at its place draws the same.
    """
    values = trial.params if TRIED in trial.user_attrs else trial.system_attrs.get("fixed_params", {})
    known = {other.user_attrs.get(AGAIN) for other in study.get_trials(deepcopy=False)}
    if values and trial.number not in known:
        noted = {BASE: True} if trial.user_attrs.get(BASE) else {}
        study.enqueue_trial(values, user_attrs={**noted, AGAIN: trial.number})
    end_failed(study, trial.number)


def end_failed(study: optuna.Study, number: int) -> None:
    """End a trial as failed, unless another process did."""
    try:
        study.tell(number, state=TrialState.FAIL)
    except (ValueError, optuna.exceptions.UpdateFinishedTrialError):
        if any(trial.number == number for trial in running(study)):
            raise

"""A study in MLflow: one run for the study, one nested run for each trial."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from agentsynth.processes import myself
from agentsynth.tracking.pipeline import PROCESS, begin, end_abandoned
from agentsynth.tracking.runs import Run
from agentsynth.tracking.store import alone, connect

CURVE = "learning_curve"
_STATUS = {"complete": "FINISHED", "pruned": "KILLED"}
_PAGE = 1000


class Trial(Protocol):
    """What is logged of a finished trial; see `agentsynth.tuning.trials.TrialRecord`."""

    @property
    def number(self) -> int: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def params(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def values(self) -> tuple[float, ...]: ...  # noqa: D102
    @property
    def curve(self) -> Mapping[int, float]: ...  # noqa: D102
    @property
    def error(self) -> str: ...  # noqa: D102
    @property
    def began(self) -> datetime | None: ...  # noqa: D102
    @property
    def ended(self) -> datetime | None: ...  # noqa: D102


class StudyRun:
    """The run of a study; used as a context, it ends with the block. A study that is resumed finds its run again.

    What commands on one study share of its run is written by one of them at a time: so it is begun once, and MLflow
    does not fail as it looks whether a tag is there before it inserts it.

    Args:
        study: the study's name.
        key: what tells the study from others of that name.
        objectives: what the values of trials are called.
        tags: further tags, such as the table.
        params: the study's settings.
    """

    def __init__(
        self,
        study: str,
        key: str,
        objectives: list[str],
        tags: Mapping[str, object],
        params: Mapping[str, Any],
    ) -> None:
        self._objectives = objectives
        with alone("study"):
            self._store = connect()
            end_abandoned(self._store)
            known = self._search(f"tags.study_key = '{key}'")
            if not known:
                begin(self._store, {**tags, "study": study, "study_key": key, "stage": "tune"})
                known = self._search(f"tags.study_key = '{key}'")
            self.run = Run(self._store.client, known[0].info.run_id)
            self.run.name(f"tune {study}")
            self.run.params({} if known[0].data.params else params)
        self._dangling: dict[int, str] = {}
        self._logged = self._known_trials()

    def __enter__(self) -> StudyRun:
        with alone("study"):
            self.run.tag({PROCESS: myself()})
            self._store.client.update_run(self.run.id, status="RUNNING")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        stopped = "KILLED" if kind is KeyboardInterrupt else "FAILED"
        self._store.client.set_terminated(self.run.id, "FINISHED" if kind is None else stopped)

    def trial(self, trial: Trial) -> None:
        """Log one finished trial as a nested run, unless that was done; a run that was left half written is ended."""
        if trial.number in self._logged:
            return
        client = self._store.client
        child = Run(client, self._half_written(trial.number) or self._begin_trial(trial))
        child.params(trial.params)
        child.metrics(dict(zip(self._objectives, trial.values, strict=False)))
        self._curve(child, trial)
        child.tag({"trial_state": trial.state, "trial_error": trial.error or None})
        client.set_terminated(child.id, _STATUS.get(trial.state, "FAILED"), _milliseconds(trial.ended))
        self._logged.add(trial.number)

    def result(self, metrics: Mapping[str, float], tags: Mapping[str, object], files: list[Path]) -> None:
        """Log what the study found."""
        with alone("study"):
            self.run.metrics(metrics)
            self.run.tag(tags)
            self.run.files(files)

    def _begin_trial(self, trial: Trial) -> str:
        client, experiment = self._store
        tags = {"mlflow.parentRunId": self.run.id, "mlflow.source.name": "agentsynth", "trial": str(trial.number)}
        made = client.create_run(experiment, _milliseconds(trial.began), tags, run_name=f"trial {trial.number}")
        return str(made.info.run_id)

    def _curve(self, child: Run, trial: Trial) -> None:
        from mlflow.entities import Metric

        now = _milliseconds(trial.ended) or 0
        points = [Metric(CURVE, value, now, step) for step, value in trial.curve.items()]
        for start in range(0, len(points), _PAGE):
            self._store.client.log_batch(child.id, metrics=points[start : start + _PAGE])

    def _known_trials(self) -> set[int]:
        """Return the trials that are logged in full, and note the runs of those that are not."""
        children = self._search(f"tags.mlflow.parentRunId = '{self.run.id}'")
        self._dangling = {
            int(child.data.tags["trial"]): str(child.info.run_id)
            for child in children
            if child.info.status == "RUNNING"
        }
        return {int(child.data.tags["trial"]) for child in children} - set(self._dangling)

    def _half_written(self, number: int) -> str | None:
        return self._dangling.pop(number, None)

    def _search(self, query: str) -> list[Any]:
        """Return all runs that a query finds, the oldest first."""
        client, experiment = self._store
        found: list[Any] = []
        token: str | None = ""
        while token is not None:
            oldest = ["attributes.start_time ASC"]
            page = client.search_runs([experiment], query, max_results=_PAGE, order_by=oldest, page_token=token or None)
            found += page
            token = page.token or None
        return found


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)

"""A study in MLflow: one run for the study, one nested run for each trial."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from agentsynth.tracking.pipeline import begin
from agentsynth.tracking.runs import Run
from agentsynth.tracking.store import connect

SCORE = "held_out_similarity"
_STATUS = {"complete": "FINISHED", "pruned": "KILLED"}


class StudyRun:
    """The run of a study; used as a context, it ends with the block. A study that is resumed finds its run again.

    Args:
        study: the study's name.
        tags: further tags, such as the seed.
    """

    def __init__(self, study: str, tags: Mapping[str, object]) -> None:
        self._store = connect()
        client, experiment = self._store
        known = client.search_runs([experiment], f"tags.study = '{study}'", order_by=["attributes.start_time ASC"])
        parent = known[0].info.run_id if known else begin(self._store, {**tags, "study": study, "stage": "tune"})
        self.run = Run(client, parent)
        self.run.name(f"tune {study}")

    def __enter__(self) -> StudyRun:
        self._store.client.update_run(self.run.id, status="RUNNING")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        stopped = "KILLED" if kind is KeyboardInterrupt else "FAILED"
        self._store.client.set_terminated(self.run.id, "FINISHED" if kind is None else stopped)

    def trial(self, number: int, params: Mapping[str, float], value: float | None, state: str) -> None:
        """Log one finished trial as a nested run; `state` is complete, pruned or fail."""
        client, experiment = self._store
        tags = {"mlflow.parentRunId": self.run.id, "mlflow.source.name": "agentsynth", "trial_state": state}
        child = Run(client, client.create_run(experiment, tags=tags, run_name=f"trial {number}").info.run_id)
        child.params(params)
        if value is not None:
            child.metrics({SCORE: value})
        client.set_terminated(child.id, _STATUS.get(state, "FAILED"))

    def result(self, metrics: Mapping[str, float], files: list[Path]) -> None:
        """Log what the study found."""
        self.run.metrics(metrics)
        self.run.files(files)

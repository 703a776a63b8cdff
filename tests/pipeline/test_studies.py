"""A study's run and its trials' nested runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from mlflow.entities import Run as MlflowRun

from agentsynth.tracking.store import Store
from agentsynth.tracking.studies import CURVE, StudyRun
from agentsynth.tuning.trials import TrialRecord

BEGAN = datetime(2025, 1, 2, 3, 4, 5)  # as Optuna gives it: local time


def study(key: str = "k", name: str = "s") -> StudyRun:
    return StudyRun(name, key, ["validation_similarity", "excess_nearness"], {"table": "t"}, {"seeds": 2})


def record(
    number: int, state: str = "complete", values: tuple[float, ...] = (0.9, 0.1), error: str = ""
) -> TrialRecord:
    ended = BEGAN + timedelta(seconds=7)
    curve = {0: 0.5, 1: 0.75}
    return TrialRecord(number, state, {"agent.discount": 0.5}, values, curve, (), error, "me", BEGAN, ended)


def children(store: Store, log: StudyRun) -> dict[str, MlflowRun]:
    query = f"tags.mlflow.parentRunId = '{log.run.id}'"
    return {run.info.run_name or "": run for run in store.client.search_runs([store.experiment_id], query)}


def test_trials_are_nested_in_the_study(store: Store, tmp_path: Path) -> None:
    best = tmp_path / "best.yaml"
    best.write_text("x")
    with study() as log:
        log.trial(record(0))
        log.trial(record(1, "pruned", ()))
        log.trial(record(2, "fail", (), "too fast"))
        log.result({"best/validation_similarity": 0.9}, {"verdict": "better"}, [best])
    parent = store.client.get_run(log.run.id)
    assert (parent.info.run_name, parent.info.status) == ("tune s", "FINISHED")
    assert parent.data.metrics == {"best/validation_similarity": 0.9}
    assert parent.data.params == {"seeds": "2"}
    assert (parent.data.tags["table"], parent.data.tags["verdict"]) == ("t", "better")
    runs = children(store, log)
    status = {name: run.info.status for name, run in runs.items()}
    assert status == {"trial 0": "FINISHED", "trial 1": "KILLED", "trial 2": "FAILED"}
    first = runs["trial 0"]
    assert first.data.params == {"agent.discount": "0.5"}
    assert first.data.metrics == {"validation_similarity": 0.9, "excess_nearness": 0.1, CURVE: 0.75}
    assert first.info.end_time is not None
    assert first.info.start_time == int(BEGAN.timestamp() * 1000) == first.info.end_time - 7000
    curve = store.client.get_metric_history(first.info.run_id, CURVE)
    assert [(point.step, point.value) for point in curve] == [(0, 0.5), (1, 0.75)]
    assert runs["trial 2"].data.tags["trial_error"] == "too fast"


def test_resumed_study_finds_its_run_and_logs_no_trial_twice(store: Store) -> None:
    with study() as first:
        first.trial(record(0))
    with study() as again, study("other key") as other:
        assert store.client.get_run(again.run.id).info.status == "RUNNING"
        again.trial(record(0))
        again.trial(record(1))
    assert first.run.id == again.run.id != other.run.id
    assert set(children(store, first)) == {"trial 0", "trial 1"}


def test_run_left_half_written_by_a_killed_command_is_ended(store: Store) -> None:
    with study() as log:
        pass
    tags = {"mlflow.parentRunId": log.run.id, "trial": "4"}
    dangling = store.client.create_run(store.experiment_id, tags=tags, run_name="trial 4").info.run_id
    with study() as log:
        log.trial(record(4))
    (only,) = children(store, log).values()
    assert (only.info.run_id, only.info.status) == (dangling, "FINISHED")
    assert only.data.metrics["validation_similarity"] == 0.9


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt, "KILLED"), (ValueError, "FAILED")])
def test_study_that_stops_is_marked_so(store: Store, error: type[BaseException], status: str) -> None:
    with pytest.raises(error), study() as log:
        raise error
    assert store.client.get_run(log.run.id).info.status == status

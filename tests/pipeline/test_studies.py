"""A study's run and its trials' nested runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentsynth.tracking.store import Store
from agentsynth.tracking.studies import SCORE, StudyRun


def test_trials_are_nested_in_the_study(store: Store, tmp_path: Path) -> None:
    best = tmp_path / "best.yaml"
    best.write_text("x")
    with StudyRun("s", {"seed": 0}) as log:
        log.trial(0, {"agent.discount": 0.5}, 0.9, "complete")
        log.trial(1, {"agent.discount": 0.1}, None, "pruned")
        log.result({"best": 0.9}, [best])
    parent = store.client.get_run(log.run.id)
    assert (parent.info.run_name, parent.info.status, parent.data.metrics) == ("tune s", "FINISHED", {"best": 0.9})
    query = f"tags.mlflow.parentRunId = '{log.run.id}'"
    trials = store.client.search_runs([store.experiment_id], query, order_by=["attributes.start_time ASC"])
    assert {run.info.run_name: run.info.status for run in trials} == {"trial 0": "FINISHED", "trial 1": "KILLED"}
    (first,) = [run for run in trials if run.info.run_name == "trial 0"]
    assert (first.data.params, first.data.metrics) == ({"agent.discount": "0.5"}, {SCORE: 0.9})


def test_resumed_study_finds_its_run_and_another_does_not(store: Store) -> None:
    with StudyRun("s", {}) as first:
        pass
    with StudyRun("s", {}) as again, StudyRun("t", {}) as other:
        assert store.client.get_run(again.run.id).info.status == "RUNNING"
    assert first.run.id == again.run.id != other.run.id


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt, "KILLED"), (ValueError, "FAILED")])
def test_study_that_stops_is_marked_so(store: Store, error: type[BaseException], status: str) -> None:
    with pytest.raises(error), StudyRun("s", {}) as log:
        raise error
    assert store.client.get_run(log.run.id).info.status == status

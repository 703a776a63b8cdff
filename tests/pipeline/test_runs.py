"""What goes into a run, and that the stages of one pipeline share one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agentsynth.tracking.pipeline import StageRecord, recorded
from agentsynth.tracking.runs import MOST_POINTS, Run, flatten, metric_name
from agentsynth.tracking.store import Store


def record(stage: str, key: str, writes: list[str] | None = None) -> StageRecord:
    def write(run: Run) -> None:
        run.params({stage: {"key": key}})
        if writes is not None:
            writes.append(stage)

    return StageRecord(stage, key, write)


def write(records: Sequence[StageRecord]) -> str:
    with recorded(records) as run:
        return run.id


def test_stages_of_one_pipeline_share_a_run(store: Store) -> None:
    train, generate, evaluate = record("policy", "1"), record("generate", "2"), record("evaluate", "3")
    ids = {write([train]), write([train, generate]), write([train, generate, evaluate])}
    assert len(ids) == 1
    run = store.client.get_run(ids.pop())
    assert run.data.params == {"policy.key": "1", "generate.key": "2", "evaluate.key": "3"}
    assert {name: run.data.tags[name] for name in ("policy_key", "generate_key", "evaluate_key")} == {
        "policy_key": "1",
        "generate_key": "2",
        "evaluate_key": "3",
    }
    assert run.info.status == "FINISHED"


@pytest.mark.usefixtures("store")
def test_repeated_stage_writes_into_the_same_run() -> None:
    train, generate = record("policy", "1"), record("generate", "2")
    first = write([train])
    assert write([train, generate]) == write([train, generate]) == first


def test_other_parameters_of_a_later_stage_begin_a_whole_run(store: Store) -> None:
    writes: list[str] = []
    train = record("policy", "1", writes)
    first = write([train])
    write([train, record("generate", "2", writes)])
    second = write([train, record("generate", "other", writes)])
    assert second != first
    assert writes == ["policy", "generate", "policy", "generate"]
    assert store.client.get_run(second).data.params == {"policy.key": "1", "generate.key": "other"}


def test_stage_without_a_run_begins_a_whole_one(store: Store) -> None:
    identifier = write([record("policy", "1"), record("generate", "2")])
    assert store.client.get_run(identifier).data.params == {"policy.key": "1", "generate.key": "2"}


@pytest.mark.usefixtures("store")
def test_first_stage_always_begins_a_run_and_the_newest_is_found() -> None:
    train = record("policy", "1")
    first, second = write([train]), write([train])
    assert first != second
    assert write([train, record("generate", "2")]) == second


def test_experiments_side_by_side_do_not_take_each_others_runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two scenarios of one policy: the second has trained when the first generates, and the other way round."""
    train = record("policy", "1")
    names = ("sweep-1", "sweep-2")
    for records in ([train], [train, record("generate", "2")]):
        for name in names:
            monkeypatch.setenv("DVC_EXP_NAME", name)
            write(records)
    runs = store.client.search_runs([store.experiment_id])
    assert sorted(run.data.tags["dvc_experiment"] for run in runs) == list(names)
    assert [run.data.params for run in runs] == [{"policy.key": "1", "generate.key": "2"}] * 2


def test_failing_stage_ends_its_run_as_failed_and_unclaimed(store: Store) -> None:
    def fail(_: Run) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write([StageRecord("policy", "1", fail)])
    (run,) = store.client.search_runs([store.experiment_id])
    assert run.info.status == "FAILED"
    assert "policy_key" not in run.data.tags


def test_curves_are_thinned_but_keep_their_ends_and_lose_nan(store: Store) -> None:
    with recorded([record("policy", "1")]) as run:
        run.curves({"long": np.arange(2000.0), "holes": [1.0, float("nan"), 3.0], "empty": []})
    long = store.client.get_metric_history(run.id, "long")
    assert len(long) == MOST_POINTS
    assert (long[0].value, long[-1].step, long[-1].value) == (0.0, 1999, 1999.0)
    assert [(point.step, point.value) for point in store.client.get_metric_history(run.id, "holes")] == [
        (0, 1.0),
        (2, 3.0),
    ]


def test_metrics_that_are_not_finite_are_left_out(store: Store) -> None:
    with recorded([record("policy", "1")]) as run:
        run.metrics({"a": 1.0, "b": float("nan"), "c": float("inf"), "d (€)": 2})
    assert store.client.get_run(run.id).data.metrics == {"a": 1.0, "d ___": 2.0}


def test_many_params_go_in_several_calls(store: Store) -> None:
    with recorded([record("policy", "1")]) as run:
        run.params({f"p{number}": number for number in range(230)})
    assert len(store.client.get_run(run.id).data.params) == 231


def test_dataset_is_recorded_with_its_digest_and_without_warnings(store: Store) -> None:
    frame = pd.DataFrame({"n": [1, 2], "t": pd.to_datetime(["2024-01-01", "2024-01-02"]), "s": ["a", None]})
    with recorded([record("policy", "1")]) as run:
        run.dataset(frame, "shop", "training")
    inputs = store.client.get_run(run.id).inputs
    assert inputs is not None
    (found,) = inputs.dataset_inputs
    assert found.dataset.name == "shop"
    assert found.dataset.digest
    assert [(tag.key, tag.value) for tag in found.tags] == [("mlflow.data.context", "training")]


def test_files_are_stored(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(b"x")
    with recorded([record("policy", "1")]) as run:
        run.files([file], "figures")
    assert [item.path for item in store.client.list_artifacts(run.id, "figures")] == ["figures/picture.png"]


def test_tags_of_none_are_left_out(store: Store) -> None:
    with recorded([record("policy", "1")]) as run:
        run.tag({"kept": 1, "more": "x", "nothing": None})
    tags = store.client.get_run(run.id).data.tags
    assert (tags["kept"], tags["more"]) == ("1", "x")
    assert "nothing" not in tags


def test_flatten() -> None:
    assert flatten({"a": {"b": {"c": 1}, "d": 2}, "e": 3, "f": {}}) == {"a.b.c": 1, "a.d": 2, "e": 3}


def test_metric_names_keep_letters_of_any_language() -> None:
    assert metric_name("similarity/größe [cm]") == "similarity/größe _cm_"

"""The stages' pure functions, and what they write into the run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from agentsynth.data.reading import write_table
from agentsynth.errors import ConfigError, InputError
from agentsynth.files import digest
from agentsynth.params import Params
from agentsynth.scoring import held_out_similarities
from agentsynth.stages import paths, train
from agentsynth.stages.evaluate import evaluate
from agentsynth.stages.generate import generate, summary
from agentsynth.stages.prepare import prepare, prepared_tables
from agentsynth.stages.records import policy_digest, run_name, table_name, train_record
from agentsynth.stages.tune import Problem, setting_of, tune_table
from agentsynth.synth import AgentSynth
from agentsynth.tracking.pipeline import recorded
from agentsynth.tracking.store import Store
from agentsynth.tuning.scores import Tables


def with_(params: Params, **sections: object) -> Params:
    return Params.model_validate(params.model_dump() | sections)


def test_prepare_simulates_infers_and_splits(params: Params) -> None:
    schema, rows = prepare(params)
    assert schema["total_revenue"].kind == "derived"
    assert [len(part) for part in rows] == [180, 60, 60]
    again = prepare(with_(params, seed=7))  # the seed of training: judged by the same rows
    assert all(one.equals(two) for one, two in zip(rows, again.rows, strict=True))
    resplit = prepare(with_(params, split={**params.split.model_dump(), "seed": 1}))
    assert not resplit.rows.test.equals(rows.test)


def test_prepare_reads_the_users_table_with_overrides(params: Params, shop: pd.DataFrame, tmp_path: Path) -> None:
    write_table(shop, tmp_path / "mine.csv")
    chosen = with_(params, data={"table": str(tmp_path / "mine.csv"), "columns": {"quantity": {"kind": "categorical"}}})
    schema, rows = prepare(chosen)
    assert schema["quantity"].kind == "categorical"
    assert sum(map(len, rows)) == len(shop)


def test_stage_before_its_input_names_the_stage_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"data/train\.parquet: run `dvc repro prepare` first"):
        prepared_tables()


def test_train_generate_evaluate(params: Params) -> None:
    schema, rows = prepare(params)
    synth = train.train(rows.train, schema, params)
    composed = generate(synth, with_(params, generate={"rows": 50, "scenario": "black_friday"}))
    assert len(composed.table) == 50
    head, first, *_ = summary(composed, Path("t.csv")).removeprefix("50 rows to t.csv\n").splitlines()
    assert head.startswith("Scenario black_friday: ")
    report = composed.report
    assert report is not None
    assert head.endswith(
        f" of 5 targets reached; 50 rows of {report.drawn:,} drawn (effective size {report.effective:.0f})"
    )
    assert report.drawn > report.effective > 50
    assert first.startswith("  category Electronics share: before ")
    assert ", wanted 0.5, reached " in first
    evaluation = evaluate(synth, *rows, composed.table, params)
    assert evaluation.report.rows["test"] == 60
    assert set(evaluation.policies["policy"]) >= {"q_learning", "neutral", "random", "raking", "free"}
    assert set(evaluation.policies["seed"]) == {params.seed}


def test_entities_are_set_apart_whole_and_their_lives_judged(params: Params) -> None:
    shop = {"rows": 600, "seed": 2, "habits": True}
    orders = with_(params, data=shop, entities={"column": "auto"}, generate={"rows": 100})
    with pytest.raises(ConfigError, match=r"set split\.method to group, and split\.column to user_id"):
        prepare(orders)
    orders = with_(orders, split={"method": "group", "column": "user_id"})
    schema, rows = prepare(orders)
    assert not set(rows.train["user_id"]) & set(rows.test["user_id"])
    synth = train.train(rows.train, schema, orders)
    table = generate(synth, orders).table
    assert len(table) == 100
    found = evaluate(synth, *rows, table, orders).entities
    assert found is not None
    assert list(found.loc["attributes"]) == [1.0, 1.0]
    without = ["nested", "groups"]  # the shop has no other ids
    assert found["synthetic"].drop(without).notna().all()
    assert found["synthetic"][without].isna().all()


def test_run_names_tell_table_scenario_seed_and_experiment(params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    assert table_name(params) == "shop"
    mine = with_(params, seed=4, data={"table": "data/raw/mine.csv"})
    monkeypatch.setenv("DVC_EXP_NAME", "bold-lion")
    assert run_name(mine, "evening_rush") == "mine evening_rush seed 4 bold-lion"


def test_policy_digest_follows_what_was_learned(params: Params, shop: pd.DataFrame, synth: AgentSynth) -> None:
    same = AgentSynth(params.config.model_copy(update={"scenarios": {}}), seed=1).fit(shop)
    other = AgentSynth(params.config, seed=2).fit(shop)
    assert policy_digest(same) == policy_digest(synth) != policy_digest(other)


def test_training_is_logged(
    store: Store, params: Params, shop: pd.DataFrame, synth: AgentSynth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DVC_EXP_NAME", raising=False)
    for path in (paths.TRAIN, paths.VALIDATION):
        write_table(shop, path)
    synth.schema_.save(paths.SCHEMA)
    write_table(synth.history_.to_frame(), paths.HISTORY)
    stamped = train.draw_figures(synth)
    with recorded([train_record(params, synth)]) as run:
        run.files([stamped], "figures")
    logged = store.client.get_run(run.id)
    assert logged.info.run_name == "shop seed 0"
    assert logged.data.params["agent.episodes"] == "3"
    assert {f"best_action/{name}" for name in synth.history_.best_action} <= set(logged.data.metrics)
    curve = store.client.get_metric_history(run.id, "train/return")
    assert [point.value for point in curve] == pytest.approx(list(synth.history_.returns))
    figures = {Path(item.path).name for item in store.client.list_artifacts(run.id, "figures")}
    assert figures == {"training_progress.png", "learned_response.png", "q_tables.png", stamped.name}
    assert len(stamped.stem) == len("training_progress_20260101_120000")
    assert logged.inputs is not None
    assert {item.dataset.name for item in logged.inputs.dataset_inputs} == {"shop"}


def test_figures_and_model_have_the_same_bytes_each_time(
    synth: AgentSynth, params: Params, shop: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests: list[str] = []
    for fitted in (synth, AgentSynth(params.config, seed=1).fit(shop)):
        folder = tmp_path / str(len(digests))
        folder.mkdir()
        monkeypatch.chdir(folder)
        fitted.save(paths.MODEL)
        train.draw_figures(fitted).unlink()
        digests.append(digest(folder))
    assert digests[0] == digests[1]


def test_tables_of_a_file_leave_the_test_rows_out(params: Params, shop: pd.DataFrame, tmp_path: Path) -> None:
    write_table(shop, tmp_path / "mine.parquet")
    problem = Problem.of(tmp_path / "mine.parquet", params)
    assert problem.name == "mine"
    assert (len(problem.tables.train), len(problem.tables.validation), len(problem.test)) == (180, 60, 60)


def test_tuning_logs_each_trial_and_writes_what_it_found(store: Store, params: Params) -> None:
    schema, rows = prepare(params)
    problem = Problem(Tables(rows.train, rows.validation, schema), rows.test, "shop")
    chosen = with_(params, tune={"trials": 3, "seeds": 1, "tables": 1, "test_seeds": 2, "storage": "journal:j.log"})
    said, worth_it = tune_table(problem, chosen, Path("out"))
    assert said.startswith("3 trials (3 complete); best is trial ")
    result = json.loads(Path("out/result.json").read_text())
    assert Params.load("out/best_params.yaml").agent.learning_rate == result["best"]["params"]["agent.learning_rate"]
    trials = pd.read_csv("out/trials.csv")
    assert list(trials["number"]) == [0, 1, 2]
    synth = train.train(rows.train, schema, chosen)
    (first,) = held_out_similarities(synth, rows.validation, schema, seed=chosen.seed, tables=1)
    assert trials["validation_similarity"][0] == pytest.approx(first)
    assert {"history.png", "slices.png"} <= {path.name for path in Path("out").iterdir()}
    runs = {run.info.run_name: run for run in store.client.search_runs([store.experiment_id])}
    assert set(runs) == {"tune shop-rows", "trial 0", "trial 1", "trial 2"}
    study = runs["tune shop-rows"]
    assert (study.data.tags["table"], study.data.tags["best_trial"]) == ("shop", str(result["best"]["trial"]))
    assert "history.png" in {item.path for item in store.client.list_artifacts(study.info.run_id)}
    assert [gain["score"] for gain in result["gains"]] == ["similarity to 60 test rows"] * (result["best"]["trial"] > 0)
    assert worth_it == (": better\n" in said)
    more = chosen.tune.model_copy(update={"trials": 9, "timeout": 1e-9})
    again = tune_table(problem, chosen.model_copy(update={"tune": more}), Path("out")).text
    assert "3 of 9 trials so far: the same command goes on" in again
    assert len(store.client.search_runs([store.experiment_id])) == 4


def test_study_of_a_temporary_workspace_is_kept_in_the_project(
    params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema, rows = prepare(params)
    problem = Problem(Tables(rows.train, rows.validation, schema), rows.test, "shop")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert setting_of(problem, params).params.storage == f"sqlite:///{tmp_path}/mlruns/optuna.db"
    monkeypatch.delenv("DVC_ROOT")
    assert setting_of(problem, params).params.storage == "sqlite:///mlruns/optuna.db"


@pytest.mark.parametrize(
    ("tune", "name"),
    [
        ({}, "shop-rows"),
        ({"score": "goals"}, "shop-goals"),
        ({"scenario": "price_rise", "privacy": True}, "shop-rows-price_rise-privacy"),
        ({"study": "mine"}, "mine"),
    ],
)
def test_study_is_named_by_what_is_looked_for(params: Params, tune: dict[str, object], name: str) -> None:
    schema, rows = prepare(params)
    problem = Problem(Tables(rows.train, rows.validation, schema), rows.test, "shop")
    assert setting_of(problem, with_(params, tune=tune)).name == name


def test_digest_sees_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("1")
    before = digest(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert digest(tmp_path / "b") == before
    (tmp_path / "b" / "x").rename(tmp_path / "b" / "y")
    assert digest(tmp_path / "b") != before
    assert digest(json.loads('{"b": 1, "a": 2}')) == digest({"a": 2, "b": 1})

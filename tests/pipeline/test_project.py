"""The whole pipeline in a project of its own, by the commands a user types."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun

from agentsynth.data.reading import read_table
from agentsynth.tracking.store import connect

pytestmark = pytest.mark.slow

OWN = ("train.parquet", "validation.parquet", "test.parquet")
"""The user's rows, as stage prepare sets them apart."""
Run = Callable[..., subprocess.CompletedProcess[str]]


def runs_in(folder: Path) -> list[dict[str, Any]]:
    """Return what the store of a project holds, the oldest run first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        client, experiment = connect()
        return [seen(client, run) for run in client.search_runs([experiment], order_by=["attributes.start_time ASC"])]


def seen(client: MlflowClient, run: MlflowRun) -> dict[str, Any]:
    identifier = run.info.run_id
    assert run.inputs is not None
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "params": run.data.params,
        "metrics": run.data.metrics,
        "tags": run.data.tags,
        "figures": [item.path for item in client.list_artifacts(identifier, "figures")],
        "files": [item.path for item in client.list_artifacts(identifier)],
        "datasets": [item.dataset.name for item in run.inputs.dataset_inputs],
    }


def test_first_reproduction_makes_everything(reproduced: Path) -> None:
    said = (reproduced / "first.log").read_text()
    assert "total_revenue  derived" in said
    assert "policy version 1 is the champion" in said
    stamped = [path.name for path in (reproduced / "figures").glob("training_progress_*.png")]
    assert len(stamped) == 1
    assert re.fullmatch(r"training_progress_\d{8}_\d{6}\.png", stamped[0])
    assert (reproduced / "figures" / "data_comparison.png").exists()
    assert (reproduced / "data" / "synthetic.csv").exists()


def test_page_of_the_result_names_the_commit_of_the_code_and_the_way_back(run: Run, reproduced: Path) -> None:
    page = (reproduced / "data" / "report.html").read_text()
    first = run(reproduced, "git", "log", "--format=%H", "--", "src").stdout.split()[-1]
    assert f"git checkout {first}\ndvc repro" in page
    assert "not committed" not in page
    assert "Mimic, judged by 60 unseen rows." in page
    assert "Policies compared on the unseen rows" in page
    assert str(reproduced) not in page


def test_one_run_holds_the_pipeline_also_in_a_moved_folder(project: Path) -> None:
    (only,) = runs_in(project)
    assert (only["name"], only["status"]) == ("shop mimic seed 0", "FINISHED")
    assert {"agent.learning_rate", "generate.rows", "evaluate.seeds"} <= set(only["params"])
    assert {"refinement.exchanges", "split.seed"} <= set(only["params"])
    assert "None" not in only["params"].values()
    scores = {"similarity", "ceiling/similarity", "floor/similarity", "held_out_similarity", "detection"}
    assert {*scores, "train/return"} <= set(only["metrics"])
    assert {"figures/data_comparison.png", "figures/q_tables.png"} <= set(only["figures"])
    assert len([name for name in only["figures"] if re.search(r"training_progress_\d{8}_\d{6}\.png$", name)]) == 1
    assert {"report.html", "report.json", "schema.json", "synthetic.csv", "model_card.md"} <= set(only["files"])
    assert sorted(only["datasets"]) == ["shop", "shop", "shop", "shop synthetic"]
    tags = only["tags"]
    assert len(tags["mlflow.source.git.commit"]) == 40
    assert (tags["table"], tags["scenario"], tags["seed"], tags["dvc_stage"]) == ("shop", "mimic", "0", "evaluate")
    assert re.fullmatch(r"[0-9a-f]{8}", tags["data_digest"])
    assert re.match(r"python 3\.\d+\.\d+, agentsynth 0\.1\.0, gymnasium ", tags["versions"])
    note = tags["mlflow.note.content"]
    assert note.startswith(
        "Policy version 1 is the champion: there was no champion to beat.\n\n"
        "Mimic, judged by 60 unseen rows.\n\n| score | ours |"
    )


def test_registered_version_tells_what_it_is(project: Path) -> None:
    (run,) = runs_in(project)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        client = connect().client
        version = client.get_model_version_by_alias("agentsynth", "champion")
        model = client.get_logged_model(str(version.source).removeprefix("models:/"))
    (folder,) = (project / "mlruns" / "artifacts" / "models").iterdir()
    card = next(folder.rglob("model_card.md")).read_text(encoding="utf-8")
    assert next(folder.rglob("schema.json")).read_bytes() == (project / "data" / "schema.json").read_bytes()
    assert version.description == f"{card}\n\n## Promotion\n\nChampion: there was no champion to beat."
    assert version.tags["data_digest"] == run["tags"]["data_digest"]
    scores = {metric.key: metric.value for metric in model.metrics or []}
    assert scores["similarity"] == run["metrics"]["similarity"]
    assert scores["held_out_similarity"] == pytest.approx(float(version.tags["held_out_similarity"]), abs=1e-6)


def test_second_reproduction_does_nothing_and_git_is_clean(run: Run, project: Path) -> None:
    assert "Data and pipelines are up to date" in run(project, "dvc", "repro").stdout
    assert run(project, "git", "status", "--short").stdout.strip() in ("", "?? first.log")
    assert len(runs_in(project)) == 1


def test_champion_loads_with_plain_mlflow_in_the_moved_folder(run: Run, project: Path) -> None:
    code = """
import mlflow, pandas as pd
model = mlflow.pyfunc.load_model("models:/agentsynth@champion")
print(model.predict(pd.DataFrame({"rows": [9], "scenario": ["evening_rush"]})).shape)
print(model.unwrap_python_model().synth.generate(3).shape)
"""
    done = run(project, sys.executable, "-c", code)
    assert done.stdout.split("\n")[:2] == ["(9, 7)", "(3, 7)"]
    assert done.stderr == ""


def test_metrics_and_plots_show(run: Run, project: Path) -> None:
    assert "similarity" in run(project, "dvc", "metrics", "show").stdout
    run(project, "dvc", "plots", "show")
    page = (project / "dvc_plots" / "index.html").read_text()
    assert "Similarity by episode" in page
    assert len(list((project / "dvc_plots" / "static").glob("*.png"))) == 5


def test_fresh_clone_runs_all_of_it_to_the_same_bytes(run: Run, reproduced: Path, tmp_path: Path) -> None:
    run(tmp_path, "git", "clone", "-q", str(reproduced), "clone")
    clone = tmp_path / "clone"
    run(clone, "dvc", "repro")
    assert run(clone, "git", "status", "--short").stdout == ""
    (only,) = runs_in(clone)
    assert {"similarity", "train/return", "held_out_similarity"} <= set(only["metrics"])


def test_changed_table_is_noticed(run: Run, project: Path) -> None:
    (project / "data" / "raw" / "mine.csv").write_text("a,b\n1,x\n2,y\n")
    assert "prepare" in run(project, "dvc", "status").stdout


def test_wrong_parameter_is_one_message_and_code_2(run: Run, project: Path) -> None:
    params = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(params.replace("learning_rate: 0.1", "learning_rate: 3"))
    done = run(project, sys.executable, "-m", "agentsynth.stages.train", expect=2)
    assert "agent.learning_rate" in done.stderr
    assert "Traceback" not in done.stderr


def test_tuning_is_a_stage_that_plain_repro_leaves_alone(run: Run, project: Path) -> None:
    assert not (project / "data" / "tuning").exists()
    done = run(project, "dvc", "repro", "tuning/dvc.yaml")
    assert "2 trials" in done.stdout
    assert (project / "data" / "tuning" / "best_params.yaml").exists()
    assert "?? tuning/dvc.lock" in run(project, "git", "status", "--short").stdout.splitlines()
    params = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(params.replace("discount: 0.5", "discount: 0.25"))
    assert "tune" not in run(project, "dvc", "repro", "--dry").stdout
    again = run(project, "agentsynth", "tune", "--apply")  # the finished study, found by its tables
    assert again.stdout.splitlines()[-1].startswith(("params.yaml:", "  "))
    names = [found["name"] for found in runs_in(project)]
    assert sorted(names) == ["shop mimic seed 0", "trial 0", "trial 1", "tune shop-rows"]


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield every file of a project but for generated tables, git's and DVC's: its name, and what is written in it."""
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if not path.is_file() or path.name in OWN or name.startswith((".git/", ".dvc/", "data/synthetic", "src/")):
            continue
        if path.name.startswith("synthetic") or path.is_symlink():
            continue
        content = path.read_bytes()
        yield name, content.decode("latin-1")
        if content.startswith(b"SQLite format 3"):
            connection = sqlite3.connect(path)
            yield name, "\n".join(connection.iterdump())
            connection.close()
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                yield name, " ".join(f"{key} {arrays[key].tolist()}" for key in arrays.files)


def test_no_row_is_in_the_model_the_reports_the_logs_or_the_store(project: Path) -> None:
    rows = [read_table(project / "data" / name) for name in OWN]
    stamps = {str(stamp) for table in rows for stamp in table["timestamp"]}
    stamps |= {stamp.replace(" ", "T") for stamp in stamps}
    written = list(texts(project))
    names = {name for name, _ in written}
    assert {"mlruns/mlflow.db", "data/report.html", "data/report.json", "data/model/arrays.npz", "first.log"} <= names
    assert {name for name in names if name.startswith("mlruns/artifacts/")}
    assert [(name, stamp) for name, text in written for stamp in stamps if stamp in text] == []

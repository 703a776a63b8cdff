"""The whole pipeline in a project of its own, by the commands a user types."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun

from agentsynth.tracking.store import connect

pytestmark = pytest.mark.slow

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


def test_one_run_holds_the_pipeline_also_in_a_moved_folder(project: Path) -> None:
    (only,) = runs_in(project)
    assert (only["name"], only["status"]) == ("shop mimic seed 0", "FINISHED")
    assert {"agent.learning_rate", "generate.rows", "evaluate.seeds"} <= set(only["params"])
    assert {"similarity", "train/return", "held_out_similarity"} <= set(only["metrics"])
    assert {"figures/data_comparison.png", "figures/q_tables.png"} <= set(only["figures"])
    assert len([name for name in only["figures"] if re.search(r"training_progress_\d{8}_\d{6}\.png$", name)]) == 1
    assert {"report.json", "schema.json", "synthetic.csv"} <= set(only["files"])
    assert sorted(only["datasets"]) == ["shop", "shop", "shop", "shop synthetic"]
    assert len(only["tags"]["mlflow.source.git.commit"]) == 40


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


def test_experiment_with_a_scenario_reruns_only_what_depends_on_it(run: Run, project: Path) -> None:
    shutil.rmtree(project / "dvc_plots", ignore_errors=True)
    done = run(project, "dvc", "exp", "run", "-S", "generate.scenario=evening_rush")
    assert "Stage 'train' didn't change, skipping" in done.stdout
    assert "> python -m agentsynth.stages.generate" in done.stdout
    first, second = runs_in(project)
    assert second["name"].startswith("shop evening_rush seed 0 ")
    assert second["tags"]["dvc_experiment"] in second["name"]
    assert set(second["params"]) == set(first["params"])
    assert set(second["metrics"]) == set(first["metrics"])
    assert second["tags"]["model_version"] == "1"


def test_users_table_in_a_temporary_workspace_logs_to_the_project(run: Run, project: Path) -> None:
    rows = "".join(f"{number},{'abc'[number % 3]},{number * number % 17 / 2}\n" for number in range(240))
    (project / "data" / "raw" / "mine.csv").write_text("id,kind,size\n" + rows)
    run(project, "git", "add", "data/raw/mine.csv")
    run(project, "git", "commit", "-qm", "my table")
    run(project, "dvc", "exp", "run", "--temp", "-S", "data.table=data/raw/mine.csv")
    _, second = runs_in(project)
    assert second["params"]["data.table"] == "data/raw/mine.csv"
    assert second["tags"]["table"] == "mine"
    assert "figures/data_comparison.png" in second["figures"]
    assert second["tags"]["verdict"] == "the first for this table: there was no champion to beat"
    code = """
import mlflow
model = mlflow.pyfunc.load_model("models:/agentsynth@champion")
print(*model.unwrap_python_model().synth.schema_.names)
"""
    assert run(project, sys.executable, "-c", code).stdout.split() == ["id", "kind", "size"]


def test_changed_table_is_noticed(run: Run, project: Path) -> None:
    (project / "data" / "raw" / "mine.csv").write_text("a,b\n1,x\n2,y\n")
    assert "prepare" in run(project, "dvc", "status").stdout


def test_wrong_parameter_is_one_message_and_code_2(run: Run, project: Path) -> None:
    params = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(params.replace("learning_rate: 0.1", "learning_rate: 3"))
    done = run(project, sys.executable, "-m", "agentsynth.stages.train", expect=2)
    assert "agent.learning_rate" in done.stderr
    assert "Traceback" not in done.stderr


def test_tune_by_the_command_line_uses_the_prepared_tables(run: Run, project: Path) -> None:
    done = run(project, "agentsynth", "tune")
    assert done.stdout.startswith("best of 2 trials")
    assert (project / "data" / "tuning" / "best_params.yaml").exists()
    assert done.stderr == ""

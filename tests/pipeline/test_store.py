"""The MLflow store: in `mlruns/`, found without settings, movable, silent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agentsynth.tracking.store import ARTIFACTS, EXPERIMENT, Store, connect

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_everything_lies_under_mlruns_but_the_link(store: Store, tmp_path: Path) -> None:
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlflow.db", "mlruns"]
    assert (tmp_path / "mlflow.db").readlink() == Path("mlruns/mlflow.db")
    experiment = store.client.get_experiment(store.experiment_id)
    assert (experiment.name, experiment.artifact_location) == (EXPERIMENT, ARTIFACTS.as_posix())
    assert experiment.tags == {"mlflow.experimentKind": "custom_model_development"}  # how `mlflow ui` shows it


def test_connecting_again_finds_the_same_store(store: Store) -> None:
    run = store.client.create_run(store.experiment_id)
    again = connect()
    assert again.experiment_id == store.experiment_id
    assert again.client.get_run(run.info.run_id).info.run_id == run.info.run_id


@pytest.mark.usefixtures("store")
def test_connecting_leaves_no_variable_that_passes_for_the_users() -> None:
    assert "MLFLOW_TRACKING_URI" not in os.environ


def test_users_tracking_uri_is_obeyed(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "elsewhere.db"
    database.write_bytes((empty_store / "mlruns" / "mlflow.db").read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    import mlflow

    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]  # forget the store of the tests before
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
    found = connect()
    assert found.client.tracking_uri == f"sqlite:///{database}"
    assert found.client.get_experiment(found.experiment_id).name == "mine"
    assert not (tmp_path / "mlruns").exists()
    assert not (tmp_path / "mlflow.db").exists()


def test_temporary_workspace_of_dvc_uses_the_projects_store(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = tmp_path / "workspace"
    (workspace / "mlruns").mkdir(parents=True)  # a committed mlruns/.gitkeep makes the folder there
    monkeypatch.chdir(workspace)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    client, experiment = connect()
    run = client.create_run(experiment).info.run_id
    client.log_text(run, "kept", "note.txt")
    monkeypatch.chdir(tmp_path)
    assert [item.path for item in store.client.list_artifacts(run)] == ["note.txt"]


def test_no_links_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links on this file system")

    from agentsynth.tracking import store as module

    monkeypatch.setattr(Path, "symlink_to", refuse)
    module._link(tmp_path / "mlflow.db", module.DATABASE)
    assert "mlflow ui --backend-store-uri sqlite:///mlruns/mlflow.db" in caplog.text


@pytest.mark.slow
def test_first_use_prints_nothing(run: Run, tmp_path: Path) -> None:
    code = "from agentsynth.tracking.store import connect; connect()"
    done = run(tmp_path, sys.executable, "-c", code)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("module", ["agentsynth.cli", "agentsynth.stages.train"])
def test_heavy_packages_are_not_imported_by(module: str, run: Run, tmp_path: Path) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    imported = set(run(tmp_path, sys.executable, "-c", code).stdout.split())
    assert not imported & {"mlflow", "optuna", "dvc", "matplotlib"}


def test_a_database_that_was_being_made_when_its_process_was_killed_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns" / "mlflow.making").write_bytes(b"SQLite format 3\0 and half a page")
    (tmp_path / "mlruns" / "mlflow.making-journal").write_bytes(b"half a journal")
    client, experiment = connect()
    assert client.get_experiment(experiment).artifact_location == ARTIFACTS.as_posix()
    assert client.get_experiment("0").artifact_location == ARTIFACTS.as_posix()
    assert sorted(path.name for path in (tmp_path / "mlruns").iterdir()) == ["artifacts", "mlflow.db", "store.lock"]


def test_two_processes_make_a_fresh_store_at_once(run: Run, tmp_path: Path) -> None:
    code = "from agentsynth.tracking.store import connect; s = connect(); s.client.create_run(s.experiment_id)"
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    started = [subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=environment) for _ in range(2)]
    assert [process.wait(timeout=120) for process in started] == [0, 0]
    count = "from agentsynth.tracking.store import connect; s = connect(); print(len(s.client.search_runs([s[1]])))"
    assert run(tmp_path, sys.executable, "-c", count).stdout.split()[-1] == "2"

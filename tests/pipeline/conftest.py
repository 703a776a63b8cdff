"""A small fitted model, an MLflow store, and a project that `dvc repro` ran in: made once, copied for each test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from filelock import FileLock

from agentsynth.data.shop import simulate_shop
from agentsynth.params import Params
from agentsynth.synth import AgentSynth
from agentsynth.tracking import registry
from agentsynth.tracking.pipeline import StageRecord, recorded
from agentsynth.tracking.store import Store, connect

ROOT = Path(__file__).resolve().parents[2]
SMALL: dict[str, Any] = {
    "data": {"rows": 300},
    "generator": {"trees": 2},
    "environment": {"rows": 60, "steps": 6},
    "agent": {"episodes": 3},
    "generate": {"rows": 100},
    "evaluate": {"seeds": 1, "max_rows": 100},
    "tune": {"trials": 2, "seeds": 1, "tables": 1, "test_seeds": 2},
}


def with_small_sizes(text: str) -> str:
    """Return the text of params.yaml with sizes that run in seconds."""
    params = yaml.safe_load(text)
    for section, values in SMALL.items():
        params[section].update(values)
    return yaml.safe_dump(params, sort_keys=False)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "DVC_ROOT", "DVC_EXP_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def params() -> Params:
    return Params.model_validate(yaml.safe_load(with_small_sizes((ROOT / "params.yaml").read_text())))


@pytest.fixture(scope="session")
def shop() -> pd.DataFrame:
    return simulate_shop(300, seed=5)


@pytest.fixture(scope="session")
def synth(params: Params, shop: pd.DataFrame) -> AgentSynth:
    return AgentSynth(params.config, seed=1).fit(shop)


@pytest.fixture(scope="session")
def model(synth: AgentSynth, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    synth.save(folder)
    return folder


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a fresh MLflow store: making one takes seconds, copying it does not."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        connect()
    return folder


@pytest.fixture
def store(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    shutil.copytree(empty_store, tmp_path, symlinks=True, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return connect()


@pytest.fixture(scope="session")
def stored(empty_store: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one registered version, the champion."""
    folder = Path(shutil.copytree(empty_store, tmp_path_factory.mktemp("registry") / "project", symlinks=True))
    shutil.copytree(model, folder / "data" / "model")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        client = connect().client
        with recorded([StageRecord("policy", "first", lambda _: None)]) as run:
            keys = {"policy_key": "first", "scenarios_key": "none"}
            made = registry.register(run, Path("data/model"), keys=keys, card="what it is", tags={"table": "shop"})
        registry.promote(client, made.number, 0.9, _nobody)
    return folder


def _nobody(_: AgentSynth) -> registry.Contest:
    raise AssertionError("there is no champion to meet")


@pytest.fixture
def champion(stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store of such a project, copied elsewhere."""
    folder = tmp_path / "elsewhere"
    shutil.copytree(stored, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return connect()


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a command in a folder as a user would, with this Python first on the path; it has to succeed."""

    def run(folder: Path, *command: str, expect: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        identity = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        environment = {**os.environ, "PATH": path, **identity, "DVC_NO_ANALYTICS": "true", **variables}
        for name in ("DVC_ROOT", "MLFLOW_TRACKING_URI"):
            environment.pop(name, None)
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == expect, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture(scope="session")
def reproduced(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in git, with small sizes, in which `dvc repro` ran once and whose result was committed.

    Tests leave it as it is. Processes that share the tests share it too: it takes most of a minute.
    """
    together = "PYTEST_XDIST_WORKER" in os.environ
    folder = (tmp_path_factory.getbasetemp().parent if together else tmp_path_factory.mktemp("made")) / "reproduced"
    with FileLock(f"{folder}.lock"):
        if not (folder / "first.log").exists():
            reproduce(run, folder)
    return folder


def reproduce(run: Run, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # half of one, made by a process whose fixture failed
    folder.mkdir()
    for name in ("src", ".dvc", "data/raw", "tuning"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "tmp", "cache", "config.local")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in (".dvcignore", ".gitignore", "dvc.yaml"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "mlruns").mkdir()
    (folder / "mlruns" / ".gitkeep").touch()
    (folder / "params.yaml").write_text(with_small_sizes((ROOT / "params.yaml").read_text()))
    run(folder, "git", "init", "-q")
    commit(run, folder)
    said = run(folder, "dvc", "repro").stdout
    commit(run, folder)
    (folder / "first.log").write_text(said)


def commit(run: Run, folder: Path) -> None:
    run(folder, "git", "add", "-A", ":!first.log")
    run(folder, "git", "commit", "-qm", "state")


@pytest.fixture
def project(reproduced: Path, tmp_path: Path) -> Path:
    """A copy of the reproduced project, in another place."""
    return Path(shutil.copytree(reproduced, tmp_path / "moved", symlinks=True))

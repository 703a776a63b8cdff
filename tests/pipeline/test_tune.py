"""`agentsynth tune` as a user meets it: killed, resumed, by several workers and commands."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import psutil
import pytest
from mlflow import MlflowClient
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from agentsynth.data.reading import write_table
from agentsynth.data.shop import simulate_shop
from agentsynth.params import Params
from agentsynth.stages.tune import Job, Problem, setting_of
from agentsynth.tracking.store import connect
from agentsynth.tuning.trials import AGAIN, TRIED

pytestmark = pytest.mark.slow

PARAMS = """# mine
generator: {trees: 2}
environment: {rows: 60, steps: 6}
agent:
  episodes: 6
  discount: 0.5   # gamma
tune: {trials: 5, seeds: 1, tables: 1, test_seeds: 2, storage: "journal:study.log"}
"""
LIMIT = 120.0
"""Seconds that a step may take before the test fails."""


@pytest.fixture
def folder(empty_store: Path, tmp_path: Path) -> Path:
    shutil.copytree(empty_store, tmp_path, symlinks=True, dirs_exist_ok=True)
    write_table(simulate_shop(200, seed=3), tmp_path / "shop.csv")
    (tmp_path / "params.yaml").write_text(PARAMS)
    return tmp_path


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).parent / "agentsynth"), "tune", "shop.csv", *more]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True)


def trials(folder: Path, storage: str = "study.log", name: str = "shop-rows") -> list[FrozenTrial]:
    """Read a study without a lock: the process that holds it may be the one that the test has stopped."""
    if not (folder / storage).exists():
        return []
    store = JournalStorage(JournalFileBackend(str(folder / storage)))
    names = optuna.get_all_study_names(store)
    return optuna.load_study(study_name=name, storage=store).get_trials() if name in names else []


def wait(until: Callable[[], Any]) -> Any:
    """Return what `until` says as soon as it says something."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if said := until():
            return said
        time.sleep(0.2)
    raise AssertionError("nothing happened in time")


def in_state(folder: Path, state: TrialState) -> list[FrozenTrial]:
    """Return the trials in a state, of those whose values are all drawn."""
    return [trial for trial in trials(folder) if trial.state == state and TRIED in trial.user_attrs]


def mlflow_runs(folder: Path, patch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    patch.chdir(folder)
    client, experiment = connect()
    assert isinstance(client, MlflowClient)
    return sorted((run.info.run_name or "", run.info.status) for run in client.search_runs([experiment]))


def test_killed_and_resumed_is_the_study_in_one_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = start(folder)

    def in_a_trial() -> list[FrozenTrial]:
        command.send_signal(signal.SIGSTOP)  # so that what is seen is what is killed
        running = in_state(folder, TrialState.RUNNING) if len(in_state(folder, TrialState.COMPLETE)) >= 2 else []
        command.send_signal(signal.SIGCONT if not running else signal.SIGKILL)
        return running

    (lost,) = wait(in_a_trial)
    command.communicate()
    resumed = start(folder, "--apply", "--force")
    said, complaint = resumed.communicate(timeout=LIMIT)
    assert (resumed.returncode, complaint) == (0, "")
    assert said.startswith("5 trials (")
    found = trials(folder)
    ended = [trial for trial in found if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    (retried,) = [trial for trial in found if AGAIN in trial.user_attrs]
    assert (retried.user_attrs[AGAIN], retried.params) == (lost.number, lost.params)
    monkeypatch.chdir(folder)
    params = Params.load("params.yaml")
    begun = Params.of_text(PARAMS.replace("study.log", "whole.log"), "params")
    setting = setting_of(Problem.of(Path("shop.csv"), begun), begun)
    Job(Problem.of(Path("shop.csv"), begun).tables, setting, "whole", float("inf"))()
    whole = trials(folder, "whole.log")
    assert [(one.params, one.value) for one in ended] == [(one.params, one.value) for one in whole]
    logged = mlflow_runs(folder, monkeypatch)
    states = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "KILLED"}
    expected = [(f"trial {trial.number}", states[trial.state]) for trial in ended]
    assert logged == [*sorted(expected), ("tune shop-rows", "FINISHED")]
    lines = (folder / "params.yaml").read_text().splitlines()
    assert lines[0] == "# mine"
    (gamma,) = [line for line in lines if "discount" in line]
    assert gamma.split() == ["discount:", str(params.agent.discount), "#", "gamma"]


def test_workers_share_a_study_and_outlive_one_of_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = start(folder, "--workers", "2", "--trials", "10")
    working = wait(lambda: len(running := in_state(folder, TrialState.RUNNING)) == 2 and running)
    killed = working[0]
    psutil.Process(int(killed.user_attrs["worker"].split("/")[-2])).send_signal(signal.SIGKILL)
    again = wait(lambda: [trial for trial in trials(folder) if AGAIN in trial.user_attrs])
    assert [trial.user_attrs[AGAIN] for trial in again] == [killed.number]
    said, complaint = command.communicate(timeout=LIMIT)
    assert (command.returncode, complaint) == (0, "")
    assert said.startswith("a worker died (code -9): its trial is tried again")
    assert "\n10 trials (" in said
    found = trials(folder)
    assert not [trial for trial in found if trial.state == TrialState.RUNNING]
    assert len({trial.user_attrs["worker"] for trial in found if "worker" in trial.user_attrs}) == 2
    drawn = [tuple(trial.params.items()) for trial in found if trial.params and AGAIN not in trial.user_attrs]
    assert len(set(drawn)) == len(drawn)  # no two workers drew the same
    logged = mlflow_runs(folder, monkeypatch)
    ended = [trial for trial in found if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    assert len(logged) == len(ended) + 1
    assert {status for _, status in logged} <= {"FINISHED", "KILLED"}


def test_two_commands_at_once_do_a_study_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = [start(folder, "--trials", "6", "--out", f"out{number}") for number in (0, 1)]
    for command in commands:
        said, complaint = command.communicate(timeout=LIMIT)
        assert (command.returncode, complaint) == (0, "")
        assert said.startswith("6 trials (")
    found = trials(folder)
    assert sum(bool(trial.user_attrs.get("base")) for trial in found) == 1
    ended = [trial for trial in found if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    assert len(ended) == 6
    logged = mlflow_runs(folder, monkeypatch)
    assert [name for name, _ in logged] == [*sorted(f"trial {trial.number}" for trial in ended), "tune shop-rows"]

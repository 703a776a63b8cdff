"""Processes: who lives, who died, and what becomes of the others."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agentsynth.errors import AgentSynthError
from agentsynth.processes import SILENCE, is_alive, myself
from agentsynth.tuning.workers import Job, run_in_processes


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Job]:
    """Return a job that writes a file of its own and ends as told."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))  # workers inherit it
    made: Callable[[Path, str], Job] = importlib.import_module("worker_job").Write
    return lambda ends: made(tmp_path, ends)


def test_this_process_lives_and_another_beginning_of_its_id_does_not() -> None:
    machine, pid, _ = myself().rsplit("/", 2)
    assert is_alive(myself(), 0.0)
    assert not is_alive(f"{machine}/{pid}/1.00", time.time())
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    assert not is_alive(f"{machine}/{done.pid}/1.00", time.time())


def test_worker_elsewhere_lives_as_long_as_it_gives_signs() -> None:
    assert is_alive("elsewhere/1/1.00", time.time() - 10)
    assert not is_alive("elsewhere/1/1.00", time.time() - SILENCE - 10)


@pytest.mark.slow
def test_every_process_does_the_job_and_the_parent_watches(tmp_path: Path, write: Callable[[str], Job]) -> None:
    looks: list[int] = []
    assert run_in_processes(write("well"), 2, lambda: looks.append(1)) == []
    assert len(list(tmp_path.iterdir())) == 2
    assert looks


@pytest.mark.slow
def test_killed_worker_is_told_of_and_leaves_the_others_at_work(tmp_path: Path, write: Callable[[str], Job]) -> None:
    codes = run_in_processes(write("killed"), 2, lambda: None)
    assert codes == [-signal.SIGKILL]
    assert len(list(tmp_path.glob("[0-9]*"))) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ends", "kind", "message"),
    [
        ("input", "InputError", "what you gave"),
        ("fault", "AgentSynthError", "our fault"),
        ("bug", "RuntimeError", "a worker failed"),
    ],
)
def test_error_of_a_worker_is_raised_here(write: Callable[[str], Job], ends: str, kind: str, message: str) -> None:
    with pytest.raises((AgentSynthError, RuntimeError), match=message) as caught:
        run_in_processes(write(ends), 1, lambda: None)
    assert type(caught.value).__name__ == kind

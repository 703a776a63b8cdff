"""Benchmarks are run as `python benchmarks/NAME.py`: here in this process, to save the imports."""

from __future__ import annotations

import importlib
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
Run = Callable[..., str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a benchmark with command-line arguments and return what it printed."""

    def run_script(name: str, *arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(FOLDER / name), run_name="__main__")
        return capsys.readouterr().out

    # Python puts a script's folder first in the path.
    monkeypatch.syspath_prepend(str(FOLDER))
    return run_script


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModuleType:
    """Import the benchmark, or part of one, that a test is parametrized with."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module(request.param)

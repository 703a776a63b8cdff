"""A table and a model made by the command line itself, once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PARAMS = """
generator: {trees: 2}
environment: {rows: 60, steps: 6}
agent: {episodes: 3}
scenarios:
  premium: {where: user_type = premium}
  dearer: {targets: {price: {mean: +20%}}}
"""
Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def cli() -> Cli:
    """Run `agentsynth` as a process of its own; it has to end with the code expected."""

    def cli(*arguments: object, cwd: Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "agentsynth"), *map(str, arguments)]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        assert done.returncode == expect, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    return cli


@pytest.fixture(scope="session")
def folder(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds shop.csv (300 rows), params.yaml, and a model of the table in `model`."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "params.yaml").write_text(PARAMS)
    cli("simulate", "--rows", 300, "--out", "shop.csv", "--seed", 3, cwd=folder)
    cli("fit", "shop.csv", "--out", "model", "--params", "params.yaml", cwd=folder)
    return folder

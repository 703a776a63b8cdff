"""A table and a model made by the command line itself, once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest

from agentsynth.cli import main

PARAMS = """
generator: {trees: 2}
environment: {rows: 60, steps: 6}
agent: {episodes: 3}
scenarios:
  premium: {where: user_type = premium}
  dearer: {targets: {price: {mean: +20%}}}
"""
Cli = Callable[..., subprocess.CompletedProcess[str]]


Done = subprocess.CompletedProcess[str]


def _checked(done: Done, expect: int) -> Done:
    assert done.returncode == expect, f"{done.args} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="session")
def process() -> Cli:
    """Run `agentsynth` as a process of its own; it has to end with the code expected."""

    def process(*arguments: object, cwd: Path, expect: int = 0) -> Done:
        command = [str(Path(sys.executable).parent / "agentsynth"), *map(str, arguments)]
        return _checked(subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False), expect)

    return process


@pytest.fixture(scope="session")
def cli() -> Cli:
    """Run what `agentsynth` runs in this process, without the seconds that a new one takes to begin."""

    def cli(*arguments: object, cwd: Path, expect: int = 0) -> Done:
        command = ["agentsynth", *map(str, arguments)]
        with (
            chdir(cwd),
            patch.object(sys, "argv", command),
            redirect_stdout(StringIO()) as out,
            redirect_stderr(StringIO()) as err,
            pytest.raises(SystemExit) as end,
        ):
            main()
        code = end.value.code
        assert isinstance(code, int | None)
        return _checked(subprocess.CompletedProcess(command, code or 0, out.getvalue(), err.getvalue()), expect)

    return cli


@pytest.fixture(scope="session")
def folder(process: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds shop.csv (300 rows), params.yaml, and a model of the table in `model`."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "params.yaml").write_text(PARAMS)
    process("simulate", "--rows", 300, "--out", "shop.csv", "--seed", 3, cwd=folder)
    process("fit", "shop.csv", "--out", "model", "--params", "params.yaml", cwd=folder)
    return folder

"""The command line in this process, and a folder that holds what must not be lost."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from agentsynth.cli import main
from agentsynth.data.reading import write_table
from agentsynth.data.shop import simulate_shop
from agentsynth.params import Params
from agentsynth.synth import AgentSynth

PARAMS = """
generator: {trees: 2}
environment: {rows: 30, steps: 3, pairs: 2}
agent: {episodes: 2, goals: 1}
scenarios:
  books: {where: category = Books}
"""
KEPT = {name: f"what {name} held before" for name in ("out.csv", "out.zip", "out.json", "out.html")}


class Told(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


Run = Callable[..., Told]
Refused = Callable[..., None]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds shop.csv (60 rows), params.yaml, and a model of the table in model.zip and in `model`; left as it is."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "params.yaml").write_text(PARAMS)
    write_table(simulate_shop(60, seed=0), folder / "shop.csv")
    synth = AgentSynth(Params.load(folder / "params.yaml").config).fit(folder / "shop.csv")
    synth.save(folder / "model.zip")
    synth.save(folder / "model")
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `agentsynth` as the command does; an exception that it lets out fails the test."""

    def run(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["agentsynth", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        code = end.value.code
        assert isinstance(code, int)
        return Told(code, *capsys.readouterr())

    return run


@pytest.fixture
def folder(tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a command: files that it would write to, and what is in `made`."""
    for name, content in KEPT.items():
        (tmp_path / name).write_text(content)
    for name in ("shop.csv", "params.yaml", "model.zip"):
        (tmp_path / name).write_bytes((made / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return what is in a folder: path -> bytes, of a link where it leads, None for a folder."""
    return {str(path): _content(path) for path in sorted(folder.rglob("*"))}


def _content(path: Path) -> bytes | None:
    if path.is_symlink():
        return bytes(path.readlink())
    return None if path.is_dir() else path.read_bytes()


@pytest.fixture
def refused(run: Run, folder: Path) -> Refused:
    """Run a command that has to end with code 2, a message with all that is expected in it, and nothing changed."""

    def refused(*arguments: object, expect: tuple[str, ...]) -> None:
        before = contents(folder)
        told = run(*arguments)
        assert (told.code, told.out) == (2, ""), told.err
        assert "Traceback" not in told.err
        assert len(told.err) < 3000
        missing = [part for part in expect if part not in told.err]
        assert not missing, told.err
        assert contents(folder) == before

    return refused

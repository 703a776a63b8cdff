"""Full disks, folders that may not be written to, and what writers that were killed have left."""

from __future__ import annotations

import fcntl
import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
from typer.models import CommandInfo

from agentsynth.cli import app
from agentsynth.errors import InputError
from agentsynth.files import MARK, write_text
from agentsynth.storage import ARRAYS, MANIFEST
from agentsynth.synth import AgentSynth

Refused = Callable[..., None]
Run = Callable[..., Any]
ROOM = 2000
"""Bytes that a file may have where the disk is taken to be full."""


@contextmanager
def full_disk() -> Iterator[None]:
    """Let the system refuse what goes beyond `ROOM` bytes of a file, in the middle of a write."""
    limits, unwritten = resource.getrlimit(resource.RLIMIT_FSIZE), sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # Python takes what it wrote for whole, and no later process could import the module
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        sys.dont_write_bytecode = unwritten


@pytest.mark.parametrize(
    "arguments",
    [
        ("simulate", "--rows", "300", "--out", "out.csv", "--quiet"),
        ("simulate", "--rows", "3000", "--out", "out.csv.gz", "--quiet"),
        ("simulate", "--rows", "3000", "--out", "out.parquet", "--quiet"),
        ("fit", "shop.csv", "--out", "out.zip", "--params", "params.yaml", "--quiet"),
        ("fit", "shop.csv", "--out", "model", "--params", "params.yaml", "--quiet"),
        ("generate", "model.zip", "--rows", "200", "--out", "out.csv", "--quiet"),
    ],
    ids=" ".join,
)
def test_a_full_disk_is_told_and_what_was_there_stays(
    arguments: tuple[str, ...], folder: Path, refused: Refused
) -> None:
    AgentSynth.load("model.zip").save("model")
    with full_disk():
        refused(*arguments, expect=("cannot", "File too large"))
    assert AgentSynth.load(folder / "model").schema_.names[0] == "user_id"


def test_reports_and_pages_are_written_whole_or_not_at_all_on_a_full_disk(folder: Path) -> None:
    for name in ("out.json", "out.html"):
        before = (folder / name).read_text()
        with full_disk(), pytest.raises(InputError, match=rf"cannot write {name}: File too large\. Make room"):
            write_text(name, "x" * (ROOM + 1))
        assert (folder / name).read_text() == before
    assert not [path for path in folder.iterdir() if MARK in path.name]


@pytest.fixture
def forbidden(folder: Path) -> Iterator[None]:
    """A file and a folder that may not be read, and a folder that may not be written to; allowed again afterwards."""
    (folder / "secret.csv").write_text("a,b\n1,2\n")
    (folder / "locked").mkdir()
    (folder / "still").mkdir()
    modes = {folder / "secret.csv": 0, folder / "locked": 0, folder / "still": 0o555}
    for path, mode in modes.items():
        path.chmod(mode)
    yield
    for path in modes:
        path.chmod(0o700)  # else pytest could not remove what is in them


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
@pytest.mark.parametrize(
    ("arguments", "expect"),
    [
        (("fit", "secret.csv", "--out", "out.zip"), ("cannot read secret.csv: Permission denied. Name a file",)),
        (("fit", "locked/shop.csv", "--out", "out.zip"), ("cannot read locked/shop.csv: Permission denied",)),
        (("fit", "shop.csv", "--params", "secret.csv", "--out", "out.zip"), ("cannot read secret.csv: Permission",)),
        (("generate", "secret.csv", "--rows", "5", "--out", "out.csv"), ("secret.csv is not a model", "Permission")),
        (("evaluate", "shop.csv", "secret.csv"), ("cannot read secret.csv: Permission denied",)),
        (("report", "model.zip", "--real", "secret.csv", "--out", "out.html"), ("cannot read secret.csv: Permission",)),
        (("simulate", "--rows", "5", "--out", "locked/o.csv"), ("cannot write locked/o.csv: Permission denied",)),
        (("simulate", "--rows", "5", "--out", "still/o.csv"), ("cannot write still/o.csv: Permission denied",)),
    ],
)
@pytest.mark.usefixtures("forbidden")
def test_what_is_not_allowed_is_told(arguments: tuple[str, ...], expect: tuple[str, ...], run: Run) -> None:
    told = run(*arguments)
    assert told.code == 2
    assert all(part in told.err for part in expect), told.err


@pytest.mark.parametrize("command", app.registered_commands, ids=lambda command: command.callback.__name__)
def test_readers_say_what_cannot_be_read_not_the_command_line(command: CommandInfo) -> None:
    """Also where the tests run as root, who may read everything."""
    assert command.callback is not None
    hints = get_type_hints(command.callback, include_extras=True)
    stated = {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Annotated}
    paths = {name: info for name, (kind, info, *_) in stated.items() if kind is Path or Path in get_args(kind)}
    assert paths
    assert [name for name, info in paths.items() if info.readable] == []


def test_what_a_killed_writer_left_is_removed_and_what_a_running_one_writes_is_not(tmp_path: Path) -> None:
    killed, running, other = (tmp_path / f".{name}{MARK}abc.txt" for name in ("note.", "note.x", "other."))
    running = tmp_path / f".note.{MARK}def.txt"
    for path in (killed, running, other):
        path.write_text("half a l")
    handle = os.open(running, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    write_text(tmp_path / "note.txt", "whole")
    os.close(handle)
    assert set(tmp_path.iterdir()) == {tmp_path / "note.txt", running, other}
    write_text(tmp_path / "note.txt", "whole")
    assert set(tmp_path.iterdir()) == {tmp_path / "note.txt", other}


@pytest.mark.parametrize("moved", [False, True])
def test_a_model_that_was_being_replaced_when_its_writer_was_killed_comes_back(
    moved: bool, folder: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, left = folder / "model", folder / f".model.{MARK}abc"
    synth = AgentSynth.load(made / "model")
    synth.save(path)
    before = (path / ARRAYS).read_bytes()
    (left / "new").mkdir(parents=True)
    (left / "new" / MANIFEST).write_text('{"format": 3')
    if moved:
        path.rename(left / "old")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(Exception, match="No space left"):
            synth.save(path)
    assert (path / ARRAYS).read_bytes() == before
    assert not [file for file in folder.iterdir() if MARK in file.name]

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from agentsynth.errors import InputError
from agentsynth.files import digest, read_json, whole_file, write_json, write_text


def test_a_file_is_written_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "note.txt"
    write_text(path, "größer\n")
    assert path.read_bytes() == "größer\n".encode()
    assert os.listdir(path.parent) == ["note.txt"]  # noqa: PTH208  # hidden files, too


def test_the_temporary_file_stands_beside_and_ends_alike(tmp_path: Path) -> None:
    with whole_file(tmp_path / "table.csv") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".csv"
        assert not (tmp_path / "table.csv").exists()
        temporary.write_text("a,b\n", encoding="utf-8")
    assert (tmp_path / "table.csv").read_text(encoding="utf-8") == "a,b\n"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    write_text(path, "old")
    with pytest.raises(ZeroDivisionError), whole_file(path) as temporary:
        temporary.write_text("1" * (1 // 0), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_may_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_text(tmp_path / "note.txt", "x")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "note.txt").stat().st_mode) == 0o640


def test_where_nothing_can_be_written_says_so(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "x")
    with pytest.raises(InputError, match=r"cannot write .*file/note\.txt: .*Name a folder you may write to"):
        write_text(tmp_path / "file" / "note.txt", "x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=r"cannot write .*folder: .*Name a file"):
        write_text(tmp_path / "folder", "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_json_is_readable_and_comes_back(tmp_path: Path) -> None:
    value = {"name": "größe", "values": [1, 0.1, None, True]}
    write_json(tmp_path / "value.json", value)
    assert "größe" in (tmp_path / "value.json").read_text(encoding="utf-8")
    assert read_json(tmp_path / "value.json") == value


def test_json_has_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "value.json", float("nan"))
    assert not (tmp_path / "value.json").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"cannot read .*value\.json: No such file"),
        (b"{", r"value\.json is not valid JSON: "),
        (b"\xff", r"value\.json is not valid JSON"),
        (b'{"a":' + b"[" * 100_000, r"value\.json is not valid JSON: it is nested too deep"),
    ],
)
def test_json_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "value.json").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_json(tmp_path / "value.json")


def test_a_digest_covers_contents_not_names_of_folders(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write_text(tmp_path / folder / "a.txt", "x")
        write_text(tmp_path / folder / "sub" / "b.txt", "y")
    first = digest(tmp_path / "one")
    assert first == digest(tmp_path / "two")
    assert len(first) == 16
    (tmp_path / "two" / "a.txt").rename(tmp_path / "two" / "c.txt")
    assert digest(tmp_path / "two") != first
    write_text(tmp_path / "one" / "a.txt", "z")
    assert digest(tmp_path / "one") != first


def test_a_digest_depends_on_values_and_their_order_but_not_on_that_of_keys() -> None:
    assert digest({"a": 1, "b": 2}, 3) == digest({"b": 2, "a": 1}, 3)
    assert len({digest(1, 2), digest(2, 1), digest(12), digest("1", "2"), digest([1, 2])}) == 5


def test_a_digest_stays_the_same_for_good() -> None:
    assert digest({"rows": 3}) == "01e3c1d7ac1e9e53"


def test_a_digest_of_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no .*lost\.csv"):
        digest(tmp_path / "lost.csv")

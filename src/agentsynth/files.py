"""Files written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agentsynth.abandoned import sweep, temporary
from agentsynth.errors import InputError

MARK = "writing-"
"""In the names of temporary files, so that those of writers that were killed are known."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The disk, the user's share of it, or the size that a file may have is used up."""


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path` in one step, on failure nothing is left.

    What writers of `path` that were killed have left is removed. The temporary name keeps the suffix of `path`, so
    writers that look at the ending behave.

    Raises:
        InputError: the folder cannot be made or written to, it is full, or `path` is a folder itself.
    """
    path = Path(path)
    prefix = f".{path.stem}.{MARK}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent, prefix, path.suffix)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}. Name a folder you may write to.") from error
    try:
        with temporary(lambda: _made(path, prefix)) as made:
            yield made
            made.chmod(0o666 & ~_umask())
            _replace(path, made)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise no_room(path, error) from error


def _made(path: Path, prefix: str) -> Path:
    """Make an empty file beside `path`."""
    try:
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}. Name a folder you may write to.") from error
    os.close(handle)
    return Path(name)


def _replace(path: Path, made: Path) -> None:
    try:
        made.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}. Name a file.") from error


def no_room(path: Path, error: OSError) -> InputError:
    """Return what a write that failed with one of `NO_ROOM` means to the user."""
    return InputError(f"cannot write {path}: {error.strerror}. Make room, or write elsewhere; nothing was changed.")


def _umask() -> int:
    """Return the process's umask (it can only be read by setting it)."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with whole_file(path) as made:
        made.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON (NaN refused), whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: the file is missing or is not JSON.
    """
    try:
        return parse_json(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"{path} is not valid JSON: {error}.") from error


def parse_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: it is not JSON, or nested too deep to be read.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def digest(*parts: Any) -> str:
    """Return a short SHA-256 digest of the parts: the contents of a `Path` (file or folder), any other value as JSON.

    Raises:
        InputError: there is no file or folder of a path.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    total = hashlib.sha256()
    for part in parts:
        for piece in _pieces(part):
            total.update(hashlib.sha256(piece).digest())
    return total.hexdigest()[:16]


def _pieces(part: Any) -> Iterator[bytes]:
    """Yield what a digest covers: each file's name in its folder and its bytes, or the JSON text."""
    if not isinstance(part, Path):
        yield json.dumps(part, sort_keys=True).encode()
        return
    if not part.exists():
        raise InputError(f"there is no {part}, whose contents are asked for.")
    for file in sorted(part.rglob("*")) if part.is_dir() else [part]:
        if file.is_file():
            yield file.relative_to(part).as_posix().encode()
            yield file.read_bytes()

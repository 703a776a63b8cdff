"""Temporary files and folders; what writers that were killed have left of them is removed by the next writer.

A writer holds a lock on its temporary; the system frees it when the process ends, however it ends.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, what was left stays
    fcntl = None  # type: ignore[assignment]


@contextmanager
def temporary(make: Callable[[], Path]) -> Iterator[Path]:
    """Yield the file or folder that `make` makes, held while the block runs and then removed."""
    while True:
        path = make()
        handle = _locked(path, wait=True)
        if path.exists():  # else another process took it for abandoned, before it was held
            break
        _close(handle)
    try:
        yield path
    finally:
        _remove(path)
        _close(handle)


def sweep(folder: Path, prefix: str, suffix: str = "", rescue: Callable[[Path], None] | None = None) -> None:
    """Remove the temporaries in `folder` with such names that no running process holds; `rescue` sees them first."""
    if fcntl is None:
        return
    for path in folder.iterdir():
        if not (path.name.startswith(prefix) and path.name.endswith(suffix)):
            continue
        handle = _locked(path, wait=False)
        if handle is not None:
            if rescue is not None:
                rescue(path)
            _remove(path)
            _close(handle)


def _locked(path: Path, *, wait: bool) -> int | None:
    """Return a handle that holds the lock of a file or folder; None where another has it, or none can be had."""
    if fcntl is None:
        return None
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # gone, or another user's
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _close(handle: int | None) -> None:
    if handle is not None:
        os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)

"""Where a study is kept: SQLite, a journal file, or any Optuna storage URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock
from optuna.storages import BaseStorage, JournalStorage, get_storage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from sqlalchemy.exc import SQLAlchemyError

from agentsynth.errors import ConfigError

_SQLITE = "sqlite:///"
_JOURNAL = "journal:"


def placed(url: str, root: Path) -> str:
    """Return a storage with its path, where it is relative, in `root`.

    >>> placed("sqlite:///mlruns/optuna.db", Path("/project"))
    'sqlite:////project/mlruns/optuna.db'
    """
    prefix, file = _file_of(url)
    return url if file is None or str(file) == ":memory:" else f"{prefix}{root / file}"


def _file_of(url: str) -> tuple[str, Path | None]:
    """Return the prefix and the local file of a storage; None where there is none."""
    for prefix in (_SQLITE, _JOURNAL):
        if url.startswith(prefix):
            return prefix, Path(url.removeprefix(prefix))
    return ("", None) if "://" in url else (_JOURNAL, Path(url))


class _JournalLock(JournalFileOpenLock):
    """A lock that the system frees when its process dies: Optuna's own would keep a resumed study waiting for 30 s."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._lock = FileLock(path)

    def acquire(self) -> bool:
        """Wait for the lock."""
        self._lock.acquire()
        return True

    def release(self) -> None:
        """Free it."""
        self._lock.release()


@contextmanager
def opened(url: str) -> Iterator[BaseStorage]:
    """Open an Optuna storage; a local file is made, with its folder, if need be.

    Within the block, no other process of this machine opens the same local file: a study is begun by one alone.

    Args:
        url: `sqlite:///PATH`, `journal:PATH` or the path alone for a journal file, or any other URL that Optuna takes
            (postgresql://..., mysql://..., redis://...).

    Raises:
        ConfigError: it cannot be opened.
    """
    _, file = _file_of(url)
    if file is None or str(file) == ":memory:":
        yield _open(url)
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{file}.opening")
        lock.acquire()
    except OSError as error:
        raise _cannot_open(url, error) from error
    with lock:
        lock.release()  # taken twice
        try:
            storage = _open(url)
        except ConfigError:
            Path(lock.lock_file).unlink(missing_ok=True)  # it stands beside what is no storage
            raise
        yield storage


def _open(url: str) -> BaseStorage:
    prefix, file = _file_of(url)
    try:
        if prefix == _JOURNAL:
            return JournalStorage(JournalFileBackend(str(file), lock_obj=_JournalLock(f"{file}.writing")))
        return get_storage(url)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SQLAlchemyError) as error:
        raise _cannot_open(url, error) from error


def _cannot_open(url: str, error: Exception) -> ConfigError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ConfigError(
        f"cannot open tune.storage {url!r}: {reason}. It takes sqlite:///PATH, journal:PATH, or another storage URL of "
        "Optuna's."
    )

"""Where a long table goes: a folder of this machine, or a place that fsspec knows; its files are whole or absent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from agentsynth.abandoned import sweep
from agentsynth.data.reading import CSV_ENDINGS, PARQUET_ENDINGS
from agentsynth.errors import InputError, MissingPackageError
from agentsynth.files import whole_file


class Folder(Protocol):
    """A flat folder of files."""

    @property
    def url(self) -> str:
        """Where it is, for any process that can get there."""
        ...

    def names(self) -> list[str]:
        """Return the names of what is in it, in order; of none where it is not there yet."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        ...

    def tidy(self) -> None:
        """Remove what writers that were killed had begun."""
        ...


class LocalFolder:
    """A folder of this machine.

    Raises:
        InputError: there is a file of that name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{path} is a file: name a folder, or a file that ends as tables do.")

    @property
    def url(self) -> str:
        """Its absolute path."""
        return str(self.path)

    def names(self) -> list[str]:
        """Return the names of what is in it, in order."""
        return sorted(file.name for file in self.path.iterdir()) if self.path.exists() else []

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        return (self.path / name).open("rb")

    def write(self, name: str, content: bytes) -> None:
        """Write a file under another name, then rename it."""
        with whole_file(self.path / name) as temporary:
            temporary.write_bytes(content)

    def tidy(self) -> None:
        """Remove what writers that were killed had begun; what another process is at stays."""
        if self.path.exists():
            sweep(self.path, ".part-")


class RemoteFolder:
    """A place that fsspec knows by its URL (`s3://bucket/table`); object stores show a file once all of it is there.

    Raises:
        MissingPackageError: fsspec, or what it needs for this kind of place, is not installed.
        InputError: fsspec knows no such kind of place.
    """

    def __init__(self, url: str) -> None:
        try:
            import fsspec

            self._system, self._path = fsspec.core.url_to_fs(url)
        except ImportError as error:
            raise MissingPackageError(
                f"{url} is written with fsspec, and something is not installed: {error}. Install agentsynth[dask], "
                "and the package that fsspec names for this kind of place."
            ) from error
        except ValueError as error:
            raise InputError(f"{url} cannot be written to: {error}.") from error
        self._url = url

    @property
    def url(self) -> str:
        """Its URL."""
        return self._url

    def names(self) -> list[str]:
        """Return the names of what is in it, in order."""
        self._system.invalidate_cache()
        if not self._system.exists(self._path):
            return []
        found = self._system.ls(self._path, detail=False)
        return sorted(str(path).rstrip("/").rpartition("/")[2] for path in found)

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        opened: BinaryIO = self._system.open(self._at(name), "rb")
        return opened

    def write(self, name: str, content: bytes) -> None:
        """Put a file there, in one piece."""
        try:
            self._system.makedirs(self._path, exist_ok=True)
            self._system.pipe_file(self._at(name), content)
        except OSError as error:
            raise InputError(f"cannot write {self._url}/{name}: {error}. Name a place you may write to.") from error

    def tidy(self) -> None:
        """Do nothing: a file is put there in one piece."""

    def _at(self, name: str) -> str:
        return f"{self._path.rstrip('/')}/{name}"

    _system: Any


def is_folder(out: str) -> bool:
    """Tell whether a name is that of a folder or a URL.

    It has `://` in it, a slash at its end or no ending, or is a folder already whose name does not end as tables do.

    >>> is_folder("s3://bucket/table"), is_folder("data/big"), is_folder("data/big.csv")
    (True, True, False)
    """
    if "://" in out or out.endswith("/") or not Path(out).suffix:
        return True
    # Not Path.is_dir(): that of a name which cannot be is an error.
    return os.path.isdir(out) and not out.lower().endswith((*CSV_ENDINGS, *PARQUET_ENDINGS))  # noqa: PTH112


def folder_at(out: str) -> Folder:
    """Return the folder of a path or URL."""
    plain = out.removeprefix("file://")
    return RemoteFolder(plain) if "://" in plain else LocalFolder(Path(plain))

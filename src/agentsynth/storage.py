"""A model on disk: `manifest.json` and `arrays.npz`, in a folder or a zip. No pickle, no training rows."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentsynth.abandoned import sweep, temporary
from agentsynth.config import Config
from agentsynth.errors import AgentSynthError, InputError, ModelFormatError
from agentsynth.files import MARK, NO_ROOM, no_room, whole_file
from agentsynth.model import Model
from agentsynth.serialization import FORMAT, OLDEST_FORMAT, described, restored
from agentsynth.soundness import check_arrays

MANIFEST, ARRAYS = "manifest.json", "arrays.npz"
DIGEST = "manifest.sha256"
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError)
"""What reading a damaged zip raises: a wrong checksum, broken data or headers, an unknown method, a password."""
MOST_BYTES = 2 * 2**30
"""More than any model takes in memory."""


def save_model(model: Model, config: Config, seed: int, path: Path) -> None:
    """Write a model as a folder, or as a zip where `path` ends with .zip; whole or not at all.

    Raises:
        InputError: `path` cannot be written, or is a folder that holds something else than a model.
    """
    if path.suffix == ".zip":
        with whole_file(path) as temporary:
            temporary.write_bytes(model_bytes(model, config, seed))
    else:
        _write_folder(path, _pack(model, config, seed))


def model_bytes(model: Model, config: Config, seed: int) -> bytes:
    """Return a model as the bytes of its zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _pack(model, config, seed).items():
            entry = zipfile.ZipInfo(name)  # of a fixed date: the same model gives the same bytes
            entry.external_attr = 0o644 << 16  # readable where it is unpacked
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def fingerprint(model: Model, config: Config, seed: int) -> str:
    """Return a SHA-256 digest (hexadecimal) of all that is saved of a model, however it is compressed."""
    text, arrays = described(model, config, seed)
    found = hashlib.sha256(text)
    for name, array in sorted(arrays.items()):
        found.update(f"{name} {array.dtype} {array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def load_model(path: Path) -> tuple[Model, Config, int]:
    """Read a model; returns it with its configuration and seed.

    Raises:
        ModelFormatError: it is missing, damaged, incomplete, or of another format.
    """
    return _loaded(_read(path), path)


def model_of(content: bytes) -> tuple[Model, Config, int]:
    """Read a model from what `model_bytes` returned; returns it with its configuration and seed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return _loaded({name: archive.read(name) for name in (MANIFEST, ARRAYS)}, Path("that was sent"))


def _loaded(contents: Mapping[str, bytes], path: Path) -> tuple[Model, Config, int]:
    try:
        manifest = json.loads(contents[MANIFEST])
        _check_format(manifest, path)
        with zipfile.ZipFile(io.BytesIO(contents[ARRAYS])) as archive:
            _check_size(path, sum(entry.file_size for entry in archive.infolist()))
        with np.load(io.BytesIO(contents[ARRAYS]), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        check_arrays(arrays)
        if not np.array_equal(arrays[DIGEST], _digest(contents[MANIFEST])):
            raise ValueError(f"{MANIFEST} was changed, or {ARRAYS} belongs to another model")
        return restored(manifest, arrays)
    except (
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        ArithmeticError,
        MemoryError,
        *ZIP_ERRORS,
        AgentSynthError,
    ) as error:
        if isinstance(error, ModelFormatError):
            raise
        raise ModelFormatError(
            f"the model {path} is damaged or incomplete ({type(error).__name__}: {error}). Fit and save it again."
        ) from error


def _check_size(path: Path, size: int) -> None:
    """Refuse what would take more memory than any model: zips can hold a thousand times what they weigh."""
    if size > MOST_BYTES:
        raise ModelFormatError(
            f"the model {path} would take {size / 2**30:,.1f} GiB, and no model of a small table takes more than "
            f"{MOST_BYTES / 2**30:.0f}: it is damaged, or made to do harm. Take it from whom you trust, or fit it anew."
        )


def _check_format(manifest: Any, path: Path) -> None:
    """Refuse another format, and say who wrote it and what to do."""
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if isinstance(found, int) and OLDEST_FORMAT <= found <= FORMAT:
        return
    if isinstance(found, int) and found > FORMAT:
        remedy = "Install the newer agentsynth that wrote it, or fit the table again with this one"
    else:
        remedy = "Fit the table again with this version, or load the model with the one that wrote it"
    writer = manifest["versions"]["agentsynth"] if isinstance(manifest, dict) and "versions" in manifest else "unknown"
    raise ModelFormatError(
        f"the model {path} has format {found!r} (written by agentsynth {writer}); agentsynth {version('agentsynth')} "
        f"reads formats {OLDEST_FORMAT} to {FORMAT}. {remedy} "
        "(`agentsynth fit TABLE --out MODEL`; in the pipeline `dvc repro -f train`). "
        "A version in the MLflow registry brings its own code and loads as it is, in a new process."
    )


def _pack(model: Model, config: Config, seed: int) -> dict[str, bytes]:
    """Return the files (name -> content) that a model is saved as."""
    text, arrays = described(model, config, seed)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays, **{DIGEST: _digest(text)})
    return {MANIFEST: text, ARRAYS: buffer.getvalue()}


def _digest(manifest: bytes) -> NDArray[np.uint8]:
    """Return the SHA-256 digest (32,) by which the arrays know the manifest they belong to."""
    return np.frombuffer(hashlib.sha256(manifest).digest(), dtype=np.uint8)


def _write_folder(path: Path, contents: Mapping[str, bytes]) -> None:
    other = path.exists() and (not path.is_dir() or {file.name for file in path.iterdir()} - {MANIFEST, ARRAYS})
    if other:
        raise InputError(f"{path} holds something else than a model; name a new folder, or one that holds a model.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent, f".{path.name}.{MARK}", rescue=lambda left: _rescue(left, path))
        with temporary(lambda: Path(tempfile.mkdtemp(prefix=f".{path.name}.{MARK}", dir=path.parent))) as made:
            fresh = made / "new"
            fresh.mkdir()
            for name, content in contents.items():
                (fresh / name).write_bytes(content)
            if path.exists():
                # The old model is there until the new one is complete.
                path.rename(made / "old")
            fresh.rename(path)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise no_room(path, error) from error
        raise InputError(f"cannot write {path}: {error.strerror}. Name a folder you may write to.") from error


def _rescue(left: Path, path: Path) -> None:
    """Bring the old model back where a process was killed between moving it away and putting the new one there."""
    if (left / "old").is_dir() and not path.exists():
        (left / "old").rename(path)


def _read(path: Path) -> dict[str, bytes]:
    try:
        if path.is_dir():
            _check_size(path, sum((path / name).stat().st_size for name in (MANIFEST, ARRAYS)))
            return {name: (path / name).read_bytes() for name in (MANIFEST, ARRAYS)}
        with zipfile.ZipFile(path) as archive:
            # Nothing is unpacked into files: what names and links an archive has is of no consequence.
            _check_size(path, sum(archive.getinfo(name).file_size for name in (MANIFEST, ARRAYS)))
            return {name: archive.read(name) for name in (MANIFEST, ARRAYS)}
    except (OSError, KeyError, *ZIP_ERRORS) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ModelFormatError(f"{path} is not a model that agentsynth saved: {reason}.") from error

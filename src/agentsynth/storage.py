"""A model on disk: `manifest.json` and `arrays.npz`, in a folder or a zip. No pickle, no training rows."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
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

from agentsynth.agent.history import TrainingHistory
from agentsynth.agent.policies import QPolicy
from agentsynth.base.codec import Codec, Part
from agentsynth.base.forest import Forest
from agentsynth.base.trees import PartModel, SequentialTrees
from agentsynth.config import Config
from agentsynth.data.schema import Schema
from agentsynth.env.cells import Cells
from agentsynth.env.detail import Detail
from agentsynth.env.margins import Margin
from agentsynth.env.novelty import Novelty
from agentsynth.errors import AgentSynthError, InputError, ModelFormatError
from agentsynth.files import whole_file
from agentsynth.model import Generator, Model

FORMAT = 2
MANIFEST, ARRAYS = "manifest.json", "arrays.npz"
DIGEST = "manifest.sha256"
FOREST_FIELDS = ("roots", "feature", "threshold", "left", "right")
LEAF_FIELDS = ("start", "size", "codes")
POLICY_FIELDS = ("tables", "visits", "levels", "gap_edges")
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError)
"""What reading a damaged zip raises: a wrong checksum, broken data or headers, an unknown method, a password."""
Arrays = Mapping[str, NDArray[Any]]


def save_model(model: Model, config: Config, seed: int, path: Path) -> None:
    """Write a model as a folder, or as a zip where `path` ends with .zip; whole or not at all.

    Raises:
        InputError: `path` cannot be written, or is a folder that holds something else than a model.
    """
    contents = _pack(model, config, seed)
    if path.suffix == ".zip":
        with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in contents.items():
                entry = zipfile.ZipInfo(name)  # of a fixed date: the same model gives the same bytes
                entry.external_attr = 0o644 << 16  # readable where it is unpacked
                archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    else:
        _write_folder(path, contents)


def load_model(path: Path) -> tuple[Model, Config, int]:
    """Read a model; returns it with its configuration and seed.

    Raises:
        ModelFormatError: it is missing, damaged, incomplete, or of another format.
    """
    contents = _read(path)
    try:
        manifest = json.loads(contents[MANIFEST])
        _check_format(manifest, path)
        with np.load(io.BytesIO(contents[ARRAYS]), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        if not np.array_equal(arrays[DIGEST], _digest(contents[MANIFEST])):
            raise ValueError(f"{MANIFEST} was changed, or {ARRAYS} belongs to another model")
        return _unpack(manifest, arrays)
    except (LookupError, ValueError, TypeError, *ZIP_ERRORS, AgentSynthError) as error:
        if isinstance(error, ModelFormatError):
            raise
        raise ModelFormatError(
            f"the model {path} is damaged or incomplete ({type(error).__name__}: {error}). Fit and save it again."
        ) from error


def _check_format(manifest: Any, path: Path) -> None:
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise ModelFormatError(
            f"the model {path} has format {found!r}; agentsynth {version('agentsynth')} reads format {FORMAT}. "
            "Fit it again with this version, or load it with the version that wrote it."
        )


def _pack(model: Model, config: Config, seed: int) -> dict[str, bytes]:
    generator, codec = model.generator, model.generator.trees.codec
    cells = generator.cells
    manifest = {
        "format": FORMAT,
        "versions": {name: version(name) for name in ("agentsynth", "numpy", "pandas", "scikit-learn")},
        "seed": seed,
        "config": config.model_dump(mode="json"),
        "schema": generator.schema.model_dump(mode="json"),
        "parts": [_part_to_json(part) for part in codec.parts],
        "order": generator.trees.order,
        "cells": _cells_to_json(cells),
        "detail": _cells_to_json(generator.detail.cells),
        "rows": generator.detail.rows,
        "critic": cells.critic is not None,
        "factors": list(model.policy.factor_names),
        "history": model.history.to_json(),
    }
    arrays: dict[str, NDArray[Any]] = {"real": generator.real, "detail.real": generator.detail.real}
    arrays |= {f"novelty.{name}": getattr(generator.detail.novelty, name) for name in Novelty.FIELDS}
    arrays |= {f"policy.{name}": getattr(model.policy, name) for name in POLICY_FIELDS}
    for index, part in enumerate(codec.parts):
        arrays[f"part.{index}.counts"] = part.counts
        if part.ordered:
            arrays[f"part.{index}.values"] = part.values
    for index, fitted in enumerate(generator.trees.models):
        arrays |= {f"trees.{index}.{name}": getattr(fitted.forest, name) for name in FOREST_FIELDS}
        arrays |= {f"trees.{index}.{name}": getattr(fitted, name) for name in LEAF_FIELDS}
    if cells.critic is not None:
        arrays |= {f"critic.{name}": getattr(cells.critic, name) for name in FOREST_FIELDS}
    text = json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False).encode()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays, **{DIGEST: _digest(text)})
    return {MANIFEST: text, ARRAYS: buffer.getvalue()}


def _digest(manifest: bytes) -> NDArray[np.uint8]:
    """Return the SHA-256 digest (32,) by which the arrays know the manifest they belong to."""
    return np.frombuffer(hashlib.sha256(manifest).digest(), dtype=np.uint8)


def _unpack(manifest: dict[str, Any], arrays: Arrays) -> tuple[Model, Config, int]:
    config = Config.of(manifest["config"])
    schema = Schema.from_json(manifest["schema"])
    codec = Codec(schema)
    codec.parts = [_part(value, index, arrays) for index, value in enumerate(manifest["parts"])]
    trees = SequentialTrees(codec, config.generator)
    trees.order = [int(index) for index in manifest["order"]]
    trees.models = [
        PartModel(_forest(f"trees.{index}", arrays), *(arrays[f"trees.{index}.{name}"] for name in LEAF_FIELDS))
        for index in range(len(trees.order))
    ]
    critic = _forest("critic", arrays) if manifest["critic"] else None
    cells = _cells(manifest["cells"], critic)
    novelty = Novelty(*(arrays[f"novelty.{name}"] for name in Novelty.FIELDS))
    detail = Detail(_cells(manifest["detail"], critic), novelty, arrays["detail.real"], int(manifest["rows"]))
    policy = QPolicy(tuple(manifest["factors"]), *(arrays[f"policy.{name}"] for name in POLICY_FIELDS))
    history = TrainingHistory.from_json(manifest["history"])
    model = Model(Generator(schema, trees, cells, arrays["real"], detail), policy, history)
    _check_fit(model)
    return model, config, int(manifest["seed"])


def _check_fit(model: Model) -> None:
    """Raise ValueError where the parts of a model do not fit each other: some are missing, or of another model."""
    trees, policy, detail = model.generator.trees, model.policy, model.generator.detail
    views = len(detail.novelty.bins)
    parts = trees.codec.parts
    states = (len(policy.factor_names), len(policy.gap_edges) + 1, policy.tables.shape[2], len(policy.levels))
    fits = {
        "schema and parts": {part.column for part in parts} == {c.name for c in model.generator.schema.modelled},
        "values and counts": all(len(part.values) == len(part.counts) for part in parts),
        "parts and order": sorted(trees.order) == list(range(len(parts))),
        "trees and leaves": all(len(m.forest.feature) == len(m.start) == len(m.size) for m in trees.models),
        "cells and shares": len(model.generator.real) == model.generator.cells.sizes.sum(),
        "fine cells and shares": len(detail.real) == detail.sizes.sum(),
        "novelty and parts": detail.novelty.parts.shape == detail.novelty.shifts.shape == (views, len(parts))
        and len(detail.novelty.known) == views,
        "factors and values": policy.tables.shape == policy.visits.shape == states,
    }
    apart = [name for name, fit in fits.items() if not fit]
    if apart:
        raise ValueError(f"{'; '.join(apart)} do not fit each other")


def _cells_to_json(cells: Cells) -> dict[str, Any]:
    return {
        "margins": [margin.to_json() for margin in cells.margins],
        "pairs": [[first.to_json(), second.to_json()] for first, second in cells.pairs],
    }


def _cells(value: Mapping[str, Any], critic: Forest | None) -> Cells:
    return Cells(
        tuple(Margin.from_json(margin) for margin in value["margins"]),
        tuple((Margin.from_json(first), Margin.from_json(second)) for first, second in value["pairs"]),
        critic,
    )


def _part_to_json(part: Part) -> dict[str, Any]:
    labels = None if part.ordered else [None if label is None else str(label) for label in part.values]
    plain = {"column": part.column, "role": part.role, "unit": part.unit, "decimals": part.decimals, "labels": labels}
    ends = {"first": part.first, "last": part.last} if part.role == "time" and len(part.values) else {}
    bounded = {"most": part.most, "smallest": part.smallest}
    excess = {"excess": True} if part.excess else {}
    return {**plain, **ends, **excess, **{name: limit for name, limit in bounded.items() if np.isfinite(limit)}}


def _part(value: Mapping[str, Any], index: int, arrays: Arrays) -> Part:
    if value["labels"] is None:
        values = arrays[f"part.{index}.values"]
    else:
        values = np.empty(len(value["labels"]), dtype=object)
        values[:] = value["labels"]
    counts = arrays[f"part.{index}.counts"]
    limits = {name: value[name] for name in ("excess", "most", "smallest", "first", "last") if name in value}
    return Part(value["column"], value["role"], values, counts, value["unit"], value["decimals"], **limits)


def _forest(prefix: str, arrays: Arrays) -> Forest:
    return Forest(*(arrays[f"{prefix}.{name}"] for name in FOREST_FIELDS))


def _write_folder(path: Path, contents: Mapping[str, bytes]) -> None:
    other = path.exists() and (not path.is_dir() or {file.name for file in path.iterdir()} - {MANIFEST, ARRAYS})
    if other:
        raise InputError(f"{path} holds something else than a model; name a new folder, or one that holds a model.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}. Name a folder you may write to.") from error
    try:
        fresh = temporary / "new"
        fresh.mkdir()
        for name, content in contents.items():
            (fresh / name).write_bytes(content)
        if path.exists():
            # The old model is there until the new one is complete.
            path.rename(temporary / "old")
        fresh.rename(path)
    finally:
        shutil.rmtree(temporary)


def _read(path: Path) -> dict[str, bytes]:
    try:
        if path.is_dir():
            return {name: (path / name).read_bytes() for name in (MANIFEST, ARRAYS)}
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in (MANIFEST, ARRAYS)}
    except (OSError, KeyError, *ZIP_ERRORS) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ModelFormatError(f"{path} is not a model that agentsynth saved: {reason}.") from error

"""Models that are none, damaged, of another version, or made to do harm."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import stat
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agentsynth import storage
from agentsynth.storage import ARRAYS, DIGEST, MANIFEST

Refused = Callable[..., None]
Run = Callable[..., Any]
Files = dict[str, bytes]
Arrays = dict[str, Any]
FORMATS = Path(__file__).parent.parent / "core" / "saved"


def read(path: Path) -> Files:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def signed(files: Files, manifest: bytes, change: Callable[[Arrays], object] = lambda _: None) -> Files:
    """Return a model with another manifest, and arrays that are changed and know it: what an attacker can make."""
    with np.load(io.BytesIO(files[ARRAYS])) as stored:
        arrays = {name: stored[name] for name in stored.files}
    change(arrays)
    arrays[DIGEST] = np.frombuffer(hashlib.sha256(manifest).digest(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return {MANIFEST: manifest, ARRAYS: buffer.getvalue()}


def edited(files: Files, **changes: Any) -> Files:
    return signed(files, json.dumps({**json.loads(files[MANIFEST]), **changes}).encode())


def with_arrays(change: Callable[[Arrays], object]) -> Callable[[Files], Files]:
    return lambda files: signed(files, files[MANIFEST], change)


def with_header(name: str, header: str) -> Callable[[Files], Files]:
    """Replace the header of an array: what it says of shape and type."""

    def changed(files: Files) -> Files:
        arrays = {entry.removesuffix(".npy"): content for entry, content in read_arrays(files).items()}
        text = header.encode().ljust(117) + b"\n"
        arrays[name] = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + b"12345678"
        return {**files, ARRAYS: zipped({f"{entry}.npy": content for entry, content in arrays.items()})}

    return changed


def read_arrays(files: Files) -> Files:
    with zipfile.ZipFile(io.BytesIO(files[ARRAYS])) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def in_schema(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[Files], Files]:
    """Change the columns of the schema in the manifest."""

    def changed(files: Files) -> Files:
        schema = json.loads(files[MANIFEST])["schema"]
        change(schema["columns"])
        return edited(files, schema=schema)

    return changed


def in_margin(**changes: Any) -> Callable[[Files], Files]:
    """Change the first histogram that rows are sorted into."""

    def changed(files: Files) -> Files:
        cells = json.loads(files[MANIFEST])["cells"]
        cells["margins"][0].update(changes)
        return edited(files, cells=cells)

    return changed


def in_labels(change: Callable[[list[Any]], object]) -> Callable[[Files], Files]:
    """Change the labels of the first column that has some."""

    def changed(files: Files) -> Files:
        parts = json.loads(files[MANIFEST])["parts"]
        change(next(part["labels"] for part in parts if part["labels"] is not None))
        return edited(files, parts=parts)

    return changed


def circle(arrays: Arrays) -> None:
    """Let the first inner node of a tree be its own child: a walk would never end."""
    for name in [name for name in arrays if name.endswith(".feature") and name.startswith("trees.")]:
        inner = np.flatnonzero(arrays[name] >= 0)
        if len(inner):
            prefix = name.removesuffix("feature")
            arrays[prefix + "left"][inner[0]] = arrays[prefix + "right"][inner[0]] = inner[0]
            return
    raise AssertionError("no tree has an inner node")


def beyond(arrays: Arrays) -> None:
    arrays["trees.1.start"][:] = 10**8


DAMAGED = ("m.zip is damaged or incomplete", "Fit and save it again")
MODELS: dict[str, tuple[Callable[[Files], Files], tuple[str, ...]]] = {
    "an older format": (
        lambda files: edited(files, format=1),
        ("has format 1", "reads formats 4 to 7", "Fit the table again"),
    ),
    "a newer format": (lambda files: edited(files, format=9), ("has format 9", "Install the newer agentsynth")),
    "a format in words": (lambda files: edited(files, format="x"), ("has format 'x'", "Fit the table again")),
    "no format": (lambda files: {**files, MANIFEST: b"{}"}, ("has format None",)),
    "no manifest": (lambda files: {ARRAYS: files[ARRAYS]}, ("m.zip is not a model", "manifest.json")),
    "no arrays": (lambda files: {MANIFEST: files[MANIFEST]}, ("m.zip is not a model", "arrays.npz")),
    "an empty archive": (lambda _: {}, ("m.zip is not a model", "manifest.json")),
    "a manifest that was changed": (
        lambda files: {**files, MANIFEST: files[MANIFEST].replace(b'"seed": 0', b'"seed": 1')},
        ("manifest.json was changed, or arrays.npz belongs to another model",),
    ),
    "a manifest that is cut": (lambda files: {**files, MANIFEST: files[MANIFEST][:-9]}, DAMAGED),
    "a manifest nested 100,000 deep": (lambda files: {**files, MANIFEST: b"[" * 100_000}, DAMAGED),
    "a manifest in Latin-1": (lambda files: {**files, MANIFEST: b'{"format": 3, "\xe9": 1}'}, DAMAGED),
    "a schema of other columns": (lambda files: edited(files, schema={"columns": []}), DAMAGED),
    "a schema that names a path": (
        lambda files: edited(files, schema={"columns": [], "path": "/etc/passwd"}),
        ("damaged or incomplete", "path"),
    ),
    "a huge number of parts": (lambda files: edited(files, order=list(range(100_000))), DAMAGED),
    "an infinite parameter": (
        lambda files: edited(files, config={"environment": {"pool_factor": 1e308}}),
        ("damaged or incomplete", "environment.pool_factor"),
    ),
    "arrays that are no archive": (lambda files: {**files, ARRAYS: b"PK" + bytes(500)}, DAMAGED),
    "an array of objects": (
        with_arrays(lambda arrays: arrays.update(real=np.array([{}], dtype=object))),
        ("damaged or incomplete", "allow_pickle=False"),
    ),
    "an array that says it has 8 TB": (
        with_header("real", "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"),
        DAMAGED,
    ),
    "an array of a negative size": (
        with_header("real", "{'descr': '<f8', 'fortran_order': False, 'shape': (-5,), }"),
        DAMAGED,
    ),
    "an array whose header is code": (
        with_header("real", "{'descr': __import__('os').mkdir('sprung'), 'fortran_order': False, 'shape': (1,), }"),
        DAMAGED,
    ),
    "an array of text": (with_arrays(lambda arrays: arrays.update(real=np.array(["x"]))), DAMAGED),
    # What the fuzzer found: each crashed when rows were generated.
    "a column twice": (in_schema(lambda columns: columns.append(columns[0])), ("'user_id' is there more than once",)),
    "a dtype that there is not": (in_schema(lambda columns: columns[0].update(dtype="datetime")), ("no pandas dtype",)),
    "a format without parts": (in_schema(lambda columns: columns[5].update(format="x")), ("no part of a datetime",)),
    "a label above a number": (in_schema(lambda columns: columns[2].update(above=["price"])), ("must be numeric",)),
    "cells of lists": (in_margin(labels=[["x"]]), ("cells and schema", "do not fit each other")),
    "edges in words": (in_margin(edges=["low"]), DAMAGED),
    "a label that is none": (in_labels(lambda labels: labels.__setitem__(0, {"x": 1})), ("labels.0", "valid string")),
    "a label twice": (in_labels(lambda labels: labels.__setitem__(0, labels[1])), ("parts and their values do not",)),
    "cells of nothing": (in_margin(column="colour"), DAMAGED),
    "complex thresholds": (
        with_arrays(
            lambda arrays: arrays.update({"trees.0.threshold": arrays["trees.0.threshold"].astype("complex64")})
        ),
        ("array trees.0.threshold is complex64",),
    ),
    "a share beyond 1": (
        with_arrays(lambda arrays: arrays.update(real=arrays["real"] * 1e300)),
        ("cells and shares do not fit each other",),
    ),
    "values that are not finite": (
        with_arrays(lambda arrays: arrays["policy.tables"].fill(np.nan)),
        ("array policy.tables holds numbers that are not finite",),
    ),
    "factors below nothing": (
        with_arrays(lambda arrays: arrays["policy.levels"].__imul__(-1.0)),
        ("factors and levels do not fit",),
    ),
    "gaps on one side": (
        with_arrays(lambda arrays: arrays["policy.gap_edges"].__iadd__(9.0)),
        ("factors and levels do not fit",),
    ),
    "values out of order": (
        with_arrays(lambda arrays: arrays.update({"part.2.values": arrays["part.2.values"][::-1]})),
        ("parts and their values do not fit",),
    ),
    "trees in a circle": (with_arrays(circle), ("damaged or incomplete", "trees and their nodes")),
    "leaves beyond the codes": (with_arrays(beyond), ("damaged or incomplete", "leaves and codes")),
    "a tree without roots": (
        with_arrays(lambda arrays: arrays.update({"trees.0.roots": arrays["trees.0.roots"][:0]})),
        ("damaged or incomplete", "trees and their nodes"),
    ),
}


@pytest.mark.parametrize("case", MODELS)
def test_a_broken_model_is_refused(case: str, folder: Path, refused: Refused) -> None:
    change, expect = MODELS[case]
    (folder / "m.zip").write_bytes(zipped(change(read(folder / "model.zip"))))
    refused("generate", "m.zip", "--rows", "5", "--out", "out.csv", expect=expect)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_model_that_is_cut_is_refused(share: float, folder: Path, refused: Refused) -> None:
    content = (folder / "model.zip").read_bytes()
    (folder / "m.zip").write_bytes(content[: int(share * len(content))])
    refused("generate", "m.zip", "--rows", "5", "--out", "out.csv", expect=("m.zip is not a model",))


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4, 0.6, 0.8])
def test_a_model_with_a_wrong_bit_is_refused(share: float, folder: Path, refused: Refused) -> None:
    content = bytearray((folder / "model.zip").read_bytes())
    content[int(share * len(content))] ^= 16
    (folder / "m.zip").write_bytes(content)
    refused("generate", "m.zip", "--rows", "5", "--out", "out.csv", expect=("m.zip",))


@pytest.mark.parametrize("name", ["format-1.zip", "format-2.zip"])
def test_a_model_of_an_older_version_is_refused_with_what_to_do(name: str, refused: Refused) -> None:
    expect = (f"has format {name[7]}", "Fit the table again", "agentsynth fit TABLE --out MODEL")
    refused("generate", FORMATS / name, "--rows", "5", "--out", "out.csv", expect=expect)


def test_a_model_of_other_columns_does_not_judge_a_table(folder: Path, refused: Refused) -> None:
    (folder / "other.csv").write_text("a,b\n" + "1,2\n" * 9)
    expect = ("the table has no column 'user_id'", "The table has a, b")
    refused("report", "model.zip", "--real", "other.csv", "--out", "out.html", expect=expect)


@pytest.mark.parametrize("place", ["inside", "outside"])
def test_a_model_that_would_take_all_memory_is_refused_before_it_is_unpacked(
    place: str, folder: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = read(folder / "model.zip")
    most = 4_000_000
    assert sum(map(len, files.values())) < sum(map(len, read_arrays(files).values())) < most
    monkeypatch.setattr(storage, "MOST_BYTES", most)
    bomb = bytes(20_000_000)
    if place == "outside":
        files[MANIFEST] = bomb
    else:
        files[ARRAYS] = zipped({**read_arrays(files), "bomb.npy": bomb})
    content = zipped(files)
    assert len(content) < 200_000 + sum(map(len, read(folder / "model.zip").values()))
    (folder / "m.zip").write_bytes(content)
    refused("generate", "m.zip", "--rows", "5", "--out", "out.csv", expect=("m.zip would take", "made to do harm"))


@pytest.mark.parametrize("name", ["../sprung", "/tmp/agentsynth-sprung", "a/../../sprung", "C:\\sprung"])  # noqa: S108
def test_what_else_is_in_an_archive_goes_nowhere(name: str, folder: Path, run: Run) -> None:
    files = read(folder / "model.zip")
    (folder / "inner").mkdir()
    (folder / "inner" / "m.zip").write_bytes(zipped({**files, name: b"harm"}))
    before = set(folder.rglob("*")) | set(folder.parent.iterdir())
    assert run("generate", "inner/m.zip", "--rows", "5", "--out", "out.csv", "--quiet").code == 0
    assert set(folder.rglob("*")) | set(folder.parent.iterdir()) == before
    assert not Path("/tmp/agentsynth-sprung").exists()  # noqa: S108


def test_a_link_in_an_archive_leads_nowhere(folder: Path, refused: Refused) -> None:
    (folder / "secret.json").write_text('{"format": 3, "secret": "hidden words"}')
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo(MANIFEST)
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, str(folder / "secret.json"))
        archive.writestr(ARRAYS, read(folder / "model.zip")[ARRAYS])
    (folder / "m.zip").write_bytes(buffer.getvalue())
    refused("generate", "m.zip", "--rows", "5", "--out", "out.csv", expect=DAMAGED)


def test_a_folder_with_other_things_beside_a_model_can_be_read_but_is_not_overwritten(
    folder: Path, made: Path, run: Run, refused: Refused
) -> None:
    shutil.copytree(made / "model", folder / "model")
    (folder / "model" / "thesis.txt").write_text("years of work")
    assert run("generate", "model", "--rows", "5", "--out", "made.csv", "--quiet").code == 0
    fit = ("fit", "shop.csv", "--out", "model", "--params", "params.yaml", "--quiet")
    refused(*fit, expect=("model holds something else than a model", "name a new folder"))

from __future__ import annotations

import hashlib
import io
import json
import pickle
import re
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import agentsynth
from agentsynth.errors import InputError, ModelFormatError
from agentsynth.params import Params
from agentsynth.serialization import FORMAT, OLDEST_FORMAT
from agentsynth.storage import ARRAYS, DIGEST, MANIFEST, load_model
from agentsynth.synth import AgentSynth


@pytest.fixture(scope="module")
def saved(shop_synth: AgentSynth, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model; tests copy it before they change it."""
    path = tmp_path_factory.mktemp("models") / "shop"
    shop_synth.save(path)
    return path


@pytest.fixture(params=["folder", "zip"])
def copy(request: pytest.FixtureRequest, saved: Path, tmp_path: Path) -> Path:
    if request.param == "folder":
        return Path(shutil.copytree(saved, tmp_path / "copy"))
    path = tmp_path / "copy.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in (MANIFEST, ARRAYS):
            archive.write(saved / name, name)
    return path


def rewrite(path: Path, name: str, change: Callable[[bytes], bytes | None]) -> None:
    """Replace one of a model's files by what `change` makes of it; None leaves it out."""
    if path.is_dir():
        content = change((path / name).read_bytes())
        (path / name).unlink()
        if content is not None:
            (path / name).write_bytes(content)
        return
    with zipfile.ZipFile(path) as archive:
        contents = {entry: archive.read(entry) for entry in archive.namelist()}
    changed = change(contents.pop(name))
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in {**contents, **({} if changed is None else {name: changed})}.items():
            archive.writestr(entry, content)


def edit(path: Path, *, sign: bool = True, **changes: Any) -> None:
    """Change fields of a model's manifest, and let the arrays know of it."""
    texts = []

    def changed(content: bytes) -> bytes:
        texts.append(json.dumps({**json.loads(content), **changes}).encode())
        return texts[0]

    rewrite(path, MANIFEST, changed)
    if sign:
        digest = np.frombuffer(hashlib.sha256(texts[0]).digest(), dtype=np.uint8)
        rewrite(path, ARRAYS, arrays_changed(lambda arrays: arrays.update({DIGEST: digest})))


@pytest.mark.parametrize("name", ["model", "model.zip"])
def test_a_loaded_model_generates_the_same_tables(shop_synth: AgentSynth, tmp_path: Path, name: str) -> None:
    shop_synth.save(tmp_path / name)
    loaded = AgentSynth.load(tmp_path / name)
    for scenario in (None, "evening", {"targets": {"price": {"mean": "+20%"}}}):
        for policy in ("q_learning", "raking"):
            expected = shop_synth.generate(70, scenario, seed=4, policy=policy)
            pd.testing.assert_frame_equal(loaded.generate(70, scenario, seed=4, policy=policy), expected)
    assert (loaded.config, loaded.seed, loaded.schema_) == (shop_synth.config, shop_synth.seed, shop_synth.schema_)
    pd.testing.assert_frame_equal(loaded.history_.to_frame(), shop_synth.history_.to_frame())
    np.testing.assert_array_equal(loaded.policy_.visits, shop_synth.policy_.visits)


@pytest.mark.parametrize("name", ["model", "model.zip"])
def test_saving_twice_and_saving_what_was_loaded_gives_the_same_bytes(
    shop_synth: AgentSynth, tmp_path: Path, name: str
) -> None:
    contents = []
    for number, synth in enumerate([shop_synth, shop_synth, None]):
        path = tmp_path / str(number) / name
        (synth or AgentSynth.load(tmp_path / "0" / name)).save(path)
        files = [path] if path.is_file() else sorted(path.iterdir())
        contents.append([file.read_bytes() for file in files])
    assert contents[0] == contents[1] == contents[2]


def test_a_model_is_a_manifest_and_arrays(saved: Path) -> None:
    assert sorted(path.name for path in saved.iterdir()) == [ARRAYS, MANIFEST]
    manifest = json.loads((saved / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["format"] == FORMAT
    assert set(manifest["versions"]) == {"agentsynth", "numpy", "pandas", "scikit-learn"}
    assert [column["name"] for column in manifest["schema"]["columns"]][:2] == ["user_id", "user_type"]


def test_no_array_needs_pickle(saved: Path) -> None:
    with np.load(saved / ARRAYS, allow_pickle=False) as arrays:
        assert len(arrays.files) > 20
        assert not [name for name in arrays.files if arrays[name].dtype.hasobject]


def test_the_package_knows_no_pickle() -> None:
    forbidden = re.compile(r"import (?:pickle|cloudpickle|joblib|dill|marshal|shelve)|allow_pickle=True|read_pickle")
    found = [
        f"{path.name}: {match[0]}"
        for path in Path(agentsynth.__file__).parent.rglob("*.py")
        for match in forbidden.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_a_pickle_in_the_arrays_is_refused_and_not_run(copy: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "sprung",)

    def poisoned(content: bytes) -> bytes:
        with np.load(io.BytesIO(content)) as stored:
            arrays = {name: stored[name] for name in stored.files}
        buffer = io.BytesIO()
        np.savez(buffer, **{**arrays, "real": np.array([Trap()], dtype=object)})
        return buffer.getvalue()

    rewrite(copy, ARRAYS, poisoned)
    with pytest.raises(ModelFormatError, match="damaged or incomplete"):
        load_model(copy)
    assert not (tmp_path / "sprung").exists()
    pickle.loads(pickle.dumps(Trap()))  # noqa: S301  # the trap does work
    assert (tmp_path / "sprung").exists()


def test_no_training_row_is_in_the_model(saved: Path, shop_table: pd.DataFrame, shop_synth: AgentSynth) -> None:
    text = (saved / MANIFEST).read_text(encoding="utf-8")
    ids = [user for user in shop_table["user_id"].unique() if user in text]
    stamps = [stamp for stamp in shop_table["timestamp"].astype(str) if stamp in text]
    assert (ids, stamps) == ([], [])
    codec = shop_synth.model_.generator.trees.codec
    codes = codec.encode(shop_synth._train) if shop_synth._train is not None else np.empty((0, 0))
    rows = len(shop_table)
    assert codes.shape == (rows, len(codec.parts))
    with np.load(saved / ARRAYS) as arrays:
        for name in arrays.files:
            array = arrays[name]
            # Nothing is laid out as rows by columns, and no column stands in the order of the rows.
            assert not (array.ndim == 2 and rows in array.shape), name
            if array.ndim == 1 and array.size % rows == 0:
                for block in array.reshape(-1, rows):
                    same = [int((block == column).sum()) for column in codes.T if len(np.unique(column)) > 20]
                    assert max(same, default=0) < 0.2 * rows, name


@pytest.mark.parametrize("name", [MANIFEST, ARRAYS])
@pytest.mark.parametrize(
    "damage",
    [lambda _: None, lambda _: b"", lambda content: content[: len(content) // 2], lambda _: b"\x00" * 100],
    ids=["missing", "empty", "truncated", "zeros"],
)
def test_damaged_files_are_refused(copy: Path, name: str, damage: Callable[[bytes], bytes | None]) -> None:
    rewrite(copy, name, damage)
    with pytest.raises(ModelFormatError, match="copy"):
        AgentSynth.load(copy)


@pytest.mark.parametrize("found", [0, OLDEST_FORMAT - 1, FORMAT + 1, str(FORMAT), None])
def test_another_format_is_refused_with_both_versions(copy: Path, found: Any) -> None:
    edit(copy, format=found)
    remedy = "Install the newer agentsynth" if found == FORMAT + 1 else "Fit the table again"
    with pytest.raises(
        ModelFormatError,
        match=rf"has format {found!r} \(.*; agentsynth .* reads formats {OLDEST_FORMAT} to {FORMAT}\. {remedy}",
    ):
        AgentSynth.load(copy)


@pytest.mark.parametrize(
    "changes",
    [
        {"config": {"agent": {"episodes": 0}}},
        {"config": 3},
        {"schema": {"columns": [{"name": "x"}]}},
        {"parts": []},
        {"parts": None},
        {"order": [0, 1]},
        {"cells": {"margins": [{"column": "price"}], "pairs": []}},
        {"detail": {"margins": [], "pairs": [[1]]}},
        {"history": {}},
        {"factors": 5},
        {"seed": "x"},
    ],
    ids=str,
)
def test_a_manifest_that_does_not_fit_is_refused(copy: Path, changes: dict[str, Any]) -> None:
    edit(copy, **changes)
    with pytest.raises(ModelFormatError, match=r"damaged or incomplete|not a training history"):
        AgentSynth.load(copy)


def test_a_manifest_that_was_changed_is_refused(copy: Path) -> None:
    edit(copy, sign=False, seed=7)
    with pytest.raises(ModelFormatError, match=r"manifest\.json was changed, or arrays\.npz belongs to another model"):
        AgentSynth.load(copy)
    edit(copy, seed=7)
    assert AgentSynth.load(copy).seed == 7


def arrays_without(name: str) -> Callable[[bytes], bytes]:
    return arrays_changed(lambda arrays: arrays.pop(name))


def arrays_changed(change: Callable[[dict[str, Any]], Any]) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        with np.load(io.BytesIO(content)) as stored:
            arrays = {name: stored[name] for name in stored.files}
        change(arrays)
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        return buffer.getvalue()

    return changed


@pytest.mark.parametrize("name", ["real", "policy.tables", "trees.1.codes", "part.0.counts", "critic.roots"])
def test_a_missing_array_is_refused(saved: Path, tmp_path: Path, name: str) -> None:
    copied = Path(shutil.copytree(saved, tmp_path / "copy"))
    rewrite(copied, ARRAYS, arrays_without(name))
    with pytest.raises(ModelFormatError, match=f"damaged or incomplete.*{name}"):
        AgentSynth.load(copied)


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: arrays.update(real=arrays["real"][:-1]),
        lambda arrays: arrays.update({"policy.tables": arrays["policy.tables"][:1]}),
        lambda arrays: arrays.update({"policy.visits": arrays["policy.visits"][..., :2]}),
        lambda arrays: arrays.update({"trees.0.size": arrays["trees.0.size"][:0]}),
        lambda arrays: arrays.update({"part.2.counts": arrays["part.2.counts"][:1]}),
        lambda arrays: arrays.update({"novelty.whole": arrays["novelty.whole"][:-1]}),
        lambda arrays: arrays.update({"novelty.known": arrays["novelty.known"][:, :-1]}),
        lambda arrays: arrays.update({"second_critic.left": np.zeros_like(arrays["second_critic.left"])}),
    ],
    ids=["real", "tables", "visits", "leaves", "counts", "bits of rows", "bits", "circle"],
)
def test_arrays_that_do_not_fit_each_other_are_refused(
    saved: Path, tmp_path: Path, change: Callable[[Any], Any]
) -> None:
    copied = Path(shutil.copytree(saved, tmp_path / "copy"))
    rewrite(copied, ARRAYS, arrays_changed(change))
    with pytest.raises(ModelFormatError, match="damaged or incomplete"):
        AgentSynth.load(copied)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[AgentSynth, bytes, Path]:
    """A model of few bytes: its object, its zip, and a folder to work in."""
    folder = tmp_path_factory.mktemp("tiny")
    frame = pd.DataFrame({"x": np.arange(12.0), "label": list("aabbab") * 2})
    config = {"environment": {"rows": 10, "steps": 2, "pairs": 1}, "agent": {"episodes": 1, "goals": 1}}
    synth = AgentSynth(config).fit(frame)
    synth.save(folder / "tiny.zip")
    return synth, (folder / "tiny.zip").read_bytes(), folder


@given(data=st.data())
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_byte_is_wrong_it_is_refused_or_does_no_harm(
    tiny: tuple[AgentSynth, bytes, Path], data: st.DataObject
) -> None:
    synth, content, folder = tiny
    path = folder / "broken.zip"
    if data.draw(st.booleans(), "truncate"):
        path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    else:
        place, value = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(1, 255))
        path.write_bytes(content[:place] + bytes([content[place] ^ value]) + content[place + 1 :])
    try:
        loaded = AgentSynth.load(path)
    except ModelFormatError:
        return
    pd.testing.assert_frame_equal(loaded.generate(5, seed=1), synth.generate(5, seed=1))


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFormatError, match=r"nowhere is not a model that agentsynth saved: No such file"):
        AgentSynth.load(tmp_path / "nowhere")
    with pytest.raises(ModelFormatError, match="is not a model that agentsynth saved: No such file"):
        AgentSynth.load(tmp_path)
    (tmp_path / "note.zip").write_text("hello", encoding="utf-8")
    with pytest.raises(
        ModelFormatError, match=r"note\.zip is not a model that agentsynth saved: File is not a zip file"
    ):
        AgentSynth.load(tmp_path / "note.zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("note.txt", "hello")
    with pytest.raises(ModelFormatError, match=r"other\.zip is not a model .*manifest\.json"):
        AgentSynth.load(tmp_path / "other.zip")


def test_an_old_model_is_overwritten_whole(shop_synth: AgentSynth, tiny: Any, tmp_path: Path) -> None:
    path = tmp_path / "model"
    shop_synth.save(path)
    tiny[0].save(path)
    assert AgentSynth.load(path).schema_.names == ["x", "label"]
    assert sorted(file.name for file in path.iterdir()) == [ARRAYS, MANIFEST]
    assert [file.name for file in tmp_path.iterdir()] == ["model"]


def test_an_empty_folder_is_taken(tiny: Any, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    tiny[0].save(tmp_path / "model")
    assert AgentSynth.load(tmp_path / "model").schema_.names == ["x", "label"]


@pytest.mark.parametrize("beside", [[], [MANIFEST], [MANIFEST, ARRAYS]])
def test_a_folder_that_holds_other_things_is_left_alone(tiny: Any, tmp_path: Path, beside: list[str]) -> None:
    path = tmp_path / "work"
    path.mkdir()
    for name in [*beside, "thesis.txt"]:
        (path / name).write_text("years of work", encoding="utf-8")
    with pytest.raises(InputError, match=r"work holds something else than a model; name a new folder"):
        tiny[0].save(path)
    assert sorted(file.name for file in path.iterdir()) == sorted([*beside, "thesis.txt"])
    assert (path / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_a_file_is_not_replaced_by_a_folder(tiny: Any, tmp_path: Path) -> None:
    (tmp_path / "model").write_text("hello", encoding="utf-8")
    with pytest.raises(InputError, match="holds something else than a model"):
        tiny[0].save(tmp_path / "model")
    with pytest.raises(InputError, match="cannot write"):
        tiny[0].save(tmp_path / "model" / "inner")


def test_a_failed_save_leaves_the_old_model(tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model"
    tiny[0].save(path)
    before = (path / ARRAYS).read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"No space left on device\. Make room"):
        tiny[0].save(path)
    assert (path / ARRAYS).read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model"]


def test_a_zip_is_compressed_and_its_files_can_be_read_when_unpacked(tiny: Any) -> None:
    with zipfile.ZipFile(io.BytesIO(tiny[1])) as archive:
        for entry in archive.infolist():
            assert entry.compress_type == zipfile.ZIP_DEFLATED
            assert stat.S_IMODE(entry.external_attr >> 16) == 0o644


def test_all_parameters_may_be_handed_over_and_saved(tmp_path: Path) -> None:
    params = Params.model_validate({"seed": 3, "agent": {"episodes": 1}, "environment": {"rows": 10, "steps": 2}})
    frame = pd.DataFrame({"x": np.arange(12.0)})
    AgentSynth(params).fit(frame).save(tmp_path / "model")
    assert AgentSynth.load(tmp_path / "model").config == params.config

from __future__ import annotations

import fcntl
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from agentsynth.config import Config
from agentsynth.errors import InputError, MissingPackageError, ScenarioError
from agentsynth.files import MARK
from agentsynth.generation import generate
from agentsynth.request import Request
from agentsynth.scenarios.report import Reached, ScenarioReport
from agentsynth.streaming.manifest import MANIFEST
from agentsynth.streaming.parts import Footer, Job
from agentsynth.streaming.telling import told
from agentsynth.streaming.writing import Footers, here, runner, write_table_in_parts
from agentsynth.streaming.written import Written
from agentsynth.synth import AgentSynth
from agentsynth.task import Asked, Cost

Write = Callable[..., Written]
ROWS, PART = 300, 55
"""As in conftest.py."""
NAMES = [MANIFEST, *(f"part-{number:05d}.parquet" for number in range(6))]


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is in a folder: name -> bytes."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def table_in_memory(synth: AgentSynth, **changes: Any) -> pd.DataFrame:
    asked = Asked(synth.scenario("dear"))
    usual = {"rows": ROWS, "seed": 5, "asked": asked, "policy": "raking", "partition_rows": PART}
    request = Request(**{**usual, **changes})
    return generate(synth.model_, synth.config, request).table


def counting(done: list[int]) -> Any:
    @contextmanager
    def progress(what: str, total: int | None) -> Any:
        assert (what, total) == ("rows", 110_000)
        yield lambda count=1: done.append(count)

    return progress


def test_the_rows_are_those_of_a_table_made_in_memory(folder: Path, shop_synth: AgentSynth) -> None:
    assert sorted(contents(folder)) == NAMES
    read = pd.read_parquet(folder)
    pd.testing.assert_frame_equal(read, table_in_memory(shop_synth))
    assert read.dtypes.equals(shop_synth.generate(5).dtypes)


@pytest.mark.parametrize(("scenario", "policy"), [(None, "free"), ("evening", "q_learning")])
def test_so_they_are_of_other_scenarios_and_policies(
    scenario: str | None, policy: str, write: Write, shop_synth: AgentSynth, tmp_path: Path
) -> None:
    changes = {"rows": 120, "partition_rows": 60, "policy": policy}
    write(tmp_path, scenario=scenario, **changes)
    asked = Asked(None if scenario is None else shop_synth.scenario(scenario))
    made = table_in_memory(shop_synth, asked=asked, **changes)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path), made)


def test_the_facade_writes_what_it_generates(shop_synth: AgentSynth, tmp_path: Path) -> None:
    """Free rows of a long table are not chosen from more than there are wanted."""
    done: list[int] = []
    written = shop_synth.generate_to(tmp_path / "new", 110_000, policy="free", seed=2, progress=counting(done))
    assert (written.rows, written.parts, written.kept, sum(done)) == (110_000, 2, 0, 110_000)
    made = shop_synth.generate(110_000, policy="free", seed=2)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "new"), made)
    real = shop_synth.generate(600, policy="free", seed=1)
    assert made["price"].mean() == pytest.approx(real["price"].mean(), rel=0.15)
    assert made["timestamp"].iloc[:55_000].is_monotonic_increasing


def test_no_two_rows_of_different_parts_share_an_id(folder: Path) -> None:
    ids = [set(pd.read_parquet(folder / name)["user_id"]) for name in NAMES[1:]]
    assert sum(map(len, ids)) == len(set.union(*ids))


def test_goals_are_told_over_the_whole_table_and_from_part_to_part(folder: Path, write: Write) -> None:
    written = write(folder)
    (goal,) = written.goals
    table = pd.read_parquet(folder)
    assert goal.whole.reached == pytest.approx(table["price"].mean())
    means = [pd.read_parquet(folder / name)["price"].mean() for name in NAMES[1:]]
    assert (goal.lowest, goal.highest) == pytest.approx((min(means), max(means)))
    assert goal.whole.wanted == pytest.approx(1.2 * goal.whole.before)
    assert ", over the first 50" in told(written)
    assert told(written).startswith(f"300 rows in 6 parts, 6 of them there before to {folder}\n  price mean: before ")


def test_the_report_tells_targets_of_all_parts_and_movements_of_the_first(
    folder: Path, write: Write, shop_synth: AgentSynth
) -> None:
    report = write(folder).report
    assert report is not None
    asked = Asked(shop_synth.scenario("dear"))
    whole = Request(rows=ROWS, seed=5, asked=asked, policy="raking", partition_rows=PART)
    in_memory = generate(shop_synth.model_, shop_synth.config, whole).report
    assert in_memory is not None
    assert (report.rows, report.drawn, report.effective) == (ROWS, in_memory.drawn, in_memory.effective)
    assert [target.name for target in report.targets] == ["price mean"]
    assert report.targets[0].reached == pytest.approx(in_memory.targets[0].reached)
    assert report.seen == 50
    (first,) = (moved for moved in report.columns if moved.name == "category")
    shares = pd.read_parquet(folder / NAMES[1])["category"].value_counts(normalize=True)
    assert dict(zip(first.cells, first.after.shares, strict=True)) == pytest.approx({**shares, "missing": 0})
    assert ", over the first 50" in report.to_text()


def test_strict_makes_no_second_part_where_the_first_falls_short(write: Write, tmp_path: Path) -> None:
    far = {"targets": {"price": {"mean": 1e6}}}
    with pytest.raises(ScenarioError, match=r"price mean fell short.*lies beyond it.*made stay in .*far"):
        write(tmp_path / "far", scenario=far, strict=True)
    assert sorted(contents(tmp_path / "far")) == NAMES[:2]
    (goal,) = write(tmp_path / "far", scenario=far).goals
    assert "lies beyond it" in goal.whole.reason


def test_strict_looks_at_the_whole_table_in_the_end(write: Write, tmp_path: Path) -> None:
    """Where all is well, the same parts are written; a part that misses by itself, but for the first, is no error."""
    changes = {"rows": 120, "partition_rows": 60, "policy": "q_learning"}
    for strict in (True, False):
        write(tmp_path / str(strict), strict=strict, **changes)
    assert contents(tmp_path / "True") == contents(tmp_path / "False")
    first, *others = (Footer(50, (near(x),), [50.0], Cost(100, 60, 50.0)) for x in (10.0, 12.0, 8.0))
    first = replace(first, report=ScenarioReport("s", 50, 100, 60))
    assert Written.of("there", [first, *others], 0).checked()
    with pytest.raises(ScenarioError, match=r"wanted 10, reached 11 \(1 off\): so it is"):
        Written.of("there", [first, others[0]], 0).checked()


def near(reached: float) -> Reached:
    return Reached("x", 9.0, 10.0, reached, 0.5, "so it is" if abs(reached - 10) > 0.5 else "")


def test_parts_that_are_there_are_kept_and_the_others_made(folder: Path, write: Write, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    for name in NAMES[2:4]:
        (tmp_path / "copy" / name).unlink()
    # A process that was killed leaves what it had begun; some places leave a file that is not whole.
    (tmp_path / "copy" / ".part-00001.x7.parquet").write_bytes(b"PAR1")
    (tmp_path / "copy" / NAMES[5]).write_bytes(b"PAR1 and no more")
    made: list[int] = []

    def watched(job: Job, numbers: Sequence[int], advance: Callable[[int], None]) -> Footers:
        made.extend(numbers)
        return here(job, numbers, advance)

    written = write(tmp_path / "copy", watched)
    assert made == [1, 2, 4]
    assert (written.kept, written.rows) == (3, ROWS)
    assert contents(tmp_path / "copy") == contents(folder)


def test_a_manifest_that_was_cut_off_is_made_again_unless_there_are_parts(
    folder: Path, write: Write, tmp_path: Path
) -> None:
    half = (folder / MANIFEST).read_bytes()[:90]
    (tmp_path / MANIFEST).write_bytes(half)
    write(tmp_path)
    assert contents(tmp_path) == contents(folder)
    (tmp_path / MANIFEST).write_bytes(half)
    with pytest.raises(InputError, match=f"{MANIFEST} cannot be read by this version"):
        write(tmp_path)


def test_what_another_process_is_writing_there_stays(folder: Path, write: Write, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    left, held = (tmp_path / "copy" / f".part-00001.{MARK}{name}.parquet" for name in ("x", "y"))
    for path in (left, held):
        path.write_bytes(b"PAR1")
    with held.open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        write(tmp_path / "copy")
    assert not left.exists()
    assert held.exists()


def test_what_was_finished_before_an_error_is_kept(folder: Path, write: Write, tmp_path: Path) -> None:
    def stopped(job: Job, numbers: Sequence[int], advance: Callable[[int], None]) -> Footers:
        here(job, numbers[:2], advance)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, stopped)
    assert sorted(contents(tmp_path)) == NAMES[:3]
    write(tmp_path)
    assert contents(tmp_path) == contents(folder)


def test_nothing_is_left_of_a_part_that_could_not_be_written(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any) -> Footers:
        raise KeyboardInterrupt

    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:100])
        raise OSError(28, "No space left on device")

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, stopped)
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match="No space left"):
        write(tmp_path)
    assert sorted(contents(tmp_path)) == [MANIFEST]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": 301}, "rows 300, not 301"),
        ({"seed": 6}, "seed 5, not 6"),
        ({"scenario": "evening"}, "scenario .*price.*, not .*timestamp.hour"),
        ({"policy": "free"}, "policy raking, not free"),
    ],
)
def test_a_folder_of_another_table_is_refused(
    changes: dict[str, Any], message: str, folder: Path, write: Write
) -> None:
    before = contents(folder)
    with pytest.raises(InputError, match=f"holds parts of another table, made with {message}"):
        write(folder, **changes)
    assert contents(folder) == before


def test_a_folder_of_another_model_is_refused(folder: Path, shop_table: pd.DataFrame, small_config: Config) -> None:
    other = AgentSynth(small_config, seed=1).fit(shop_table)
    with pytest.raises(InputError, match=r"another table, made with model [0-9a-f]+.*; rows 300, not 400"):
        other.generate_to(folder, 400, "dear", 5)


def test_folders_that_hold_something_else_are_refused(folder: Path, write: Write, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds something else than a table in parts \(notes.txt, ...\)"):
        write(tmp_path)
    with pytest.raises(InputError, match=r"notes\.txt is a file: name a folder"):
        write(tmp_path / "notes.txt")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / MANIFEST).write_text("{}")
    with pytest.raises(InputError, match=f"{MANIFEST} cannot be read by this version"):
        write(tmp_path / "other")
    shutil.copytree(folder, tmp_path / "copy")
    pd.DataFrame({"x": [1]}).to_parquet(tmp_path / "copy" / NAMES[3])
    with pytest.raises(InputError, match=f"{NAMES[3]} is not a part of this table"):
        write(tmp_path / "copy")


def test_workers_are_of_one_kind() -> None:
    assert runner() is here
    with pytest.raises(InputError, match=r"not both\. Leave out one"):
        runner(workers=2, dask="tcp://127.0.0.1:1")
    with pytest.raises(InputError, match="workers are one or more; found 0"):
        runner(workers=0)


def test_without_dask_workers_are_refused_before_anything_is_written(
    shop_synth: AgentSynth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "agentsynth.streaming.cluster", raising=False)
    with pytest.raises(MissingPackageError, match=r"pip install 'agentsynth\[dask\]'"):
        shop_synth.generate_to(tmp_path / "new", 50, workers=2)
    assert not (tmp_path / "new").exists()


def test_a_scenario_that_does_not_fit_leaves_nothing_behind(write: Write, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="prise"):
        write(tmp_path / "new", scenario={"where": "prise > 3"})
    assert not (tmp_path / "new").exists()


def test_the_manifest_tells_the_table(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    assert (manifest["rows"], manifest["seed"], manifest["partitions"], manifest["policy"]) == (300, 5, 6, "raking")
    assert manifest["scenario"]["targets"] == {"price": {"mean": "+20%"}}
    assert manifest["now"]["price mean"] > 0


def test_parts_have_one_schema_even_where_a_column_is_missing_throughout(tmp_path: Path, small_config: Config) -> None:
    rng = np.random.default_rng(0)
    note = pd.Series("rare", index=range(400)).where(rng.random(400) < 0.02)
    table = pd.DataFrame({"note": note, "x": rng.normal(size=400), "n": rng.integers(0, 9, 400)})
    synth = AgentSynth(small_config).fit(table)
    write_table_in_parts(
        synth.model_, synth.config, Request(60, 0, policy="free", partition_rows=5), 0, str(tmp_path / "t")
    )
    parts = sorted((tmp_path / "t").glob("part-*"))
    schemas = [pq.read_schema(part).remove_metadata() for part in parts]
    assert len(parts) == 12
    assert all(schema == schemas[0] for schema in schemas)
    assert any(pd.read_parquet(part)["note"].isna().all() for part in parts)


def test_a_place_that_fsspec_knows_holds_the_same(folder: Path, write: Write) -> None:
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    url = "memory://streaming/table"
    try:
        written = write(url)
        assert written == Written(url, ROWS, 6, 0, written.goals, report=written.report)
        there = {path.rpartition("/")[2]: system.cat_file(path) for path in system.ls("/streaming/table", detail=False)}
        assert there == contents(folder)
        system.rm_file(f"/streaming/table/{NAMES[2]}")
        assert write(url).kept == 5
        assert system.cat_file(f"/streaming/table/{NAMES[2]}") == (folder / NAMES[2]).read_bytes()
    finally:
        system.rm("/streaming", recursive=True)


def test_a_place_that_nothing_knows_is_refused(write: Write) -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(InputError, match="nowhere://x cannot be written to: Protocol not known: nowhere"):
        write("nowhere://x")

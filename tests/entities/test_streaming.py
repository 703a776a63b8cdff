"""A table of entities in parts: whole entities in each, the same rows whoever makes them."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pyarrow.parquet as pq
import pytest

from agentsynth.data.shop import simulate_shop
from agentsynth.entities.sizing import Sizes
from agentsynth.errors import InputError
from agentsynth.generation import generate
from agentsynth.request import Request
from agentsynth.seeding import child_seed
from agentsynth.streaming.manifest import MANIFEST
from agentsynth.streaming.parts import Job
from agentsynth.streaming.telling import told
from agentsynth.streaming.writing import Footers, Run, here, runner, write_table_in_parts
from agentsynth.streaming.written import Written
from agentsynth.synth import AgentSynth
from agentsynth.task import Asked

ROWS, ENTITIES, PART = 600, 140, 160
"""Rows and entities of the tables, and most rows of a part: four parts."""
TOTAL = 100_000
SMALL = {
    "generator": {"trees": 4},
    "environment": {"rows": 60, "steps": 12, "pairs": 12},
    "agent": {"episodes": 6, "goals": 3},
    "entities": {"column": "user_id"},
}
"""As in conftest.py."""
SCENARIO = {
    "targets": {
        "rows": {"share": {"1": "+50%"}},
        "category": {"share": {"Books": 0.3}},
        "total_revenue": {"total": TOTAL},
    }
}
Write = Callable[..., Written]


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    """Users with up to six orders: a draw takes as many steps as the longest life has rows."""
    return simulate_shop(900, seed=2, habits=True).groupby("user_id").head(6).reset_index(drop=True)


@pytest.fixture(scope="module")
def synth(orders: pd.DataFrame) -> AgentSynth:
    """Fitted; tests leave it as it is."""
    return AgentSynth(SMALL, seed=1).fit(orders)


@pytest.fixture(scope="module")
def write(synth: AgentSynth) -> Write:
    """Write a table of `ROWS` rows of entities into a folder; what is named is otherwise."""

    def write(out: Path | str, run: Run = here, **changes: Any) -> Written:
        request = request_of(synth, **changes)
        return write_table_in_parts(synth.model_, synth.config, request, 5, str(out), run)

    return write


def request_of(synth: AgentSynth, **changes: Any) -> Request:
    asked = Asked(synth.scenario(changes.pop("scenario", SCENARIO)))
    usual = {"rows": ROWS, "seed": child_seed(5, "generate"), "policy": "raking", "partition_rows": PART, "exact": True}
    return Request(**{**usual, "asked": asked, "sizes": synth.model_.generator.sizes, **changes})


@pytest.fixture(scope="module")
def folder(write: Write, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("streaming") / "table"
    write(folder)
    return folder


@pytest.fixture(scope="module")
def users(write: Write, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    """A table of so many entities."""
    folder = tmp_path_factory.mktemp("streaming") / "users"
    return folder, write(folder, rows=ENTITIES, exact=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def parts_of(folder: Path) -> list[pd.DataFrame]:
    return [pd.read_parquet(part) for part in sorted(folder.glob("part-*"))]


def test_the_rows_are_those_of_a_table_made_in_memory(
    folder: Path, users: tuple[Path, Written], synth: AgentSynth, orders: pd.DataFrame
) -> None:
    for place, changes in ((folder, {}), (users[0], {"rows": ENTITIES, "exact": False})):
        made = generate(synth.model_, synth.config, request_of(synth, **changes)).table
        pd.testing.assert_frame_equal(pd.read_parquet(place), made)
        assert made.dtypes.to_dict() == orders.dtypes.to_dict()


def test_so_many_rows_or_entities_in_parts_of_whole_entities(folder: Path, users: tuple[Path, Written]) -> None:
    rows, entities = pd.read_parquet(folder), pd.read_parquet(users[0])
    assert len(rows) == ROWS
    assert [len(part) for part in parts_of(folder)] == [150] * 4
    assert entities["user_id"].nunique() == users[1].entities == ENTITIES
    assert users[1].rows == len(entities)
    for place, whole in ((folder, rows), (users[0], entities)):
        parts = parts_of(place)
        assert len(parts) > 2
        ids = [set(part["user_id"]) for part in parts]
        assert sum(map(len, ids)) == len(set.union(*ids))
        assert whole["user_id"].str.fullmatch(r"U\d{5}").all()
        assert set(whole.groupby("user_id")["user_type"].nunique()) == {1}
        assert all(part["timestamp"].is_monotonic_increasing for part in parts)
        # Dealt out in turn: the numbers are not much larger than there are entities.
        numbers = whole["user_id"].str[1:].astype(int)
        assert numbers.max() < numbers.min() + 2 * whole["user_id"].nunique()


def test_goals_are_told_over_the_whole_table(folder: Path, users: tuple[Path, Written], write: Write) -> None:
    for place, written in ((folder, write(folder)), users):
        table = pd.read_parquet(place)
        once, books, total = (goal.whole for goal in written.goals)
        assert once.reached == pytest.approx((table["user_id"].value_counts() == 1).mean(), abs=0.002)
        assert books.reached == pytest.approx((table["category"] == "Books").mean())
        assert total.reached == pytest.approx(table["total_revenue"].sum(), rel=1e-6)
        assert once.wanted == pytest.approx(1.5 * once.before)
        assert all(goal.lowest <= goal.whole.reached <= goal.highest for goal in written.goals[:2])
    assert told(users[1]).startswith(f"{users[1].rows:,} rows of 140 entities in ")


def test_goals_are_met_over_the_whole_table(write: Write, tmp_path: Path) -> None:
    for name, changes in (("rows", {"rows": 900}), ("users", {"rows": 200, "exact": False})):
        written = write(tmp_path / name, policy="q_learning", partition_rows=500, **changes)
        once, books, total = (goal.whole for goal in written.goals)
        assert written.parts == 2
        assert once.reached == pytest.approx(once.wanted, abs=0.03)
        assert books.reached == pytest.approx(0.3, abs=0.015)
        assert total.reached == pytest.approx(TOTAL, rel=0.05)


def test_only_parts_that_are_missing_are_made(folder: Path, write: Write, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / "part-00001.parquet").unlink()
    (tmp_path / "copy" / ".part-00002.x7.parquet").write_bytes(b"PAR1")
    (tmp_path / "copy" / "part-00003.parquet").write_bytes(b"PAR1 and no more")
    made: list[int] = []

    def watched(job: Job, numbers: Sequence[int], advance: Callable[[int], None]) -> Footers:
        made.extend(numbers)
        return here(job, numbers, advance)

    again = write(tmp_path / "copy", watched)
    assert made == [1, 3]
    assert contents(tmp_path / "copy") == contents(folder)
    whole = write(folder)
    assert (again.rows, again.entities, again.kept) == (whole.rows, whole.entities, 2)
    assert again.goals == whole.goals


def test_entities_and_rows_are_not_mixed_up(folder: Path, write: Write) -> None:
    with pytest.raises(InputError, match="unit rows, not entities"):
        write(folder, exact=False)


def test_entities_that_a_scenario_makes_short_are_made_until_they_have_the_rows(write: Write, tmp_path: Path) -> None:
    written = write(tmp_path / "short", scenario={"where": "rows <= 2"}, rows=300)
    table = pd.read_parquet(tmp_path / "short")
    assert written.rows == len(table) == 300
    assert table["user_id"].value_counts().max() <= 2
    assert (written.entities or 0) > 150


def test_the_facade_writes_what_it_generates(synth: AgentSynth, tmp_path: Path) -> None:
    written = synth.generate_to(tmp_path / "rows", 150, seed=2)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "rows"), synth.generate(150, seed=2))
    assert (written.rows, written.parts) == (150, 1)
    written = synth.generate_to(tmp_path / "users", entities=20, seed=2, policy="free")
    made = synth.generate(entities=20, seed=2, policy="free")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "users"), made)
    assert written.entities == 20


def test_of_a_panel_one_entity_at_the_most_is_cut(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    who, year = np.repeat(np.arange(40), 4), np.tile(np.arange(2000, 2004), 40)
    sex, wage = rng.integers(2, size=40)[who], rng.normal(20, 5, size=160).round(2)
    panel = pd.DataFrame({"worker": who + 100, "sex": np.array(["f", "m"])[sex], "year": year, "wage": wage})
    config = {**SMALL, "entities": {"column": "worker"}}
    synth = AgentSynth(config, seed=0).fit(panel)
    assert synth.model_.generator.sizes == Sizes(4.0, 4)
    request = request_of(synth, rows=202, partition_rows=50, scenario={}, policy="free")
    written = write_table_in_parts(synth.model_, synth.config, request, 5, str(tmp_path / "panel"))
    parts = parts_of(tmp_path / "panel")
    assert [len(part) % 4 for part in parts] == [0] * (len(parts) - 1) + [2]
    sizes = pd.concat(parts)["worker"].value_counts()
    assert sorted(sizes.unique()) == [2, 4]
    assert (sizes == 2).sum() == 1
    assert len(sizes) == written.entities == 51


def test_progress_is_told_in_what_is_asked_for(write: Write, tmp_path: Path) -> None:
    for name, changes, count in (("rows", {}, ROWS), ("users", {"rows": ENTITIES, "exact": False}, ENTITIES)):
        done: list[int] = []

        def counted(job: Job, numbers: Sequence[int], _: Callable[[int], None], done: list[int] = done) -> Footers:
            return here(job, numbers, done.append)

        write(tmp_path / name, counted, scenario={}, **changes)
        assert sum(done) == count


def test_types_are_known_without_a_value(synth: AgentSynth, write: Write, tmp_path: Path) -> None:
    write(tmp_path / "few", rows=9, partition_rows=3, scenario={}, policy="free")
    schemas = [pq.read_schema(part).remove_metadata() for part in sorted((tmp_path / "few").glob("part-*"))]
    assert len(schemas) == 3
    assert all(schema == schemas[0] for schema in schemas)
    assert schemas[0].names == synth.schema_.names


@pytest.mark.slow
def test_two_workers_write_what_one_process_writes_though_one_is_killed(
    folder: Path, write: Write, tmp_path: Path
) -> None:
    pytest.importorskip("distributed")
    killed: list[int] = []

    def killing(job: Job, numbers: Sequence[int], advance: Callable[[int], None]) -> Footers:
        def and_kill(rows: int) -> None:
            advance(rows)
            if not killed:
                children = psutil.Process().children()
                workers = [each.pid for each in children if any("spawn_main" in word for word in each.cmdline())]
                assert len(workers) == 2
                os.kill(workers[0], signal.SIGKILL)
                killed.append(workers[0])

        return runner(workers=2)(job, numbers, and_kill)

    written = write(tmp_path / "table", killing)
    assert killed
    assert (written.rows, written.parts, written.kept) == (ROWS, 4, 0)
    assert contents(tmp_path / "table") == contents(folder)
    assert MANIFEST in contents(folder)

"""The registered model holds no row of the training table: every byte of it is searched for planted ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.typed import typed
from agentsynth.synth import AgentSynth
from agentsynth.tracking import registry
from agentsynth.tracking.pipeline import StageRecord, recorded
from agentsynth.tracking.store import Store

ROWS = 240
APART = 40
"""Most bytes between the values of a row that is held as text."""


@pytest.fixture(scope="module")
def planted() -> pd.DataFrame:
    """Rows that each are a combination of marked values, no two of them alike in any number."""
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "code": [f"mark-{number % 40:02d}" for number in rng.permutation(ROWS)],
            "weight": (rng.permutation(ROWS) * 37 + 500_003) / 1000,
            "number": rng.permutation(ROWS) * 7 + 10_001,
            "price": (rng.permutation(ROWS) * 13 + 70_001) / 100,
        }
    )


@pytest.fixture(scope="module")
def learned(planted: pd.DataFrame) -> AgentSynth:
    small = {"agent": {"episodes": 3}, "environment": {"rows": 60, "steps": 6}, "generator": {"trees": 2}}
    return AgentSynth(small, seed=1).fit(planted)


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each file under a folder, and of each array of the .npz files, unpacked."""
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        yield path.name, path.read_bytes()
        if path.suffix == ".npz":
            with np.load(path) as arrays:
                yield from ((f"{path.name}:{name}", arrays[name].tobytes()) for name in arrays.files)


def rows_found(folder: Path, table: pd.DataFrame) -> set[str]:
    """Return where whole rows are: as text, values one after the other, or as numbers beside one another."""
    numbers = table.select_dtypes("number")
    texts = [[str(value).encode() for value in row] for row in table.itertuples(index=False)]
    rows = [re.compile((rb".{0,%d}?" % APART).join(map(re.escape, row)), re.DOTALL) for row in texts]
    records = [
        np.array(order, dtype=kind).tobytes()
        for row in numbers.to_numpy()
        for order in permutations(row, 2)
        for kind in (np.float64, np.float32)
    ]
    return {
        name
        for name, content in contents(folder)
        if any(row.search(content) for row in rows) or any(record in content for record in records)
    }


def test_search_finds_rows_where_there_are_any(planted: pd.DataFrame, tmp_path: Path) -> None:
    planted.to_csv(tmp_path / "some.csv")
    planted.tail(1).to_json(tmp_path / "last.json", orient="records")
    np.savez_compressed(tmp_path / "some.npz", table=planted.select_dtypes("number").to_numpy())
    np.savez_compressed(
        tmp_path / "columns.npz", weight=planted["weight"].to_numpy(), price=planted["price"].to_numpy()
    )
    assert rows_found(tmp_path, planted) == {"some.csv", "last.json", "some.npz:table"}


@pytest.mark.slow
def test_registered_model_holds_no_row(
    store: Store, planted: pd.DataFrame, learned: AgentSynth, tmp_path: Path
) -> None:
    learned.save(tmp_path / "model")
    with recorded([StageRecord("train", "planted", lambda _: None)]) as run:
        keys = {"policy_key": "planted"}
        version = registry.register(run, tmp_path / "model", keys=keys, card="card")
    folder = Path("mlruns") / "artifacts" / "models" / version.model_id
    names = {name for name, _ in contents(folder)}
    assert {"arrays.npz", "manifest.json", "MLmodel", "input_example.json", "arrays.npz:trees.1.codes"} <= names
    assert rows_found(folder, planted) == set()
    assert store.client.get_model_version("agentsynth", version.number).description == "card"


def test_columns_of_a_saved_model_stand_in_an_order_of_their_own(
    planted: pd.DataFrame, learned: AgentSynth, tmp_path: Path
) -> None:
    """Values are kept column by column, by leaves of its own trees: side by side they make no training rows."""
    learned.save(tmp_path / "model")
    trees = learned.model_.generator.trees
    codes = trees.codec.encode(typed(planted, learned.schema_))[:, trees.order].astype(int)
    with np.load(tmp_path / "model" / "arrays.npz") as arrays:
        kept = [arrays[f"trees.{index}.codes"] for index in range(len(trees.order))]
    real = set(map(tuple, codes.tolist()))
    assert share_of(real, kept) < 0.01  # rows of a leaf stand together, so some come out: 0 to 2 in 12 seeds
    assert share_of(real, list(codes.T)) == 1  # so would rows in their own order be seen
    for (first, one), (second, other) in pairwise(enumerate(kept[1:], start=1)):
        assert share_of(set(map(tuple, codes[:, [first, second]].tolist())), [one, other]) < 0.05


def share_of(rows: set[tuple[int, ...]], columns: list[np.ndarray]) -> float:
    """Return which share of the rows that columns make side by side are among `rows`."""
    made = zip(*(column.tolist() for column in columns), strict=False)
    return float(np.mean([row in rows for row in made]))

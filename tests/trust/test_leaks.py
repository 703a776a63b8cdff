"""Marked values planted in a table, and every byte searched that a model of it, its tables and reports are written in.

What may stand where is what SECURITY.md promises: ids and dropped columns nowhere; whole rows and moments nowhere; rare
numbers in the model, and by luck in a generated table; labels in the model, in generated tables, on the page, and in
the report on a scenario, which tells whose shares moved.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

Run = Callable[..., Any]
ROWS, MARKED = 120, 70
MARKS = {
    "id": "K8205973",
    "name": "Zqxname Person",
    "dropped": "Zqxfree words",
    "label": "Zqxlabel",
    "number": "5551237",
    "moment": "2024-11-13 04:17:53",
}
"""What is planted in one row in the middle of the table: no smallest or largest value, in columns of such kinds."""
MODEL, TABLES, PAGE, MOVED = "model", "made.csv", "page.html", "r.json"
MAY_STAND: dict[str, tuple[str, ...]] = {
    "id": (),
    "name": (),
    "dropped": (),
    "label": (MODEL, TABLES, PAGE, MOVED),
    "number": (MODEL, TABLES),
    "moment": (),
}
"""Mark -> files that may hold it, by how their names begin."""


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 366 * 86_400, ROWS)), unit="s")
    frame = pd.DataFrame(
        {
            "customer_id": [f"K{number}" for number in rng.permutation(np.arange(1_000_000, 9_999_999, 70_001))[:ROWS]],
            "name": [f"Person {chr(97 + row % 26) * (1 + row % 7)} of {row}" for row in range(ROWS)],
            "note": [f"words on {row} and {row**2}" for row in range(ROWS)],
            "kind": rng.choice(["plain", "fancy"], ROWS),
            "amount": rng.integers(1_000_000, 9_000_000, ROWS),
            "at": days.strftime("%Y-%m-%d %H:%M:%S"),
        }
    )
    planted: list[str | int] = [
        *(MARKS[mark] for mark in ("id", "name", "dropped", "label")),
        int(MARKS["number"]),
        MARKS["moment"],
    ]
    for name, value in zip(frame.columns, planted, strict=True):
        frame.loc[MARKED, name] = value
    return frame


def texts(path: Path) -> Iterator[str]:
    """Yield all that is written in a file, also what is compressed in it."""
    yield from _texts(path.read_bytes())


def _texts(content: bytes) -> Iterator[str]:
    yield content.decode("latin-1")
    yield content.decode("utf-8", "ignore")
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name
                yield from _texts(archive.read(name))
    elif content.startswith(b"\x1f\x8b"):
        yield from _texts(gzip.decompress(content))
    elif content.startswith(b"\x93NUMPY"):
        array = np.load(io.BytesIO(content))
        yield " ".join(str(int(value) if value == np.floor(value) else value) for value in array.ravel().tolist())


def found(folder: Path) -> dict[str, set[str]]:
    """Return the marks that are in files of a folder -> the names of these files."""
    known: dict[str, set[str]] = {mark: set() for mark in MARKS}
    for path in folder.rglob("*"):
        if path.is_file():
            written = list(texts(path))
            for mark, text in MARKS.items():
                if any(text in piece for piece in written):
                    known[mark].add(str(path.relative_to(folder)))
    return known


def test_marked_values_stand_only_where_they_may(table: pd.DataFrame, folder: Path, run: Run) -> None:
    inputs = folder / "inputs"
    inputs.mkdir()
    table.to_csv(inputs / "t.csv", index=False)
    table.drop(index=MARKED).to_csv(inputs / "unseen.csv", index=False)
    drop = "data: {columns: {note: {kind: drop}, name: {kind: id}}}"
    dear = "scenarios: {dear: {targets: {amount: {mean: +5%}}}}"
    (inputs / "p.yaml").write_text(
        f"generator: {{trees: 2}}\nenvironment: {{rows: 40, steps: 4}}\nevaluate: {{max_rows: 40}}\n{drop}\n{dear}\n"
    )
    (folder / "out").mkdir()
    (folder / "params.yaml").unlink()
    told = [
        run("fit", "inputs/t.csv", "--out", "out/model", "--params", "inputs/p.yaml"),
        *(
            run(*("generate", "out/model", "--rows", "100", "--out", f"out/made.{ending}", "--scenario", "dear"), *more)
            for ending, more in (("csv", ("--report", "out/r.json")), ("csv.gz", ("--report", "out/r.png")))
        ),
        run("evaluate", "inputs/unseen.csv", "out/made.csv", "--train", "inputs/t.csv", "--out", "out/scores.json",
            "--params", "inputs/p.yaml"),
        run("report", "out/model", "--real", "inputs/unseen.csv", "--train", "inputs/t.csv", "--out", "out/page.html",
            "--scenario", "dear"),
    ]  # fmt: skip
    assert [one.code for one in told] == [0] * len(told), [one.err for one in told]
    said = "".join(one.out + one.err for one in told)
    assert [mark for mark, text in MARKS.items() if text in said] == []
    files = found(folder / "out")
    beyond = {
        mark: sorted(name for name in names if not name.startswith(MAY_STAND[mark])) for mark, names in files.items()
    }
    assert beyond == {mark: [] for mark in MARKS}
    # The search does find what is there.
    assert "model/arrays.npz" in files["number"]
    assert "model/manifest.json" in files["label"]
    assert {mark for mark, names in found(inputs).items() if "t.csv" in names} == set(MARKS)


def test_messages_about_a_table_quote_no_more_than_the_value_that_is_wrong(
    table: pd.DataFrame, folder: Path, run: Run
) -> None:
    table.to_csv(folder / "t.csv", index=False)
    told = run("fit", "t.csv", "--out", "m.zip")
    assert told.code == 2
    assert "looks like free text" in told.err
    assert [text for text in MARKS.values() if text in told.err] == []
    assert not [word for word in table["note"] if word in told.err]

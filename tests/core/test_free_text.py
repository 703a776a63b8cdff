"""Free text and bytes are not modelled: they are named, never quoted, and dropped or kept as the user says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from agentsynth.cli import app
from agentsynth.data.inference import infer_schema
from agentsynth.data.reading import read_table
from agentsynth.errors import SchemaError
from agentsynth.params import Params
from agentsynth.stages.prepare import prepare
from agentsynth.synth import AgentSynth

ROWS = 150
SMALL: dict[str, Any] = {
    "generator": {"trees": 2},
    "environment": {"rows": 30, "steps": 3},
    "agent": {"episodes": 1, "goals": 1},
}
NOTES = [f"Patient {chr(65 + i % 26)}. Smith-{i}, {'better ' * (i % 5)}since Monday" for i in range(ROWS)]
IMAGES = [b"\x89PNG" + bytes([i % 3]) for i in range(ROWS)]
WAYS = {"drop": {"note": {"kind": "drop"}, "image": {"kind": "drop"}}}
WAYS["categorical"] = {name: {"kind": "categorical"} for name in ("note", "image")}


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame({"x": np.random.default_rng(0).normal(size=ROWS).round(2), "note": NOTES, "image": IMAGES})


def as_wanted(made: pd.DataFrame, way: str) -> None:
    assert list(made.columns) == (["x"] if way == "drop" else ["x", "note", "image"])
    if way == "categorical":
        assert set(made["note"]) <= set(NOTES)
        assert set(made["image"]) <= set(IMAGES)


@pytest.mark.parametrize(("column", "shape"), [("note", "'Xxxxxxx X. Xxxxx-9, xxxxx Xx...'"), ("image", "bytes")])
def test_the_column_is_named_and_no_value_is_quoted(table: pd.DataFrame, column: str, shape: str) -> None:
    with pytest.raises(SchemaError) as caught:
        infer_schema(table[["x", column]])
    message = str(caught.value)
    assert f"'{column}'" in message
    assert f"--drop {column}" in message
    assert f"data.columns.{column}.kind" in message
    assert not any(word in message for word in ("Patient", "Smith", "Monday", "PNG"))
    if column == "image":
        assert shape in message
    else:
        assert (
            f"{ROWS} different values in {ROWS} rows, {min(map(len, NOTES))} to {max(map(len, NOTES))} letters long"
            in message
        )


@pytest.mark.parametrize("values", [[f"{i / 7:.3f}" for i in range(ROWS - 1)] + ["secret"], [{"secret": 1}] * ROWS])
def test_other_values_that_cannot_be_used_are_not_quoted(table: pd.DataFrame, values: list[Any]) -> None:
    with pytest.raises(SchemaError, match="in row") as caught:
        infer_schema(table[["x"]].assign(y=values))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("way", WAYS)
def test_in_python(table: pd.DataFrame, way: str) -> None:
    schema = infer_schema(table, WAYS[way])
    synth = AgentSynth(SMALL, seed=0).fit(table, schema=schema)
    as_wanted(synth.generate(40, seed=1), way)


@pytest.mark.parametrize("way", WAYS)
def test_in_params(table: pd.DataFrame, way: str, tmp_path: Path) -> None:
    table.to_parquet(tmp_path / "table.parquet")
    data = {"table": str(tmp_path / "table.parquet"), "columns": WAYS[way]}
    schema, rows = prepare(Params.model_validate({**SMALL, "data": data}))
    as_wanted(AgentSynth(SMALL, seed=0).fit(rows.train, schema=schema).generate(40, seed=1), way)


@pytest.mark.parametrize("way", WAYS)
def test_on_the_command_line(table: pd.DataFrame, way: str, tmp_path: Path) -> None:
    table.to_parquet(tmp_path / "table.parquet")
    columns = "" if way == "drop" else "data: {columns: {note: {kind: categorical}, image: {kind: categorical}}}\n"
    sizes = "generator: {trees: 2}\nenvironment: {rows: 30, steps: 3}\nagent: {episodes: 1, goals: 1}\n"
    (tmp_path / "params.yaml").write_text(columns + sizes)
    more = ["--drop", "note", "--drop", "image"] if way == "drop" else []
    paths = {name: str(tmp_path / name) for name in ("table.parquet", "params.yaml", "model.zip", "made.parquet")}
    fit = ["fit", paths["table.parquet"], "--out", paths["model.zip"], "--params", paths["params.yaml"], "-q"]
    generate = ["generate", paths["model.zip"], "--rows", "40", "--out", paths["made.parquet"], "-q"]
    for command in ([*fit, *more], generate):
        done = CliRunner().invoke(app, command, catch_exceptions=False)
        assert done.exit_code == 0
    as_wanted(read_table(tmp_path / "made.parquet"), way)


def test_numbers_of_a_csv_file_come_back_as_they_were_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = [
        f"{price:.2f},{code:05d}" for price, code in zip(rng.uniform(1, 9, 80), rng.integers(1, 20, 80), strict=True)
    ]
    (tmp_path / "in.csv").write_text("\n".join(["price,zip", *lines]) + "\n")
    (tmp_path / "params.yaml").write_text("environment: {rows: 30, steps: 3}\nagent: {episodes: 1, goals: 1}\n")
    model, made = str(tmp_path / "model"), tmp_path / "made.csv"
    for command in (
        ["fit", str(tmp_path / "in.csv"), "--out", model, "--params", str(tmp_path / "params.yaml"), "-q"],
        ["generate", model, "--rows", "200", "--out", str(made), "-q"],
    ):
        assert CliRunner().invoke(app, command, catch_exceptions=False).exit_code == 0
    written = pd.read_csv(made, dtype=str)
    assert written["price"].str.fullmatch(r"\d\.\d\d").all()
    assert written["price"].str.endswith("0").any()
    assert written["zip"].str.fullmatch(r"000\d\d").all()

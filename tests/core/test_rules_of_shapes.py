"""Rules among columns of every form: numbers held as text, datetimes with ends, bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.inference import infer_schema
from agentsynth.data.reading import read_table, write_table
from agentsynth.data.typed import typed
from agentsynth.metrics.validity import valid_cells
from agentsynth.synth import AgentSynth

ROWS = 300
SMALL = {
    "generator": {"trees": 3},
    "environment": {"rows": 60, "steps": 10, "pairs": 6},
    "agent": {"episodes": 2, "goals": 2},
}
PRICES = {"tea": "4.70", "milk": "1.05", "bread": "12.00", "salt": "0.90"}


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def goods() -> pd.DataFrame:
    """Return articles, their prices as text, and a list price that is never below."""
    article = pd.Series(rng().choice(list(PRICES), ROWS))
    price = article.map(PRICES)
    more = np.random.default_rng(1).integers(0, 90, ROWS) / 10
    dear = pd.Series([f"{float(text) + extra:.2f}" for text, extra in zip(price, more, strict=True)])
    return pd.DataFrame({"article": article, "price": price, "list price": dear, "x": rng().normal(size=ROWS)})


def generated(
    table: pd.DataFrame, overrides: dict[str, Any] | None = None, rows: int = 400
) -> tuple[AgentSynth, pd.DataFrame]:
    synth = AgentSynth(SMALL, seed=0).fit(table, schema=infer_schema(table, overrides))
    return synth, synth.generate(rows, seed=1)


def test_numbers_held_as_text_are_looked_up_and_come_back_as_they_were_written() -> None:
    synth, made = generated(goods())
    price = synth.schema_["price"]
    assert price.formula is not None
    assert (price.formula.operation, price.formula.inputs, price.formula.result) == ("lookup", ("article",), "number")
    assert made["price"].tolist() == made["article"].map(PRICES).tolist()
    assert made["price"].dtype == goods()["price"].dtype


def test_a_lookup_of_text_may_be_declared_or_asked_for() -> None:
    declared = {"kind": "derived", "formula": {"operation": "lookup", "inputs": ["article"]}}
    for override in (declared, {"kind": "derived"}):
        _, made = generated(goods(), {"price": override})
        assert made["price"].tolist() == made["article"].map(PRICES).tolist()


@pytest.mark.parametrize("excess", [True, False])
def test_a_number_held_as_text_is_never_below_another(excess: bool, tmp_path: Path) -> None:
    table = goods().drop(columns="article")
    table["price"] = [f"{price:.2f}" for price in rng().uniform(1, 20, ROWS)]
    table["list price"] = [
        f"{float(price) + more:.2f}" for price, more in zip(table["price"], rng().uniform(0, 3, ROWS), strict=True)
    ]
    synth, made = generated(table, {"list price": {"excess": excess}})
    assert synth.schema_["list price"].above == ("price",)
    synth.save(tmp_path / "model")
    pd.testing.assert_frame_equal(AgentSynth.load(tmp_path / "model").generate(400, seed=1), made)
    assert (made["list price"].astype(float) >= made["price"].astype(float)).all()
    assert made[["price", "list price"]].apply(lambda texts: texts.str.fullmatch(r"\d+\.\d\d").all()).all()
    assert valid_cells(typed(table, synth.schema_), typed(made, synth.schema_), synth.schema_).all(axis=None)


def test_a_formula_of_numbers_held_as_text_may_be_declared() -> None:
    table = goods()[["price", "x"]].assign(pieces=[str(n) for n in np.random.default_rng(3).integers(1, 60, ROWS)])
    table["total"] = [f"{float(p) * int(n):.2f}" for p, n in zip(table["price"], table["pieces"], strict=True)]
    formula = {"operation": "product", "inputs": ["price", "pieces"], "coefficients": [1.0]}
    kinds = {"price": {"kind": "numeric"}, "pieces": {"kind": "numeric"}}
    for override in ({"kind": "derived", "formula": formula}, {"kind": "derived"}):
        _, made = generated(table, {"total": override, **kinds})
        expected = [f"{float(p) * int(n):.2f}" for p, n in zip(made["price"], made["pieces"], strict=True)]
        assert made["total"].tolist() == expected


def test_the_numbers_of_a_csv_file_that_are_looked_up_are_written_as_they_were(tmp_path: Path) -> None:
    goods().to_csv(tmp_path / "goods.csv", index=False)
    table = read_table(tmp_path / "goods.csv")
    synth, made = generated(table)
    assert synth.schema_["price"].kind == "derived"
    write_table(made, tmp_path / "made.csv", synth.schema_)
    written = pd.read_csv(tmp_path / "made.csv", dtype=str)
    assert written["price"].tolist() == written["article"].map(PRICES).tolist()


def test_codes_with_zeros_in_front_are_looked_up_as_labels() -> None:
    codes = {"tea": "007", "milk": "012", "bread": "100", "salt": "099"}
    table = goods()[["article", "x"]]
    table["code"] = table["article"].map(codes)
    declared = {"kind": "derived", "formula": {"operation": "lookup", "inputs": ["article"]}}
    synth, made = generated(table, {"code": declared})
    assert synth.schema_["code"].is_label
    assert made["code"].tolist() == made["article"].map(codes).tolist()


def test_bytes_are_looked_up_by_labels_and_labels_by_bytes() -> None:
    images = {name: bytes([137, 80, place]) for place, name in enumerate(PRICES)}
    table = goods()[["article", "x"]]
    table["image"] = table["article"].map(images)
    declared = {"kind": "derived", "formula": {"operation": "lookup", "inputs": ["article"]}}
    for override in (declared, {"kind": "derived"}):
        synth, made = generated(table, {"image": override})
        assert synth.schema_["image"].binary
        assert made["image"].tolist() == made["article"].map(images).tolist()
    inverse = {"kind": "derived", "formula": {"operation": "lookup", "inputs": ["image"]}}
    _, made = generated(table, {"image": {"kind": "categorical"}, "article": inverse})
    assert made["image"].tolist() == made["article"].map(images).tolist()


@pytest.mark.parametrize("excess", [True, False])
@pytest.mark.parametrize("step", ["second", "day"])
def test_datetimes_that_are_never_below_others_stay_within_their_ends(excess: bool, step: str, tmp_path: Path) -> None:
    seconds = np.sort(rng().integers(0, 3 * 86_400, ROWS))
    start = pd.Series(pd.Timestamp("2024-03-25 13:00:07") + pd.to_timedelta(rng().permutation(seconds), unit="s"))
    end = start + pd.to_timedelta(600 + rng().permutation(np.arange(ROWS) * 40), unit="s")
    table = pd.DataFrame({"start": start, "end": end, "x": rng().normal(size=ROWS)}).astype({"start": "datetime64[us]"})
    table["end"] = table["end"].dt.ceil("D" if step == "day" else "s").astype("datetime64[us]")
    synth, made = generated(table, {"end": {"above": ["start"], "excess": excess}}, 2000)
    assert synth.schema_["end"].step == step
    assert (made["end"] >= made["start"]).all()
    for name in ("start", "end"):
        assert table[name].min() <= made[name].min() <= made[name].max() <= table[name].max()
    synth.save(tmp_path / "model")
    pd.testing.assert_frame_equal(AgentSynth.load(tmp_path / "model").generate(2000, seed=1), made)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.inference import describe, infer_schema
from agentsynth.data.schema import Schema
from agentsynth.data.shop import simulate_shop
from agentsynth.errors import SchemaError


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "zip": rng.integers(10000, 10009, 50),
            "amount": np.round(rng.normal(100, 20, 50), 2),
            "day": [f"{1 + i % 9:02d}.03.2025" for i in range(50)],
            "note": [f"remark number {i} on {'this' * (i % 5)} order" for i in range(50)],
        }
    )


def test_schema_of_the_shop_as_text() -> None:
    lines = describe(infer_schema(simulate_shop(400))).splitlines()
    assert [line.split()[:2] for line in lines[2:]] == [
        ["user_id", "id"],
        ["user_type", "categorical"],
        ["category", "categorical"],
        ["price", "numeric"],
        ["quantity", "numeric"],
        ["timestamp", "datetime"],
        ["total_revenue", "derived"],
    ]
    assert "one user_type each" in lines[2]
    assert "2 decimals" in lines[5]
    assert "= price x quantity" in lines[8]
    assert lines[2].index(" id ") == lines[3].index(" categorical ") == lines[8].index(" derived ")


def test_schema_survives_saving(tmp_path: Path) -> None:
    schema = infer_schema(simulate_shop(400))
    schema.save(tmp_path / "schema.json")
    assert Schema.load(tmp_path / "schema.json") == schema


def test_details(frame: pd.DataFrame) -> None:
    frame.loc[:4, "amount"] = np.nan
    schema = infer_schema(frame, {"note": {"kind": "drop"}})
    assert schema.names == ["zip", "amount", "day"]
    amount, day = schema["amount"], schema["day"]
    assert (amount.decimals, amount.missing) == (2, 0.1)
    assert (amount.minimum, amount.maximum) == (frame["amount"].min(), frame["amount"].max())
    assert (day.format, day.step, day.ordered) == ("%d.%m.%Y", "day", False)


def test_free_text_names_column_and_remedies(frame: pd.DataFrame) -> None:
    with pytest.raises(SchemaError, match=r"'note' looks like free text .*data\.columns\.note\.kind.*`drop`.*`id`"):
        infer_schema(frame)
    assert infer_schema(frame, {"note": {"kind": "id"}})["note"].kind == "id"
    assert infer_schema(frame, {"note": {"kind": "categorical"}})["note"].kind == "categorical"


def test_all_unusable_columns_are_reported_at_once(frame: pd.DataFrame) -> None:
    with pytest.raises(SchemaError) as caught:
        infer_schema(frame.assign(span=pd.to_timedelta(frame["zip"], unit="s")))
    assert "'note'" in str(caught.value)
    assert "'span'" in str(caught.value)


def test_overrides_stand(frame: pd.DataFrame) -> None:
    given: dict[str, dict[str, Any]] = {
        "zip": {"kind": "categorical"},
        "amount": {"decimals": 0},
        "note": {"kind": "drop"},
    }
    schema = infer_schema(frame, given)
    assert schema["zip"].kind == "categorical"
    assert schema["amount"].decimals == 0


def test_a_column_given_a_kind_is_not_derived() -> None:
    orders = simulate_shop(100)
    assert infer_schema(orders, {"total_revenue": {"kind": "numeric"}})["total_revenue"].kind == "numeric"


def test_a_formula_may_be_given() -> None:
    orders = simulate_shop(100)
    formula = {"operation": "product", "inputs": ["price", "quantity"]}
    schema = infer_schema(orders.head(5), {"total_revenue": {"kind": "derived", "formula": formula}})
    assert schema["total_revenue"].kind == "derived"


def test_a_formula_may_be_asked_for() -> None:
    orders = simulate_shop(100)
    assert infer_schema(orders, {"total_revenue": {"kind": "derived"}})["total_revenue"].formula is not None
    with pytest.raises(SchemaError, match="'price' shall be derived, but no formula"):
        infer_schema(orders, {"price": {"kind": "derived"}})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"nobody": {"kind": "id"}}, "names column 'nobody', which the table does not have; it has zip"),
        ({"zip": {"kind": "nominal"}}, "'zip' cannot be used: kind: .*found 'nominal'.*kinds: id, categorical"),
        ({"zip": {"digits": 2}}, "'zip' cannot be used: digits: .*Fields: kind, missing, decimals"),
        ({"amount": {"kind": "constant"}, "note": {"kind": "drop"}}, "'amount' cannot be constant"),
        ({"note": {"kind": "datetime"}}, "'note' is text in no datetime format"),
        ({"note": {"kind": "numeric"}}, "'note' is numeric, but holds values that are not numbers: 'remark number 0"),
        (
            {"day": {"kind": "datetime", "format": "%m/%d/%Y"}, "note": {"kind": "drop"}},
            "'day' has the format %m/%d/%Y",
        ),
        ({"amount": {"formula": {"operation": "ratio", "inputs": ["zip"]}}}, "a ratio has 2 to 2 inputs, not 1"),
        (
            {"amount": {"formula": {"operation": "product", "inputs": ["day2"]}}, "note": {"kind": "drop"}},
            "no column 'day2'",
        ),
        (
            {"amount": {"formula": {"operation": "product", "inputs": ["amount"]}}, "note": {"kind": "drop"}},
            "in a circle: amount",
        ),
        ({name: {"kind": "drop"} for name in ("zip", "amount", "day", "note")}, "every column of the table is dropped"),
    ],
)
def test_overrides_that_do_not_fit(frame: pd.DataFrame, given: dict[str, dict[str, Any]], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        infer_schema(frame, given)


def test_tables_that_are_none() -> None:
    with pytest.raises(SchemaError, match="the table has 0 and 1"):
        infer_schema(pd.DataFrame({"a": []}))
    with pytest.raises(SchemaError, match="names must be text, found 0"):
        infer_schema(pd.DataFrame([[1, 2], [3, 4]]))
    with pytest.raises(SchemaError, match="unique, found 'a' more than once"):
        infer_schema(pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]))


def test_infinite_numbers() -> None:
    with pytest.raises(SchemaError, match=r"'a' holds infinite numbers.*inf in row 3"):
        infer_schema(pd.DataFrame({"a": [1.0, 2.5, np.inf]}))


def test_inference_leaves_the_table_alone() -> None:
    orders = simulate_shop(100)
    before = orders.copy()
    infer_schema(orders)
    pd.testing.assert_frame_equal(orders, before)


def test_one_row() -> None:
    assert {column.kind for column in infer_schema(simulate_shop(1))} == {"constant"}

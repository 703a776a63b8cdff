from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentsynth.base.codec import Codec
from agentsynth.data.schema import Column, Formula, Schema
from agentsynth.errors import ScenarioError
from agentsynth.scenarios.fixing import held_of
from agentsynth.scenarios.grammar import Scenario

SCHEMA = Schema(
    columns=(
        Column(name="id", kind="id", dtype="int64"),
        Column(name="shop", kind="constant", dtype="str", value="main"),
        Column(name="price", kind="numeric", dtype="float64", decimals=2, missing=0.2),
        Column(name="pieces", kind="numeric", dtype="int64", decimals=0),
        Column(name="list", kind="numeric", dtype="float64", decimals=2, above=("price",), missing=0.2),
        Column(name="kind", kind="categorical", dtype="str", missing=0.2),
        Column(name="flag", kind="categorical", dtype="bool"),
        Column(name="at", kind="datetime", dtype="datetime64[us]", step="day"),
        Column(
            name="sum",
            kind="derived",
            dtype="float64",
            formula=Formula(operation="product", inputs=("price", "pieces")),
        ),
    )
)
FRAME = pd.DataFrame(
    {
        "price": [9.99, 20.0, np.nan, 5.0],
        "pieces": [1.0, 3.0, 10.0, 2.0],
        "list": [12.0, 30.0, np.nan, 6.0],
        "kind": pd.Series(["a", "b", None, "b"], dtype=object),
        "flag": pd.Series(["True", "False", "False", "True"], dtype=object),
        "at": pd.date_range("2025-01-01", periods=4).astype("datetime64[us]"),
    }
)


def held(fixed: dict[str, Any]) -> tuple[dict[str, Any], dict[str, float]]:
    found = held_of(Scenario.of({"fixed": fixed}).fixed, SCHEMA, Codec(SCHEMA).fit(FRAME))
    return dict(found.values), dict(found.most)


def test_values_are_read_as_the_column_holds_them() -> None:
    fixed = {"kind": "b", "flag": True, "pieces": 3, "price": None}
    assert held(fixed) == ({"kind": "b", "flag": "True", "pieces": 3.0, "price": None}, {})
    assert held({"pieces": "3", "kind": None})[0] == {"pieces": 3.0, "kind": None}


def test_a_column_that_is_never_below_others_limits_them() -> None:
    assert held({"list": 12.5}) == ({"list": 12.5}, {"price": 12.5})


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({"prise": 3}, "a scenario fixes 'prise'; the table has id, shop, price"),
        ({"id": 3}, "fixes 'id', which is an id: ids are made anew"),
        ({"shop": "main"}, "fixes 'shop', which has one value only, 'main': leave it out"),
        ({"sum": 3}, "fixes 'sum', which is computed from price, pieces: fix these, or choose rows with `where`"),
        ({"at": "2025-01-01"}, r"fixes 'at', but moments cannot be held .* `where: at.month = 11`"),
        ({"at.hour": 3}, r"fixes 'at.hour', but moments .* `where: at.hour = 11`"),
        ({"kind": "c"}, "fixes 'kind' to 'c'; the column has a, b"),
        ({"flag": None}, "fixes 'flag' to null, but no value of it is missing"),
        ({"pieces": 2.5}, "fixes 'pieces' to 2.5; the column is rounded, to 1: fix it to 2"),
        ({"pieces": 11}, "fixes 'pieces' to 11; the table has 1 to 10"),
        ({"pieces": "many"}, "fixes 'pieces' to 'many'; the column holds numbers, and that is none"),
        ({"pieces": True}, "fixes 'pieces' to True; the column holds numbers"),
        ({"list": 6, "price": 9}, "fixes 'list' to 6 and 'price' to 9; in the table 'list' is never below 'price'"),
        ({"list": 6, "price": None}, "fixes 'list' to 6 and 'price' to missing"),
    ],
)
def test_what_cannot_be_held_is_refused(fixed: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        held(fixed)

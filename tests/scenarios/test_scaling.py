from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.schema import Column, Formula, Schema
from agentsynth.errors import ScenarioError
from agentsynth.scenarios.grammar import Scenario
from agentsynth.scenarios.scaling import scaled

SCHEMA = Schema(
    columns=(
        Column(name="id", kind="id", dtype="int64"),
        Column(name="price", kind="numeric", dtype="float64", decimals=2),
        Column(name="pieces", kind="numeric", dtype="int64", decimals=0),
        Column(name="list", kind="numeric", dtype="float64", decimals=2, above=("price",)),
        Column(name="kind", kind="categorical", dtype="str"),
        Column(
            name="sum",
            kind="derived",
            dtype="float64",
            decimals=2,
            formula=Formula(operation="product", inputs=("price", "pieces")),
        ),
    )
)
FRAME = pd.DataFrame(
    {
        "price": [9.99, 20.0, np.nan],
        "pieces": [1.0, 3.0, 10.0],
        "list": [12.0, 30.0, np.nan],
        "kind": pd.Series(["a", "b", "a"], dtype=object),
        "sum": [9.99, 60.0, np.nan],
    }
)


def after(scale: dict[str, Any], **words: Any) -> pd.DataFrame:
    return scaled(FRAME, Scenario.of({"scale": scale, **words}), SCHEMA)


@pytest.mark.parametrize("change", ["+10%", 1.1, " + 10 %"])
def test_values_are_scaled_and_rounded_and_what_follows_is_computed_anew(change: Any) -> None:
    found = after({"price": change})
    np.testing.assert_allclose(found["price"], [10.99, 22.0, np.nan])
    np.testing.assert_allclose(found["sum"], [10.99, 66.0, np.nan])
    for name in ("pieces", "list", "kind"):
        pd.testing.assert_series_equal(found[name], FRAME[name])
    assert FRAME["price"][0] == 9.99


def test_whole_numbers_stay_whole() -> None:
    assert after({"pieces": "+20%"})["pieces"].tolist() == [1, 4, 12]
    assert after({"pieces": 2.5})["pieces"].tolist() == [2, 8, 25]


def test_nothing_to_scale_leaves_the_very_frame() -> None:
    assert scaled(FRAME, Scenario.of({}), SCHEMA) is FRAME


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        ({"prize": 2}, "a scenario scales 'prize'; the table has id, price"),
        ({"kind": 2}, "a scenario scales 'kind', which is categorical: only numbers"),
        ({"id": 2}, "a scenario scales 'id', which is id: only numbers"),
        ({"sum": 2}, "a scenario scales 'sum', which is computed from price, pieces: scale these"),
        ({"price": "10%"}, "scale of 'price': '10%' is neither a factor nor a change"),
        ({"price": 0}, "scale of 'price': 0.* leaves nothing; a factor is above 0"),
        ({"price": "-100%"}, "scale of 'price': '-100%' leaves nothing"),
        ({"price": "+30%"}, "`scale` puts 'list' below 'price' on 1 of 3 rows, .* scale both by the same factor"),
        ({"list": "-20%"}, "`scale` puts 'list' below 'price' on 1 of 3 rows"),
    ],
)
def test_what_cannot_be_scaled_is_refused(scale: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        after(scale)


def test_both_ends_of_an_inequality_can_be_scaled_together() -> None:
    found = after({"price": "+30%", "list": "+30%"})
    assert (found["list"].dropna() >= found["price"].dropna()).all()


def test_a_fixed_column_is_not_scaled() -> None:
    with pytest.raises(ScenarioError, match="fixes 'price' and scales it"):
        after({"price": 2}, fixed={"price": 20})

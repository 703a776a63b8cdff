"""A small table with a column of each kind, as raw as it is read, and its schema."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.schema import Column, Formula, IdForm, Schema
from agentsynth.data.typed import typed
from agentsynth.metrics.values import compared


def orders(rows: int, seed: int) -> pd.DataFrame:
    """Orders whose price depends on the kind, some prices missing."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(["book", "phone", "pen"], size=rows, p=[0.5, 0.3, 0.2])
    price = np.round(pd.Series(kind).map({"book": 20.0, "phone": 300.0, "pen": 2.0}) * rng.lognormal(0, 0.4, rows), 2)
    price[rng.random(rows) < 0.05] = np.nan
    quantity = 1 + rng.poisson(np.where(kind == "pen", 4, 1))
    seconds = rng.integers(0, 365 * 86_400, rows)
    return pd.DataFrame(
        {
            "order": np.arange(1, rows + 1),
            "kind": kind,
            "price": price,
            "quantity": quantity,
            "placed": pd.Series(np.datetime64("2024-01-01") + seconds.astype("timedelta64[s]")),
            "total": np.round(price * quantity, 2),
            "currency": "EUR",
        }
    )


@pytest.fixture(scope="session")
def schema() -> Schema:
    return Schema(
        columns=(
            Column(name="order", kind="id", dtype="int64", id_form=IdForm(style="sequence", first=1)),
            Column(name="kind", kind="categorical", dtype="str"),
            Column(name="price", kind="numeric", dtype="float64", decimals=2, missing=0.05),
            Column(name="quantity", kind="numeric", dtype="int64", decimals=0),
            Column(name="placed", kind="datetime", dtype="datetime64[us]", step="second"),
            Column(
                name="total",
                kind="derived",
                dtype="float64",
                decimals=2,
                formula=Formula(operation="product", inputs=("price", "quantity")),
            ),
            Column(name="currency", kind="constant", dtype="str", value="EUR"),
        )
    )


@pytest.fixture(scope="session")
def raw() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Three independent samples of the same source."""
    return orders(400, 1), orders(300, 2), orders(300, 3)


@pytest.fixture(scope="session")
def frames(
    raw: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame], schema: Schema
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The compared columns of `raw`, typed."""
    first, second, third = (compared(typed(frame, schema), schema) for frame in raw)
    return first, second, third

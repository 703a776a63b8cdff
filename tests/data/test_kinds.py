from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.kinds import kind_of
from agentsynth.data.schema import Kind
from agentsynth.errors import SchemaError

RNG = np.random.default_rng(0)
WORDS = np.array(["north", "south", "east", "west"], dtype=object)


def column(values: Any, name: str = "x", dtype: Any = None) -> pd.Series[Any]:
    series: pd.Series[Any] = pd.Series(values, name=name, dtype=dtype)
    return series


@pytest.mark.parametrize(
    ("series", "kind"),
    [
        (column([5] * 10), "constant"),
        (column([None] * 10, dtype=object), "constant"),
        (column([np.nan] * 10), "constant"),
        (column(["yes"] * 9 + [None]), "categorical"),  # there or not: two states
        (column([True, False] * 5), "categorical"),
        (column([True, None] * 5, dtype="boolean"), "categorical"),
        (column([True, False, None] * 5, dtype=object), "categorical"),
        (column([0, 1] * 50), "categorical"),
        (column([1.0, 2.0, np.nan] * 30), "categorical"),
        (column(RNG.integers(1, 11, 200), "quantity"), "numeric"),
        (column(RNG.permutation(5000)[:300], "salary"), "numeric"),
        (column(RNG.normal(size=100)), "numeric"),
        (column(np.arange(100), "n"), "numeric"),  # counting, not numbering
        (column(np.arange(1, 101), "year"), "numeric"),
        (column(np.arange(1900, 2000), "y0"), "numeric"),
        (column(np.arange(1, 101), "record"), "id"),
        (column(RNG.permutation(100), "order_id"), "id"),
        (column(RNG.permutation(100), "orderId"), "id"),
        (column(RNG.integers(1, 400, 1000), "customer_id"), "id"),
        (column(RNG.integers(1, 6, 1000), "store_id"), "categorical"),
        (column(RNG.integers(2**60, 2**62, 100), "hash"), "id"),
        (column(RNG.normal(size=100), "id"), "numeric"),
        (column(RNG.choice(WORDS, 100)), "categorical"),
        (column(pd.Categorical(["a", "b", "c"])), "categorical"),
        (column([f"U{i:05d}" for i in RNG.integers(0, 300, 1000)], "user"), "id"),
        (column([f"z{95600 + i}" for i in RNG.integers(0, 300, 1000)], "zip"), "categorical"),
        (column(np.arange(0, 30), "nMales"), "numeric"),
        (column([None] * 95 + [f"${i}/mo" for i in (70, 80, 85, 90, 95)], "fee"), "categorical"),
        (column([f"{1990 + i // 4} Q{i % 4 + 1}" for i in range(40)]), "datetime"),
        (column([f"Q{i}" for i in RNG.integers(1, 5, 1000)], "quarter"), "categorical"),
        (column([f"{i:08x}-{i:04x}-4000-8000-{i:012x}" for i in range(50)]), "id"),
        (column([f"{i * 2654435761 % 2**32:08x}" for i in range(50)]), "id"),
        (column([f"AB{i % 10}-{i * 7919 % 1000:03d}K" for i in range(90)]), "id"),
        (column([f"Mr {word} {i}" for i, word in enumerate(RNG.choice(WORDS, 100))], "id"), "id"),
        (column([f"{i:05d}" for i in RNG.integers(0, 40, 400)], "zip"), "categorical"),
        (column([f"country {chr(97 + i)}" for i in range(26)]), "categorical"),
        (column(pd.date_range("2025-01-01", periods=20)), "datetime"),
        (column([str(day.date()) for day in pd.date_range("2025-01-01", periods=20)]), "datetime"),
        (column([date(2025, 1, 1) + timedelta(days=i) for i in range(20)], dtype=object), "datetime"),
    ],
)
def test_kind(series: pd.Series[Any], kind: Kind) -> None:
    assert kind_of(series) == kind


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (column([f"a long remark, number {i}, {'and so on' * (i % 7)}" for i in range(100)]), "looks like free text"),
        (
            column([f"{i / 7:.3f}" for i in range(99)] + ["n.d."]),
            "Most of its values are numbers, but the one in row 100, of the shape 'x.x.', is not",
        ),
        (column([[1], [2]]), "objects of type list"),
        (column([{"a": 1}, {"b": 2}]), "objects of type dict"),
        (column([1, "a"], dtype=object), "objects of type int, e.g. in row 1"),
        (column(pd.to_timedelta([1, 2], unit="s")), "time differences"),
        (column(pd.period_range("2025-01", periods=3, freq="M")), "periods"),
        (column(pd.interval_range(0, 3)), "intervals"),
        (column([1j, 2j]), "complex"),
    ],
)
def test_columns_that_cannot_be_used(series: pd.Series[Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        kind_of(series)
    assert "'x'" in str(caught.value)

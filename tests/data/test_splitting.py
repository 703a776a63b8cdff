from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.data.inference import infer_schema
from agentsynth.data.schema import Schema
from agentsynth.data.shop import simulate_shop
from agentsynth.data.splitting import split
from agentsynth.errors import InputError, SchemaError
from agentsynth.params import SplitParams

ORDERS = simulate_shop(500)
SCHEMA = infer_schema(ORDERS)


def rows_of(parts: tuple[pd.DataFrame, ...]) -> list[int]:
    return [len(part) for part in parts]


def test_random() -> None:
    parts = split(ORDERS, SCHEMA, SplitParams(), seed=0)
    assert rows_of(parts) == [300, 100, 100]
    together = pd.concat(parts).sort_values("timestamp", kind="stable").reset_index(drop=True)
    pd.testing.assert_frame_equal(together, ORDERS)


def test_parts_keep_the_order_of_rows() -> None:
    for part in split(ORDERS, SCHEMA, SplitParams(), seed=0):
        assert part["timestamp"].is_monotonic_increasing
        assert part.index.tolist() == list(range(len(part)))


def test_same_seed_same_split() -> None:
    first, second, other = (split(ORDERS, SCHEMA, SplitParams(), seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first.test, second.test)
    assert not first.test.equals(other.test)


def test_shares_are_divided_by_their_sum() -> None:
    assert rows_of(split(ORDERS, SCHEMA, SplitParams(train=3, validation=1, test=1), seed=0)) == [300, 100, 100]


def test_by_time() -> None:
    parts = split(ORDERS.sample(frac=1, random_state=0), SCHEMA, SplitParams(method="time", column="timestamp"), seed=0)
    assert rows_of(parts) == [300, 100, 100]
    assert parts.train["timestamp"].max() < parts.validation["timestamp"].min()
    assert parts.validation["timestamp"].max() < parts.test["timestamp"].min()


def test_by_time_held_as_text_and_rows_of_a_day_together() -> None:
    frame = pd.DataFrame({"day": [f"{1 + i % 10}/1/2025" for i in range(100)], "x": np.arange(100.0) ** 1.5})
    parts = split(frame, infer_schema(frame), SplitParams(method="time", column="day"), seed=0)
    assert [sorted(set(part["day"]), key=lambda day: int(day.split("/")[0])) for part in parts] == [
        [f"{day}/1/2025" for day in range(1, 7)],
        ["7/1/2025", "8/1/2025"],
        ["9/1/2025", "10/1/2025"],
    ]


def test_by_group() -> None:
    parts = split(ORDERS, SCHEMA, SplitParams(method="group", column="user_id"), seed=0)
    users = [set(part["user_id"]) for part in parts]
    assert not users[0] & users[1]
    assert not users[1] & users[2]
    assert not users[0] & users[2]
    assert sum(rows_of(parts)) == 500
    assert abs(len(parts.train) - 300) < 60


@given(st.integers(3, 60), st.tuples(*[st.floats(0.01, 10)] * 3), st.integers(0, 5))
def test_no_part_is_empty_and_no_row_lost(rows: int, shares: tuple[float, float, float], seed: int) -> None:
    frame = pd.DataFrame({"x": np.arange(rows, dtype=float) ** 1.5})
    params = SplitParams(train=shares[0], validation=shares[1], test=shares[2])
    parts = split(frame, SCHEMA, params, seed)
    assert min(rows_of(parts)) >= 1
    assert sorted(pd.concat(parts)["x"]) == frame["x"].tolist()


def test_two_rows_are_too_few() -> None:
    with pytest.raises(InputError, match="at least 3 rows, one for each of train, validation, test; the table has 2"):
        split(ORDERS.head(2), SCHEMA, SplitParams(), seed=0)


def test_two_groups_are_too_few() -> None:
    frame = pd.DataFrame({"g": ["a", "b"] * 10})
    with pytest.raises(InputError, match="at least 3 groups in 'g'"):
        split(frame, infer_schema(frame), SplitParams(method="group", column="g"), seed=0)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (SplitParams(method="time", column="when"), "'when', which is not in the table"),
        (SplitParams(method="time", column="price"), r"'price' is numeric; .* \(this table's: timestamp\)"),
        (SplitParams(method="group", column="nobody"), "'nobody', which is not in the table"),
    ],
)
def test_columns_that_cannot_be_split_by(params: SplitParams, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        split(ORDERS, SCHEMA, params, seed=0)


def test_missing_values_in_the_column() -> None:
    frame = ORDERS.assign(user_type=ORDERS["user_type"].where(ORDERS.index != 4))
    schema: Schema = infer_schema(frame)
    with pytest.raises(SchemaError, match=r"'user_type' has 1 missing values \(first in row 5\)"):
        split(frame, schema, SplitParams(method="group", column="user_type"), seed=0)

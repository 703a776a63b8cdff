from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.describing import describe
from agentsynth.data.inference import infer_schema
from agentsynth.data.schema import Schema
from agentsynth.errors import SchemaError

ROWS = 300
DAY = pd.Timedelta(days=1)


def bounds(frame: pd.DataFrame, overrides: Any = None) -> dict[str, tuple[str, ...]]:
    return {column.name: column.above for column in infer_schema(frame, overrides) if column.above}


def as_excess(frame: pd.DataFrame, overrides: Any = None) -> list[str]:
    return [column.name for column in infer_schema(frame, overrides) if column.excess]


@pytest.fixture
def orders() -> pd.DataFrame:
    """Ordered to the second, shipped and delivered to the day, some not yet delivered."""
    rng = np.random.default_rng(0)
    ordered = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300 * 86_400, ROWS), unit="s"))
    shipped = ordered.dt.floor("D") + pd.to_timedelta(rng.integers(1, 5, ROWS), unit="D")
    delivered = (shipped + pd.to_timedelta(rng.poisson(2, ROWS), unit="D")).where(rng.random(ROWS) > 0.1)
    cost = np.round(rng.lognormal(3, 0.5, ROWS), 2)
    price = np.ceil(cost * rng.uniform(1.1, 2, ROWS)) - 0.01
    return pd.DataFrame({"delivered": delivered, "ordered": ordered, "shipped": shipped, "cost": cost, "price": price})


def test_a_chain_of_datetimes_and_a_price_above_its_cost(orders: pd.DataFrame) -> None:
    assert bounds(orders) == {"delivered": ("shipped",), "shipped": ("ordered",), "price": ("cost",)}
    # Prices end in .99: as a cost and an excess they would not.
    assert as_excess(orders) == ["delivered", "shipped"]
    text = describe(infer_schema(orders))
    assert "to the day, never below shipped" in text
    assert ", never below cost" in text


def test_shipped_on_the_day_of_the_order_or_later(orders: pd.DataFrame) -> None:
    same_day = orders.assign(shipped=orders.shipped - DAY)[["ordered", "shipped", "delivered"]]
    schema = infer_schema(same_day)
    assert (schema["shipped"].above, schema["shipped"].by_step) == (("ordered",), True)
    # Every delivery comes after the very second of its order, which the day of shipping does not say.
    assert (schema["delivered"].above, schema["delivered"].by_step) == (("ordered", "shipped"), False)
    assert "to the day, never below the day of ordered" in describe(schema)
    given = {"shipped": {"above": ["ordered"], "by_step": True}}
    assert bounds(same_day.head(10), given) == {"shipped": ("ordered",)}
    too_early = same_day.assign(shipped=same_day.shipped.where(same_day.index != 5, same_day.shipped - 5 * DAY))
    assert "shipped" not in bounds(too_early)


def test_several_bounds_of_which_none_is_above_the_other() -> None:
    rng = np.random.default_rng(0)
    start, end = (np.round(100 + rng.normal(size=ROWS).cumsum() + rng.normal(size=ROWS), 2) for _ in range(2))
    high = np.round(np.maximum(start, end) + rng.exponential(1, ROWS), 2)
    low = np.round(np.minimum(start, end) - rng.exponential(1, ROWS), 2)
    found = bounds(pd.DataFrame({"high": high, "start": start, "end": end, "low": low}))
    assert found == {"high": ("start", "end"), "start": ("low",), "end": ("low",)}


def test_one_wrong_row_is_enough(orders: pd.DataFrame) -> None:
    orders["cost"] = orders.cost.where(orders.index != 7, orders.price + 0.01)
    assert "price" not in bounds(orders)


def test_a_bound_may_not_be_missing_where_the_column_is_not(orders: pd.DataFrame) -> None:
    orders.loc[orders.index[3], "shipped"] = pd.NaT
    orders.loc[orders.index[3], "delivered"] = pd.Timestamp("2025-01-01")
    assert bounds(orders)["delivered"] == ("ordered",)


def test_ranges_that_hardly_overlap_say_nothing() -> None:
    rng = np.random.default_rng(0)
    assert bounds(pd.DataFrame({"small": rng.uniform(0, 1, ROWS), "large": rng.uniform(0.99, 9, ROWS)})) == {}


def test_few_rows_say_nothing(orders: pd.DataFrame) -> None:
    assert bounds(orders.head(12)) == {}


def test_equal_columns_do_not_bound_each_other() -> None:
    values = np.repeat([1.5, 2.5], 30)
    frame = pd.DataFrame({"a": values, "b": values})
    assert bounds(frame, {"b": {"kind": "numeric"}}) == {}


def test_what_is_derived_takes_no_part(orders: pd.DataFrame) -> None:
    full = orders[["ordered", "price"]].assign(tax=np.round(orders.price * 0.19, 2))
    full["gross"] = np.round(full.price + full.tax, 2)
    assert bounds(full) == {}


def test_zones_are_not_compared(orders: pd.DataFrame) -> None:
    frame = pd.DataFrame(
        {
            "left": orders.ordered.dt.tz_localize("Asia/Tokyo", ambiguous="NaT"),
            "landed": (orders.ordered + 3 * DAY).dt.tz_localize("Europe/Berlin", ambiguous="NaT", nonexistent="NaT"),
        }
    )
    assert bounds(frame) == {}
    assert bounds(frame.assign(left=frame.left.dt.tz_convert("Europe/Berlin"))) == {"landed": ("left",)}


def test_bounds_may_be_declared_on_few_rows(orders: pd.DataFrame) -> None:
    few = orders.head(12)
    given = {"shipped": {"above": "ordered"}, "delivered": {"above": ["shipped", "ordered"], "excess": False}}
    assert bounds(few, given) == {"delivered": ("shipped", "ordered"), "shipped": ("ordered",)}
    assert as_excess(few, given) == ["shipped"]


def test_bounds_may_be_declined(orders: pd.DataFrame) -> None:
    assert "price" not in bounds(orders, {"price": {"above": []}})


def test_how_a_column_is_modelled_may_be_declared(orders: pd.DataFrame) -> None:
    assert as_excess(orders, {"price": {"excess": True}, "shipped": {"excess": False}}) == ["delivered", "price"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cost": {"above": ["price"]}}, "'cost' shall never be below 'price', but in row 1 it is"),
        ({"cost": {"above": "nobody"}}, "'cost' shall be above 'nobody', which is no column that is modelled"),
        ({"cost": {"above": ["ordered"]}}, r"'cost' \(numeric\) shall be above 'ordered' \(datetime\)"),
        ({"cost": {"above": ["cost"]}}, "in a circle: cost"),
        ({"cost": {"kind": "id", "above": ["price"]}}, r"'cost' \(id\) shall be above 'price' \(numeric\)"),
        ({"cost": {"above": 3}}, "'cost' cannot be used: above"),
    ],
)
def test_declared_bounds_that_do_not_fit(orders: pd.DataFrame, given: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        infer_schema(orders, given)


def test_a_declared_bound_keeps_its_columns_from_being_derived(orders: pd.DataFrame) -> None:
    full = orders[["ordered"]].assign(days=np.random.default_rng(1).integers(1, 9, ROWS))
    full["due"] = full.ordered + pd.to_timedelta(full.days, unit="D")
    assert infer_schema(full)["due"].kind == "derived"
    assert bounds(full, {"due": {"above": "ordered"}}) == {"due": ("ordered",)}


def test_bounds_survive_saving(orders: pd.DataFrame) -> None:
    schema = infer_schema(orders)
    assert Schema.from_json(schema.model_dump(mode="json")) == schema


def test_wide_tables_take_little_time() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(1000, 200)), columns=[f"c{i}" for i in range(200)])
    frame["above"] = frame.c5 + rng.exponential(size=1000)
    start = time.process_time()
    assert bounds(frame) == {"above": ("c5",)}
    assert time.process_time() - start < 10

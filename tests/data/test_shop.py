from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agentsynth.data import shop
from agentsynth.data.shop import simulate_shop
from agentsynth.errors import InputError


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    return simulate_shop(20_000, seed=1)


def test_columns_and_dtypes(orders: pd.DataFrame) -> None:
    assert list(orders.columns) == [
        *("user_id", "user_type", "category", "price", "quantity", "timestamp", "total_revenue"),
    ]
    assert orders["quantity"].dtype == np.int64
    assert orders["timestamp"].dtype == "datetime64[us]"
    assert orders["price"].dtype == np.float64
    assert orders["user_id"].str.fullmatch(r"U\d{5}").all()


def test_same_seed_same_table() -> None:
    pd.testing.assert_frame_equal(simulate_shop(300, seed=7), simulate_shop(300, seed=7))
    assert not simulate_shop(300, seed=7).equals(simulate_shop(300, seed=8))


@pytest.mark.parametrize("rows", [1, 2, 50])
def test_as_many_rows_as_asked_for(rows: int) -> None:
    assert len(simulate_shop(rows)) == rows


def test_no_rows_is_an_error() -> None:
    with pytest.raises(InputError, match="at least 1 row, got rows=0"):
        simulate_shop(0)


def test_revenue_is_price_times_quantity_exactly(orders: pd.DataFrame) -> None:
    assert (orders["total_revenue"] == np.round(orders["price"] * orders["quantity"], 2)).all()


def test_prices_have_two_decimals_and_price_points(orders: pd.DataFrame) -> None:
    cents = np.rint(orders["price"] * 100)
    assert (orders["price"] == cents / 100).all()
    assert 0.45 < (cents % 100 == 99).mean() < 0.60


def test_rows_stand_in_order_of_time_within_the_year(orders: pd.DataFrame) -> None:
    assert orders["timestamp"].is_monotonic_increasing
    assert set(orders["timestamp"].dt.year) == {shop.YEAR}
    assert (orders["timestamp"].dt.microsecond == 0).all()


def test_a_user_keeps_the_type(orders: pd.DataFrame) -> None:
    assert orders.groupby("user_id")["user_type"].nunique().max() == 1


def test_few_users_place_many_orders(orders: pd.DataFrame) -> None:
    counts = orders["user_id"].value_counts()
    assert counts.iloc[: len(counts) // 10].sum() > 0.25 * len(orders)


def test_median_price_follows_the_category(orders: pd.DataFrame) -> None:
    medians = orders[orders["user_type"] == "regular"].groupby("category")["price"].median()
    np.testing.assert_allclose(medians[list(shop.CATEGORIES)], shop.PRICE_MEDIANS, rtol=0.12)


def test_premium_users_pay_more_for_the_same(orders: pd.DataFrame) -> None:
    books = orders[orders["category"] == "Books"].groupby("user_type")["price"].median()
    assert books["premium"] > books["guest"]


def test_quantity_follows_category_and_season(orders: pd.DataFrame) -> None:
    assert (orders["quantity"] >= 1).all()
    means = orders.groupby("category")["quantity"].mean()
    assert means["Groceries"] > 2.5 > 1.5 > means["Electronics"]
    toys = orders[orders["category"] == "Toys"]
    holiday = toys["timestamp"].dt.month >= 11
    assert toys.loc[holiday, "quantity"].mean() > 1.3 * toys.loc[~holiday, "quantity"].mean()


def test_seasons_of_year_week_and_day(orders: pd.DataFrame) -> None:
    time = orders["timestamp"].dt
    months = time.month.value_counts()
    assert set(months.index[:2]) == {11, 12}
    assert time.day_of_week.value_counts().index[0] == 6
    assert time.hour.value_counts().index[0] == 20


def test_mix_follows_season_and_type(orders: pd.DataFrame) -> None:
    toys = orders["category"] == "Toys"
    december = orders["timestamp"].dt.month == 12
    assert toys[december].mean() > 1.5 * toys[~december].mean()
    furniture = (orders["category"] == "Furniture").groupby(orders["user_type"]).mean()
    assert furniture["premium"] > furniture["guest"]

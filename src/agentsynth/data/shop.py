"""The simulated shop: one year of orders of an online shop, told as a causal story."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.habits import Habits, in_rhythm, returning, usual_hours
from agentsynth.errors import InputError
from agentsynth.seeding import stream

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

YEAR = 2025
"""Calendar year of all orders."""

ROWS_PER_USER = 8
"""Mean number of orders a user places in the year."""
ACTIVITY_SPREAD = 0.9
"""Standard deviation of a user's log-activity: a few users order very often."""

USER_TYPES = ("guest", "regular", "premium")
TYPE_SHARES = np.array([0.35, 0.50, 0.15])
"""Share of users (not of orders) of each type."""
TYPE_ACTIVITY = np.array([0.5, 1.0, 2.0])
"""Orders a user places, relative to a regular one."""
TYPE_PRICE = np.array([0.95, 1.00, 1.15])
"""Price level a user buys at, relative to a regular one."""
TYPE_QUANTITY = np.array([0.6, 1.0, 1.3])
"""Further pieces a user takes, relative to a regular one."""

CATEGORIES = ("Books", "Clothing", "Electronics", "Furniture", "Groceries", "Toys")
CATEGORY_LOG_WEIGHTS = np.log([0.20, 0.22, 0.18, 0.08, 0.22, 0.10])
"""Mix that a regular user would buy without any season."""
TYPE_TASTE = np.array(
    [
        # Books Clothing Electronics Furniture Groceries Toys
        [0.3, 0.2, -0.2, -0.6, -0.4, 0.3],  # guest
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],  # regular
        [-0.3, 0.1, 0.5, 0.4, 0.1, -0.2],  # premium
    ]
)
"""What each type adds to the log-weight of a category."""
MONTH_TASTE = np.array(
    [
        [0.2, -0.1, 0.0, 0.2, 0.1, -0.4],  # January
        [0.1, -0.1, 0.0, 0.1, 0.1, -0.3],
        [0.0, 0.3, 0.0, 0.1, 0.0, -0.2],
        [0.0, 0.3, 0.0, 0.2, 0.0, -0.1],
        [0.0, 0.1, 0.0, 0.3, 0.0, -0.1],
        [0.2, 0.1, -0.1, 0.1, 0.1, 0.0],
        [0.4, 0.0, -0.1, 0.0, 0.1, 0.0],
        [0.3, 0.2, 0.0, 0.0, 0.1, -0.1],
        [0.2, 0.4, 0.1, 0.1, 0.0, -0.1],
        [0.0, 0.2, 0.1, 0.0, 0.0, 0.1],
        [0.0, 0.1, 0.6, 0.0, -0.2, 0.6],  # November: Black Friday
        [0.2, 0.0, 0.4, -0.4, 0.1, 1.0],  # December: presents
    ]
)
"""What each month adds to the log-weight of a category."""
EVENING_TASTE = np.array([0.2, 0.2, 0.3, 0.1, -0.7, 0.0])
"""What 8 pm adds to the log-weight of a category, and 8 am takes away: groceries are bought in the morning."""

PRICE_MEDIANS = np.array([16.0, 38.0, 190.0, 260.0, 6.0, 24.0])
"""Median price of a category, in the shop's currency."""
PRICE_SPREADS = np.array([0.45, 0.55, 0.80, 0.70, 0.55, 0.60])
"""Standard deviation of the log-price in a category."""
PRICE_ENDINGS = np.array([0.99, 0.49, 0.00])
"""Price points: what comes after the point."""
PRICE_ENDING_SHARES = np.array([0.50, 0.10, 0.10])
"""Share of prices that end on each price point; the other prices end anyhow."""
LOWEST_PRICE = 0.49

FURTHER_PIECES = np.array([0.5, 0.6, 0.15, 0.25, 2.6, 0.5])
"""Mean number of pieces beyond the first, by category, out of season."""
HOLIDAY_PIECES = np.array([1.5, 1.2, 1.3, 1.0, 1.3, 2.2])
"""What the holiday season (November, December) multiplies that mean by."""
PIECES_SHAPE = 1.5
"""Shape of the gamma law that the mean varies by, from order to order (so further pieces are negative binomial)."""

MONTH_FLOW = np.array([0.80, 0.75, 0.85, 0.90, 0.95, 0.90, 0.80, 0.85, 1.00, 1.05, 1.70, 1.90])
"""Orders a day in each month, relative."""
WEEKDAY_FLOW = np.array([1.00, 0.90, 0.90, 0.95, 1.05, 1.20, 1.35])
"""Orders a day on each weekday (Monday first), relative."""
HOUR_FLOW = np.array(
    [3, 2, 1, 1, 1, 2, 4, 8, 12, 15, 16, 17, 19, 17, 15, 15, 17, 21, 28, 36, 40, 34, 20, 9], dtype=float
)
"""Orders in each hour of the day, relative: lunch, and an evening peak at 8 pm."""


def simulate_shop(rows: int = 2000, seed: int = 0, *, habits: bool = False) -> pd.DataFrame:
    """Simulate one year of orders of an online shop.

    The story, in causal order. A shop has about one **user** for every eight orders; each is a guest (35 %), regular
    (50 %) or premium user (15 %) and stays so. How often a user orders is log-normal (spread 0.9), doubled for premium
    users and halved for guests, so that a few users place many orders. An order's **time** has three seasons: the year
    (twice as many orders in November and December), the week (Sunday peak) and the day (evening peak at 8 pm). What is
    bought, the **category**, depends on the user's type (premium: electronics and furniture), on the month (toys and
    electronics before Christmas, clothes in spring and autumn) and on the hour (groceries in the morning). The
    **price** is log-normal with median and spread of the category, 15 % higher for premium and 5 % lower for guest
    users, and 70 % of the prices end on a price point (.99, .49, .00). The **quantity** is one piece plus a negative
    binomial number of further ones, whose mean depends on the category (groceries many, electronics few), grows in the
    holiday season and with the user's type. The **revenue** is price times quantity.

    | column        | law                                                    | unit, form                        |
    |---------------|--------------------------------------------------------|-----------------------------------|
    | user_id       | repeated, heavy-tailed number of orders                | text, `U` and five digits         |
    | user_type     | constant within a user                                 | text, 3 levels                    |
    | category      | multinomial logit in type, month and hour              | text, 6 levels                    |
    | price         | log-normal given category and type, with price points  | currency a piece, 2 decimals      |
    | quantity      | 1 + negative binomial given category, season and type  | pieces, whole, at least 1         |
    | timestamp     | day and hour by their flow, uniform within the hour    | local time, to the second, sorted |
    | total_revenue | price x quantity, exactly                              | currency, 2 decimals              |

    With **habits**, what a user orders follows from the orders before. The time between two orders of a user, counted
    in the shop's own time (which runs as fast as orders come in), is gamma with a shape of 0.5 for guests, who buy in
    bursts, 1.5 for regular and 4 for premium users, who come back steadily. Each user has an hour of the day (it adds
    up to 1.5 to the log-flow of orders), a taste (normal, spread 0.7, in the log-weight of each category) and a price
    level (normal, spread 0.3, in the log-price); and the category of the order before adds 1.2 to its log-weight.

    Args:
        rows: number of orders, at least 1.
        seed: the same seed gives the same table.
        habits: whether users have habits.

    Returns:
        A table of `rows` rows, ordered by time.

    Raises:
        InputError: `rows` is less than 1.
    """
    if rows < 1:
        raise InputError(f"a simulated shop needs at least 1 row, got rows={rows}.")
    user, kind = _users(rows, stream(seed, "shop.users"))
    if habits:
        order = np.argsort(user, kind="stable")
        user, kind = user[order], kind[order]
    known = Habits.draw(int(user.max()) + 1, len(CATEGORIES), stream(seed, "shop.habits")) if habits else None
    month, hour, timestamp = _times(user, kind, known, stream(seed, "shop.times"))
    category = _categories(user, kind, month, hour, known, stream(seed, "shop.categories"))
    level = np.zeros(rows) if known is None else known.price[user]
    price = _prices(category, kind, level, stream(seed, "shop.prices"))
    quantity = _quantities(category, kind, month, stream(seed, "shop.quantities"))
    table = pd.DataFrame(
        {
            "user_id": [f"U{number:05d}" for number in user + 1],
            "user_type": np.array(USER_TYPES, dtype=object)[kind],
            "category": np.array(CATEGORIES, dtype=object)[category],
            "price": price,
            "quantity": quantity,
            "timestamp": timestamp,
            "total_revenue": np.round(price * quantity, 2),
        }
    )
    return table.sort_values("timestamp", kind="stable", ignore_index=True)


def _users(rows: int, rng: np.random.Generator) -> tuple[Integers, Integers]:
    """Draw the user of every order and that user's type; both (rows,), as indices."""
    users = max(1, round(rows / ROWS_PER_USER))
    kinds = rng.choice(len(USER_TYPES), size=users, p=TYPE_SHARES)
    activity = TYPE_ACTIVITY[kinds] * np.exp(ACTIVITY_SPREAD * rng.standard_normal(users))
    user = rng.choice(users, size=rows, p=activity / activity.sum())
    return user, kinds[user]


def _times(
    user: Integers, kind: Integers, habits: Habits | None, rng: np.random.Generator
) -> tuple[Integers, Integers, NDArray[np.datetime64]]:
    """Draw month (0 to 11), hour (0 to 23) and timestamp of every order; all (rows,)."""
    days = pd.date_range(f"{YEAR}-01-01", f"{YEAR}-12-31", freq="D")
    months = days.month.to_numpy() - 1
    flow = MONTH_FLOW[months] * WEEKDAY_FLOW[days.day_of_week.to_numpy()]
    rows = len(user)
    if habits is None:
        day = rng.choice(len(days), size=rows, p=flow / flow.sum())
        hour = rng.choice(24, size=rows, p=HOUR_FLOW / HOUR_FLOW.sum())
    else:
        day, hour = in_rhythm(user, kind, flow, rng), usual_hours(user, HOUR_FLOW, habits, rng)
    seconds = day * 86_400 + hour * 3_600 + rng.integers(3_600, size=rows)
    start = np.datetime64(f"{YEAR}-01-01", "us")
    return months[day].astype(np.int64), hour, start + seconds.astype("timedelta64[s]")


def _categories(
    user: Integers, kind: Integers, month: Integers, hour: Integers, habits: Habits | None, rng: np.random.Generator
) -> Integers:
    """Draw the category of every order, (rows,): the largest of log-weight plus Gumbel noise."""
    evening = np.cos(2 * np.pi * (hour - 20) / 24)
    weight = CATEGORY_LOG_WEIGHTS + TYPE_TASTE[kind] + MONTH_TASTE[month] + evening[:, None] * EVENING_TASTE
    if habits is not None:
        return returning(user, weight, habits, rng)
    return np.asarray(np.argmax(weight + rng.gumbel(size=weight.shape), axis=1), dtype=np.int64)


def _prices(category: Integers, kind: Integers, level: Floats, rng: np.random.Generator) -> Floats:
    """Draw the price of a piece, (rows,): log-normal around the user's level, then on a price point or rounded."""
    noise = PRICE_SPREADS[category] * rng.standard_normal(len(kind)) + level
    raw = PRICE_MEDIANS[category] * TYPE_PRICE[kind] * np.exp(noise)
    shares = np.append(PRICE_ENDING_SHARES, 1 - PRICE_ENDING_SHARES.sum())
    ending = rng.choice(len(shares), size=len(kind), p=shares)
    pointed = np.floor(raw) + np.append(PRICE_ENDINGS, 0.0)[ending]
    price = np.where(ending < len(PRICE_ENDINGS), pointed, raw)
    return np.asarray(np.maximum(np.round(price, 2), LOWEST_PRICE))


def _quantities(category: Integers, kind: Integers, month: Integers, rng: np.random.Generator) -> Integers:
    """Draw the pieces of every order, (rows,): one and a gamma-mixed Poisson number of further ones."""
    holiday = month >= 10
    mean = FURTHER_PIECES[category] * TYPE_QUANTITY[kind] * np.where(holiday, HOLIDAY_PIECES[category], 1.0)
    pieces = rng.poisson(mean * rng.gamma(PIECES_SHAPE, 1 / PIECES_SHAPE, size=len(kind)))
    return np.asarray(1 + pieces, dtype=np.int64)

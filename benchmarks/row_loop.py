"""The rival of `training_cost.py`: an agent as it is commonly sketched, that builds its rows one by one in Python.

A re-creation, in this project's own words, of the loop of the known toy version, so that both can be timed in one run:

- a step builds a whole table anew, one row after the other: category and user type by `choice` with their shares,
  price and quantity from a normal law with the column's mean and standard deviation, times the factors, the price with
  a wave over the year; a random day and hour; every row a dict, its timestamp formatted as text;
- the dicts become a DataFrame, and the reward compares its means and shares with those of the real table;
- the observation tells nothing but progress; the action is random with probability epsilon, else the best one so far
  with Gaussian noise: nothing is learned from the observation.

Where there is a choice it is the faster one: a local generator instead of the global one, shares normalised once a
step, squared errors in plain Python instead of a library call. Its table is 200 rows by default, as in the toy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TOY_ROWS = 200
"""Rows that the toy version builds in each step."""
FACTORS = 4
NOISE = 0.1
EPSILON_DECAY = 0.995
WEIGHTS = {"price": 0.2, "quantity": 0.15, "category": 0.2, "user_type": 0.2, "total_revenue": 0.25}
BEGIN = datetime(2025, 1, 1)


class RowLoop:
    """An environment whose every step builds a table of `rows` rows and rates it.

    Args:
        table: the real table, a shop.
        rows: rows built in a step.
        rng: where everything random comes from.
    """

    def __init__(self, table: pd.DataFrame, rows: int, rng: np.random.Generator) -> None:
        self.rows = rows
        self.rng = rng
        self.means = {name: float(table[name].mean()) for name in ("price", "quantity", "total_revenue")}
        self.deviations = {name: float(table[name].std()) for name in ("price", "quantity")}
        self.shares = {name: _shares(table[name]) for name in ("category", "user_type")}

    def step(self, action: Floats) -> float:
        """Build a table under the factors (4,) and return its reward."""
        return self.reward(self.build(action))

    def build(self, action: Floats) -> pd.DataFrame:
        """Return a table of `rows` rows, built one by one."""
        price_factor, quantity_factor, category_factor, seasonal_factor = action
        categories, users = list(self.shares["category"]), list(self.shares["user_type"])
        # The factor cancels out, as it does in the toy.
        weights = np.array(list(self.shares["category"].values())) * category_factor
        category_shares, user_shares = weights / weights.sum(), list(self.shares["user_type"].values())
        made = []
        for _ in range(self.rows):
            category = self.rng.choice(categories, p=category_shares)
            user_type = self.rng.choice(users, p=user_shares)
            price = self.rng.normal(self.means["price"], self.deviations["price"]) * price_factor
            price = max(1.0, price * self.rng.uniform(0.8, 1.2))
            quantity = max(
                1, int(self.rng.normal(self.means["quantity"], self.deviations["quantity"]) * quantity_factor)
            )
            day = int(self.rng.integers(365))
            price *= 1 + 0.3 * math.sin(2 * math.pi * day / 365) * seasonal_factor
            moment = BEGIN + timedelta(days=day, hours=int(self.rng.integers(24)))
            made.append(
                {
                    "user_id": int(self.rng.integers(1000, 10_000)),
                    "user_type": user_type,
                    "category": category,
                    "price": round(price, 2),
                    "quantity": quantity,
                    "timestamp": moment.strftime("%Y-%m-%d %H:%M:%S"),
                    "total_revenue": round(price * quantity, 2),
                }
            )
        return pd.DataFrame(made)

    def reward(self, made: pd.DataFrame) -> float:
        """Return the weighted nearness of the table's means and shares to the real ones."""
        errors = {name: (self.means[name] - float(made[name].mean())) ** 2 for name in ("price", "quantity")}
        revenue = abs(self.means["total_revenue"] - float(made["total_revenue"].mean())) / self.means["total_revenue"]
        terms = {
            **{name: 1 / (1 + error) for name, error in errors.items()},
            "total_revenue": 1 / (1 + revenue),
            **{name: _overlap(wanted, made[name]) for name, wanted in self.shares.items()},
        }
        return sum(weight * terms[name] for name, weight in WEIGHTS.items())


def _shares(labels: pd.Series[str]) -> dict[str, float]:
    return {str(label): float(share) for label, share in labels.value_counts(normalize=True).items()}


def _overlap(wanted: Mapping[str, float], labels: pd.Series[str]) -> float:
    found = labels.value_counts(normalize=True)
    return sum(min(share, found[label]) for label, share in wanted.items() if label in found)


def train(loop: RowLoop, steps: int) -> tuple[Floats, float]:
    """Search for the best action for so many steps; return it (4,) and its reward."""
    best, best_reward, epsilon = np.ones(FACTORS), -np.inf, 1.0
    for _ in range(steps):
        explore = loop.rng.random() < epsilon
        action = loop.rng.uniform(0.5, 2.0, FACTORS) if explore else best + loop.rng.normal(0, NOISE, FACTORS)
        action = np.clip(action, 0.5, 2.0)
        reward = loop.step(action)
        if reward > best_reward:
            best, best_reward = action, reward
        epsilon *= EPSILON_DECAY
    return best, best_reward

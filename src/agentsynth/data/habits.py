"""Users with habits: the simulated shop, with orders that follow from the user's earlier ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agentsynth.data.stretches import Stretches

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

RHYTHM = np.array([0.5, 1.5, 4.0])
"""Shape of the gamma law of the time between a user's orders, by type: guests buy in bursts, premium users steadily."""
HOUR_HABIT = 1.5
"""What a user's own hour of the day adds to the log-flow of orders, and the opposite one takes away."""
TASTE_SPREAD = 0.7
"""Standard deviation of what a user's taste adds to the log-weight of each category."""
RETURN = 1.2
"""What the category of a user's order before adds to its log-weight."""
PRICE_LEVEL_SPREAD = 0.3
"""Standard deviation of a user's log-price level."""


@dataclass(frozen=True)
class Habits:
    """What users are used to.

    Attributes:
        hour: (users,) their hour of the day, 0 to 24.
        taste: (users, categories) what is added to the log-weight of each category.
        price: (users,) their log-price level.
    """

    hour: Floats
    taste: Floats
    price: Floats

    @classmethod
    def draw(cls, users: int, categories: int, rng: np.random.Generator) -> Habits:
        """Draw the habits of users."""
        hour = rng.uniform(0, 24, size=users)
        taste = TASTE_SPREAD * rng.standard_normal((users, categories))
        return cls(hour, taste, PRICE_LEVEL_SPREAD * rng.standard_normal(users))


def in_rhythm(user: Integers, kind: Integers, flow: Floats, rng: np.random.Generator) -> Integers:
    """Draw the day (rows,) of every order, of users (rows,) sorted: in order for each of them.

    The time between a user's orders, from the year's beginning to its end, is gamma; counted in the shop's own time,
    which runs as fast as its flow of orders.

    Args:
        user: (rows,) sorted.
        kind: (rows,) their types.
        flow: (days,) orders a day, relative.
        rng: draws.
    """
    stretches = Stretches.of(user)
    starts, sizes = stretches.starts, stretches.sizes
    gaps = rng.gamma(RHYTHM[kind])
    ends = rng.gamma(RHYTHM[kind[starts]])
    elapsed = np.cumsum(gaps)
    elapsed -= np.repeat(elapsed[starts] - gaps[starts], sizes)
    total = elapsed[starts + sizes - 1] + ends
    day = np.searchsorted(np.cumsum(flow) / flow.sum(), elapsed / np.repeat(total, sizes))
    return np.asarray(day, dtype=np.int64)


def usual_hours(user: Integers, flow: Floats, habits: Habits, rng: np.random.Generator) -> Integers:
    """Draw the hour (rows,) of every order: by the shop's flow (24,) and the user's own hour."""
    away = 2 * np.pi * (np.arange(24) + 0.5 - habits.hour[user, None]) / 24
    weight = np.log(flow) + HOUR_HABIT * np.cos(away)
    return np.asarray(np.argmax(weight + rng.gumbel(size=weight.shape), axis=1), dtype=np.int64)


def returning(user: Integers, weight: Floats, habits: Habits, rng: np.random.Generator) -> Integers:
    """Draw the category (rows,) of every order, of users (rows,) sorted by time within each: one after the other.

    Args:
        user: (rows,) sorted.
        weight: (rows, categories) log-weights without habits.
        habits: of the users.
        rng: draws.
    """
    noisy = weight + habits.taste[user] + rng.gumbel(size=weight.shape)
    place = Stretches.of(user).places
    category: Integers = np.argmax(noisy, axis=1).astype(np.int64)
    for number in range(1, int(place.max()) + 1):
        now = np.flatnonzero(place == number)
        pulled = noisy[now]
        pulled[np.arange(len(now)), category[now - 1]] += RETURN
        category[now] = np.argmax(pulled, axis=1)
    return category

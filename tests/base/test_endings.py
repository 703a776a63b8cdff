from __future__ import annotations

import numpy as np
import pytest

from agentsynth.base.endings import ending_steps, landed


def steps(values: list[float], decimals: int | None, counts: list[int] | None = None) -> list[float]:
    rows = np.array(counts or [10] * len(values))
    found: list[float] = ending_steps(np.array(values), rows, decimals, fewest=5).tolist()
    return found


def test_prices_at_99_move_by_whole_units() -> None:
    # Three of four rows end in 9, and all of those in .99; 7.35 ends like nobody else.
    assert steps([4.99, 9.99, 12.99, 7.35], 2) == pytest.approx([1.0, 1.0, 1.0, 0.01])


def test_round_numbers_move_by_what_they_are_round_to() -> None:
    # Five of six end in 00, and four of those in 000; of these less than three in ten agree in the thousands.
    assert steps([42_000, 43_000, 45_000, 56_000, 58_500, 61_317], 0) == [1000, 1000, 1000, 1000, 100, 1]


def test_a_habit_takes_rows() -> None:
    # Each ending is that of one row in three: often enough, but of too few rows.
    assert steps([10.0, 25.0, 37.0], 0, [1, 1, 1]) == [1.0, 1.0, 1.0]


def test_even_endings_are_no_habit() -> None:
    assert steps([float(value) for value in range(100)], 0, [1] * 100) == [1.0] * 100


def test_one_value_and_zero_and_negative_ones() -> None:
    assert steps([7.0], 0) == [1.0]
    assert steps([-20.0, 0.0, 20.0, 50.0], 0) == [10.0] * 4
    assert steps([], 2) == []


def test_no_common_last_digit_no_steps() -> None:
    assert steps([0.1, 0.2], None) == [0.0, 0.0]
    assert steps([1e300, 2.0], 2) == [0.0, 0.0]
    assert steps([1e-300, 2e-300], 301) == [0.0, 0.0]


def test_landing_by_hand() -> None:
    moved, numbers = np.array([13.2, 13.2, 13.2]), np.array([4.99, 10.0, 1.0])
    assert landed(moved, numbers, np.array([1.0, 5.0, 0.0])).tolist() == pytest.approx([12.99, 15.0, 13.2])

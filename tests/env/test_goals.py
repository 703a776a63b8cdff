from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.env.cells import Cells
from agentsynth.env.goals import Goal, GoalSampler, moved
from agentsynth.env.margins import Margin

TWO = Cells((Margin("x", "value"), Margin("label", "label", labels=("a", "b"))))
"""Groups of two and of three cells."""


def move(goal: list[float], before: list[float], after: list[float]) -> list[float]:
    wanted, first, then = (np.array(shares, dtype=np.float64) for shares in (goal, before, after))
    return [round(float(share), 6) for share in moved(Goal(wanted), TWO, first, then, "any").shares]


def test_a_goal_moves_by_the_ratio_of_after_to_before() -> None:
    goal = moved(
        Goal(np.array([0.5, 0.5, 0.2, 0.8, 0.0])),
        TWO,
        np.array([0.4, 0.6, 0.5, 0.5, 0.0]),
        np.array([0.8, 0.2, 0.5, 0.5, 0.0]),
        "dear",
    )
    # 0.5 * 2 and 0.5 / 3, brought back to a sum of 1; the other group stays.
    np.testing.assert_allclose(goal.shares, [6 / 7, 1 / 7, 0.2, 0.8, 0.0])
    assert goal.name == "dear"


def test_what_the_pool_gets_wrong_is_not_learned_as_a_wish() -> None:
    # The pool has too much of the first cell, and the scenario changes nothing.
    assert move([0.5, 0.5, 1, 0, 0], [0.7, 0.3, 1, 0, 0], [0.7, 0.3, 1, 0, 0]) == [0.5, 0.5, 1, 0, 0]


def test_where_few_rows_are_real_the_pool_is_believed() -> None:
    # Ten rows: with five more in each cell, 2 rows for 1 become 7 for 6, and 8 for 9 become 13 for 14.
    base, before, after = [0.2, 0.8, 1, 0, 0], [0.1, 0.9, 1, 0, 0], [0.5, 0.5, 1, 0, 0]
    goal = moved(Goal(np.array(base)), TWO, np.array(before), np.array(after), "dear", rows=10)
    shares = np.array([0.5 * 7 / 6, 0.5 * 13 / 14])
    np.testing.assert_allclose(goal.shares[:2], shares / shares.sum())
    # Very many rows: as they are.
    many = moved(Goal(np.array(base)), TWO, np.array(before), np.array(after), "dear", rows=1e12)
    np.testing.assert_allclose(many.shares, move(base, before, after), rtol=1e-5)


def test_a_cell_that_a_scenario_empties_is_emptied() -> None:
    assert move([0.5, 0.5, 0.2, 0.8, 0], [0.5, 0.5, 0.2, 0.8, 0], [1, 0, 1, 0, 0]) == [1, 0, 1, 0, 0]


def test_a_group_without_any_real_row_left_takes_the_pools_shares() -> None:
    assert move([1, 0, 1, 0, 0], [0.5, 0.5, 0.5, 0.5, 0], [0, 1, 0, 0.5, 0.5])[:2] == [0, 1]


SHARES = st.lists(st.floats(0, 1), min_size=5, max_size=5).map(
    lambda raw: np.concatenate([np.array(raw[:2]) + 1e-3, np.array(raw[2:]) + 1e-3])
)


@given(SHARES, SHARES, SHARES, st.lists(st.booleans(), min_size=15, max_size=15))
def test_each_group_of_a_moved_goal_sums_to_one(
    goal: np.ndarray, before: np.ndarray, after: np.ndarray, empty: list[bool]
) -> None:
    triple = []
    for shares, gaps in zip((goal, before, after), np.array(empty).reshape(3, 5), strict=True):
        kept = np.where(gaps, 0.0, shares)
        kept[[0, 2]] += 1e-3
        triple.append(kept / np.repeat(np.add.reduceat(kept, TWO.offsets), TWO.sizes))
    found = moved(Goal(triple[0]), TWO, triple[1], triple[2], "any").shares
    np.testing.assert_allclose(np.add.reduceat(found, TWO.offsets), 1.0)
    assert found.min() >= 0


@pytest.fixture
def sampler() -> GoalSampler:
    """A pool of four rows, the direction of the first factor being whether x is high."""
    pool = np.array([[0, 2], [0, 3], [1, 2], [1, 3]], dtype=np.int32)
    directions = np.column_stack([[-1.0, -1.0, 1.0, 1.0], [-1.0, 1.0, -1.0, 1.0], np.zeros(4), np.zeros(4)])
    return GoalSampler(Goal(np.array([0.5, 0.5, 0.5, 0.5, 0.0])), TWO, pool, directions)


def test_no_push_is_the_base_goal(sampler: GoalSampler) -> None:
    assert sampler.pushed(np.zeros(4)) is sampler.base


def test_a_push_is_a_difference_in_log_odds(sampler: GoalSampler) -> None:
    shares = sampler.pushed(np.array([0.5, 0.0, 0.0, 0.0])).shares
    np.testing.assert_allclose(np.log(shares[1] / shares[0]), 1.0)
    np.testing.assert_allclose(shares[2:], [0.5, 0.5, 0.0])


def test_one_to_three_columns_are_pushed(sampler: GoalSampler) -> None:
    rng = np.random.default_rng(0)
    pushes = np.array([sampler.push(rng) for _ in range(600)])
    columns, counts = np.unique(np.count_nonzero(pushes, axis=1), return_counts=True)
    assert columns.tolist() == [1, 2, 3]
    assert counts.min() > 150
    assert abs(pushes[pushes != 0].std() - 1.0) < 0.1
    # Every column in its turn.
    assert np.count_nonzero(pushes, axis=0).min() > 200


def test_without_factors_there_is_nothing_to_push() -> None:
    pool = np.array([[0, 2]], dtype=np.int32)
    sampler = GoalSampler(Goal(np.array([1.0, 0, 1.0, 0, 0])), TWO, pool, np.zeros((1, 0)))
    assert sampler.draw(np.random.default_rng(0)) is sampler.base

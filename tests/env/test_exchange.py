from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agentsynth.env.exchange import Pulls, exchange

Floats = NDArray[np.float64]


def distance(cells: NDArray[np.int32], chosen: NDArray[np.intp], goal: Floats, importance: Floats) -> float:
    wanted = goal * len(chosen)
    counts = np.bincount(cells[chosen].ravel(), minlength=len(goal))
    return float((importance * (counts - wanted) ** 2 / (wanted + 0.5)).sum())


def test_the_one_row_that_is_wrong_is_exchanged() -> None:
    cells = np.array([[0], [0], [0], [1]], dtype=np.int32)
    # Half of each is wanted: of the three rows of cell 0, one stays.
    found = exchange(cells, np.array([0, 1]), np.array([0.5, 0.5]), np.ones(2), 100, np.random.default_rng(0))
    assert sorted(cells[found, 0]) == [0, 1]


def test_a_table_that_meets_its_goal_stays() -> None:
    cells = np.array([[0], [1], [0], [1]], dtype=np.int32)
    chosen = np.array([0, 1])
    found = exchange(cells, chosen, np.array([0.5, 0.5]), np.ones(2), 100, np.random.default_rng(0))
    np.testing.assert_array_equal(found, chosen)


def test_a_pool_without_other_rows_leaves_the_table() -> None:
    cells = np.array([[0], [1]], dtype=np.int32)
    found = exchange(cells, np.array([1, 0]), np.array([1.0, 0.0]), np.ones(2), 4, np.random.default_rng(0))
    np.testing.assert_array_equal(found, [1, 0])


def test_the_more_important_group_wins() -> None:
    # A row is right in the first group or in the second, never in both.
    cells = np.array([[0, 3], [1, 2]] * 10, dtype=np.int32)
    goal, rng = np.array([1.0, 0.0, 1.0, 0.0]), np.random.default_rng(0)
    even = np.arange(10)
    for importance, wanted in (([1e3, 1e3, 1.0, 1.0], 0), ([1.0, 1.0, 1e3, 1e3], 1)):
        found = exchange(cells, even, goal, np.array(importance), 100, rng)
        assert (found % 2 == wanted).all()


def test_chance_is_evened_out() -> None:
    rng = np.random.default_rng(0)
    cells = np.column_stack([rng.integers(10, size=4000), 10 + rng.integers(8, size=4000)]).astype(np.int32)
    goal, importance = np.bincount(cells.ravel(), minlength=18) / 4000, np.ones(18)
    drawn = np.arange(200)
    refined = exchange(cells, drawn, goal, importance, 4, np.random.default_rng(1))
    assert distance(cells, refined, goal, importance) < 0.1 * distance(cells, drawn, goal, importance)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), pool=st.integers(1, 60), groups=st.integers(1, 5), tries=st.floats(0, 20))
def test_no_table_gets_worse_and_rows_stay_different(seed: int, pool: int, groups: int, tries: float) -> None:
    rng = np.random.default_rng(seed)
    size = 4
    cells = (rng.integers(size, size=(pool, groups)) + size * np.arange(groups)).astype(np.int32)
    goal = rng.dirichlet(np.ones(size), size=groups).ravel()
    importance = np.repeat(rng.random(groups), size)
    chosen = rng.permutation(pool)[: rng.integers(1, pool + 1)]
    before = chosen.copy()
    found = exchange(cells, chosen, goal, importance, tries, np.random.default_rng(seed))
    assert len(set(found)) == len(found) == len(chosen)
    assert distance(cells, found, goal, importance) <= distance(cells, chosen, goal, importance) + 1e-9
    np.testing.assert_array_equal(chosen, before)
    again = exchange(cells, chosen, goal, importance, tries, np.random.default_rng(seed))
    np.testing.assert_array_equal(found, again)


def test_no_tries_change_nothing() -> None:
    cells = np.array([[0], [0], [1]], dtype=np.int32)
    found = exchange(cells, np.array([0]), np.array([0.0, 1.0]), np.ones(2), 0, np.random.default_rng(0))
    assert found == pytest.approx([0])


def test_a_mean_is_pulled_to_where_it_is_wanted_and_chance_is_evened_out_beside_it() -> None:
    rng = np.random.default_rng(0)
    cells = rng.integers(10, size=(4000, 1)).astype(np.int32)
    values = rng.normal(size=4000)
    goal, drawn = np.full(10, 0.1), np.arange(200)
    pulls = Pulls(values[:, None], np.array([0.3]))
    refined = exchange(cells, drawn, goal, np.ones(10), 8, np.random.default_rng(1), pulls)
    assert values[drawn].mean() == pytest.approx(0.0, abs=0.15)
    assert values[refined].mean() == pytest.approx(0.3, abs=0.01)
    assert distance(cells, refined, goal, np.ones(10)) < distance(cells, drawn, goal, np.ones(10))

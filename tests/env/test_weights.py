from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.env.weights import effective_size, fair_size, systematic, thin

WEIGHTS = st.lists(st.floats(0.01, 100.0), min_size=2, max_size=60).map(np.array)


def test_systematic_takes_each_row_as_often_as_its_weight_asks() -> None:
    assert systematic(np.array([2.0, 1.0, 1.0]), 4, 0.5).tolist() == [0, 0, 1, 2]
    assert systematic(np.array([0.0, 1.0, 0.0]), 3, 0.2).tolist() == [1, 1, 1]


@given(WEIGHTS, st.integers(1, 200), st.floats(0, 0.999))
def test_systematic_is_right_to_within_one(weights: np.ndarray, count: int, start: float) -> None:
    taken = np.bincount(systematic(weights, count, start), minlength=len(weights))
    assert taken.sum() == count
    assert np.abs(taken - count * weights / weights.sum()).max() < 1 + 1e-9


def test_a_fair_size_by_hand() -> None:
    # Equal weights lose nothing.
    assert fair_size(np.ones(10)) == 10
    # One row of half the weight: of two rows it is one, of three it would be more than one.
    assert fair_size(np.array([5.0, 1, 1, 1, 1, 1])) == 2


@given(WEIGHTS)
def test_thinning_to_a_fair_size_loses_little(weights: np.ndarray) -> None:
    weights = weights / weights.sum()
    count = fair_size(weights)
    apart = np.maximum(weights - 1 / len(weights), 0).sum()
    assert 1 <= count <= len(weights)
    # The fair size is rounded down to whole rows, so that it loses no more than it may.
    assert np.maximum(weights - 1 / count, 0).sum() <= 0.02 * apart + 1e-9
    assert len(thin(weights, count, np.random.default_rng(0))) <= count


def test_the_effective_size_of_equal_rows_is_their_number() -> None:
    assert effective_size(np.full(7, 3.0)) == pytest.approx(7)
    assert effective_size(np.array([1.0, 0.0, 0.0])) == pytest.approx(1)

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentsynth.env.weights import effective_size, thin
from agentsynth.scenarios.balancing import balance

NUMBERS = st.floats(-1e6, 1e6)


def test_weights_by_hand() -> None:
    # One row in four has a 1; half of the weight shall. Rows that are alike share theirs.
    weights = balance(np.array([[0.0], [0.0], [0.0], [1.0]]), np.array([0.5]))
    np.testing.assert_allclose(weights, [1 / 6, 1 / 6, 1 / 6, 1 / 2], atol=1e-3)


def test_without_constraints_rows_weigh_alike() -> None:
    assert balance(np.zeros((4, 0)), np.zeros(0)).tolist() == [0.25] * 4


def test_means_that_hold_already_change_nothing() -> None:
    columns = np.random.default_rng(0).normal(size=(50, 3))
    np.testing.assert_allclose(balance(columns, columns.mean(axis=0)), 1 / 50, rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_several_means_are_met_at_once_in_any_unit(scale: float) -> None:
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(500, 3)) * scale
    wanted = np.array([0.5, -0.3, 0.2]) * scale
    weights = balance(columns, wanted)
    assert weights.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(weights @ columns, wanted, atol=1e-3 * scale)
    # The least change: weights are log-linear in the columns, so their logs lie in the span of these and a constant.
    design = np.column_stack([np.ones(500), columns / scale])
    residual = np.linalg.lstsq(design, np.log(weights), rcond=None)[1]
    assert residual.max(initial=0.0) < 1e-9


@pytest.mark.parametrize("wanted", [3.0, 10.0, 1e9, 1e300])
def test_a_mean_out_of_reach_is_taken_for_the_end_of_the_range(wanted: float) -> None:
    weights = balance(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([wanted]))
    assert weights[3] > 0.99
    assert np.isfinite(weights).all()


def test_means_that_contradict_each_other_are_met_half_way() -> None:
    x = np.linspace(0, 1, 101)
    weights = balance(np.column_stack([x, x]), np.array([0.4, 0.8]))
    assert weights @ x == pytest.approx(0.6, abs=0.01)


def test_a_column_that_does_not_vary_changes_nothing() -> None:
    columns = np.column_stack([np.full(20, 7.0), np.arange(20.0)])
    np.testing.assert_allclose(balance(columns, np.array([9.0, 9.5])), 1 / 20, rtol=1e-3)


@given(
    st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=30),
    st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)),
)
@settings(deadline=None)
def test_weights_are_finite_whatever_is_wanted(rows: list[tuple[float, float]], wanted: tuple[float, float]) -> None:
    weights = balance(np.array(rows), np.array(wanted))
    assert np.isfinite(weights).all()
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1.0)


@given(st.integers(0, 1000), st.integers(20, 80))
@settings(deadline=None, max_examples=30)
def test_means_that_can_be_met_are(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(rows, 2))
    wanted = rng.dirichlet(np.full(rows, 5.0)) @ columns
    np.testing.assert_allclose(balance(columns, wanted) @ columns, wanted, atol=2e-3)


def test_effective_size_by_hand() -> None:
    assert effective_size(np.ones(4)) == 4.0
    assert effective_size(np.array([1.0, 0.0, 0.0])) == 1.0
    # (3 + 1)^2 / (9 + 1).
    assert effective_size(np.array([3.0, 1.0])) == pytest.approx(1.6)


def kept(weights: list[float], count: int, draws: int = 4000) -> list[float]:
    """Return how often each row is kept."""
    rng = np.random.default_rng(0)
    hits = np.zeros(len(weights))
    for _ in range(draws):
        rows = thin(np.array(weights), count, rng)
        assert len(rows) == len(set(rows)) == count
        hits[rows] += 1
    return [round(float(hit), 2) for hit in hits / draws]


def test_rows_are_kept_in_proportion_to_their_weights() -> None:
    assert kept([1.0, 2.0, 3.0, 4.0], 1) == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=0.03)
    assert kept([1.0, 2.0, 3.0, 4.0], 2) == pytest.approx([0.2, 0.4, 0.6, 0.8], abs=0.03)


def test_no_row_is_kept_more_than_surely() -> None:
    # Three of four: the heaviest surely, then 2 shared out as 1 : 2 : 3, the heaviest of which is then sure, too.
    assert kept([1.0, 2.0, 3.0, 60.0], 3) == pytest.approx([1 / 3, 2 / 3, 1.0, 1.0], abs=0.03)


def test_rows_without_weight_are_kept_only_where_others_do_not_suffice() -> None:
    assert kept([0.0, 1.0, 1.0, 0.0], 2, 200) == [0.0, 1.0, 1.0, 0.0]
    assert kept([0.0, 1.0, 1.0, 0.0], 3) == pytest.approx([0.5, 1.0, 1.0, 0.5], abs=0.03)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40).filter(any), st.integers(1, 45), st.integers(0, 99))
def test_as_many_rows_are_kept_as_asked_for(weights: list[float], count: int, seed: int) -> None:
    rows = thin(np.array(weights), count, np.random.default_rng(seed))
    assert len(set(rows)) == len(rows)
    # Rounding may cost one.
    assert min(count, len(weights)) - 1 <= len(rows) <= min(count, len(weights))
    assert rows.min(initial=0) >= 0
    assert rows.max(initial=0) < len(weights)

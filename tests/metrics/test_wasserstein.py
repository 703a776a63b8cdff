from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from agentsynth.metrics import wasserstein as module
from agentsynth.metrics.minmax import distances
from agentsynth.metrics.score import CannotScoreError
from agentsynth.metrics.wasserstein import transport_cost, wasserstein


def table(*rows: tuple[float, str | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {"x": pd.Series([row[0] for row in rows], dtype=float), "c": pd.Series([row[1] for row in rows], dtype=object)}
    )


def costs(rows: int, columns: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((rows, columns))


def test_distances_by_hand() -> None:
    reference = table((0, "a"), (10, "b"))
    found = distances(reference, table((0, "a"), (np.nan, None)), table((5, "a"), (20, "new"), (np.nan, None)))
    # Half a range; two ranges and another level; the middle, half a unit aside, and another level.
    np.testing.assert_allclose(found[0], [0.5, 3, 2])
    # Missing against 5: in the middle, half a unit aside, another level; against 20: 1.5 + 0.5 + 1; against itself: 0.
    np.testing.assert_allclose(found[1], [1.5, 3, 0])


def test_dates_and_constant_columns_have_a_range() -> None:
    days = pd.to_datetime(["2024-01-01", "2024-01-11", "2024-01-02"]).as_unit("us")
    frame = pd.DataFrame({"day": days, "same": [7.0, 7.0, 7.0]})
    other = frame.assign(same=[7.0, 8.0, 900.0])
    np.testing.assert_allclose(distances(frame, frame, other)[0], [0, 2, 1.1])


def test_levels_that_the_training_rows_lack_differ_from_each_other() -> None:
    found = distances(table((0, "a")), table((0, "new")), table((0, "new"), (0, "newer")))
    assert found.tolist() == [[0, 1]]


def test_the_pairing_is_the_best_by_hand() -> None:
    # Row by row it would be 4 + 4; crosswise 1 + 0.
    assert transport_cost(np.array([[4.0, 1.0], [0.0, 4.0]])) == 0.5


def test_a_row_can_be_split() -> None:
    # One row becomes half each; three rows become two: thirds, and the middle one halved.
    assert transport_cost(np.array([[2.0, 4.0]])) == 3
    assert transport_cost(np.array([[0.0, 9.0], [3.0, 6.0], [9.0, 0.0]])) == pytest.approx((0 + 1.5 + 3 + 0) / 3)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))
def test_the_linear_program_finds_what_the_pairing_finds(rows: int, columns: int, seed: int) -> None:
    cost = costs(rows, columns, seed)
    assert module._linear_program(cost) == pytest.approx(transport_cost(cost))


def test_sizes_without_a_small_multiple_are_solved_too(monkeypatch: pytest.MonkeyPatch) -> None:
    cost = costs(7, 5, seed=1)
    paired = transport_cost(cost)
    monkeypatch.setattr(module, "_LARGEST_ASSIGNMENT", 10)
    assert transport_cost(cost) == pytest.approx(paired)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_on_one_column_it_is_the_area_between_the_distribution_functions(one: list[float], other: list[float]) -> None:
    first, second, unit = (pd.DataFrame({"x": np.array(values)}) for values in (one, other, [0.0, 1.0]))
    assert wasserstein(first, second, unit) == pytest.approx(wasserstein_distance(one, other), abs=1e-9)


@given(st.permutations(range(5)))
def test_the_order_of_rows_does_not_matter_and_equal_tables_are_at_0(order: list[int]) -> None:
    real = table((0, "a"), (1, "b"), (2, "a"), (np.nan, None), (4, "b"))
    assert wasserstein(real, real.iloc[order].reset_index(drop=True), real) == 0
    other = table((1, "b"), (3, "a"), (0, None), (2, "a"), (4, "a"))
    straight = wasserstein(real, other, real)
    assert wasserstein(real, other.iloc[order].reset_index(drop=True), real) == pytest.approx(straight)
    assert wasserstein(other, real, real) == pytest.approx(straight)


def test_long_tables_are_sampled_with_the_seed() -> None:
    rng = np.random.default_rng(0)
    real, other = (pd.DataFrame({"x": rng.random(300)}) for _ in range(2))
    assert wasserstein(real, other, real, seed=1, max_rows=50) == wasserstein(real, other, real, seed=1, max_rows=50)
    assert wasserstein(real, other, real, seed=1, max_rows=50) != wasserstein(real, other, real, seed=2, max_rows=50)


def test_nothing_to_compare_is_told() -> None:
    empty = pd.DataFrame(index=range(3))
    with pytest.raises(CannotScoreError, match="no column"):
        wasserstein(empty, empty, empty)
    real = table((0, "a"))
    with pytest.raises(CannotScoreError, match="no row"):
        wasserstein(real, real.iloc[:0], real)
    with pytest.raises(CannotScoreError, match="nothing to move"):
        transport_cost(np.empty((0, 3)))


def test_a_shifted_table_is_as_far_as_the_shift() -> None:
    real = pd.DataFrame(np.random.default_rng(0).random((40, 3)), columns=list("abc"))
    width = float(np.ptp(real["a"]))
    assert math.isclose(wasserstein(real, real.assign(a=real["a"] + width), real), 1)

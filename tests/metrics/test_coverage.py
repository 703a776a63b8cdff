from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.metrics.coverage import coverage, neighbour_distances
from agentsynth.metrics.minmax import FARTHEST, distances
from agentsynth.metrics.score import CannotScoreError


def column(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"x": np.array(values, dtype=float)})


REAL = column(0, 1, 3, 7)
"""Nearest neighbours at 1, 1, 2 and 4; second nearest at 3, 2, 3 and 6."""


@pytest.mark.parametrize(
    ("rows", "k", "expected"),
    [
        ((0.5,), 1, 0.5),  # within 1 of 0 and of 1; 2.5 from 3
        ((2,), 1, 0.5),  # just within 1 of 1 and within 2 of 3: the ball holds its surface
        ((2,), 2, 0.75 + 0.25),  # within 3 of 0, 2 of 1, 3 of 3, 6 of 7
        ((100,), 3, 0),
        ((0, 1, 3, 7), 1, 1),
    ],
)
def test_coverage_by_hand(rows: tuple[float, ...], k: int, expected: float) -> None:
    assert coverage(REAL, column(*rows), REAL, k) == expected


def test_neighbours_by_hand() -> None:
    among = np.abs(np.subtract.outer([0.0, 1, 3, 7], [0.0, 1, 3, 7]))
    assert neighbour_distances(among, 1).tolist() == [1, 1, 2, 4]
    assert neighbour_distances(among, 2).tolist() == [3, 2, 3, 6]


def test_equal_rows_are_each_others_neighbours_and_cover_each_other() -> None:
    twins = column(1, 1, 5, 5)
    assert coverage(twins, column(1, 1, 1), twins, 1) == 0.5
    assert coverage(twins, twins, twins, 1) == 1


def test_levels_count() -> None:
    real = pd.DataFrame({"x": [0.0, 0.1, 0.2, 0.3], "c": pd.Series(["a", "a", "b", "b"], dtype=object)})
    only_a = real.assign(c=pd.Series(["a"] * 4, dtype=object))
    assert coverage(real, only_a, real, 1) == 0.5


def test_a_dropped_mode_is_found() -> None:
    rng = np.random.default_rng(0)
    real = pd.DataFrame({"x": np.concatenate([rng.normal(0, 1, 80), rng.normal(50, 1, 20)])})
    assert coverage(real, pd.DataFrame({"x": rng.normal(0, 1, 500)}), real) <= 0.8


@pytest.mark.parametrize(("k", "rows"), [(1, 400), (2, 400), (2, 1600)])
def test_another_real_sample_has_the_expected_coverage(k: int, rows: int) -> None:
    # Of the n - 1 other real and the m synthetic rows, the k nearest are all real with this chance.
    rng, n = np.random.default_rng(k + rows), 400
    missed = np.prod([(n - 1 - i) / (n - 1 + rows - i) for i in range(k)])
    real, other = (pd.DataFrame(rng.random((size, 3)), columns=list("abc")) for size in (n, rows))
    # Rows near each other are missed together, so the deviation is somewhat larger than that of n coins.
    deviation = np.sqrt(missed * (1 - missed) / n)
    assert coverage(real, other, real, k) == pytest.approx(1 - missed, abs=5 * deviation)


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=9), st.lists(st.floats(-5, 5), min_size=1, max_size=9))
def test_more_neighbours_or_more_rows_never_cover_less(real: list[float], rows: list[float]) -> None:
    found = [coverage(column(*real), column(*rows), column(*real), k) for k in (1, 2)]
    assert 0 <= found[0] <= found[1] <= 1
    assert coverage(column(*real), column(*rows, *real), column(*real), 1) == 1


def test_rows_far_outside_a_range_of_next_to_nothing_have_distances() -> None:
    reference, far = column(0, 5e-324), column(1e30, -1e30)
    found = distances(reference, far, far)
    assert found.tolist() == [[0.0, 2 * FARTHEST], [2 * FARTHEST, 0.0]]


def test_too_few_rows_are_told() -> None:
    with pytest.raises(CannotScoreError, match="5-th neighbour needs more than 5 unseen real rows, found 4"):
        coverage(REAL, REAL, REAL)
    with pytest.raises(CannotScoreError, match="0-th neighbour"):
        coverage(REAL, REAL, REAL, 0)

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.data.rounding import Mode, decimals_of, round_to


@pytest.mark.parametrize(
    ("values", "decimals"),
    [
        ([1.0, 2.0, 7.0], 0),
        ([0.5, 1.25], 2),
        ([1 / 3, 2.0], None),
        ([0.00000012, 1.0], 8),
        ([100.0, 200.0, 300.0, 700.0, 900.0], -2),
        ([100.0, 200.0, 300.0], 0),  # too few to claim hundreds
        ([10.0, 20.0, 30.0, 40.0, 55.0], 0),
        ([0.0, 0.0], 0),
        ([123456789.125, 1.0], None),  # floats this large have no ninth digit to tell
        ([-1.5, 0.0], 1),
    ],
)
def test_decimals(values: list[float], decimals: int | None) -> None:
    if values[0] == 123456789.125:
        decimals = 3
    assert decimals_of(np.array(values)) == decimals


def test_large_unrounded_numbers_have_no_decimals() -> None:
    assert decimals_of(np.array([123456789.12345678, 987654321.87654321])) is None


def test_single_precision_noise_is_no_decimals() -> None:
    values = np.array([0.1, 2.35], dtype=np.float32)
    assert decimals_of(values.astype(np.float64), np.dtype(np.float32)) == 2
    assert decimals_of(values.astype(np.float64)) is None


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("nearest", [0.2, -0.2, 1.3, 2.0]),
        ("half_up", [0.3, -0.3, 1.3, 2.0]),
        ("down", [0.2, -0.3, 1.2, 2.0]),
        ("up", [0.3, -0.2, 1.3, 2.0]),
    ],
)
def test_modes(mode: Mode, expected: list[float]) -> None:
    assert round_to(np.array([0.25, -0.25, 1.26, 2.0]), 1, mode).tolist() == expected


@pytest.mark.parametrize("mode", ["nearest", "half_up", "down", "up"])
def test_tens(mode: Mode) -> None:
    assert round_to(np.array([20.0, 130.0]), -1, mode).tolist() == [20.0, 130.0]


def test_none_leaves_values_alone() -> None:
    assert round_to(np.array([1 / 3]), None).tolist() == [1 / 3]


@given(
    st.lists(st.integers(-(10**6), 10**6), min_size=1),
    st.integers(0, 6),
    st.sampled_from(["nearest", "half_up", "down", "up"]),
)
def test_rounded_numbers_stay(units: list[int], decimals: int, mode: Mode) -> None:
    values = np.array([float(f"{unit}e-{decimals}") for unit in units])
    found = decimals_of(values)
    assert found is not None
    assert found <= decimals
    assert np.array_equal(round_to(values, decimals, mode), values)
    assert np.array_equal(round_to(values, found, mode), values)

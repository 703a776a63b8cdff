from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agentsynth.plots.binning import numeric_bins, periods, shares, value_range

RNG = np.random.default_rng(0)
finite = st.floats(-1e9, 1e9, allow_nan=False, allow_subnormal=False)


@given(arrays(float, st.integers(1, 60), elements=finite), arrays(float, st.integers(0, 60), elements=finite))
def test_edges_rise_and_shares_are_shares(real: np.ndarray, synthetic: np.ndarray) -> None:
    edges, _, atom = numeric_bins(real, synthetic, None)
    assert len(edges) >= 2
    assert np.all(np.diff(edges) >= 0)
    assert np.isfinite(edges).all()
    for values in (real, synthetic):
        assert 0 <= shares(values[values != atom], edges).sum() <= 1 + 1e-9


@given(arrays(np.int64, st.integers(1, 60), elements=st.integers(-40, 400)), st.integers(-1, 2))
@example(np.array([218, 58, 0, 0, 0, 0, 0, 0]), 2)  # bins of 20 steps, but for rounding
def test_rounded_values_never_lie_on_an_edge(values: np.ndarray, decimals: int) -> None:
    rounded = values.astype(float) * 10.0**-decimals
    edges, log, _ = numeric_bins(rounded, rounded, decimals)
    if not log and np.diff(edges).min() < 20 * 10.0**-decimals:
        assert np.abs(rounded[:, None] - edges).min() > 0.4 * 10.0**-decimals


def test_light_tails_are_not_cut() -> None:
    values = RNG.uniform(0, 1, 500)
    assert shares(values, numeric_bins(values, values, None).edges).sum() == pytest.approx(1)


def test_heavy_tails_are_cut_but_little() -> None:
    values = np.append(RNG.normal(0, 1, 999), 1e6)
    edges, log, _ = numeric_bins(values, values, None)
    assert edges[-1] < 10
    assert not log
    assert shares(values, edges).sum() >= 0.98


def test_a_very_skewed_positive_column_gets_a_logarithmic_axis() -> None:
    values = RNG.lognormal(0, 2, 500)
    edges, log, _ = numeric_bins(values, values, None)
    assert log
    ratios = edges[1:] / edges[:-1]
    assert ratios.max() == pytest.approx(ratios.min(), rel=1e-6)
    assert shares(values, edges).sum() >= 0.98


def test_negative_values_keep_a_linear_axis() -> None:
    values = np.append(RNG.lognormal(0, 2, 500), -1.0)
    assert not numeric_bins(values, values, None).log


def test_the_smallest_and_largest_of_a_rounded_logarithmic_column_are_drawn() -> None:
    values = np.round(np.geomspace(0.03, 1999.99, 400), 2)
    edges, log, _ = numeric_bins(values, values, 2)
    assert log
    assert shares(values, edges).sum() == pytest.approx(1)


def test_an_overwhelming_value_is_taken_out() -> None:
    values = np.concatenate([np.zeros(90), RNG.lognormal(8, 1, 30)])
    edges, _, atom = numeric_bins(values, values, None)
    assert atom == 0.0
    assert edges[0] > 0


def test_a_few_rows_have_no_overwhelming_value() -> None:
    assert numeric_bins(np.array([1.0, 2.0]), np.array([5.0]), None).atom is None


def test_one_value_alone_gets_bins_around_it() -> None:
    edges = numeric_bins(np.full(50, 7.0), np.full(50, 7.0), 0).edges
    assert edges[0] < 7 < edges[-1]


def test_only_a_synthetic_sample_is_enough() -> None:
    edges = numeric_bins(np.array([]), np.array([1.0, 2.0, 4.0]), None).edges
    assert edges[0] <= 1
    assert edges[-1] >= 4


def test_integers_get_bins_of_equally_many_integers() -> None:
    values = RNG.integers(0, 101, 1000).astype(float)
    widths = np.diff(numeric_bins(values, values, 0).edges)
    assert len(set(widths)) == 1
    assert widths[0] == int(widths[0])


def moments(start: str, end: str, count: int) -> np.ndarray:
    low, high = (np.datetime64(x, "us").astype(np.int64) for x in (start, end))
    return np.linspace(low, high, count).astype(np.int64).astype("datetime64[us]")


@pytest.mark.parametrize(
    ("start", "end", "rows", "name", "first", "count"),
    [
        ("2024-01-10", "2024-12-20", 1000, "week", "2024-01-08", 50),
        ("2024-01-10", "2024-12-20", 200, "month", "2024-01-01", 12),
        ("2020-02-10", "2023-12-20", 1000, "month", "2020-02-01", 47),
        ("2024-05-06 10:17", "2024-05-06 15:02", 500, "quarter of an hour", "2024-05-06 10:15", 20),
        ("1931-01-01", "2004-01-01", 300, "5 years", "1930-01-01", 15),
        ("2024-05-06 10:00", "2024-05-06 10:00", 5, "day", "2024-05-06", 1),
        ("0001-01-01", "9999-12-31", 1000, "decade", "0000-01-01", 1000),
    ],
)
def test_periods_begin_on_the_calendar(start: str, end: str, rows: int, name: str, first: str, count: int) -> None:
    found = periods(moments(start, end, rows), moments(start, end, rows))
    assert found.name == name
    assert found.edges[0] == np.datetime64(first)
    assert len(found.edges) - 1 == count
    assert shares(moments(start, end, rows), found.edges).sum() == pytest.approx(1)


def test_a_far_date_does_not_squeeze_the_others() -> None:
    values = np.append(moments("2024-01-01", "2024-12-31", 999), np.datetime64("9999-12-31", "us"))
    found = periods(values, values)
    assert found.edges[-1] <= np.datetime64("2026-01-01")
    assert shares(values, found.edges).sum() == pytest.approx(0.999, abs=0.006)


def test_shares_of_nothing_are_zero() -> None:
    assert shares(np.array([]), np.array([0.0, 1.0, 2.0])).tolist() == [0, 0]


def test_range_is_never_empty() -> None:
    assert value_range([np.zeros(3)]) == (-0.5, 0.5)
    assert value_range([np.full(3, 10.0)]) == (5.0, 15.0)


def test_few_whole_numbers_for_many_rows_get_a_bin_each() -> None:
    days = np.tile(np.arange(1.0, 32), 20)
    np.testing.assert_allclose(numeric_bins(days, days, 0).edges, np.arange(0.5, 32))

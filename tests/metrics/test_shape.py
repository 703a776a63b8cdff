from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agentsynth.metrics.shape import shape, shapes


def test_by_hand() -> None:
    real = pd.DataFrame({"x": [1.0, 2, 3, 4], "c": pd.Series(["a", "a", "b", None], dtype=object)})
    synthetic = pd.DataFrame({"x": [1.0, 2, 3, 9], "c": pd.Series(["a", "b", "b", "b"], dtype=object)})
    assert shapes(real, synthetic) == {"x": pytest.approx(0.75), "c": pytest.approx(0.5)}


def test_datetimes_are_time_and_the_calendar_parts_that_vary() -> None:
    noon = pd.Series(pd.date_range("2024-01-01 12:00", periods=28, freq="D")).astype("datetime64[us]")
    midnight = noon - pd.Timedelta(hours=12)
    # One month, one hour: only time and weekday vary. Weekdays are the same; time differs by at most one day of 28.
    assert shape(noon, midnight) == pytest.approx((1 - 1 / 28 + 1) / 2)
    varied = noon.where(noon.index % 2 == 0, midnight)
    assert shape(varied, midnight) == pytest.approx((1 - 1 / 28 + 1 + 0.5) / 3)


def test_missing_datetimes_are_a_mass_of_their_own() -> None:
    real = pd.Series(["2024-01-01", "2024-01-02", None, None]).astype("datetime64[us]")
    nothing = pd.Series([pd.NaT] * 3, dtype="datetime64[us]")
    assert shape(real, real) == 1
    assert shape(real, nothing) == pytest.approx(0.5)
    assert shape(nothing, nothing) == 1


def test_same_table_is_one_in_any_order(frames: tuple[pd.DataFrame, ...]) -> None:
    train = frames[0]
    assert set(shapes(train, train.sample(frac=1, random_state=0)).values()) == {1.0}


def test_another_sample_is_near_one_and_another_scale_is_not(frames: tuple[pd.DataFrame, ...]) -> None:
    train, test, _ = frames
    assert np.mean(list(shapes(test, train).values())) > 0.9
    assert shapes(test, train.assign(price=train["price"] * 100))["price"] < 0.6

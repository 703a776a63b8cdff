from __future__ import annotations

import pandas as pd

from agentsynth.metrics.baselines import halves, sample, shuffled_columns


def test_shuffled_columns_keep_columns_and_lose_relations(frames: tuple[pd.DataFrame, ...]) -> None:
    train = frames[0]
    shuffled = shuffled_columns(train, 0)
    pd.testing.assert_series_equal(shuffled.dtypes, train.dtypes)
    for name in train.columns:
        assert sorted(map(str, shuffled[name])) == sorted(map(str, train[name]))
    assert abs(shuffled["price"].corr(shuffled["total"])) < 0.2 < train["price"].corr(train["total"])


def test_columns_are_shuffled_independently_and_by_seed() -> None:
    frame = pd.DataFrame({"x": range(50), "y": range(50)})
    shuffled = shuffled_columns(frame, 1)
    assert (shuffled["x"] != shuffled["y"]).any()
    pd.testing.assert_frame_equal(shuffled, shuffled_columns(frame, 1))
    assert not shuffled.equals(shuffled_columns(frame, 2))


def test_sample_is_without_replacement_in_order() -> None:
    frame = pd.DataFrame({"x": range(50)})
    drawn = sample(frame, 20, 0, "name")
    assert drawn["x"].is_monotonic_increasing
    assert drawn["x"].is_unique
    assert len(drawn) == 20
    assert sample(frame, 50, 0, "name") is frame
    assert not drawn.equals(sample(frame, 20, 0, "other name"))


def test_halves_share_no_row() -> None:
    first, second = halves(pd.DataFrame({"x": range(7)}), 0)
    assert len(first) == 4
    assert sorted([*first["x"], *second["x"]]) == list(range(7))

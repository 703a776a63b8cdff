from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from agentsynth.base.codec import MISSING, Codec, Part
from agentsynth.base.forest import Forest
from agentsynth.base.part_model import PartModel
from agentsynth.base.trees import MOST_CLASSES, SequentialTrees, _middle_ranks, _order
from agentsynth.config import GeneratorConfig
from agentsynth.data.schema import Column, Schema

NUMBER = Column(name="x", kind="numeric", dtype="float64")
OTHER = Column(name="y", kind="numeric", dtype="float64")
LABEL = Column(name="label", kind="categorical", dtype="str")
MOMENT = Column(name="at", kind="datetime", dtype="datetime64[us]", step="second")


def fitted(frame: pd.DataFrame, *columns: Column, **config: Any) -> SequentialTrees:
    codec = Codec(Schema(columns=columns)).fit(frame)
    return SequentialTrees(codec, GeneratorConfig(**config)).fit(codec.encode(frame), seed=0)


def drawn(trees: SequentialTrees, rows: int, seed: int = 0) -> pd.DataFrame:
    return trees.codec.decode(trees.draw(rows, np.random.default_rng(seed)))


class Uniform:
    """Stands in for a generator: hands out the numbers it was given, and tree 0."""

    def __init__(self, *numbers: float) -> None:
        self.numbers = np.array(numbers)

    def integers(self, _: int, size: int) -> NDArray[np.intp]:
        return np.zeros(size, dtype=np.intp)

    def random(self, _: int) -> NDArray[np.float64]:
        return self.numbers


def one_leaf(codes: list[int]) -> PartModel:
    leaf = np.zeros(1, dtype=np.int32)
    forest = Forest(leaf, leaf - 1, np.zeros(1, dtype=np.float32), leaf, leaf)
    return PartModel(forest, leaf, leaf + np.int32(len(codes)), np.array(codes, dtype=np.int32))


def draws(codes: list[int], part: Part, *uniform: float) -> list[float]:
    features = np.zeros((len(uniform), 1), dtype=np.float32)
    found: list[float] = one_leaf(codes).draw(features, part, Uniform(*uniform)).tolist()  # type: ignore[arg-type]
    return found


@pytest.mark.filterwarnings("error")
def test_a_level_for_each_row_is_learned_without_a_warning() -> None:
    frame = pd.DataFrame({"x": np.arange(36.0), "label": np.array([f"level {i:02}" for i in range(36)], dtype=object)})
    found = drawn(fitted(frame, NUMBER, LABEL, min_leaf=2), 200)
    assert set(found["label"]) <= set(frame["label"])
    assert found["label"].nunique() > 20


def test_a_leaf_is_read_as_a_quantile_function() -> None:
    part = Part("x", "number", 10.0 * 2.0 ** np.arange(6), np.ones(6, dtype=np.int64))
    # Four slots of a quarter; their middles give the codes themselves, and their ends those of the neighbours.
    assert draws([0, 1, 2, 3], part, 0.125, 0.375, 0.875) == [0.0, 1.0, 3.0]
    assert draws([0, 1, 2, 3], part, 0.25, 0.3125, 0.4375) == [0.0, 0.5, 1.5]
    # Beyond the first and the last middle there is no neighbour in the leaf: the other one stands in.
    assert draws([0, 1, 2, 3], part, 0.0, 0.0625, 0.9375) == [1.0, 0.5, 2.5]
    # Alone in its leaf, a value has none.
    assert draws([2], part, 0.1) == [2.0]
    # Neighbours are those of the leaf, not of the table.
    assert draws([0, 3], part, 0.5, 0.375) == [0.0, 1.5]


def test_values_that_repeat_in_the_table_are_kept_as_they_are() -> None:
    part = Part("x", "number", np.arange(10.0, 80.0, 10.0), np.array([1, 5, 1, 1, 1, 1, 1]))
    assert draws([0, 1, 2], part, 0.34, 0.5, 0.66) == [1.0, 1.0, 1.0]


def test_single_values_are_never_kept_for_their_own_sake() -> None:
    part = Part("x", "number", np.arange(10.0), np.array([1] * 7 + [2] * 3))
    rng = np.random.default_rng(0)
    features = np.zeros((2000, 1), dtype=np.float32)
    found = one_leaf([0, 1, 2, 3, 4, 5, 6]).draw(features, part, rng)
    assert (found != np.floor(found)).all()


def test_a_value_between_two_is_rounded_as_its_column_is() -> None:
    part = Part("x", "number", np.array([1.0, 2.0, 5.0, 6.0, 8.0]), np.ones(5, dtype=np.int64), decimals=0)
    # Half of the way from 2 to 5 is 3.5, so 4, which no training row has; a fifth of that from 1 to 2 is 1 after all.
    assert draws([0, 1, 2, 3], part, 0.4375) == [pytest.approx(1 + 2 / 3)]
    assert draws([0, 1, 2, 3], part, 0.15) == [0.0]


def test_missing_values_are_no_neighbours() -> None:
    part = Part("x", "number", np.arange(10.0, 60.0, 10.0), np.ones(5, dtype=np.int64))
    assert draws([-1, 0], part, 0.1, 0.45, 0.55) == [MISSING, MISSING, 0.0]


def test_labels_are_never_between_two() -> None:
    part = Part("label", "label", np.array(["a", "b"], dtype=object), np.array([1, 1]))
    assert draws([0, 1], part, 0.1, 0.45, 0.55) == [0.0, 0.0, 1.0]


def test_middle_ranks_by_hand() -> None:
    # Sorted 1 3 3 7: places 0, 1 and 2 (middle 1.5), 3; of 4 rows.
    assert _middle_ranks(np.array([3.0, 1.0, 7.0, 3.0])).tolist() == [0.375, 0.0, 0.75, 0.375]


def test_few_level_labels_come_first_and_many_level_ones_last() -> None:
    many = np.arange(MOST_CLASSES + 1).astype(str).astype(object)
    parts = [
        Part("many", "label", many, np.ones(len(many), dtype=np.int64)),
        Part("x", "number", np.array([1.0]), np.array([1])),
        Part("at", "date", np.array([1.0]), np.array([1]), "day"),
        Part("at", "time", np.array([1.0]), np.array([1]), "hour"),
        Part("four", "label", many[:4], np.ones(4, dtype=np.int64)),
        Part("two", "label", many[:2], np.ones(2, dtype=np.int64)),
    ]
    assert _order(parts) == [5, 4, 2, 3, 1, 0]


@pytest.mark.parametrize("min_leaf", [1, 7, 40])
def test_every_leaf_holds_at_least_k_training_rows(min_leaf: int) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=300), "label": rng.choice(list("abc"), 300).astype(object)})
    frame["y"] = frame["x"] ** 2
    for model in fitted(frame, NUMBER, OTHER, LABEL, min_leaf=min_leaf).models:
        in_use = model.size[model.forest.feature < 0]
        assert in_use.min() >= min_leaf
        assert model.size[model.forest.feature >= 0].sum() == 0
        assert in_use.sum() == 300 * len(model.forest.roots)


def test_trees_of_a_long_table_are_grown_on_samples_and_hold_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=500), "y": rng.normal(size=500)})
    whole = fitted(frame, NUMBER, OTHER, min_leaf=10).models[1]
    monkeypatch.setattr("agentsynth.base.trees.MOST_ROWS", 100)
    model = fitted(frame, NUMBER, OTHER, min_leaf=10).models[1]
    leaves = model.forest.feature < 0
    assert leaves.sum() < (whole.forest.feature < 0).sum() / 2
    assert model.size[leaves].min() >= 10
    assert model.size[leaves].sum() == 500 * len(model.forest.roots)


def test_a_leaf_size_beyond_the_table_gives_one_leaf() -> None:
    frame = pd.DataFrame({"x": np.arange(5.0), "y": np.arange(5.0)})
    models = fitted(frame, NUMBER, OTHER, min_leaf=12).models
    assert [len(model.forest.feature) for model in models] == [1, 16]


def test_what_follows_from_a_label_still_does() -> None:
    rng = np.random.default_rng(0)
    label = rng.choice(["low", "high"], 400)
    frame = pd.DataFrame({"label": label.astype(object), "x": np.where(label == "low", 0.0, 100.0) + rng.random(400)})
    made = drawn(fitted(frame, LABEL, NUMBER), 1000)
    assert ((made["x"] > 50) == (made["label"] == "high")).all()
    assert abs((made["label"] == "low").mean() - (label == "low").mean()) < 0.05


def test_a_column_of_price_points_gives_these_only_and_numbers_stay_in_their_range() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.choice([0.0, 9.99, 19.99], 200), "y": rng.normal(size=200)})
    made = drawn(fitted(frame, NUMBER, OTHER), 2000)
    assert set(made["x"]) == {0.0, 9.99, 19.99}
    assert made["y"].between(frame["y"].min(), frame["y"].max()).all()
    assert made["y"].nunique() > 1500


def test_a_time_of_day_is_missing_exactly_where_its_date_is() -> None:
    rng = np.random.default_rng(0)
    at = pd.Series(np.datetime64("2024-01-01", "us") + rng.integers(0, 10**7, 300).astype("timedelta64[s]"))
    at[rng.choice(300, 8, replace=False)] = pd.NaT
    frame = pd.DataFrame({"at": at, "x": rng.normal(size=300), "y": rng.normal(size=300)})
    trees = fitted(frame, MOMENT, NUMBER, OTHER)
    codes = trees.draw(20_000, np.random.default_rng(1))
    date, time = (codes[:, index] < 0 for index in (0, 1))
    assert (date == time).all()
    assert abs(date.mean() - 8 / 300) < 0.01


def test_shares_of_missing_values_and_labels_are_kept() -> None:
    rng = np.random.default_rng(0)
    x = np.where(rng.random(500) < 0.3, np.nan, rng.normal(size=500))
    label = rng.choice(list("ab"), 500).astype(object)
    label[rng.random(500) < 0.2] = None
    frame = pd.DataFrame({"x": x, "label": label})
    made = drawn(fitted(frame, NUMBER, LABEL), 5000)
    for column in frame:
        assert abs(made[column].isna().mean() - frame[column].isna().mean()) < 0.03


def test_a_label_of_many_levels_is_drawn_from_its_levels() -> None:
    rng = np.random.default_rng(0)
    label = np.array([f"town {number}" for number in range(60)], dtype=object)[rng.integers(0, 60, 600)]
    made = drawn(fitted(pd.DataFrame({"label": label, "x": rng.normal(size=600)}), LABEL, NUMBER), 3000)
    assert set(made["label"]) <= set(label)
    assert made["label"].nunique() == 60


def test_the_same_seed_draws_the_same_rows_and_another_seed_others() -> None:
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=100)})
    trees = fitted(frame, NUMBER)
    pd.testing.assert_frame_equal(drawn(trees, 50, seed=3), drawn(trees, 50, seed=3))
    assert not drawn(trees, 50, seed=3).equals(drawn(trees, 50, seed=4))


def test_progress_counts_parts() -> None:
    frame = pd.DataFrame({"x": np.arange(20.0), "at": pd.date_range("2024-01-01", periods=20, freq="7h")})
    codec = Codec(Schema(columns=(NUMBER, MOMENT))).fit(frame)
    calls: list[int] = []
    SequentialTrees(codec, GeneratorConfig()).fit(codec.encode(frame), 0, lambda: calls.append(1))
    assert len(calls) == len(codec.parts) == 3

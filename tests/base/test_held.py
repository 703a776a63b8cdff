from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from agentsynth.base.codec import Codec
from agentsynth.base.forest import Forest
from agentsynth.base.held import FREE, Held
from agentsynth.base.part_model import PartModel
from agentsynth.base.parts import Part
from agentsynth.base.spans import Span, span_of
from agentsynth.base.trees import SequentialTrees
from agentsynth.config import GeneratorConfig
from agentsynth.data.schema import Column, Schema

LABEL = Column(name="label", kind="categorical", dtype="str")
NUMBER = Column(name="x", kind="numeric", dtype="float64", decimals=0)


def two_leaves() -> PartModel:
    """Return a tree that parts rows at 0.5: codes 0, 0, 1, 2 to the left, 2, 2, 3, 3 to the right."""
    forest = Forest(
        np.zeros(1, dtype=np.int32),
        np.array([0, -1, -1], dtype=np.int32),
        np.array([0.5, 0, 0], dtype=np.float32),
        np.array([1, 0, 0], dtype=np.int32),
        np.array([2, 0, 0], dtype=np.int32),
    )
    codes = np.array([0, 0, 1, 2, 2, 2, 3, 3], dtype=np.int32)
    return PartModel(forest, np.array([0, 0, 4], dtype=np.int32), np.array([0, 4, 4], dtype=np.int32), codes)


def span(low: int, high: int) -> Span:
    return Span(np.full(2, low), np.full(2, high))


SIDES: NDArray[np.float32] = np.array([[0.0], [1.0]], dtype=np.float32)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        # Two of four codes to the left, none to the right; a quarter of a row (2 of 8 codes) is added to both.
        (0, 0, [(2 + 0.25) / 5, 0.25 / 5]),
        (2, 2, [(1 + 0.375) / 5, (2 + 0.375) / 5]),
        (1, 2, [(2 + 0.5) / 5, (2 + 0.5) / 5]),
        (0, 3, [1.0, 1.0]),
        (0, 99, [1.0, 1.0]),
        (-1, -1, [0.0, 0.0]),
    ],
)
def test_a_span_is_as_likely_as_it_is_frequent_in_the_leaf(low: int, high: int, expected: list[float]) -> None:
    np.testing.assert_allclose(two_leaves().chance(SIDES, span(low, high)), expected)


def test_codes_are_drawn_within_a_span_or_from_all_rows_where_the_leaf_has_none() -> None:
    part = Part("x", "number", np.arange(4.0), np.array([2, 1, 3, 2]))
    features = np.repeat(SIDES, 400, axis=0)
    wide = Span(np.zeros(800, dtype=np.intp), np.ones(800, dtype=np.intp))
    codes, chance = two_leaves().draw_within(features, part, wide, np.random.default_rng(0))
    assert codes.min() >= 0
    assert codes.max() <= 1
    assert np.mean(codes[400:] == 0) == pytest.approx(2 / 3, abs=0.08)
    np.testing.assert_allclose(chance[[0, -1]], [(3 + 0.375) / 5, 0.375 / 5])


def fitted(frame: pd.DataFrame, *columns: Column) -> SequentialTrees:
    codec = Codec(Schema(columns=columns)).fit(frame)
    return SequentialTrees(codec, GeneratorConfig(trees=4, min_leaf=5)).fit(codec.encode(frame), seed=0)


def drawn(trees: SequentialTrees, held: Held, rows: int = 4000) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    codes, logs = trees.draw_held(rows, held, np.random.default_rng(0))
    weights = np.exp(logs - logs.max())
    return trees.codec.decode(codes, held), weights / weights.sum()


def test_windows_hold_so_many_rows_unless_the_value_itself_does() -> None:
    part = Part("x", "number", np.arange(100.0), np.array([*[1] * 50, 40, *[1] * 49]))
    codec = Codec(Schema(columns=(NUMBER,)))
    for value, low, high in ((50.0, 50, 50), (20.0, 15, 25), (0.0, 0, 5), (20.5, 16, 25)):
        found = span_of(part, codec, np.zeros((1, 1)), Held({"x": value}))
        assert found is not None
        assert (found.low.tolist(), found.high.tolist()) == ([low], [high])
        assert found.code is not None
        assert found.code.tolist() == [value]


@pytest.mark.parametrize("order", [("cause", "label"), ("label", "cause")])
def test_other_columns_are_as_in_rows_that_have_the_value(order: tuple[str, str]) -> None:
    """Also those drawn before: P(cause = a | label = u) = 0.9 x 0.1 / (0.9 x 0.1 + 0.1 x 0.8) = 9 / 17."""
    rng = np.random.default_rng(1)
    cause = np.where(rng.random(6000) < 0.9, "a", "b").astype(object)
    label = np.where(rng.random(6000) < np.where(cause == "a", 0.1, 0.8), "u", "v").astype(object)
    frame = pd.DataFrame({"cause": cause, "label": label})
    trees = fitted(frame, *(LABEL.model_copy(update={"name": name}) for name in order))
    found, weights = drawn(trees, Held({"label": "u"}))
    assert set(found["label"]) == {"u"}
    truth = (frame["cause"][frame["label"] == "u"] == "a").mean()
    assert weights @ (found["cause"] == "a") == pytest.approx(truth, abs=0.03)
    assert truth == pytest.approx(9 / 17, abs=0.04)


def test_without_held_columns_rows_are_drawn_as_ever_and_weigh_alike() -> None:
    trees = fitted(pd.DataFrame({"x": np.arange(40.0)}), NUMBER)
    codes, logs = trees.draw_held(30, FREE, np.random.default_rng(3))
    np.testing.assert_array_equal(codes, trees.draw(30, np.random.default_rng(3)))
    assert not logs.any()


LOW, MIDDLE, HIGH = (Column(name=name, kind="numeric", dtype="float64", decimals=2) for name in ("low", "mid", "high"))
CHAIN = [
    (
        LOW,
        MIDDLE.model_copy(update={"above": ("low",), "excess": a}),
        HIGH.model_copy(update={"above": ("mid",), "excess": b}),
    )
    for a in (False, True)
    for b in (False, True)
]


@pytest.mark.parametrize("columns", CHAIN)
@pytest.mark.parametrize(
    "held", [{"high": 40.0}, {"mid": 30.17}, {"low": 35.0}, {"low": 20.0, "high": 21.5}, {"high": None}]
)
def test_bounds_hold_about_a_held_column(columns: tuple[Column, ...], held: dict[str, float | None]) -> None:
    rng = np.random.default_rng(2)
    low = rng.uniform(10, 50, 600).round(2)
    mid = (low + rng.exponential(8, 600)).round(2)
    high = np.where(rng.random(600) < 0.1, np.nan, (mid + rng.exponential(8, 600)).round(2))
    trees = fitted(pd.DataFrame({"low": low, "mid": mid, "high": high}), *columns)
    found, weights = drawn(trees, Held.of(held, Schema(columns=columns)), 2000)
    for name, value in held.items():
        assert found[name].isna().all() if value is None else (found[name] == value).all()
    assert (found["mid"] >= found["low"]).all()
    assert (found["high"].isna() | (found["high"] >= found["mid"])).all()
    assert np.isfinite(weights).all()
    # Held to a value beneath many others, the columns below do not heap up at it.
    if held == {"high": 40.0}:
        assert (found["mid"] == 40.0).mean() < 0.2
        assert found["low"].nunique() > 200

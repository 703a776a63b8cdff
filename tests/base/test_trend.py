from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from agentsynth.base import trend as trends
from agentsynth.base.codec import Codec
from agentsynth.base.held import FREE, Held
from agentsynth.base.parts import Floats, Part
from agentsynth.base.spans import Span
from agentsynth.base.trees import SequentialTrees
from agentsynth.base.trend import STEPS, Design, Scale, Trend, apart, width_of
from agentsynth.config import GeneratorConfig
from agentsynth.data.inference import infer_schema
from agentsynth.soundness import check_model
from agentsynth.synth import AgentSynth

PART = Part("x", "number", np.array([1.0, 2.0, 4.0]), np.array([5, 1, 4]))
"""Ten rows: a heap of five, which is kept, one row, and four."""
QUICK: dict[str, Any] = {"agent": {"episodes": 1}, "environment": {"rows": 40, "steps": 4}}


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def fit_trend(part: Part, codes: Floats, design: Floats, rng: np.random.Generator) -> tuple[Trend | None, Floats]:
    return trends.fit_trend(part, codes, design, np.zeros(design.shape[1], dtype=bool), rng)


def number(rows: int) -> Part:
    return Part("y", "number", np.arange(rows) / 10, np.ones(rows, dtype=np.int64))


def wide(rows: int = 160, columns: int = 6, seed: int = 0) -> pd.DataFrame:
    """Return columns that follow one another nearly exactly: trees of so few rows cannot tell how."""
    noise = np.random.default_rng(seed)
    first = noise.normal(size=rows)
    return pd.DataFrame({f"x{place}": first + 0.05 * noise.normal(size=rows) for place in range(columns)})


def test_a_kept_value_takes_the_ranks_of_its_rows_and_others_stand_at_their_middle() -> None:
    codes = Scale(PART).codes(np.array([0.0, 0.25, 0.5, 0.55, 0.675, 0.8]))
    np.testing.assert_allclose(codes, [0, 0, 0, 1, 1.5, 2])


def test_ranks_beyond_the_last_value_are_mirrored_lest_they_repeat_it() -> None:
    # 0.9 lies 0.1 beyond the middle 0.8 of the last value, so at 0.7: 0.6 of the way from 0.55 to 0.8.
    np.testing.assert_allclose(Scale(PART).codes(np.array([0.9])), [1.6])


def test_scores_are_those_of_ranks_and_equal_kept_values_are_spread() -> None:
    scores = Scale(PART).scores(np.array([0.0] * 400 + [1.0, 2.0]), rng())
    np.testing.assert_allclose(scores[400:], ndtri([0.55, 0.8]))
    assert scores[:400].max() <= 0
    assert np.median(scores[:400]) == pytest.approx(ndtri(0.25), abs=0.1)


def test_a_design_holds_scores_and_levels_but_one() -> None:
    label = Part("l", "label", np.array(["a", "b", "c"], dtype=object), np.array([1, 1, 1]))
    many = Part("m", "label", np.array([str(level) for level in range(11)], dtype=object), np.ones(11, dtype=np.int64))
    design = Design([label, many, PART], 3)
    design.add(label, np.array([0.0, 1.0, 2.0]))
    design.add(many, np.array([0.0, 1.0, 2.0]))
    np.testing.assert_array_equal(design.columns, [[0, 0], [1, 0], [0, 1]])
    design.add(PART, np.array([-1.0, 1.0, 1.5]))
    np.testing.assert_allclose(design.columns[:, 2], [0, ndtri(0.55), (ndtri(0.55) + ndtri(0.8)) / 2])
    assert width_of([label, many, PART]) == 3


def test_a_trend_is_found_where_there_is_one_and_its_residuals_lead_back() -> None:
    part, codes = number(200), rng().permutation(200).astype(np.float64)
    design = Scale(part).scores(codes, rng())[:, None]
    trend, residuals = fit_trend(part, codes, design, rng())
    assert trend is not None
    np.testing.assert_allclose(trend.weights, [0, 1], atol=0.01)
    back = trend.codes(trend.at(design), residuals)
    assert np.abs(back - codes).max() <= 1


def test_no_trend_where_nothing_is_explained_or_there_is_nothing_to_look_at() -> None:
    part, codes = number(200), rng().permutation(200).astype(np.float64)
    for design in (np.random.default_rng(1).normal(size=(200, 3)), np.zeros((200, 0))):
        trend, same = fit_trend(part, codes, design, rng())
        assert trend is None
        np.testing.assert_array_equal(same, codes)
    few = number(20)
    assert fit_trend(few, np.arange(20.0), np.arange(20.0)[:, None], rng())[0] is None


def test_numbers_stand_apart_where_they_repeat_and_none_is_near() -> None:
    counts = np.array([6, 6, 4, 4])
    # 0.0 and 0.3 are 3 steps of 0.1 apart; 5.0 and 9.0 are alone, but too few rows share them.
    assert apart(Part("x", "number", np.array([0.0, 0.3, 5.0, 9.0]), counts, decimals=1)) == 0
    # In steps of 0.01 they are 30 apart: 12 of 20 rows.
    assert apart(Part("x", "number", np.array([0.0, 0.3, 5.0, 9.0]), counts, decimals=2)) == pytest.approx(0.6)
    # Numbers of any digits only repeat where they are the same thing.
    assert apart(Part("x", "number", np.array([0.0, 0.3, 5.0, 9.0]), counts)) == pytest.approx(0.6)


def test_numbers_that_stand_apart_have_a_trend_only_where_it_leads_to_the_very_one() -> None:
    levels = np.repeat(np.arange(20.0), 10)
    part = Part("x", "number", np.arange(20.0) ** 2, np.full(20, 10))
    noise = np.random.default_rng(2).normal(size=200)
    assert fit_trend(part, levels, (levels + noise / 2)[:, None], rng())[0] is not None
    assert fit_trend(part, levels, (levels + 6 * noise)[:, None], rng())[0] is None
    rounded = Part("x", "number", np.arange(20.0), np.full(20, 10), decimals=0)
    assert fit_trend(rounded, levels, (levels + 6 * noise)[:, None], rng())[0] is not None


def test_no_trend_where_labels_alone_explain_a_number() -> None:
    part, codes = number(200), np.arange(200.0)
    design = np.column_stack([codes >= 100, np.random.default_rng(1).normal(size=200)]).astype(np.float64)
    assert trends.fit_trend(part, codes, design, np.array([True, False]), rng())[0] is None
    assert trends.fit_trend(part, codes, design, np.array([False, False]), rng())[0] is not None


def test_a_missing_value_stays_missing() -> None:
    part, codes = number(100), np.concatenate([np.arange(100.0), [-1.0] * 20])
    trend, residuals = fit_trend(part, codes, np.maximum(codes, 0)[:, None] / 50, rng())
    assert trend is not None
    assert (residuals[100:] == -1).all()
    assert (residuals[:100] >= 0).all()
    np.testing.assert_array_equal(trend.codes(np.zeros(120, dtype=np.int64), residuals) < 0, codes < 0)


def test_residuals_within_a_span_lead_into_it() -> None:
    trend = Trend(np.array([0.0]), Scale(number(50)))
    expected = rng().integers(-2 * STEPS, 2 * STEPS, 30)
    span = Span(np.full(30, 10), np.full(30, 19))
    residuals = trend.within(expected, span)
    for side in (residuals.low, residuals.high):
        codes = trend.codes(expected, side.astype(np.float64))
        assert codes.min() >= 9.4
        assert codes.max() <= 19.6


def fitted(frame: pd.DataFrame) -> SequentialTrees:
    codec = Codec(infer_schema(frame)).fit(frame)
    return SequentialTrees(codec, GeneratorConfig()).fit(codec.encode(frame), seed=0)


def test_relations_of_continuous_columns_are_kept_and_no_training_number_is() -> None:
    frame = wide()
    trees = fitted(frame)
    assert [model.trend is None for model in trees.models] == [True] + [False] * 5
    drawn = trees.codec.decode(trees.draw(1000, rng()))
    assert drawn.corr().to_numpy().min() > 0.99
    assert not np.isin(drawn.to_numpy(), frame.to_numpy()).any()
    plain = dataclasses.replace(trees.models[-1], trend=None)
    assert plain.codes.max() > len(frame)


def test_a_held_number_pulls_those_that_follow_it() -> None:
    trees = fitted(wide())
    codes, logs = trees.draw_held(2000, Held(values={"x3": 1.0}), rng())
    weights = np.exp(logs - logs.max())
    drawn = trees.codec.decode(codes, Held(values={"x3": 1.0}))
    assert (drawn["x3"] == 1.0).all()
    for name in drawn:
        assert np.average(drawn[name], weights=weights) == pytest.approx(1.0, abs=0.1)


def test_a_bounded_number_stays_in_its_span_and_is_as_likely_as_there_are_rows() -> None:
    trees = fitted(wide())
    index = trees.order[-1]
    part = trees.codec.parts[index]
    most = float(part.values[79])
    codes, logs = trees.draw_held(4000, Held(values={}, most={part.column: most}), rng())
    assert codes[:, index].max() <= 79
    assert codes[:, index].min() >= 0
    assert np.exp(logs).mean() == pytest.approx(0.5, abs=0.05)
    assert np.exp(trees.draw_held(10, FREE, rng())[1]).tolist() == [1.0] * 10


def test_a_saved_model_draws_the_same_and_a_broken_trend_is_refused(tmp_path: Path) -> None:
    synth = AgentSynth(QUICK, seed=1).fit(wide())
    synth.save(tmp_path / "m.zip")
    loaded = AgentSynth.load(tmp_path / "m.zip")
    pd.testing.assert_frame_equal(synth.generate(50, seed=2), loaded.generate(50, seed=2))
    trees = loaded.model_.generator.trees
    trend = trees.models[-1].trend
    assert trend is not None
    for weights in (trend.weights[:-1], trend.weights * np.nan, trend.weights + 1e9):
        trees.models[-1] = dataclasses.replace(trees.models[-1], trend=dataclasses.replace(trend, weights=weights))
        with pytest.raises(ValueError, match="parts and trends do not fit each other"):
            check_model(loaded.model_)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentsynth.base.codec import Codec
from agentsynth.data.schema import Column, Schema
from agentsynth.env.nearness import AIM, STEEPEST, fair_shares, nearest, places

SCHEMA = Schema(
    columns=(
        Column(name="x", kind="numeric", dtype="float64"),
        Column(name="label", kind="categorical", dtype="str"),
    )
)
FRAME = pd.DataFrame({"x": [1.0, 2.0, 2.0, np.nan, 9.0], "label": pd.Series(["a", "a", "b", "b", "b"], dtype=object)})


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(SCHEMA).fit(FRAME)


def test_numbers_stand_at_their_middle_ranks(codec: Codec) -> None:
    # Of the four known numbers, 1 takes the first quarter of the ranks, 2 the next two, 9 the last.
    np.testing.assert_allclose(places(codec.parts, codec.encode(FRAME))[:, 1], [0.125, 0.5, 0.5, -1.0, 0.875])


def test_distances_by_hand(codec: Codec) -> None:
    codes = codec.encode(FRAME)
    assert (nearest(codec.parts, codes, codes) == 0).all()
    # To another row: 1 a - 2 a: 3/8; 2 a - 1 a; 2 b - missing b: half a unit aside; missing b - 2 b; 9 b - 2 b: 3/8.
    found = nearest(codec.parts, codes, codes, themselves=True)
    np.testing.assert_allclose(found, [0.375, 0.375, 0.375, 0.5, 0.375])


def test_the_first_rows_of_the_others_are_left_out_in_chunks(codec: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = codec.encode(FRAME)
    whole = nearest(codec.parts, codes[:3], codes, themselves=True)
    monkeypatch.setattr("agentsynth.env.nearness.CHUNK", 2)
    np.testing.assert_array_equal(nearest(codec.parts, codes[:3], codes, themselves=True), whole)


def test_candidates_that_are_far_enough_change_nothing() -> None:
    real = np.array([0.5, 0.5])
    levels = np.array([0, 1], dtype=np.int32)
    np.testing.assert_array_equal(fair_shares(real, levels, np.array([3.0, 2.0]), np.array([1.0, 1.0])), real)


def test_shares_are_tilted_until_nearness_is_fair() -> None:
    # Novel candidates are farther than real rows in 8 of 10 comparisons, known ones nearer in all.
    real = np.array([0.5, 0.5])
    levels = np.array([0, 1], dtype=np.int32)
    found = fair_shares(real, levels, np.array([8.5, 0.0]), np.arange(1.0, 11.0))
    # 0.2 s + 1 - s = AIM.
    share = (1 - AIM) / 0.8
    np.testing.assert_allclose(found, [share, 1 - share])


def test_the_tilt_has_an_end() -> None:
    found = fair_shares(np.array([0.5, 0.5]), np.array([0, 1], dtype=np.int32), np.zeros(2), np.ones(3))
    assert found[0] / found[1] == pytest.approx(np.exp(STEEPEST))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), levels=st.integers(1, 12), candidates=st.integers(1, 50))
def test_shares_sum_to_one_and_never_favour_what_is_known(seed: int, levels: int, candidates: int) -> None:
    rng = np.random.default_rng(seed)
    real = rng.dirichlet(np.ones(levels))
    drawn = rng.integers(levels, size=candidates).astype(np.int32)
    found = fair_shares(real, drawn, rng.random(candidates), rng.random(20))
    assert found.sum() == pytest.approx(1.0)
    assert (np.diff(found / real) <= 1e-9).all()

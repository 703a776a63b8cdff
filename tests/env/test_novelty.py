from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agentsynth.base.codec import Codec
from agentsynth.data.schema import Column, Schema
from agentsynth.env.novelty import Novelty

SCHEMA = Schema(
    columns=(
        *(Column(name=name, kind="numeric", dtype="float64") for name in "abcd"),
        Column(name="label", kind="categorical", dtype="str"),
    )
)


def frame(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    made = pd.DataFrame(rng.normal(size=(rows, 4)).cumsum(axis=1), columns=list("abcd"))
    made.loc[rng.random(rows) < 0.1, "c"] = np.nan
    return made.assign(label=rng.choice(["x", "y", "z"], size=rows).astype(object))


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(SCHEMA).fit(frame(400, 0))


@pytest.fixture(scope="module")
def fitted(codec: Codec) -> tuple[Novelty, np.ndarray]:
    return Novelty.fit(codec.parts, codec.encode(frame(400, 0)), np.random.default_rng(0))


def test_training_rows_spread_evenly_over_the_levels(fitted: tuple[Novelty, np.ndarray]) -> None:
    novelty, shares = fitted
    assert novelty.sizes[0] > 6
    assert shares[:-2].sum() == pytest.approx(1)
    assert shares[:-2].max() < 3 / novelty.sizes[0]
    np.testing.assert_array_equal(shares[-2:], [1, 0])  # No two rows are equal.


def test_new_real_rows_are_as_novel_as_training_rows_left_out(fitted: tuple[Novelty, np.ndarray], codec: Codec) -> None:
    novelty, shares = fitted
    unseen = novelty.of(codec.parts, codec.encode(frame(2000, 1)))
    assert abs(unseen[:, 0].mean() - mean_level(shares)) < 0.7
    assert not unseen[:, 1].any()


def mean_level(shares: np.ndarray) -> float:
    return float(shares[:-2] @ np.arange(len(shares) - 2))


def test_the_training_rows_themselves_are_known_throughout(fitted: tuple[Novelty, np.ndarray], codec: Codec) -> None:
    novelty, _ = fitted
    again = novelty.of(codec.parts, codec.encode(frame(400, 0)))
    assert (again[:, 0] == novelty.sizes[0] - 1).all()
    assert again[:, 1].all()


def test_a_row_moved_a_little_is_less_novel(fitted: tuple[Novelty, np.ndarray], codec: Codec) -> None:
    novelty, shares = fitted
    near = codec.encode(frame(400, 0))
    near[:, 0] = np.clip(near[:, 0] + 0.4, 0, None)
    moved = novelty.of(codec.parts, near)
    assert moved[:, 0].mean() > mean_level(shares) + 3
    assert not moved[:, 1].any()  # Near, but no copies.


def test_twins_among_the_training_rows_are_told(codec: Codec) -> None:
    codes = codec.encode(frame(400, 0))
    codes[10] = codes[20]
    novelty, shares = Novelty.fit(codec.parts, codes, np.random.default_rng(0))
    assert shares[-1] == pytest.approx(2 / 400)
    assert novelty.of(codec.parts, codes)[:, 1].all()


def test_of_many_rows_a_sample_is_remembered_but_every_whole_row(codec: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentsynth.env.novelty.MOST_ROWS", 100)
    monkeypatch.setattr("agentsynth.env.novelty.ROWS_AT_ONCE", 64)
    codes = codec.encode(frame(400, 0))
    novelty, _ = Novelty.fit(codec.parts, codes, np.random.default_rng(0))
    found = novelty.of(codec.parts, codes)
    assert found[:, 1].all()
    assert 0.25 <= (found[:, 0] == novelty.sizes[0] - 1).mean() < 0.6


def test_what_is_kept_does_not_hold_the_codes(fitted: tuple[Novelty, np.ndarray]) -> None:
    novelty, _ = fitted
    assert {name: getattr(novelty, name).dtype.str for name in Novelty.FIELDS} == {
        "parts": "|b1",
        "bins": "<i8",
        "shifts": "<i8",
        "known": "|u1",
        "whole": "|u1",
        "edges": "<f8",
    }
    # One bit a row and view, in a sparse array: most slots are empty, and a slot may be anybody's.
    assert np.unpackbits(novelty.known, axis=1).mean() < 1 / 64


@pytest.mark.parametrize("rows", [1, 2, 20])
def test_few_rows_and_one_column_work(rows: int) -> None:
    schema = Schema(columns=(Column(name="a", kind="numeric", dtype="float64"),))
    one = pd.DataFrame({"a": np.arange(float(rows))})
    codec = Codec(schema).fit(one)
    novelty, shares = Novelty.fit(codec.parts, codec.encode(one), np.random.default_rng(0))
    assert len(shares) == novelty.sizes.sum()
    assert (novelty.of(codec.parts, codec.encode(one)) < novelty.sizes).all()

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.metrics.baselines import shuffled_columns
from agentsynth.metrics.pairs import mean_pair_similarity, pair_similarities
from agentsynth.metrics.score import CannotScoreError

TABLES = st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.floats(-3, 3) | st.just(np.nan)), min_size=1).map(
    lambda rows: pd.DataFrame(
        {
            "c": pd.Series([row[0] for row in rows], dtype=object),
            "x": pd.Series([row[1] for row in rows], dtype=float),
        }
    )
)


def test_by_hand() -> None:
    real = pd.DataFrame(
        {"c": pd.Series(["a", "a", "b", "b"], dtype=object), "d": pd.Series(["u", "u", "v", "v"], dtype=object)}
    )
    crossed = real.assign(d=pd.Series(["u", "v", "u", "v"], dtype=object))
    assert pair_similarities(real, crossed) == {("c", "d"): pytest.approx(0.5)}


def test_numbers_by_hand() -> None:
    real = pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [1.0, 2, 3, 4]})
    synthetic = pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [1.0, 2, 4, np.nan]})
    assert pair_similarities(real, synthetic)["x", "y"] == pytest.approx(0.5)


def test_same_table_is_one_in_any_order_and_with_other_names(frames: tuple[pd.DataFrame, ...]) -> None:
    train = frames[0]
    renamed = train.assign(kind=train["kind"].map({"book": "3", "phone": "1", "pen": "2"}).astype(object))
    assert set(pair_similarities(train, train[::-1]).values()) == {1.0}
    test = frames[1].assign(kind=frames[1]["kind"].map({"book": "3", "phone": "1", "pen": "2"}).astype(object))
    assert pair_similarities(renamed, test) == pytest.approx(pair_similarities(train, frames[1]))


def test_shuffled_columns_score_lower_than_another_sample(frames: tuple[pd.DataFrame, ...]) -> None:
    train, test, _ = frames
    another = mean_pair_similarity(pair_similarities(test, train))
    shuffled = mean_pair_similarity(pair_similarities(test, shuffled_columns(train, 0)))
    assert shuffled < another - 0.05


def test_every_pair_once(frames: tuple[pd.DataFrame, ...]) -> None:
    assert len(pair_similarities(frames[0], frames[1])) == 5 * 4 // 2


@given(TABLES, TABLES)
def test_is_a_share(real: pd.DataFrame, synthetic: pd.DataFrame) -> None:
    (similarity,) = pair_similarities(real, synthetic).values()
    assert -1e-12 <= similarity <= 1 + 1e-12


def test_a_single_column_has_no_pair() -> None:
    frame = pd.DataFrame({"x": [1.0]})
    assert pair_similarities(frame, frame) == {}
    with pytest.raises(CannotScoreError, match="no pair"):
        mean_pair_similarity({})


def test_a_hundred_columns_are_fine() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(1000, 100))).rename(columns=str)
    start = time.process_time()
    assert len(pair_similarities(frame, frame)) == 4950
    assert time.process_time() - start < 10  # About 0.2 s; generous, for machines that are slow or shared.

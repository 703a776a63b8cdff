from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.metrics.baselines import shuffled_columns
from agentsynth.metrics.membership import membership_inference, relative_nearness
from agentsynth.metrics.privacy import Points
from agentsynth.metrics.score import CannotScoreError

Frames = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def on_a_line(*values: float) -> Points:
    return Points(np.array([[value, 0.0] for value in values]), np.empty((len(values), 0)))


def numbers(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"x": np.array(values, dtype=float)})


def test_relative_nearness_by_hand() -> None:
    points = on_a_line(0.1, 0.4, 0.9, 0.6)
    synthetic, reference = on_a_line(0.2, 0.6, 0.9), on_a_line(0.4, 0.6, 0.0)
    # Nearest synthetic 0.1, 0.2, 0, 0; nearest reference 0.1, 0, 0.3, 0.
    assert relative_nearness(points, synthetic, reference).tolist() == pytest.approx([0.5, 0, 1, 0.5])


def test_score_by_hand() -> None:
    # The members 1 and 4 equal a synthetic row (suspicion 1). The member 8 ties with the outsider: with 8.5, as both
    # lie beyond the ranks of 1, 4 and the reference 7.5; with 7.5, as both lie between 4 and the reference 8.5.
    score = membership_inference(numbers(1, 4, 8), numbers(7.5, 8.5), numbers(1, 4))
    assert score == pytest.approx((2 + 0.5) / 3)


def test_training_rows_are_found_out_also_under_noise(frames: Frames) -> None:
    train, unseen, _ = frames
    noisy = train.copy()
    noisy["price"] *= 1.001
    assert membership_inference(train, unseen, train) == 1
    assert membership_inference(train, unseen, noisy) > 0.98
    assert membership_inference(train, unseen, unseen) < 0.02


def test_tables_that_know_nothing_of_the_training_rows_give_nothing_away(frames: Frames) -> None:
    train, unseen, other = frames
    assert membership_inference(train, unseen, other) == pytest.approx(0.5, abs=0.06)
    assert membership_inference(train, unseen, shuffled_columns(other, 0)) == pytest.approx(0.5, abs=0.06)


def test_a_leaking_part_of_the_table_shows_as_its_share(frames: Frames) -> None:
    train, unseen, other = frames
    mixed = pd.concat([train[:200], other], ignore_index=True)
    # Half of the members are copied (suspicion 1, or a tie where a row is common), the others are not.
    assert membership_inference(train, unseen, mixed) == pytest.approx(0.75, abs=0.06)


def test_the_same_seed_gives_the_same_score(frames: Frames) -> None:
    train, unseen, other = frames
    scores = [membership_inference(train, unseen, other, seed, max_rows=100) for seed in (1, 1, 2)]
    assert scores[0] == scores[1] != scores[2]


@given(st.lists(st.integers(0, 4), min_size=1), st.lists(st.integers(0, 4), min_size=2), st.lists(st.integers(0, 4)))
def test_is_a_share_for_any_tables(train: list[int], unseen: list[int], rows: list[int]) -> None:
    members, others, table = (
        pd.DataFrame({"x": values, "c": [str(value) for value in values]}) for values in (train, unseen, train + rows)
    )
    assert 0 <= membership_inference(members, others, table) <= 1


def test_what_is_missing_is_named() -> None:
    row, two = numbers(1), numbers(1, 2)
    with pytest.raises(CannotScoreError, match="no modelled column"):
        membership_inference(row[[]], two[[]], row[[]])
    for train, unseen in ((row[:0], two), (row, row)):
        with pytest.raises(CannotScoreError, match="two unseen real rows"):
            membership_inference(train, unseen, row)

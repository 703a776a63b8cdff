from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.metrics.privacy import Points, Space, exact_copies, nearer_to_training, nearest
from agentsynth.metrics.score import CannotScoreError


def table(*rows: tuple[float, str | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {"x": pd.Series([row[0] for row in rows], dtype=float), "c": pd.Series([row[1] for row in rows], dtype=object)}
    )


ROWS = st.lists(st.tuples(st.floats(-3, 3) | st.just(np.nan), st.sampled_from(["a", "b", None])), min_size=1)


def test_copies_by_hand() -> None:
    train = table((1, "a"), (2, "b"), (np.nan, None))
    rows = table((1, "a"), (1, "b"), (np.nan, None), (3, "a"))
    assert exact_copies(train, rows) == 0.5
    assert exact_copies(train, rows[::-1]) == 0.5


def test_copies_need_a_column() -> None:
    with pytest.raises(CannotScoreError, match="no modelled column"):
        exact_copies(pd.DataFrame(index=range(3)), pd.DataFrame(index=range(3)))


def test_copies_of_wide_tables_do_not_overflow() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(2000, 60))).rename(columns=str)
    other = pd.DataFrame(rng.normal(size=(2000, 60))).rename(columns=str)
    assert exact_copies(frame, frame) == 1
    assert exact_copies(frame, other) == 0


def test_distance_is_gowers() -> None:
    real = table((10, "a"), (20, "a"), (20, "b"), (30, None))
    points = Space.of(real).place(table((10, "a"), (20, "a"), (20, "new"), (np.nan, "a"), (99, None)))
    # Mid-ranks of 10, 20, 30 among four: 1/8, 1/2, 7/8; beyond them 0 and 1.
    assert points.positions[:, 0].tolist() == [0.125, 0.5, 0.5, 0.5, 1]

    def distance(i: int, j: int) -> float:
        one, other = (Points(points.positions[[k]], points.codes[[k]]) for k in (i, j))
        return float(nearest(one, other)[0])

    assert distance(0, 1) == pytest.approx(0.375)
    assert distance(0, 2) == pytest.approx(1.375)
    assert distance(1, 3) == pytest.approx(0.5)
    assert distance(0, 4) == pytest.approx(1.875)


def test_copies_of_training_rows_are_nearer_to_training(frames: tuple[pd.DataFrame, ...]) -> None:
    train, test, other = frames
    assert nearer_to_training(train[:300], test, train[:300]) == 1
    assert nearer_to_training(train[:300], test, test) == 0
    assert nearer_to_training(train, test, other) == pytest.approx(0.5, abs=0.1)


def test_ties_count_half() -> None:
    rows = table((1, "a"), (2, "b"))
    assert nearer_to_training(rows, rows, rows) == 0.5


def test_row_order_changes_nothing(frames: tuple[pd.DataFrame, ...]) -> None:
    train, test, other = (frame[:300] for frame in frames)
    expected = nearer_to_training(train, test, other)
    assert nearer_to_training(train[::-1], test[::-1], other[::-1]) == expected


def test_chunks_do_not_show() -> None:
    rng = np.random.default_rng(0)
    points, others = (Points(rng.normal(size=(n, 3)), rng.integers(0, 3, (n, 2)).astype(float)) for n in (600, 50))
    gaps = np.abs(points.positions[:, None] - others.positions).sum(-1) + (points.codes[:, None] != others.codes).sum(
        -1
    )
    assert nearest(points, others) == pytest.approx(gaps.min(axis=1))


@given(ROWS, ROWS, ROWS)
def test_is_a_share_and_turns_around(
    train: list[tuple[float, str | None]],
    unseen: list[tuple[float, str | None]],
    rows: list[tuple[float, str | None]],
) -> None:
    count = min(len(train), len(unseen))
    first, second, judged = table(*train[:count]), table(*unseen[:count]), table(*rows)
    share = nearer_to_training(first, second, judged)
    assert 0 <= share <= 1
    assert nearer_to_training(second, first, judged) == pytest.approx(1 - share)


def test_without_unseen_rows() -> None:
    rows = table((1, "a"))
    with pytest.raises(CannotScoreError, match="no unseen real row"):
        nearer_to_training(rows, rows[:0], rows)

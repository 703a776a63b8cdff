from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agentsynth.metrics.baselines import shuffled_columns
from agentsynth.metrics.detection import detection
from agentsynth.metrics.score import CannotScoreError


def test_another_sample_cannot_be_told(frames: tuple[pd.DataFrame, ...]) -> None:
    assert detection(frames[1], frames[2]) == pytest.approx(0.5, abs=0.1)


def test_shuffled_columns_are_told(frames: tuple[pd.DataFrame, ...]) -> None:
    assert detection(frames[1], shuffled_columns(frames[2], 0)) > 0.8


def test_a_shift_is_always_told(frames: tuple[pd.DataFrame, ...]) -> None:
    moved = frames[2].assign(quantity=frames[2]["quantity"] + 100)
    assert detection(frames[1], moved) == pytest.approx(1)


def test_hours_are_seen(frames: tuple[pd.DataFrame, ...]) -> None:
    real, synthetic = frames[1][["placed"]], frames[2][["placed"]]
    early = synthetic.assign(placed=synthetic["placed"].dt.normalize() + pd.Timedelta(hours=3))
    assert detection(real, early) > 0.95


def test_same_seed_same_figure_and_other_names_too(frames: tuple[pd.DataFrame, ...]) -> None:
    first, second = frames[1], frames[2]
    other_names = {"book": "x", "phone": "a", "pen": "m"}
    renamed, renamed_too = (f.assign(kind=f["kind"].map(other_names).astype(object)) for f in (first, second))
    figure = detection(first, second, seed=4)
    assert detection(first, second, seed=4) == figure
    assert detection(renamed, renamed_too, seed=4) == figure
    assert detection(first, second, seed=4) != detection(first, second, seed=5)


def test_constant_tables_cannot_be_told() -> None:
    frame = pd.DataFrame({"x": [1.0] * 10, "none": [np.nan] * 10, "c": pd.Series(["a"] * 10, dtype=object)})
    assert detection(frame, frame) == 0.5


def test_sizes_are_balanced_and_bounded(frames: tuple[pd.DataFrame, ...]) -> None:
    assert detection(frames[1], frames[2][:20].assign(quantity=1e6), max_rows=10) == pytest.approx(1)


def test_too_few_rows(frames: tuple[pd.DataFrame, ...]) -> None:
    with pytest.raises(CannotScoreError, match="needs 5 rows of each table, found 4"):
        detection(frames[1], frames[2][:4])

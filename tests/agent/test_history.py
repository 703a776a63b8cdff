from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.agent.history import TrainingHistory
from agentsynth.errors import InputError, ModelFormatError


def make(**changes: Any) -> TrainingHistory:
    fields: dict[str, Any] = {
        "returns": [0.1, 0.2, 0.4],
        "epsilon": [1.0, 0.5, 0.25],
        "similarity": [0.7, 0.8, 0.9],
        "held_out": [0.75, np.nan, 0.88],
        "components": {"price": [0.6, 0.7, 0.8], "pairs": [0.5, 0.5, np.nan]},
        "best_action": {"price_factor": 1.26, "quantity_factor": 1.0},
        "best_episode": 2,
    }
    return TrainingHistory(**{**fields, **changes})


def test_frame_has_one_row_an_episode_and_one_column_a_component() -> None:
    frame = make().to_frame()
    assert list(frame.columns) == [
        "episode",
        "return",
        "epsilon",
        "similarity",
        "held_out",
        "similarity_price",
        "similarity_pairs",
    ]
    assert frame["episode"].tolist() == [0, 1, 2]
    assert frame["return"].tolist() == [0.1, 0.2, 0.4]
    assert frame["held_out"].isna().tolist() == [False, True, False]


def test_component_names_cannot_collide_with_the_other_columns() -> None:
    frame = make(components={"return": [1, 2, 3], "epsilon": [4, 5, 6]}).to_frame()
    assert frame["return"].tolist() == [0.1, 0.2, 0.4]
    assert frame["similarity_return"].tolist() == [1, 2, 3]


def test_json_writes_nan_as_null_and_comes_back_exactly() -> None:
    history = make()
    text = json.dumps(history.to_json(), allow_nan=False)
    assert json.loads(text)["held_out"] == [0.75, None, 0.88]
    back = TrainingHistory.from_json(json.loads(text))
    np.testing.assert_array_equal(back.to_frame().to_numpy(), history.to_frame().to_numpy())
    assert (back.best_action, back.best_episode) == (history.best_action, 2)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=False), min_size=1, max_size=20))
def test_any_number_survives_json(values: list[float]) -> None:
    history = make(
        **dict.fromkeys(["returns", "epsilon", "similarity", "held_out"], values), components={}, best_episode=0
    )
    back = TrainingHistory.from_json(json.loads(json.dumps(history.to_json(), allow_nan=False)))
    np.testing.assert_array_equal(back.returns, np.array(values))


def test_arrays_are_copies_that_cannot_be_written() -> None:
    returns = np.array([0.1, 0.2, 0.4])
    history = make(returns=returns)
    returns[0] = 9.0
    assert history.returns[0] == 0.1
    with pytest.raises(ValueError, match="read-only"):
        history.returns[0] = 5.0


def test_an_empty_history_is_one_of_no_episodes() -> None:
    history = make(returns=[], epsilon=[], similarity=[], held_out=[], components={}, best_episode=0)
    assert len(history) == 0
    assert history.to_frame().empty


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epsilon": [1.0]}, "returns 3, epsilon 1"),
        ({"components": {"price": [1.0]}}, "component 'price' 1"),
        ({"returns": [[0.1, 0.2, 0.4]]}, r"returns must hold one number an episode; found an array of shape \(1, 3\)"),
        ({"best_episode": 3}, "one of the 3 episodes; found 3"),
        ({"best_episode": -1}, "found -1"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make(**changes)


@pytest.mark.parametrize(
    "damage",
    [
        {"returns": "text"},
        {"returns": 3},
        {"returns": [[1.0], [2.0], [3.0]]},
        {"components": [1, 2]},
        {"best_episode": None},
        {"best_action": {"price_factor": "high"}},
        {"extra": 1},
    ],
)
def test_damaged_json_is_named_with_its_file(damage: dict[str, Any]) -> None:
    with pytest.raises(ModelFormatError, match=r"model/history\.json is not a training history"):
        TrainingHistory.from_json({**make().to_json(), **damage}, "model/history.json")


def test_missing_fields_are_named() -> None:
    with pytest.raises(ModelFormatError, match=r"expected returns, epsilon, .*; found returns"):
        TrainingHistory.from_json({"returns": []})
    with pytest.raises(ModelFormatError, match="found list"):
        TrainingHistory.from_json([])  # type: ignore[arg-type]

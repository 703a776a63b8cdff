"""What happened in training, episode by episode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from agentsynth.errors import InputError, ModelFormatError

Series: TypeAlias = npt.NDArray[np.float64]

_SERIES = ("returns", "epsilon", "similarity", "held_out")
_FIELDS = (*_SERIES, "components", "best_action", "best_episode", "rivals", "goals")


@dataclass(frozen=True, eq=False)
class TrainingHistory:
    """The record of a training: one value an episode, and the best action found.

    Episodes are counted from 0. The arrays are copied in as float64 and cannot be written to.

    Raises:
        InputError: the arrays are not one-dimensional or not equally long, or `best_episode` is none of the episodes.

    >>> history = TrainingHistory(
    ...     returns=[0.1, 0.3], epsilon=[1.0, 0.9], similarity=[0.8, 0.9], held_out=[float("nan"), 0.85],
    ...     components={"price": [0.7, 0.9]}, best_action={"price_factor": 1.2}, best_episode=1,
    ... )
    >>> history.to_frame().round(2).to_dict("records")[1]
    {'episode': 1, 'return': 0.3, 'epsilon': 0.9, 'similarity': 0.9, 'held_out': 0.85, 'similarity_price': 0.9}
    """

    returns: Series
    """(episodes,) sum of rewards."""
    epsilon: Series
    """(episodes,) share of exploring actions."""
    similarity: Series
    """(episodes,) similarity, 0 to 1, of the finished table to its goal."""
    held_out: Series
    """(episodes,) mean similarity of greedily composed tables to held-out goals; NaN where not evaluated."""
    components: dict[str, Series]
    """Column -> (episodes,) similarity per component at the end of the episode."""
    best_action: dict[str, float]
    """Factor -> value; 1 leaves the factor's column alone."""
    best_episode: int
    """The episode whose policy was kept."""
    rivals: dict[str, float] = field(default_factory=dict)
    """Rival policy -> its similarity to the same held-out goals."""
    goals: int = 1
    """Goals that the episodes steer to in turn: a mean over so many episodes in a row moves by learning alone."""

    def __post_init__(self) -> None:
        for name in _SERIES:
            object.__setattr__(self, name, _series(getattr(self, name), name))
        parts = {column: _series(values, f"component {column!r}") for column, values in self.components.items()}
        object.__setattr__(self, "components", parts)
        _check_lengths(self)

    def __len__(self) -> int:
        """Return the number of episodes."""
        return len(self.returns)

    def to_frame(self) -> pd.DataFrame:
        """Return one row an episode: episode, return, epsilon, similarity, held_out, `similarity_<component>`..."""
        parts = {f"similarity_{column}": values for column, values in self.components.items()}
        whole = {"epsilon": self.epsilon, "similarity": self.similarity, "held_out": self.held_out}
        return pd.DataFrame({"episode": np.arange(len(self)), "return": self.returns, **whole, **parts})

    def to_json(self) -> dict[str, Any]:
        """Return the history as a value that strict JSON can hold (NaN as None); `from_json` reads it back exactly."""
        return {
            **{name: _nullable(getattr(self, name)) for name in _SERIES},
            "components": {column: _nullable(values) for column, values in self.components.items()},
            "best_action": _nullables(self.best_action),
            "best_episode": int(self.best_episode),
            "rivals": _nullables(self.rivals),
            "goals": int(self.goals),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any], where: str = "history") -> TrainingHistory:
        """Build a history from decoded JSON.

        Args:
            value: what `to_json` returned.
            where: the file it came from, for the error message.

        Raises:
            ModelFormatError: a field is missing, unknown, or not of its type.
        """
        _check_fields(value, where)
        try:
            return cls(
                **{name: _numbers(value[name]) for name in _SERIES},
                components={str(column): _numbers(values) for column, values in value["components"].items()},
                best_action=_named_numbers(value["best_action"]),
                best_episode=int(value["best_episode"]),
                rivals=_named_numbers(value["rivals"]),
                goals=int(value["goals"]),
            )
        except (AttributeError, TypeError, ValueError, InputError) as error:
            raise ModelFormatError(f"{where} is not a training history: {error}") from error


def _series(values: object, name: str) -> Series:
    """Return a float64 copy that cannot be written to."""
    series = np.array(values, dtype=np.float64)
    if series.ndim != 1:
        raise InputError(f"{name} must hold one number an episode; found an array of shape {series.shape}.")
    series.setflags(write=False)
    return series


def _check_lengths(history: TrainingHistory) -> None:
    lengths = {name: len(getattr(history, name)) for name in _SERIES}
    lengths |= {f"component {column!r}": len(values) for column, values in history.components.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(f"a history holds one value an episode in every series; found {found}.")
    if not 0 <= history.best_episode < max(len(history), 1):
        raise InputError(f"best_episode must be one of the {len(history)} episodes; found {history.best_episode}.")


def _check_fields(value: Mapping[str, Any], where: str) -> None:
    if not isinstance(value, Mapping) or set(value) != set(_FIELDS):
        found = ", ".join(map(str, value)) if isinstance(value, Mapping) else type(value).__name__
        raise ModelFormatError(f"{where} is not a training history: expected {', '.join(_FIELDS)}; found {found}.")


def _nullable(values: npt.ArrayLike) -> list[float | None]:
    """Return Python floats with None for whatever JSON has no number for (NaN, infinity)."""
    array = np.asarray(values, dtype=np.float64)
    return [float(x) if np.isfinite(x) else None for x in array]


def _numbers(values: list[float | None]) -> Series:
    """Undo `_nullable`."""
    return np.array([np.nan if x is None else float(x) for x in values], dtype=np.float64)


def _nullables(values: Mapping[str, float]) -> dict[str, float | None]:
    return dict(zip(values, _nullable(list(values.values())), strict=True))


def _named_numbers(values: Mapping[str, float | None]) -> dict[str, float]:
    return {str(name): float(number) for name, number in zip(values, _numbers(list(values.values())), strict=True)}

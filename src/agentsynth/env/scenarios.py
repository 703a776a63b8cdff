"""Scenarios: what a user wants of a table, stated over its columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agentsynth.data.schema import Schema
from agentsynth.data.values import label_of
from agentsynth.env.balancing import balance
from agentsynth.env.conditions import Subject, rows_where
from agentsynth.errors import ScenarioError

Floats = NDArray[np.float64]
_PERCENT = re.compile(r"^\s*([+-]\s*\d+(?:\.\d+)?)\s*%\s*$")


class Target(BaseModel):
    """What is wanted of one column, or of a datetime's `month`, `weekday` or `hour`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    share: dict[bool | str | int | float, float] = Field(default_factory=dict)
    """Label, number, date or range (`17-20`, `10..25.5`) -> wanted share of rows, 0 to 1."""
    mean: float | str | None = None
    """A number, or a change such as `+20%`."""
    std: float | str | None = None
    """A number, or a change; the mean stays, unless it has a target too."""
    median: float | str | None = None
    quantile: dict[float, float | str] = Field(default_factory=dict)
    """Level (0 to 1) -> value, or a change of it."""


class Scenario(BaseModel):
    """A named goal.

    `where` restricts the table to a slice; `targets` shift what is left, as little as meets them all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "scenario"
    where: str | list[str] | None = None
    """Condition, or several that must all hold; see `agentsynth.env.conditions.rows_where`."""
    targets: dict[str, Target] = Field(default_factory=dict)

    @classmethod
    def of(cls, value: Scenario | Mapping[str, Any], name: str = "scenario") -> Scenario:
        """Read a scenario from plain values.

        Raises:
            ScenarioError: it holds a word that the grammar does not have, or a value of the wrong type.
        """
        if isinstance(value, Scenario):
            return value
        if not isinstance(value, Mapping):
            raise ScenarioError(
                f"scenario {name!r}: expected a mapping of `where` and `targets`; found {type(value).__name__}."
            )
        try:
            return cls.model_validate({"name": name, **value})
        except ValidationError as error:
            problem = error.errors()[0]
            place = ".".join(str(part) for part in problem["loc"])
            raise ScenarioError(
                f"scenario {name!r}: {place}: {problem['msg']}. A scenario has `where` and `targets`; "
                f"a target has {', '.join(Target.model_fields)}."
            ) from error

    @classmethod
    def load(cls, path: str | Path) -> Scenario:
        """Read a scenario from a YAML or JSON file.

        Raises:
            ScenarioError: the file cannot be read, or is not a scenario.
        """
        try:
            value = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise ScenarioError(f"cannot read the scenario {path}: {error.strerror}.") from error
        except yaml.YAMLError as error:
            raise ScenarioError(f"{path} is not valid YAML or JSON: {error}") from error
        if not isinstance(value, Mapping):
            raise ScenarioError(f"{path} holds no scenario: expected `where` or `targets`.")
        return cls.of(value, Path(path).stem)

    def slice(self, frame: pd.DataFrame, schema: Schema) -> NDArray[np.bool_]:
        """Return the rows (rows,) of a typed frame that `where` lets through."""
        conditions = [self.where] if isinstance(self.where, str) else self.where or []
        masks = [rows_where(condition, frame, schema) for condition in conditions]
        found: NDArray[np.bool_] = np.logical_and.reduce([np.ones(len(frame), dtype=bool), *masks])
        return found

    def constraints(self, frame: pd.DataFrame, schema: Schema) -> list[Constraint]:
        """Return the targets as means of functions of the rows of a typed frame; changes start from its own values."""
        return [
            constraint
            for text, target in self.targets.items()
            for constraint in _constraints(Subject.of(text, schema), text, target, frame)
        ]


@dataclass(frozen=True)
class Constraint:
    """One number that the table should have.

    Attributes:
        name: e.g. `price mean`.
        values: (rows,) a function of each row whose mean is steered.
        mean: the wanted mean of `values`.
        wanted: the number as the user means it (e.g. the quantile's value).
        read: the number that a typed frame has.
    """

    name: str
    values: Floats
    mean: float
    wanted: float
    read: Callable[[pd.DataFrame], float]


def target_weights(constraints: list[Constraint], rows: int) -> Floats:
    """Return the weights (rows,) nearest to equal ones that meet the constraints as well as they can be met."""
    columns = np.column_stack([np.zeros((rows, 0)), *(constraint.values for constraint in constraints)])
    return balance(columns, np.array([constraint.mean for constraint in constraints], dtype=np.float64))


def _constraints(subject: Subject, text: str, target: Target, frame: pd.DataFrame) -> list[Constraint]:
    if subject.is_label and sum(target.share.values()) > 1 + 1e-9:
        total = sum(target.share.values())
        raise ScenarioError(f"the shares of {text!r} add up to {total:g}; at most 1 can be shared out.")
    found = [_share(subject, text, label_of(key), share, frame) for key, share in target.share.items()]
    if target.mean is not None or target.std is not None:
        found += _moments(subject, text, target, frame)
    quantiles = {**target.quantile, **({} if target.median is None else {0.5: target.median})}
    return found + [_quantile(subject, text, level, value, frame) for level, value in quantiles.items()]


def _share(subject: Subject, text: str, key: str, share: float, frame: pd.DataFrame) -> Constraint:
    if not 0 <= share <= 1:
        raise ScenarioError(f"the share of {text} = {key} must lie between 0 and 1; found {share:g}.")
    values = subject.matches(frame, key).astype(np.float64)
    read = lambda table: float(subject.matches(table, key).mean())  # noqa: E731  # as short as its siblings
    return Constraint(f"{text} {key} share", values, share, share, read)


def _moments(subject: Subject, text: str, target: Target, frame: pd.DataFrame) -> list[Constraint]:
    numbers, known = _numbers(subject, text, frame)
    now = float(known.mean())
    mean = now if target.mean is None else _changed(target.mean, now, text)
    # Missing values count as what is wanted, so that they neither help nor harm.
    values = np.where(np.isnan(numbers), mean, numbers)
    found = [Constraint(f"{text} mean", values, mean, mean, _reader(subject, np.mean))]
    if target.std is not None:
        std = _changed(target.std, float(known.std()), text)
        squares = np.where(np.isnan(numbers), std**2, np.square(numbers - mean))
        found.append(Constraint(f"{text} std", squares, std**2, std, _reader(subject, np.std)))
    return found


def _quantile(subject: Subject, text: str, level: float, value: float | str, frame: pd.DataFrame) -> Constraint:
    if not 0 < level < 1:
        raise ScenarioError(f"{text}: the level of a quantile lies between 0 and 1; found {level:g}.")
    numbers, known = _numbers(subject, text, frame)
    wanted = _changed(value, float(np.quantile(known, level)), text)
    below = np.where(np.isnan(numbers), level, numbers <= wanted)
    read = _reader(subject, lambda numbers: np.quantile(numbers, level))
    return Constraint(f"{text} quantile {level:g}", below, level, wanted, read)


def _reader(subject: Subject, statistic: Callable[[Floats], Any]) -> Callable[[pd.DataFrame], float]:
    """Return what reads a statistic of the subject's known numbers off a typed frame; NaN where it has none."""

    def read(table: pd.DataFrame) -> float:
        numbers = subject.numbers(table)
        known = numbers[~np.isnan(numbers)]
        return float(statistic(known)) if len(known) else float("nan")

    return read


def _numbers(subject: Subject, text: str, frame: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return the subject's numbers (rows,), and those that are not missing."""
    numbers = subject.numbers(frame)
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        raise ScenarioError(f"{text!r} has no values to steer.")
    return numbers, known


def _changed(value: float | str, now: float, text: str) -> float:
    """Return a target value: a number as it is, `+20%` as a change of `now`."""
    if not isinstance(value, str):
        return float(value)
    percent = _PERCENT.match(value)
    if not percent:
        raise ScenarioError(f"{text}: {value!r} is neither a number nor a change such as '+20%'.")
    return now * (1 + float(percent[1].replace(" ", "")) / 100)

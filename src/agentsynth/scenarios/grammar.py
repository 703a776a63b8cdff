"""The grammar of scenarios: what a user may write, in YAML, JSON or Python."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agentsynth.data.schema import Schema
from agentsynth.data.values import label_of
from agentsynth.errors import ScenarioError
from agentsynth.scenarios.conditions import Subject, rows_where
from agentsynth.scenarios.owned import OwnedRows
from agentsynth.yamltext import read_yaml

Change = float | str
"""A number, or a change of what the table has, such as `+20%`."""
Key = bool | str | int | float


_PERCENT = re.compile(r"^\s*([+-]\s*\d+(?:\.\d+)?)\s*%\s*$")


def factor_of(change: str) -> float | None:
    """Return what a change such as `+20%` multiplies by; None where it is none.

    >>> factor_of("+20%"), factor_of("- 5 %"), factor_of("20%")
    (1.2, 0.95, None)
    """
    percent = _PERCENT.match(change)
    return 1 + float(percent[1].replace(" ", "")) / 100 if percent else None


class Target(BaseModel):
    """What is wanted of one column.

    Of `price`; of a datetime's `month`, `weekday` or `hour` (`timestamp.hour`); or of the rows that meet a condition
    (`price where category = Books`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    share: dict[Key, Change] = Field(default_factory=dict)
    """Label, number, date or range (`17-20`, `10..25.5`) -> wanted share of rows, 0 to 1."""
    mean: Change | None = None
    total: Change | None = None
    """Sum over the table."""
    std: Change | None = None
    """The mean stays, unless it has a target too."""
    median: Change | None = None
    quantile: dict[float, Change] = Field(default_factory=dict)
    """Level (0 to 1) -> value."""
    gini: Change | None = None
    """Gini coefficient: 0, all rows have the same, to 1, one has it all."""
    top_share: dict[float, Change] = Field(default_factory=dict)
    """Part of the rows, the largest (0.1: the top tenth) -> its share of the total."""
    correlation: dict[str, Change] = Field(default_factory=dict)
    """Other column -> Pearson's correlation with it."""
    ratio: dict[str, Change] = Field(default_factory=dict)
    """Two groups, `condition / condition` -> mean of the first over the mean of the second."""


class Scenario(BaseModel):
    """A named goal.

    `where` restricts the table to a slice, `temperature` makes rarer rows likelier, `targets`, `shares` and
    `functions` shift what is left, as little as meets them all; `fixed` columns are held, `scale` changes values.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = "scenario"
    where: str | list[str] | None = None
    """Condition, or several that must all hold; see `agentsynth.scenarios.conditions.rows_where`."""
    targets: dict[str, Target] = Field(default_factory=dict)
    shares: dict[str, Change] = Field(default_factory=dict)
    """Condition over any columns -> wanted share of rows that meet it."""
    functions: dict[str, Change] = Field(default_factory=dict)
    """Name of a function of the table, given from Python -> its wanted value."""
    temperature: Annotated[float, Field(ge=0.2, le=5)] = 1.0
    """Above 1 rare rows are likelier, below 1 typical ones: a row of density p is drawn as if it had p^(1 / T)."""
    fixed: dict[str, Key | None] = Field(default_factory=dict)
    """Column -> the value that it is held to, null: missing; the others follow as they do in rows that have it."""
    scale: dict[str, Change] = Field(default_factory=dict)
    """Numeric column -> factor, or change such as `+10%`, of all its values, rounded as the column is; derived
    columns are recomputed. Targets are stated over the scaled values, `where` over the table's own. Whole numbers stay
    whole (halves go to the even one), so that small ones may not move: 1 times 1.1 is 1."""

    @classmethod
    def of(cls, value: Scenario | Mapping[str, object], name: str = "scenario") -> Scenario:
        """Read a scenario from plain values.

        Raises:
            ScenarioError: it holds a word that the grammar does not have, or a value of the wrong type.
        """
        if isinstance(value, Scenario):
            return value
        words = ", ".join(field for field in cls.model_fields if field != "name")
        if not isinstance(value, Mapping):
            raise ScenarioError(f"scenario {name!r}: expected a mapping of {words}; found {type(value).__name__}.")
        try:
            return cls.model_validate({"name": name, **value})
        except ValidationError as error:
            # Of the types that a value may have, the one that says most: .inf is no boolean, but that helps nobody.
            problem = next((p for p in error.errors() if p["type"] == "finite_number"), error.errors()[0])
            place = ".".join(str(part) for part in problem["loc"])
            raise ScenarioError(
                f"scenario {name!r}: {place}: {problem['msg']} (found {reprlib.repr(problem['input'])}). "
                f"A scenario has {words}; a target has {', '.join(Target.model_fields)}."
            ) from error

    @classmethod
    def load(cls, path: str | Path) -> Scenario:
        """Read a scenario from a YAML or JSON file.

        Raises:
            ScenarioError: the file cannot be read, or is not a scenario.
        """
        value = read_yaml(path, ScenarioError)
        if not isinstance(value, Mapping):
            raise ScenarioError(f"{path} holds no scenario: expected `where`, `targets` or another of its words.")
        return cls.of(value, Path(path).stem)

    def slice(self, frame: pd.DataFrame, schema: Schema, rows: OwnedRows | None = None) -> NDArray[np.bool_]:
        """Return the rows (rows,) of a typed frame that `where` lets through and that have the `fixed` values.

        Args:
            frame: of rows, or of entities.
            schema: of it.
            rows: of entities: a condition that is about these chooses the entities with a row that meets it.
        """
        conditions = [self.where] if isinstance(self.where, str) else self.where or []
        masks = [
            rows_where(condition, frame, schema)
            if rows is None or not rows.is_meant(condition, schema)
            else rows.owners(condition, len(frame))
            for condition in conditions
        ]
        masks += [_has(frame[Subject.of(name, schema).column.name], value) for name, value in self.fixed.items()]
        found: NDArray[np.bool_] = np.logical_and.reduce([np.ones(len(frame), dtype=bool), *masks])
        return found


def _has(series: pd.Series[Any], value: Key | None) -> NDArray[np.bool_]:
    """Return the rows (rows,) of a typed column that have a value: a label, a number, or missing."""
    labels = series.map(label_of, na_action="ignore")
    found: NDArray[np.bool_] = (labels.isna() if value is None else labels == label_of(value)).to_numpy(dtype=bool)
    return found

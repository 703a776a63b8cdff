"""The rows that targets are stated over, and what a target becomes on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.schema import Schema
from agentsynth.env.margins import numbers_of
from agentsynth.errors import ScenarioError
from agentsynth.scenarios.conditions import ASPECTS, rows_where
from agentsynth.scenarios.constraints import Constraint, Moments, Rows
from agentsynth.scenarios.grammar import Change, factor_of
from agentsynth.scenarios.measured import Measured

Floats = NDArray[np.float64]
Combine = Callable[[Floats], float]
C = TypeVar("C", bound=Constraint)
Function = Callable[[pd.DataFrame], float]
"""A user's own measure of a typed frame."""
RELATIVE, ABSOLUTE = 0.02, 0.01
"""A number is reached if it is this near: in relation to what is wanted; shares and correlations: by so much."""


@dataclass(frozen=True)
class Table:
    """The rows that constraints are stated over.

    Attributes:
        frame: typed frame with derived columns.
        schema: its schema, with the labels of every column.
        rows: rows of the table that is wanted (for totals).
        weights: (rows,) of the frame: what it stands for before anything is steered; changes such as `+20%` start
            from what it has under them.
        now: name -> number that changes start from instead, where known.
        functions: name -> the user's own measures.
    """

    frame: pd.DataFrame
    schema: Schema
    rows: int
    weights: Floats
    now: Mapping[str, float] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)

    def where(self, condition: str | None) -> Callable[[pd.DataFrame], Floats]:
        """Return what marks the rows of a frame that meet a condition with 1, others with 0; None: all."""
        if condition is None:
            return lambda frame: np.ones(len(frame))
        return lambda frame: rows_where(condition, frame, self.schema).astype(np.float64)

    def moments(
        self,
        name: str,
        wanted: Change,
        features: Callable[[pd.DataFrame], list[Floats]],
        combine: Combine,
        *,
        bounded: bool = False,
        scale: float = 1.0,
    ) -> Moments:
        """Return the constraint that `combine` of the means of `features`, times `scale`, is `wanted`."""
        combined: Combine = (lambda means: scale * combine(means)) if scale != 1.0 else combine

        def read(frame: pd.DataFrame) -> float:
            with np.errstate(divide="ignore", invalid="ignore"):
                return float(combined(np.column_stack(features(frame)).mean(axis=0)))

        columns = np.column_stack(features(self.frame))
        return self.aimed(Moments(name, 0.0, 0.0, read, 0.0, 0.0, columns, combined), wanted, bounded=bounded)

    def measured(
        self, name: str, wanted: Change, measure: Callable[[Rows], float], read: Function, *, bounded: bool = False
    ) -> Measured:
        """Return the constraint that `measure` of some rows, read off a finished frame by `read`, is `wanted`."""
        self.check_measurable(name)
        blank = Measured(name, 0.0, 0.0, read, 0.0, 0.0, measure, self.descriptors)
        return self.aimed(blank, wanted, bounded=bounded)

    def aimed(self, constraint: C, wanted: Change, *, bounded: bool) -> C:
        """Return a constraint whose number is to be `wanted`, and steered as it is meant."""
        aim = self.changed(constraint, wanted)
        tolerance = self.tolerance(aim, bounded)
        return replace(constraint, wanted=aim, tolerance=tolerance, aim=aim, unit=tolerance)

    def check_measurable(self, name: str) -> None:
        """Raise ScenarioError where what is no function of means cannot be steered."""

    def changed(self, constraint: Constraint, value: Change) -> float:
        """Return a target value: a number as it is, `+20%` as a change of what the table has now."""
        if not isinstance(value, str):
            return float(value)
        factor = factor_of(value)
        if factor is None:
            raise ScenarioError(f"{constraint.name}: {value!r} is neither a number nor a change such as '+20%'.")
        now = self.now[constraint.name] if constraint.name in self.now else constraint.value(self.weights)
        if np.isnan(now):
            raise ScenarioError(f"{constraint.name}: the table has none now, so {value!r} has nothing to start from.")
        return now * factor

    def tolerance(self, wanted: float, bounded: bool) -> float:
        """Return how far from `wanted` counts as reached."""
        return ABSOLUTE if bounded else max(RELATIVE * abs(wanted), 1e-9)

    @cached_property
    def descriptors(self) -> Floats:
        """What each row is like (rows, features): numbers, moments and their calendar, codes of labels."""
        columns: list[Floats] = []
        for column in self.schema.by_name.compared:
            series = self.frame[column.name]
            if column.is_label:
                columns.append(pd.factorize(series)[0].astype(np.float64))
                continue
            columns += [numbers_of(series, aspect) for aspect in ("value", *(ASPECTS if column.is_datetime else ()))]
        return np.nan_to_num(np.column_stack(columns), nan=-1.0)

"""Derived columns: computing them, exactly, from the columns they follow from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.dates import floor_to_step
from agentsynth.data.lookup import look_up
from agentsynth.data.rounding import round_to
from agentsynth.data.schema import Column, Formula, Unit
from agentsynth.errors import SchemaError

Floats: TypeAlias = NDArray[np.float64]
MICROSECONDS = {"day": 86_400_000_000, "hour": 3_600_000_000, "minute": 60_000_000, "second": 1_000_000}
"""Length of each unit of a duration."""


def compute(column: Column, frame: pd.DataFrame) -> pd.Series[Any]:
    """Compute a derived column, rounded to its decimals or step, from a typed frame that has its inputs.

    Returns:
        (n,) float64, or datetime64[us] for a `shift`, or what a `lookup` gives; missing where an input is missing.

    Raises:
        SchemaError: there is no formula, or the table of a lookup does not fit.
    """
    formula = column.formula
    if formula is None:
        raise SchemaError(f"derived column {column.name!r} has no formula: give it one, or another kind.")
    if formula.operation == "shift":
        shifted = pd.Series(_shift(formula, frame), index=frame.index)
        return floor_to_step(shifted, column.step or "microsecond").rename(column.name)
    if formula.operation == "lookup":
        return look_up(formula, determinant(formula, frame)).rename(column.name)
    values = raw_values(formula, frame)
    rounded = round_to(np.where(np.isfinite(values), values, np.nan), column.decimals, formula.rounding)
    return pd.Series(rounded, index=frame.index, name=column.name)


def determinant(formula: Formula, frame: pd.DataFrame) -> pd.Series[Any]:
    """Return what a lookup looks up (n,): its input, or the part of it that its unit says, as numbers."""
    keys = frame[formula.inputs[0]]
    return keys if formula.unit is None else pd.Series(calendar_part(keys, formula.unit), keys.index, name=keys.name)


def raw_values(formula: Formula, frame: pd.DataFrame) -> Floats:
    """Compute a numeric formula, (n,) not rounded; not finite where an input is missing or a division by zero."""
    if formula.operation == "calendar":
        return calendar_part(frame[formula.inputs[0]], formula.unit or "year") + formula.intercept
    if formula.operation == "duration":
        start, end = (frame[name].to_numpy(dtype="datetime64[us]") for name in reversed(formula.inputs))
        return duration(end - start, formula.unit or "second") + formula.intercept
    inputs = [frame[name].to_numpy(dtype=np.float64) for name in formula.inputs]
    return combine(formula, inputs)


def combine(formula: Formula, inputs: Sequence[Floats]) -> Floats:
    """Compute a product, ratio or linear formula from its inputs, each (n,)."""
    if formula.operation == "linear":
        return _linear(formula, inputs)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        value = inputs[0] / inputs[1] if formula.operation == "ratio" else np.multiply.reduce(inputs)
    coefficient = formula.coefficients[0]
    return value if coefficient == 1 else coefficient * value


def _linear(formula: Formula, inputs: Sequence[Floats]) -> Floats:
    """Add up from left to right, without multiplying by 1: float sums come out as the user's own did."""
    terms = [x if c == 1 else c * x for c, x in zip(formula.coefficients, inputs, strict=True)]
    total = terms[0].copy()
    for term in terms[1:]:
        total += term
    return total + formula.intercept if formula.intercept else total


def duration(difference: NDArray[np.timedelta64], unit: str) -> Floats:
    """Return time differences (n,) as numbers of `unit`; NaN where missing."""
    microseconds = difference.astype("timedelta64[us]").astype(np.int64).astype(np.float64)
    return np.where(np.isnat(difference), np.nan, microseconds / MICROSECONDS[unit])


def calendar_part(moments: pd.Series[pd.Timestamp], unit: Unit) -> Floats:
    """Return a part (n,) of datetimes, such as the year, the quarter (1 to 4) or the weekday (Monday is 0)."""
    name = "day_of_week" if unit == "weekday" else unit
    return np.asarray(getattr(moments.dt, name).to_numpy(dtype=np.float64, na_value=np.nan))


def _shift(formula: Formula, frame: pd.DataFrame) -> NDArray[np.datetime64]:
    """Move a datetime by a number of units (a column, and the intercept)."""
    start = frame[formula.inputs[0]].to_numpy(dtype="datetime64[us]")
    by = np.full(len(frame), formula.intercept)
    if len(formula.inputs) > 1:
        by = by + formula.coefficients[0] * frame[formula.inputs[1]].to_numpy(dtype=np.float64)
    missing = np.isnan(by)
    step = np.rint(np.where(missing, 0.0, by) * MICROSECONDS[formula.unit or "second"]).astype("timedelta64[us]")
    return np.where(missing, np.datetime64("NaT", "us"), start + step)


def in_order(columns: Mapping[str, Column]) -> list[Column]:
    """Return derived columns (by name) so that each stands after the derived columns it is computed from.

    Raises:
        SchemaError: they depend on each other in a circle.
    """
    done: list[Column] = []
    waiting = dict(columns)
    while waiting:
        ready = [c for c in waiting.values() if not any(name in waiting for name in _inputs(c))]
        if not ready:
            raise SchemaError(f"derived columns depend on each other in a circle: {', '.join(waiting)}.")
        done += ready
        waiting = {name: c for name, c in waiting.items() if c not in ready}
    return done


def _inputs(column: Column) -> tuple[str, ...]:
    return column.formula.inputs if column.formula else ()

"""Lower bounds: columns that are never below others on the same row (a delivery never before its order)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.dates import UNITS
from agentsynth.data.rounding import round_to
from agentsynth.data.schema import Column, Schema
from agentsynth.errors import SchemaError

Floats: TypeAlias = NDArray[np.float64]
Values: TypeAlias = NDArray[Any]
"""(n,) float64, or datetime64[us]."""
Frame: TypeAlias = pd.DataFrame | Mapping[str, Any]


def least(column: Column, frame: Frame) -> Values:
    """Return the least value (n,) that a column may have on each row of a typed frame, missing where a bound is.

    It is the largest of its bounds, rounded up to the column's decimals or step, so that what is added to it in whole
    units is a value that the column can have.
    """
    largest = largest_bound(column, frame)
    return _ceiled_moments(largest, column) if column.is_datetime else _ceiled(largest, column.decimals)


def largest_bound(column: Column, frame: Frame) -> Values:
    """Return the largest of a column's bounds (n,) on each row of a typed frame; missing where one is."""
    largest: Values = np.maximum.reduce([np.asarray(frame[name]) for name in column.above])
    return largest.astype(_unit(column)).astype("datetime64[us]") if column.by_step else largest


def _ceiled(values: Floats, decimals: int | None) -> Floats:
    if decimals is None:
        return values
    rounded = np.round(values, decimals)
    upward = np.where(rounded < values, np.round(rounded + 10.0**-decimals, decimals), rounded)
    # Of huge numbers the last decimal is finer than a float: then the bound itself must do.
    return np.maximum(upward, values)


def _ceiled_moments(values: Values, column: Column) -> Values:
    whole = values.astype(_unit(column))
    return np.where(whole.astype("datetime64[us]") < values, whole + 1, whole).astype("datetime64[us]")


def _unit(column: Column) -> str:
    return f"datetime64[{UNITS[column.step or 'microsecond']}]"


def steps_since(values: Values, column: Column, start: Values | np.datetime64 | None = None) -> Floats:
    """Return datetimes (n,) in the column's steps since `start`, else since 1970; NaN where either is missing."""
    unit = _unit(column)
    origin = np.datetime64(0, "us") if start is None else start
    steps = values.astype(unit) - origin.astype(unit)
    return np.where(np.isnat(steps), np.nan, steps.astype(np.int64))


def excess(column: Column, frame: Frame) -> Floats:
    """Return how far a column (n,) lies above the least it may be; datetimes in the column's steps."""
    values, bottom = np.asarray(frame[column.name]), least(column, frame)
    return steps_since(values, column, bottom) if column.is_datetime else round_to(values - bottom, column.decimals)


def with_excess(column: Column, above: Floats, frame: Frame, most: float, smallest: float = -np.inf) -> Values:
    """Return the column (n,) that has this excess: the inverse of `excess`, but within `smallest` and `most`.

    Args:
        column: a column with bounds.
        above: (n,) its excess.
        frame: its bounds.
        most: its largest value (datetimes: in steps since 1970), which only its bounds may exceed.
        smallest: its smallest value, likewise.
    """
    bottom = least(column, frame)
    if not column.is_datetime:
        return np.maximum(bottom, np.clip(round_to(bottom + above, column.decimals), smallest, most))
    since = steps_since(bottom, column)
    steps = np.maximum(np.minimum(above, np.maximum(most - since, 0.0)), smallest - since)
    unit = _unit(column)
    whole = bottom.astype(unit) + np.where(np.isnan(steps), 0, steps).astype(np.int64)
    return np.where(np.isnan(steps), np.datetime64("NaT"), whole.astype("datetime64[us]"))


def raised(column: Column, values: Values, frame: Frame, known: Values, most: float) -> Values:
    """Return a column (n,), where it falls below its bounds raised to the nearest value that it may have.

    Numbers are raised to the next value of the training rows, so that price points and whole tens stay what they are;
    datetimes to as far above their bound as they were below it.

    Args:
        column: a column with bounds.
        values: (n,) its values.
        frame: its bounds.
        known: numbers: (levels,) sorted values of the training rows.
        most: datetimes: the largest one, in steps since 1970.
    """
    bottom = least(column, frame)
    below = values < bottom
    if column.is_datetime:
        mirrored = -steps_since(values, column, bottom)
        lifted = with_excess(column, np.where(below, mirrored, 0.0), frame, most)
    else:
        # Where a column is missing its bound may lie beyond it: there is no value to be raised to then but the bound.
        upward = np.append(known, -np.inf)[np.searchsorted(known, bottom)]
        lifted = np.maximum(bottom, upward)
    missing = np.isnat(bottom) if column.is_datetime else np.isnan(bottom)
    return np.where(below, lifted, np.where(missing, bottom, values))


def bounds_first(columns: Sequence[Column]) -> list[Column]:
    """Return the columns of a table so that each stands after its bounds, and else in the order they had.

    Raises:
        SchemaError: a bound is not among the columns, is of another kind, or columns bound each other in a circle.
    """
    given = {column.name: column for column in columns}
    for column in columns:
        for name in column.above:
            _check_bound(column, name, given)
    done: dict[str, Column] = {}
    waiting = dict(given)
    while waiting:
        ready = next((c for c in waiting.values() if all(name in done for name in c.above)), None)
        if ready is None:
            raise SchemaError(f"columns are above each other in a circle: {', '.join(waiting)}. Leave one `above` out.")
        done[ready.name] = waiting.pop(ready.name)
    return list(done.values())


def _check_bound(column: Column, name: str, given: Mapping[str, Column]) -> None:
    bound = given.get(name)
    if bound is None:
        raise SchemaError(
            f"column {column.name!r} shall be above {name!r}, which is no column that is modelled; there are "
            f"{', '.join(given)}."
        )
    if bound.kind != column.kind or column.kind not in ("numeric", "datetime"):
        raise SchemaError(
            f"column {column.name!r} ({column.kind}) shall be above {name!r} ({bound.kind}): both must be numeric, or "
            f"both datetimes."
        )


def check_bounds(frame: pd.DataFrame, columns: Schema | Iterable[Column]) -> None:
    """Check that no row of a typed frame has a column below its bounds, or where one of them is missing.

    Raises:
        SchemaError: a row has; the message names it.
    """
    for column in columns:
        for name in column.above:
            alone = column.model_copy(update={"above": (name,)})
            values, bound = frame[column.name], pd.Series(largest_bound(alone, frame), frame.index)
            wrong = values.notna() & ~(values >= bound)
            if wrong.any():
                row = int(np.argmax(wrong.to_numpy()))
                step = f", compare by the {column.step} (`by_step: true`)" if column.is_datetime else ""
                raise SchemaError(
                    f"column {column.name!r} shall never be below {name!r}, but in row {row + 1} it is "
                    f"{values.iloc[row]}, and {name!r} is {bound.iloc[row]} ({int(wrong.sum())} such rows). Correct "
                    f"the table{step}, or leave {name!r} out of the column's `above`."
                )

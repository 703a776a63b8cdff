"""The typed frame, the form that everything works on, and back: exact in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from agentsynth.data.casting import cast_to
from agentsynth.data.formulas import compute, in_order
from agentsynth.data.ids import ALL, NONE, Integers, Share, make_ids
from agentsynth.data.schema import Column, Schema
from agentsynth.data.values import restore, to_datetimes, to_labels, to_numbers
from agentsynth.errors import SchemaError
from agentsynth.seeding import stream


def typed(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return a table in the form that everything works on.

    Numeric columns become float64 (NaN missing); datetime columns, also those held as text, datetime64[us] without a
    time zone (wall clock; NaT missing); categorical columns object dtype of labels (None missing; True is "True",
    3 and 3.0 are "3"). Id and constant columns stay as they are. Derived columns are any of the three.

    Args:
        frame: (n, p) table; columns that the schema does not have are left out.
        schema: what the columns are.

    Returns:
        (n, q) table: the schema's columns in the schema's order; index 0 to n-1.

    Raises:
        SchemaError: a column is missing, or holds values that do not fit its kind; the message names column and rows.
    """
    missing = [name for name in schema.names if name not in frame.columns]
    if missing:
        raise SchemaError(
            f"the table has no column {', '.join(map(repr, missing))}; the schema asks for it. The table has "
            f"{', '.join(map(str, frame.columns))}."
        )
    plain = frame.reset_index(drop=True)
    return pd.DataFrame({column.name: _typed(plain[column.name], column) for column in schema}, index=plain.index)


def _typed(series: pd.Series[Any], column: Column) -> pd.Series[Any]:
    if column.is_label:
        return to_labels(series)
    if column.is_datetime:
        return to_datetimes(series, column)
    if column.is_numeric:
        return to_numbers(series)
    return series


def add_derived(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return a typed frame with its derived columns computed anew, rounded to their decimals.

    Args:
        frame: (n, p) typed frame with at least the modelled columns.
        schema: what the columns are.

    Returns:
        (n, q) typed frame: the columns of `frame` and the derived ones, in the schema's order; same index.

    Raises:
        SchemaError: a column that a formula needs is missing.
    """
    full = frame.copy()
    for column in in_order({column.name: column for column in schema.of_kind("derived")}):
        absent = [name for name in (column.formula.inputs if column.formula else ()) if name not in full.columns]
        if absent:
            raise SchemaError(f"derived column {column.name!r} is computed from {absent[0]!r}, which the table lacks.")
        full[column.name] = compute(column, full)
    return full[[name for name in schema.names if name in full.columns]]


def finish(
    frame: pd.DataFrame, schema: Schema, seed: int, share: Share = ALL, entities: Mapping[str, Integers] = NONE
) -> pd.DataFrame:
    """Return a typed frame in the form the schema's table has: the inverse of `typed`.

    Derived columns are computed from the others, constants filled in, ids made anew, and decimals, calendar steps,
    text formats, time zones and dtypes given back. Where the schema's table stands in the order of a datetime, so
    does the result.

    Args:
        frame: (n, p) typed frame with at least the modelled columns.
        schema: what the columns are.
        seed: the same seed makes the same ids.
        share: the ids that may be given, where the frame is a part of a table.
        entities: id column -> (n,) the number of the entity that each row belongs to, where that is settled.

    Returns:
        (n, q) table: the schema's columns in the schema's order; index 0 to n-1.

    Raises:
        SchemaError: a modelled column is missing, or a value does not fit its column.
    """
    missing = [column.name for column in schema.modelled if column.name not in frame.columns]
    if missing:
        raise SchemaError(f"the typed frame has no column {', '.join(map(repr, missing))}; the schema asks for it.")
    full = _sorted(add_derived(frame.reset_index(drop=True), schema), schema)
    owners = {name: numbers[full.index] for name, numbers in entities.items()}
    full = full.reset_index(drop=True)
    finished = {column.name: restore(full[column.name], column) for column in schema.compared}
    finished |= {column.name: _constant(column, len(full)) for column in schema.of_kind("constant")}
    finished |= make_ids(full, schema.by_name.of_kind("id"), stream(seed, "ids"), share, owners)
    return pd.DataFrame({name: finished[name] for name in schema.names}, index=full.index)


def _sorted(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Order rows by the first datetime column that the schema's table is in order of; ties stay as they were."""
    ordering = [column.name for column in schema if column.is_datetime and column.ordered]
    return frame.sort_values(ordering[0], kind="stable") if ordering else frame


def _constant(column: Column, rows: int) -> pd.Series[Any]:
    """Return (rows,) of the column's one value in its dtype."""
    if column.value is None:
        return pd.Series([np.nan if column.dtype.startswith("float") else None] * rows, dtype=column.dtype)
    if column.dtype == "category":
        levels = list(column.levels or (column.value,))
        return pd.Series([column.value] * rows, dtype=pd.CategoricalDtype(levels, ordered=column.ordered))
    if column.dtype.startswith("datetime64"):
        moment = pd.Timestamp(str(column.value))
        return cast_to(pd.Series([moment] * rows), column.dtype)
    if column.dtype == "object" and column.step is not None:
        return pd.Series([pd.Timestamp(str(column.value)).date()] * rows, dtype=object)
    return pd.Series([column.value] * rows, dtype=column.dtype)

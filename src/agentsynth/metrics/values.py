"""Columns of a typed frame as plain arrays, by kind."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.schema import Schema

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
ValueKind = Literal["numeric", "datetime", "categorical"]


def kind_of(column: pd.Series[Any]) -> ValueKind:
    """Return what the values of a typed column are; derived columns are told by their dtype too."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "datetime"
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return "numeric"
    return "categorical"


def numbers(column: pd.Series[Any]) -> Floats:
    """Return a numeric or datetime column as float64, missing as NaN; datetimes as seconds since 1970."""
    if kind_of(column) == "datetime":
        since = column.to_numpy(dtype="datetime64[us]").astype(np.int64).astype(np.float64) / 1e6
        return np.where(column.isna().to_numpy(), np.nan, since)
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def pooled_codes(first: pd.Series[Any], second: pd.Series[Any]) -> tuple[Integers, Integers, int]:
    """Code two categorical columns alike.

    Returns:
        Codes of `first` and of `second` (missing is a level of its own), and the number of levels in both.
    """
    both = pd.concat([first.astype(object), second.astype(object)], ignore_index=True)
    codes, levels = pd.factorize(both, use_na_sentinel=False)
    codes = np.asarray(codes, dtype=np.int64)
    return codes[: len(first)], codes[len(first) :], len(levels)


CALENDAR_PARTS = ("month", "day", "day_of_week", "hour", "minute", "second")


def calendar_part(column: pd.Series[Any], part: str) -> Floats:
    """Return one of `CALENDAR_PARTS` of a datetime column as float64, missing as NaN."""
    values: Floats = getattr(column.dt, part).to_numpy(dtype=np.float64, na_value=np.nan)
    return values


def compared(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return the compared columns of a typed frame, numbers rounded to the schema's decimals.

    Rounding makes equal what is written alike (0.1 + 0.2 and 0.3), which ties, atoms and copies depend on.
    """
    chosen = frame[[column.name for column in schema.compared]].copy()
    for column in schema.compared:
        if column.decimals is not None and kind_of(chosen[column.name]) == "numeric":
            chosen[column.name] = chosen[column.name].round(column.decimals)
    return chosen

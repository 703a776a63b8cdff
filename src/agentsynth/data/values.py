"""One column at a time, between the form a table has it in and the form the typed frame has it in."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from agentsynth.data.casting import cast_to
from agentsynth.data.dates import floor_to_step, parse_dates, write_dates
from agentsynth.data.numbertext import write_numbers
from agentsynth.data.rounding import round_to
from agentsynth.data.schema import Column, NumberText
from agentsynth.errors import SchemaError

Floats: TypeAlias = NDArray[np.float64]
LARGEST = 1e304
"""Numbers beyond leave no room for the sums and roundings that are made of them."""
SHOWN = 3
"""Offending rows an error message shows."""


def label_of(value: object) -> str:
    """Return the label of a value of a categorical column: what `str` has, but 3.0 as "3", and bytes as base64.

    >>> label_of(True), label_of(3.0), label_of(2.5), label_of("007"), label_of(b"PNG")
    ('True', '3', '2.5', '007', 'UE5H')
    """
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def to_labels(series: pd.Series[Any]) -> pd.Series[str]:
    """Return a categorical column (n,) as labels: object dtype of str, None where missing."""
    codes, values = pd.factorize(series)
    labels = np.array([*(label_of(value) for value in values), None], dtype=object)
    return pd.Series(labels[codes], index=series.index, name=series.name, dtype=object)


def to_numbers(series: pd.Series[Any]) -> pd.Series[float]:
    """Return a column (n,) of numbers, or of text that reads as numbers, as float64, NaN where missing.

    Raises:
        SchemaError: a value is not a finite number, or is beyond `LARGEST`; the message names column and rows.
    """
    read = series if types.is_numeric_dtype(series.dtype) else pd.to_numeric(series.astype(object), errors="coerce")
    numbers = pd.Series(read.to_numpy(dtype=np.float64, na_value=np.nan), index=series.index, name=series.name)
    _refuse(series, (numbers.isna() & series.notna()).to_numpy(), "is numeric, but holds values that are not numbers")
    _refuse(series, np.isinf(numbers.to_numpy()), "holds infinite numbers (replace them by missing values)")
    huge = np.abs(numbers.to_numpy()) > LARGEST
    _refuse(
        series, huge, f"holds numbers beyond {LARGEST:.0e} (count in a larger unit, or replace them by missing ones)"
    )
    return numbers


def to_datetimes(series: pd.Series[Any], column: Column) -> pd.Series[pd.Timestamp]:
    """Return a column (n,) of datetimes, dates, or text in the column's format, as naive datetime64[us].

    Datetimes of a time zone become the wall clock of the column's zone.

    Raises:
        SchemaError: a value cannot be read as a datetime; the message names column and rows.
    """
    if types.is_datetime64_any_dtype(series.dtype):
        return _wall_clock(series, column.timezone).astype("datetime64[us]")
    if types.is_numeric_dtype(series.dtype) and series.notna().any():
        raise SchemaError(
            f"column {series.name!r} is a datetime in the schema, but holds numbers here ({series.dtype})."
        )
    if column.format is not None:
        read = parse_dates(series.astype("string").astype(object), column.format)
        form = f"has the format {column.format}"
    else:
        read = pd.to_datetime(series.astype(object), format="ISO8601", errors="coerce", utc=column.timezone is not None)
        read = _wall_clock(read, column.timezone).astype("datetime64[us]")
        form = "is a datetime"
    _refuse(series, (read.isna() & series.notna()).to_numpy(), f"{form}, but holds values that cannot be read as such")
    return pd.Series(read, name=series.name)


def _wall_clock(series: pd.Series[Any], timezone: str | None) -> pd.Series[Any]:
    if getattr(series.dtype, "tz", None) is None:
        return series
    local: pd.Series[Any] = (series.dt.tz_convert(timezone) if timezone else series).dt.tz_localize(None)
    return local


def _refuse(series: pd.Series[Any], wrong: NDArray[np.bool_], what: str) -> None:
    """Raise, with the first wrong values and their rows, if there are any."""
    if not wrong.any():
        return
    rows = np.flatnonzero(wrong)
    shown = ", ".join(f"{plain(series.iloc[row])!r} in row {row + 1}" for row in rows[:SHOWN])
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    raise SchemaError(
        f"column {series.name!r} {what}: {shown}{more}. Correct the table, or give the column another "
        f"kind in the schema."
    )


def plain(value: Any) -> Any:
    """Return numpy's scalars as Python's."""
    return value.item() if isinstance(value, np.generic) else value


def restore(series: pd.Series[Any], column: Column) -> pd.Series[Any]:
    """Return a column (n,) of the typed frame in the form that the schema's table has it in.

    Raises:
        SchemaError: a value does not fit that form; the message names the column.
    """
    if column.is_datetime:
        return _restore_datetimes(series, column)
    if column.is_numeric:
        return _restore_numbers(series, column)
    return _restore_labels(series, column)


def _restore_numbers(series: pd.Series[Any], column: Column) -> pd.Series[Any]:
    values = round_to(series.to_numpy(dtype=np.float64), column.decimals)
    dtype = types.pandas_dtype(column.dtype)
    if types.is_string_dtype(dtype) and not types.is_numeric_dtype(dtype):
        # Text that was written in several ways comes back in one.
        form = column.text or NumberText(decimals=max(column.decimals or 0, 0))
        return pd.Series(write_numbers(values, form), index=series.index, name=column.name, dtype=dtype)
    if types.is_integer_dtype(dtype):
        return _integers(pd.Series(values, index=series.index, name=column.name), column)
    return _cast(pd.Series(values, index=series.index, name=column.name), column)


def _cast(series: pd.Series[Any], column: Column) -> pd.Series[Any]:
    """Return a column in its dtype; only a schema that was changed by hand has one that does not fit its kind."""
    try:
        return cast_to(series, column.dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise SchemaError(
            f"column {column.name!r} is {column.kind} and cannot be given back as {column.dtype}: correct the schema."
        ) from error


def _integers(values: pd.Series[float], column: Column) -> pd.Series[Any]:
    dtype = types.pandas_dtype(column.dtype)
    machine_type: Any = getattr(dtype, "numpy_dtype", dtype)
    if values.isna().any() and isinstance(dtype, np.dtype):
        raise SchemaError(
            f"column {column.name!r} has missing values, but its dtype {column.dtype} cannot hold them: "
            f"the schema's table had none."
        )
    limits = np.iinfo(machine_type)
    # The largest int64 is no float; the next smaller float is.
    highest = np.nextafter(float(limits.max), 0) if float(limits.max) > limits.max else float(limits.max)
    return cast_to(values.round().clip(float(limits.min), float(highest)), column.dtype)


def _restore_datetimes(series: pd.Series[Any], column: Column) -> pd.Series[Any]:
    values = series.astype("datetime64[us]")
    if column.step is not None:
        values = floor_to_step(values, column.step)
    if column.format is not None:
        return _cast(write_dates(values, column.format), column)
    if column.dtype == "object":
        days: list[date | None] = [None if pd.isna(value) else value.date() for value in values]
        return pd.Series(days, index=series.index, name=column.name, dtype=object)
    if column.timezone is not None:
        # The hour that the clocks skip in spring moves forward; the hour that they repeat in autumn is read as winter.
        winter = np.zeros(len(values), dtype=bool)
        values = values.dt.tz_localize(column.timezone, ambiguous=winter, nonexistent="shift_forward")
    return _cast(values, column)


def _restore_labels(series: pd.Series[Any], column: Column) -> pd.Series[Any]:
    read = label_reader(column)
    codes, labels = pd.factorize(series)
    values = np.full(len(labels) + 1, np.nan, dtype=object)
    for place, label in enumerate(labels):
        values[place] = read(label)
    objects = pd.Series(values[codes], series.index, object, column.name)
    if column.dtype == "category":
        dtype = pd.CategoricalDtype(list(column.levels or values[:-1]), ordered=column.ordered)
        return objects.astype(dtype)
    try:
        return cast_to(objects, column.dtype)
    except (TypeError, ValueError) as error:
        raise SchemaError(f"column {column.name!r} cannot be given back as {column.dtype}: {error}.") from error


def label_reader(column: Column) -> Callable[[str], Any]:
    """Return the function that turns a label back into the value it stands for.

    The function raises SchemaError for a label that stands for no value.
    """
    if column.binary:
        return lambda label: _bytes(label, column)
    dtype = None if column.dtype == "category" else types.pandas_dtype(column.dtype)
    if column.levels is not None:
        table = {label_of(value): value for value in column.levels}
    elif dtype is not None and types.is_bool_dtype(dtype):
        table = {"True": True, "False": False}
    elif dtype is not None and types.is_numeric_dtype(dtype):
        return lambda label: _number(label, column, int if types.is_integer_dtype(dtype) else float)
    else:
        return str
    return lambda label: _level(label, column, table)


def _level(label: str, column: Column, table: dict[str, Any]) -> Any:
    try:
        return table[label]
    except KeyError:
        known = ", ".join(list(table)[:10])
        raise SchemaError(f"column {column.name!r} has no level {label!r}; it has {known}.") from None


def _bytes(label: str, column: Column) -> bytes:
    try:
        return base64.b64decode(label, validate=True)
    except ValueError:
        raise SchemaError(f"column {column.name!r} holds bytes, and {label!r} is no base64 text of any.") from None


def _number(label: str, column: Column, kind: type[int] | type[float]) -> Any:
    try:
        return kind(label)
    except ValueError:
        raise SchemaError(f"column {column.name!r} holds numbers ({column.dtype}), and {label!r} is none.") from None

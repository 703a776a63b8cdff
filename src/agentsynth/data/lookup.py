"""Lookup tables: a column's value for each value of another, learned from rows, and read for new ones.

Labels are looked up as they are; a label that the table lacks gives a missing value. Numbers and datetimes are looked
up in steps, so that every number has a value: each entry holds from its own number on, up to the next entry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.dates import STEPS, floor_to_step
from agentsynth.data.schema import Formula, Level
from agentsynth.data.values import label_of, plain
from agentsynth.errors import SchemaError

Table: TypeAlias = tuple[tuple[Level | None, Level | None], ...]
Keys: TypeAlias = "pd.Series[Any]"
"""(n,) labels, numbers or datetimes, as a typed frame holds them."""
ROUNDEST, FINEST = -15, 15
"""Decimals that a round number is looked for with."""


def learn_table(keys: Keys, values: pd.Series[Any], column: str, determinant: str) -> Table:
    """Learn the table that gives a column's value for each value of another.

    Args:
        keys: (n,) what is looked up, typed.
        values: (n,) what is found, typed.
        column: name of the column that `values` are of, for the error message.
        determinant: name of the column that `keys` are of, for the error message.

    Returns:
        The table, in order of its keys, the missing one last; of numbers and datetimes only the first of each step.

    Raises:
        SchemaError: two rows have the same key and different values; the message names them.
    """
    key, known = pd.factorize(keys, sort=True, use_na_sentinel=False)
    value, _ = pd.factorize(values, use_na_sentinel=False)
    first = first_rows(key)
    _refuse_contradiction(keys, values, value != value[first[key]], first[key], (column, determinant))
    found = values.iloc[first].reset_index(drop=True)
    present = np.flatnonzero(pd.notna(known))
    starts = present if _is_label(keys) else present[_changes(value[first][present])]
    written = _written(_starts(pd.Series(known, dtype=keys.dtype), present, starts))
    table = list(zip(written, _written(found.iloc[starts]), strict=True))
    return tuple(table + [(None, value) for value in _written(found[pd.isna(known)])])


def first_rows(codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the first row (codes,) of each code of (n,), which are 0, 1, 2, ..."""
    first = np.empty(codes.max(initial=-1) + 1, dtype=np.intp)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return first


def _refuse_contradiction(
    keys: Keys, values: pd.Series[Any], wrong: NDArray[np.bool_], like: NDArray[np.intp], names: tuple[str, str]
) -> None:
    if not wrong.any():
        return
    row = int(np.argmax(wrong))
    other = int(like[row])
    column, determinant = names
    raise SchemaError(
        f"column {column!r} shall follow from {determinant!r}, but rows {other + 1} and {row + 1} have the same "
        f"{determinant!r} ({_shown(keys, row)}) and different {column!r}: {_shown(values, other)} and "
        f"{_shown(values, row)} ({int(wrong.sum())} rows contradict the first with their {determinant!r}). Correct the "
        f"table, or give {column!r} another kind."
    )


def _shown(series: pd.Series[Any], row: int) -> str:
    value = series.iloc[row]
    return "missing" if pd.isna(value) else str(plain(value))


def _is_label(series: pd.Series[Any]) -> bool:
    return bool(series.dtype == object)


def _changes(codes: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Tell which of the codes (k,) differ from the one before them; the first does."""
    return np.concatenate([np.ones(min(len(codes), 1), dtype=bool), codes[1:] != codes[:-1]])


def _starts(known: Keys, present: NDArray[np.intp], starts: NDArray[np.intp]) -> Keys:
    """Return where the entries begin: between the last key of one step and the first of the next, at a round number."""
    at = known.iloc[starts].copy()
    if _is_label(known) or len(starts) < 2:
        return at
    before = known.iloc[present[np.searchsorted(present, starts[1:]) - 1]]
    dated = np.issubdtype(known.dtype, np.datetime64)  # type: ignore[arg-type]  # typed columns are numpy-backed
    roundest: Callable[[Any, Any], Any] = _roundest_moment if dated else _roundest
    at.iloc[1:] = [roundest(low, high) for low, high in zip(before, at.iloc[1:], strict=True)]
    return at


def _roundest(low: float, high: float) -> float:
    """Return the number above `low`, up to `high`, with the fewest decimals (tens, hundreds, ... before ones).

    >>> _roundest(24_999.5, 25_210.0), _roundest(24.0, 25.0), _roundest(-0.31, -0.3)
    (25000.0, 25.0, -0.3)
    """
    cuts = (np.floor(high * 10.0**digits) / 10.0**digits for digits in range(ROUNDEST, FINEST))
    return next((float(cut) for cut in cuts if low < cut <= high), high)


def _roundest_moment(low: pd.Timestamp, high: pd.Timestamp) -> pd.Timestamp:
    """Return the datetime after `low`, up to `high`, that begins a year, else a month, a day, ..."""
    upper = pd.Series([high])
    cuts = (floor_to_step(upper, step).iloc[0] for step in STEPS)
    return next(cut for cut in cuts if cut > low)


def _written(series: pd.Series[Any]) -> list[Level | None]:
    """Return typed values as the table holds them: datetimes in ISO 8601, numbers as floats."""
    return [
        None if pd.isna(value) else value.isoformat() if isinstance(value, pd.Timestamp) else plain(value)
        for value in series
    ]


def look_up(formula: Formula, keys: Keys) -> pd.Series[Any]:
    """Read the table of a lookup.

    Args:
        formula: the lookup.
        keys: (n,) labels, numbers or datetimes.

    Returns:
        (n,) labels (object), numbers (float64) or datetimes (datetime64[us]), as the formula's `result` says; missing
        where the table has no entry.

    Raises:
        SchemaError: the table does not fit the keys, or the values are not what `result` says.
    """
    entries = [entry for entry in formula.table if entry[0] is not None]
    missing = next((value for key, value in formula.table if key is None), None)
    places = _label_places(entries, keys) if _is_label(keys) else _step_places(entries, keys)
    values = _read_values([*(value for _, value in entries), missing, None], formula)
    found = values[np.where(keys.isna(), len(entries), places)]
    return pd.Series(found, index=keys.index, dtype=values.dtype)  # told, as pandas takes objects for its own text


def _label_places(entries: Sequence[tuple[Level | None, Level | None]], keys: Keys) -> NDArray[np.intp]:
    """Return the entry (n,) of each label; one past the missing one's where there is none."""
    index = {label_of(key): place for place, (key, _) in enumerate(entries)}
    codes, labels = pd.factorize(keys)
    places = np.array([*(index.get(label, len(entries) + 1) for label in labels), len(entries)], dtype=np.intp)
    return places[codes]


def _step_places(entries: Sequence[tuple[Level | None, Level | None]], keys: Keys) -> NDArray[np.intp]:
    """Return the entry (n,) of each number: the last one that begins at it or below, else the first."""
    try:
        if np.issubdtype(keys.dtype, np.datetime64):  # type: ignore[arg-type]  # typed columns are numpy-backed
            begins = np.array([np.datetime64(str(key), "us") for key, _ in entries], dtype="datetime64[us]")
            numbers = keys.to_numpy(dtype="datetime64[us]")
        else:
            begins = np.array([float(key) for key, _ in entries if key is not None])
            numbers = keys.to_numpy(dtype=np.float64)
    except ValueError as error:
        raise SchemaError(f"the table of the lookup by {keys.name!r} has keys that do not fit: {error}.") from error
    if not len(entries):
        return np.ones(len(keys), dtype=np.intp)
    if np.any(begins[1:] <= begins[:-1]):
        raise SchemaError(f"the table of the lookup by {keys.name!r} must have its keys in rising order.")
    return np.maximum(np.searchsorted(begins, numbers, side="right") - 1, 0)


def _read_values(values: list[Level | None], formula: Formula) -> NDArray[Any]:
    """Return the table's values (k,) as the typed frame holds them."""
    try:
        if formula.result == "number":
            return np.array([np.nan if value is None else float(value) for value in values])
        if formula.result == "datetime":
            return np.array(["NaT" if value is None else str(value) for value in values], dtype="datetime64[us]")
    except ValueError as error:
        raise SchemaError(
            f"the lookup by {formula.inputs[0]!r} gives {formula.result}s, but its table holds others: {error}."
        ) from error
    labels = np.empty(len(values), dtype=object)
    labels[:] = [None if value is None else label_of(value) for value in values]
    return labels

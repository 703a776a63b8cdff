"""What a program may hand to the served policy's `predict`: tables of odd types, and what is no table at all."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd
from fuzz_changes import NASTY, VALUES

NAMES: list[Any] = ["rows", "rows", "scenario", "seed", "entities", "policy", "Rows", "", 0, None, ("rows", "seed")]
TYPES: list[Any] = [
    "object",
    "Int64",
    "uint8",
    "float32",
    "complex128",
    "boolean",
    "string",
    "category",
    "datetime64[ns]",
]
USUAL: dict[Any, list[Any]] = {"rows": [3, 4, 5.0], "scenario": ["evening_rush", ""], "seed": [0, 7, 2**40]}
"""Values that are answered."""
CELLS: list[Any] = [
    *VALUES,
    *NASTY,
    *(pd.NA, pd.NaT, pd.Timestamp("2024-02-29"), pd.Timedelta("1D"), pd.Interval(0, 1), datetime.date(2024, 1, 1)),
    *(np.int8(3), np.uint64(2**64 - 1), np.float32("nan"), np.bool_(True), np.array([1, 2]), np.array(3)),
    *(decimal.Decimal(3), decimal.Decimal("NaN"), 1j, b"rows", {1, 2}, (1, 2), range(3), object, 2**63, -(2**70)),
]


def handed(rng: np.random.Generator) -> tuple[Any, dict[Any, Any] | None]:
    """Return what is given to `predict`, and its parameters."""
    names = dict.fromkeys(NAMES[place] for place in rng.integers(len(NAMES), size=rng.integers(0, 4)))
    params = {name: _value(name, rng) for name in names} if rng.random() < 0.3 else None
    return (_table(rng) if rng.random() < 0.6 else _other(rng)), params


def _value(name: Any, rng: np.random.Generator) -> Any:
    """Return a value that can be answered, or any other."""
    usual = USUAL.get(name, CELLS) if rng.random() < 0.8 else CELLS
    return usual[rng.integers(len(usual))]


def _table(rng: np.random.Generator) -> pd.DataFrame:
    length = int(rng.integers(0, 4))
    columns = [_column(name, length, rng) for name in _names(rng)]
    table = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=range(length))
    return table.set_axis(rng.choice([0, 1], length)) if rng.random() < 0.1 else table


def _names(rng: np.random.Generator) -> list[Any]:
    """Return names of columns, the usual ones or any; one may come twice."""
    if rng.random() < 0.5:
        return list(USUAL)[: rng.integers(1, 4)]
    return [NAMES[place] for place in rng.integers(len(NAMES), size=rng.integers(0, 5))]


def _column(name: Any, length: int, rng: np.random.Generator) -> pd.Series:
    """Return a column, of some type that its values can have."""
    column = pd.Series([_value(name, rng) for _ in range(length)], dtype=object, name=name)
    try:
        return column.astype(TYPES[rng.integers(len(TYPES))]) if rng.random() < 0.4 else column
    except (TypeError, ValueError, ArithmeticError):  # pandas: the values have no such type
        return column


def _other(rng: np.random.Generator) -> Any:
    """Return what is no table: mappings, lists, arrays, a single value."""
    records = [{name: _value(name, rng) for name in _names(rng)} for _ in range(rng.integers(0, 3))]
    kind = rng.integers(6)
    if kind < 2:
        return records
    if kind == 2:
        return records[0] if records else {}
    if kind == 3:
        return {name: [_value(name, rng) for _ in range(rng.integers(0, 3))] for name in _names(rng)}
    if kind == 4:
        return _table(rng).to_numpy()
    return _value(None, rng)

"""Validity: does every row keep the rules of the real table?

Name: validity. Goal: high. Range: 0 to 1. The share of rows of which every cell is valid; 1 = all rows keep all
rules, 0 = every row breaks one. The share of valid cells stands beside each column. A cell is valid if

- it is missing only where the training rows have missing values, too;
- category: the level occurs in the training rows;
- number: it lies in the real range and has no more decimals than the schema says;
- datetime: it lies in the real range and is a whole number of the schema's calendar steps;
- number and datetime: it is not below a column that the schema says it is never below;
- derived: it is exactly what its formula gives;
- constant: it is the constant.

Ids are not judged. Unseen real rows do not reach 1 either: now and then one holds a new level or a new extreme.
Source: the BoundaryAdherence and CategoryAdherence of SDMetrics, here with the schema's rules.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.bounds import largest_bound
from agentsynth.data.dates import floor_to_step
from agentsynth.data.formulas import compute
from agentsynth.data.schema import Column, Schema
from agentsynth.metrics.score import CannotScoreError, Definition
from agentsynth.metrics.values import kind_of, numbers

DEFINITION = Definition("validity", "higher", "share of rows that keep every rule (levels, ranges, formulas); 1 = all")

_TOLERANCE = 1e-9
"""Relative: below it two numbers are the same but for floating-point rounding."""
Flags = NDArray[np.bool_]


def valid_cells(train: pd.DataFrame, rows: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return whether each cell of `rows` is valid; all columns but ids, shape (rows, columns).

    Args:
        train: The typed training rows: what levels, ranges and missing values are known from.
        rows: Typed rows to judge.
        schema: The schema of both.
    """
    checks: dict[str, Callable[[Column], Flags]] = {
        "categorical": lambda column: _known(train[column.name], rows[column.name]),
        "numeric": lambda column: _in_range(train[column.name], rows[column.name], column) & _rounded(rows, column),
        "datetime": lambda column: _in_range(train[column.name], rows[column.name], column) & _stepped(rows, column),
        "derived": lambda column: _equal(rows[column.name], compute(column, rows)),
        "constant": lambda column: _known(train[column.name], rows[column.name]),
    }
    judged = [column for column in schema if column.kind in checks]
    return pd.DataFrame(
        {
            column.name: checks[column.kind](column)
            & _may_be_missing(train[column.name], rows[column.name])
            & _not_below(rows, column)
            for column in judged
        }
    )


def validity(cells: pd.DataFrame) -> float:
    """Return the share of rows of which every cell is valid.

    Raises:
        CannotScoreError: no column is judged.
    """
    if not len(cells.columns):
        raise CannotScoreError("no column has a rule")
    return float(cells.to_numpy().all(axis=1).mean())


def _may_be_missing(real: pd.Series[Any], column: pd.Series[Any]) -> Flags:
    return np.full(len(column), True) if real.isna().any() else column.notna().to_numpy()


def _known(real: pd.Series[Any], column: pd.Series[Any]) -> Flags:
    return (column.isna() | column.isin(real.dropna().unique())).to_numpy()


def _in_range(real: pd.Series[Any], column: pd.Series[Any], rule: Column) -> Flags:
    """Judge the range: the schema's where it states one (it may be the user's), else that of the training rows."""
    values, known = numbers(column), numbers(real)
    known = known[~np.isnan(known)]
    numeric = rule.kind == "numeric"
    low = rule.minimum if numeric and rule.minimum is not None else known.min(initial=np.inf)
    high = rule.maximum if numeric and rule.maximum is not None else known.max(initial=-np.inf)
    slack = _TOLERANCE * max(abs(low), abs(high), 1) if np.isfinite(low) and np.isfinite(high) else 0
    return np.isnan(values) | ((values >= low - slack) & (values <= high + slack))


def _not_below(rows: pd.DataFrame, rule: Column) -> Flags:
    column = rows[rule.name]
    if not rule.above:
        return np.full(len(column), True)
    return column.isna().to_numpy() | (column.to_numpy() >= largest_bound(rule, rows))


def _rounded(rows: pd.DataFrame, rule: Column) -> Flags:
    values = numbers(rows[rule.name])
    if rule.decimals is None:
        return np.full(len(values), True)
    return np.isnan(values) | _close(values, np.round(values, rule.decimals))


def _stepped(rows: pd.DataFrame, rule: Column) -> Flags:
    column = rows[rule.name]
    if rule.step is None:
        return np.full(len(column), True)
    return (column.isna() | (floor_to_step(column, rule.step) == column)).to_numpy()


def _equal(column: pd.Series[Any], expected: pd.Series[Any]) -> Flags:
    if kind_of(column) == "categorical":
        return (column.isna() & expected.isna()).to_numpy() | (column == expected).to_numpy()
    values, wanted = numbers(column), numbers(expected)
    return _close(values, wanted) | (np.isnan(values) & np.isnan(wanted))


def _close(values: NDArray[np.float64], others: NDArray[np.float64]) -> Flags:
    return np.abs(values - others) <= _TOLERANCE * np.maximum(np.abs(others), 1)

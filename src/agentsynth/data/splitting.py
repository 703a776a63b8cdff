"""Setting rows apart for training, validation and test, before anything is fitted."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.schema import Schema
from agentsynth.data.typed import typed
from agentsynth.errors import InputError, SchemaError
from agentsynth.params import SplitParams
from agentsynth.seeding import stream

Integers: TypeAlias = NDArray[np.int64]
PARTS = ("train", "validation", "test")


class Split(NamedTuple):
    """The three parts of a table, as tables of their own (index 0 to n-1, rows in the order of the table)."""

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame


def split(frame: pd.DataFrame, schema: Schema, params: SplitParams, seed: int) -> Split:
    """Split a table into training, validation and test rows.

    `random`: rows are drawn without regard to their values. `time`: the earliest rows train, the latest test; rows of
    the same moment stay in one part. `group`: all rows with the same value of `params.column` stay in one part, and the
    parts come as close to their shares of rows as whole groups allow.

    Args:
        frame: (n, p) table as it was read.
        schema: what its columns are.
        params: method, column, and shares (which are divided by their sum).
        seed: the same seed gives the same split.

    Raises:
        SchemaError: the column is not in the table, has missing values, or (by time) is no datetime.
        InputError: there are too few rows, moments or groups to give each part one.
    """
    shares = np.array([params.train, params.validation, params.test])
    rng = stream(seed, "split")
    units = _units(frame, schema, params, rng)
    part = _assign(np.bincount(units), shares / shares.sum(), _what(params))[units]
    parts = [frame[part == number].reset_index(drop=True) for number in range(len(PARTS))]
    return Split(*parts)


def _what(params: SplitParams) -> str:
    return {"random": "rows", "time": f"moments in {params.column!r}", "group": f"groups in {params.column!r}"}[
        params.method
    ]


def _units(frame: pd.DataFrame, schema: Schema, params: SplitParams, rng: np.random.Generator) -> Integers:
    """Number (n,) what is never torn apart (rows, moments or groups) in the order in which the parts take it up."""
    if params.method == "random":
        return rng.permutation(len(frame))
    column = _column(frame, schema, params)
    if params.method == "time":
        codes = pd.factorize(column, sort=True)[0]
        return np.asarray(codes, dtype=np.int64)
    codes, groups = pd.factorize(column)
    return rng.permutation(len(groups))[codes]


def _column(frame: pd.DataFrame, schema: Schema, params: SplitParams) -> pd.Series[Any]:
    """Return the column that the split goes by, as typed."""
    name = str(params.column)
    if name not in frame.columns or name not in schema.names:
        raise SchemaError(f"split.column is {name!r}, which is not in the table; it has {', '.join(schema.names)}.")
    described = schema[name]
    if params.method == "time" and not described.is_datetime:
        dates = ", ".join(column.name for column in schema if column.is_datetime) or "none"
        raise SchemaError(
            f"split.column {name!r} is {described.kind}; a split by time needs a datetime column (this "
            f"table's: {dates})."
        )
    column = typed(frame[[name]], Schema(columns=(described,)))[name]
    if column.isna().any():
        row = int(np.flatnonzero(column.isna())[0]) + 1
        raise SchemaError(
            f"split.column {name!r} has {int(column.isna().sum())} missing values (first in row {row}): no part can be "
            f"told for these rows. Drop them, or split by another column."
        )
    return column


def _assign(sizes: Integers, shares: NDArray[np.float64], what: str) -> Integers:
    """Return (units,) the part of every unit: parts take units up in turn until they have their share of rows.

    Each part gets at least one unit.
    """
    units = len(sizes)
    if units < len(PARTS):
        raise InputError(
            f"a split needs at least {len(PARTS)} {what}, one for each of {', '.join(PARTS)}; the table has {units}."
        )
    middles = np.cumsum(sizes) - sizes / 2
    bounds = np.cumsum(shares)[:-1] * sizes.sum()
    ends = np.searchsorted(middles, bounds)
    first = int(np.clip(ends[0], 1, units - 2))
    second = int(np.clip(ends[1], first + 1, units - 1))
    return np.repeat(np.arange(len(PARTS)), [first, second - first, units - second])

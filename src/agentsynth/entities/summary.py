"""Entities as rows of a table: what each is like, in columns of its own, so that they are steered as rows are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.schema import Column, Schema
from agentsynth.data.stretches import Stretches
from agentsynth.entities.clock import Clock
from agentsynth.entities.plan import EntityPlan

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Summary:
    """Sums up the rows of each entity.

    The columns are its attributes as they are; `rows`, their number; of the time `TIME_first`, `TIME_gap`, the mean
    time between rows (days, or years, months, or the number's own unit), and `TIME_gap_spread`, its standard deviation:
    who comes in bursts is told from who comes steadily; of other numbers `NAME_mean` and `NAME_spread` (the standard
    deviation over its rows); of labels `NAME_first` and `NAME_repeats` (the share of rows that have the label of the
    row before); of nested ids `NAME_rows`, the mean number of rows of one. Of an entity with one row what needs two is
    missing, and the spread of gaps of one with two.

    Args:
        plan: what the entities are.
        schema: of the table.
        rhythm: whether `TIME_gap_spread` is told; it is not in models of formats before 6.
    """

    def __init__(self, plan: EntityPlan, schema: Schema, *, rhythm: bool = True) -> None:
        self._plan = plan
        self._schema = schema
        varying = [c for c in schema.by_name.compared if c.name not in {*plan.attributes, plan.time}]
        self._numbers = [c for c in varying if c.is_numeric]
        self.rhythm = rhythm
        self._labels = [c for c in varying if c.is_label]
        self.rows = self._free("rows")

    def _free(self, name: str) -> str:
        """Return a name that no column of the table has."""
        return self._free(f"{name}_") if name in self._schema.names else name

    @property
    def schema(self) -> Schema:
        """The schema of the summary."""
        free: dict[str, Any] = {"above": (), "by_step": False, "excess": False, "ordered": False, "formula": None}
        columns = [self._schema[name].model_copy(update=free) for name in self._plan.attributes]
        columns.append(_number(self.rows, 0))
        if self._plan.time is not None:
            time = self._schema[self._plan.time]
            columns.append(time.model_copy(update={**free, "name": self._free(f"{time.name}_first")}))
            columns.append(_number(self._free(f"{time.name}_gap")))
            if self.rhythm:
                columns.append(_number(self._free(f"{time.name}_gap_spread")))
        for column in self._numbers:
            columns += [_number(self._free(f"{column.name}_{what}")) for what in ("mean", "spread")]
        for column in self._labels:
            first = {**free, "kind": "categorical", "name": self._free(f"{column.name}_first")}
            columns += [column.model_copy(update=first), _number(self._free(f"{column.name}_repeats"))]
        columns += [_number(self._free(f"{one.name}_rows")) for one in self._plan.nested]
        return Schema(columns=tuple(columns))

    def of(self, rows: pd.DataFrame, entity: Integers) -> pd.DataFrame:
        """Return the summary (entities) of typed rows with derived columns, by entity and in order of time.

        Args:
            rows: the rows.
            entity: (rows,) the number of each row's entity, from 0 on.
        """
        lives = Stretches.of(entity)
        first = rows.iloc[lives.starts].reset_index(drop=True)
        columns: dict[str, Any] = {name: first[name] for name in self._plan.attributes}
        columns[self.rows] = lives.sizes.astype(np.float64)
        if self._plan.time is not None:
            time = self._schema[self._plan.time]
            columns[self._free(f"{time.name}_first")] = first[time.name]
            times = Clock(time).numbers(rows[time.name])
            columns[self._free(f"{time.name}_gap")] = _mean_gap(times, lives)
            if self.rhythm:
                columns[self._free(f"{time.name}_gap_spread")] = _moments(_gaps(times, lives), lives)[1]
        for column in self._numbers:
            mean, spread = _moments(rows[column.name].to_numpy(np.float64), lives)
            columns[self._free(f"{column.name}_mean")] = mean
            columns[self._free(f"{column.name}_spread")] = spread
        for column in self._labels:
            columns[self._free(f"{column.name}_first")] = first[column.name]
            columns[self._free(f"{column.name}_repeats")] = _repeats(rows[column.name], lives)
        for one in self._plan.nested:
            counted = rows[one.name].to_numpy(np.float64)[lives.starts + lives.sizes - 1]
            columns[self._free(f"{one.name}_rows")] = lives.sizes / counted
        return pd.DataFrame(columns)


def _number(name: str, decimals: int | None = None) -> Column:
    return Column(name=name, kind="numeric", dtype="float64", decimals=decimals)


def _mean_gap(times: Floats, lives: Stretches) -> Floats:
    """Return the mean time between the rows of each entity: that from the first to the last, shared out."""
    last = lives.starts + lives.sizes - 1
    return np.where(lives.sizes > 1, (times[last] - times[lives.starts]) / np.maximum(lives.sizes - 1, 1), np.nan)


def _gaps(times: Floats, lives: Stretches) -> Floats:
    """Return how long (rows,) after the row before it a row comes; missing for first rows."""
    gaps = np.diff(times, prepend=np.nan)
    gaps[lives.starts] = np.nan
    return gaps


def _moments(values: Floats, lives: Stretches) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of the known values of each entity; missing where there are none, or one."""
    known = np.add.reduceat((~np.isnan(values)).astype(np.float64), lives.starts)
    filled = np.nan_to_num(values)
    mean = np.add.reduceat(filled, lives.starts) / np.where(known > 0, known, np.nan)
    off = np.where(np.isnan(values), 0.0, filled - np.repeat(mean, lives.sizes))
    spread = np.sqrt(np.add.reduceat(off**2, lives.starts) / np.where(known > 1, known - 1, np.nan))
    return mean, spread


def _repeats(labels: pd.Series[Any], lives: Stretches) -> Floats:
    """Return the share of each entity's further rows that have the label of the row before."""
    codes = pd.factorize(labels, use_na_sentinel=False)[0]
    same = np.append(False, np.diff(codes) == 0).astype(np.float64)
    same[lives.starts] = 0.0
    return np.where(lives.sizes > 1, np.add.reduceat(same, lives.starts) / np.maximum(lives.sizes - 1, 1), np.nan)

"""Inequalities: finding the columns that are never below others, and how such a column is best modelled."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.bounds import excess, steps_since
from agentsynth.data.dates import STEPS, floor_to_step
from agentsynth.data.schema import Column, Schema

Floats: TypeAlias = NDArray[np.float64]

SCREEN_ROWS = 500
"""Rows that every pair of columns is tried on first."""
MOST_COLUMNS = 300
"""Inequalities are not looked for among more numeric columns, or more datetimes, than this."""
LEAST_VIOLATED = 0.05
"""Share of rows that must break an inequality when one of its columns is shuffled: else it says nothing."""
MOST_CHANCE = 1e-9
"""An inequality is believed where independent columns would keep it on all rows less often than this."""
TIGHT = 0.5
"""A column is modelled as its excess where that spreads no more than this much of what the column does ..."""
MORE_VALUES = 1.1
"""... and has no more distinct values than this times the column's, which are its price points and heaps."""
SINGLE_PRECISION = ("float32", "Float32", "float[pyarrow]", "float16")


def find_bounds(frame: pd.DataFrame, schema: Schema, settled: Collection[str] = ()) -> dict[str, tuple[str, ...]]:
    """Find the columns that are on no row below others of their kind, numeric or datetime, modelled ones only.

    What follows from other inequalities (a <= c from a <= b <= c) is left out, and so are columns that are equal.

    Args:
        frame: (n, p) typed frame.
        schema: its columns.
        settled: columns whose bounds are settled.

    Returns:
        column -> the columns it is never below.
    """
    found = {column.name: set(column.above) for column in schema.modelled}
    for columns in (schema.of_kind("numeric"), schema.of_kind("datetime")):
        for upper, lower in _inequalities(frame, columns) if len(columns) <= MOST_COLUMNS else ():
            if upper not in settled and not _reaches(lower, upper, found):
                found[upper].add(lower)
    return {
        name: _implied_left_out(above, found, schema.names)
        for name, above in found.items()
        if above and name not in settled
    }


def _inequalities(frame: pd.DataFrame, columns: Sequence[Column]) -> list[tuple[str, str]]:
    """Return (upper, lower) columns of one kind whose inequality holds and says something, the clearest first."""
    values = {column.name: _numbers(column, frame) for column in columns}
    if len(values) < 2:
        return []
    pairs = _screened(np.column_stack(list(values.values())))
    rated = [
        (_violated(values[columns[upper].name], values[columns[lower].name]), columns[upper].name, columns[lower].name)
        for upper, lower in pairs
        if _comparable(columns[upper], columns[lower])
        and _keeps(values[columns[upper].name], values[columns[lower].name][:, None])[0]
        and not np.array_equal(values[columns[upper].name], values[columns[lower].name], equal_nan=True)
    ]
    return [(upper, lower) for share, upper, lower in sorted(rated, key=lambda pair: -pair[0]) if share > 0]


def _numbers(column: Column, frame: pd.DataFrame) -> Floats:
    """Return a column (n,) as numbers, datetimes in microseconds."""
    values = frame[column.name].to_numpy()
    return steps_since(values, column.model_copy(update={"step": "microsecond"})) if column.is_datetime else values


def _screened(values: Floats) -> list[tuple[int, int]]:
    """Return the pairs (upper, lower) of columns of `values` (n, p) whose inequality holds on some rows."""
    screen = values[np.unique(np.linspace(0, len(values) - 1, SCREEN_ROWS).astype(np.intp))]
    return [
        (upper, int(lower))
        for upper in range(values.shape[1])
        for lower in np.flatnonzero(_keeps(screen[:, upper], screen))
        if lower != upper
    ]


def _keeps(upper: Floats, lower: Floats) -> NDArray[np.bool_]:
    """Tell for which columns of `lower` (n, p) `upper` (n,) is nowhere below, nor there where they are missing."""
    return np.asarray((np.isnan(upper)[:, None] | (upper[:, None] >= lower)).all(axis=0))


def _comparable(upper: Column, lower: Column) -> bool:
    """Tell whether what holds for the typed numbers holds for the table: not across time zones, or rounded floats."""
    single = [column.dtype in SINGLE_PRECISION for column in (upper, lower)]
    exact = not any(single) or (all(single) and upper.decimals is None and lower.decimals is None)
    return upper.timezone == lower.timezone and exact


def _violated(upper: Floats, lower: Floats) -> float:
    """Return the share of rows that would break an inequality of independent columns; 0 where that proves nothing."""
    both = ~np.isnan(upper) & ~np.isnan(lower)
    rows = int(both.sum())
    if not rows:
        return 0.0
    share = float(np.searchsorted(np.sort(upper[both]), lower[both]).mean() / rows)
    log_chance = rows * np.log1p(-min(share, 1 - 1e-12))
    return share if share >= LEAST_VIOLATED and log_chance < np.log(MOST_CHANCE) else 0.0


def _reaches(start: str, end: str, above: Mapping[str, Collection[str]]) -> bool:
    """Tell whether `start` is `end`, or above it, directly or through others."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name == end:
            return True
        waiting += [other for other in above.get(name, ()) if other not in seen]
        seen.update(above.get(name, ()))
    return False


def _implied_left_out(
    bounds: Collection[str], above: Mapping[str, Collection[str]], names: Iterable[str]
) -> tuple[str, ...]:
    """Return the bounds of a column that do not follow from its others, in the order of the table."""
    implied = {bound for bound in bounds for other in bounds if other != bound and _reaches(other, bound, above)}
    return tuple(name for name in names if name in bounds and name not in implied)


def with_bounds(schema: Schema, frame: pd.DataFrame, settled: Collection[str], stated: Collection[str]) -> Schema:
    """Return a schema with the inequalities that a typed frame shows, and how each such column is modelled.

    Args:
        schema: the columns; those that have bounds keep them.
        frame: (n, p) typed frame.
        settled: columns whose bounds are settled.
        stated: columns of which it is settled, too, how they are modelled.
    """
    bounds = find_bounds(frame, schema, settled)
    columns = [column.model_copy(update={"above": bounds.get(column.name, column.above)}) for column in schema]
    columns = _with_bounds_by_step(columns, frame, settled)
    return Schema(
        columns=tuple(
            column.model_copy(update={"excess": _better_as_excess(column, frame)})
            if column.above and column.name not in stated
            else column
            for column in columns
        )
    )


def _with_bounds_by_step(columns: list[Column], frame: pd.DataFrame, settled: Collection[str]) -> list[Column]:
    """Return columns where a datetime without bounds has those that it is not below counted in its own step."""
    moments = [column for column in columns if column.kind == "datetime"]
    above: dict[str, Collection[str]] = {column.name: column.above for column in moments}
    for column in moments if len(moments) <= MOST_COLUMNS else ():
        if column.name in settled or column.above or column.step is None:
            continue
        finer = [c for c in moments if c.step and STEPS.index(c.step) > STEPS.index(column.step)]
        rough = frame.assign(**{c.name: floor_to_step(frame[c.name], column.step) for c in finer})
        bounds = {lower for upper, lower in _inequalities(rough, [column, *finer]) if upper == column.name}
        above[column.name] = {lower for lower in bounds if not _reaches(lower, column.name, above)}
    kept = {c.name: _implied_left_out(above[c.name], above, frame.columns) for c in moments if not c.above}
    return [
        column.model_copy(update={"above": kept[column.name], "by_step": True}) if kept.get(column.name) else column
        for column in columns
    ]


def _better_as_excess(column: Column, frame: pd.DataFrame) -> bool:
    """Tell whether a column's excess over its bounds says more than the column: it spreads far less, in no more values.

    A drop-off a few minutes after its pick-up is such a column; a list price that is never below the price paid is
    not: as a sum of two it would lose its price points.
    """
    above, values = excess(column, frame), _numbers(column, frame)
    above, values = above[~np.isnan(above)], values[~np.isnan(values)]
    spread = _spread(steps_since(np.asarray(frame[column.name]), column) if column.is_datetime else values)
    few = len(np.unique(above)) <= MORE_VALUES * len(np.unique(values))
    return bool(len(above)) and few and _spread(above) <= TIGHT * spread


def _spread(values: Floats) -> float:
    """Return the mean distance from the median of the known values."""
    known = values[~np.isnan(values)]
    return float(np.abs(known - np.median(known)).mean()) if len(known) else 0.0

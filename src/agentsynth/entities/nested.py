"""Ids within entities: the orders of a user, the children of a school."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.entities import is_constant_within
from agentsynth.data.schema import Column
from agentsynth.data.stretches import Stretches

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
FEWEST_REPEATS = 20
"""Rows that follow another of their entity, or share an id with it: fewer are nothing to learn from."""


def begins(name: str) -> str:
    """Return what it is called whether a row begins a new one of a nested id: 1, else 0."""
    return f"{name} (begins)"


def so_far(name: str) -> str:
    """Return what the number of rows so far of a nested id is called."""
    return f"{name} (rows so far)"


@dataclass(frozen=True)
class NestedId:
    """An id whose rows are those of one entity, and follow one another.

    Attributes:
        name: the id column.
        constant: modelled columns that change over the rows of an entity, not over those of an id; the time may be one.
        around: other nested ids that stay the same over the rows of this one (the visit that a test is made at).
    """

    name: str
    constant: tuple[str, ...] = ()
    around: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: pd.DataFrame, column: Column, varying: Sequence[Column], nested: Sequence[str]) -> NestedId:
        """Find what stays the same over the rows (rows, typed) of an id.

        A bound between a column that does and one that does not cannot be kept by copying: such a column is left out.

        Args:
            rows: by entity and in order of time.
            column: the id column.
            varying: modelled columns that change over the rows of an entity.
            nested: all nested ids.
        """
        ids = rows[column.name]
        found = {one.name for one in varying if is_constant_within(ids, rows[one.name])}
        while apart := {name for one in varying for name in _bound_apart(one, found)}:
            found -= apart
        around = (name for name in nested if name != column.name and rows[name].nunique() < ids.nunique())
        return cls(
            column.name,
            tuple(one.name for one in varying if one.name in found),
            tuple(name for name in around if is_constant_within(ids, rows[name])),
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> NestedId:
        """Build what `dataclasses.asdict` described."""
        return cls(str(value["name"]), tuple(map(str, value["constant"])), tuple(map(str, value["around"])))


def _bound_apart(column: Column, constant: set[str]) -> set[str]:
    """Return those of a column and its bounds that stay the same within an id, where not all of them do."""
    bound = {column.name, *column.above}
    return bound & constant if column.above and not bound <= constant else set()


def is_nested(ids: pd.Series[Any], entity: Integers) -> bool:
    """Tell whether each id (rows,) has rows of one entity only, that follow one another, and entities have several.

    Args:
        ids: by entity and in order of time.
        entity: (rows,) the number of each row's entity.
    """
    if ids.isna().any():
        return False
    runs = int(begun(ids, entity).sum())
    several = runs > int(entity.max(initial=-1)) + 1
    return runs == ids.nunique() and several and len(ids) - runs >= FEWEST_REPEATS


def begun(ids: pd.Series[Any], entity: Integers) -> NDArray[np.bool_]:
    """Tell which rows (rows,), by entity, begin a new id: the first ones of an entity always do."""
    codes = pd.factorize(ids)[0]
    found: NDArray[np.bool_] = (np.diff(entity, prepend=-1) != 0) | (np.diff(codes, prepend=-1) != 0)
    return found


def numbered(rows: pd.DataFrame, entity: Integers, names: Sequence[str]) -> pd.DataFrame:
    """Return rows, by entity, in which nested ids are counted: 1 for the first one of each entity, then 2, ..."""
    lives = Stretches.of(entity)
    found = {}
    for name in names:
        number = np.cumsum(begun(rows[name], entity), dtype=np.float64)
        found[name] = number - np.repeat(number[lives.starts], lives.sizes) + 1
    return rows.assign(**found)


def rows_so_far(number: Floats, entity: Integers) -> Floats:
    """Return the place (rows,), from 1 on, of each row among those with its nested id, counted as `numbered` does."""
    return Stretches.of(over_the_table(number, entity)).places.astype(np.float64) + 1


def over_the_table(number: Floats, entity: Integers) -> Integers:
    """Return the number (rows,), from 0 on, over all entities of ids that are counted in each."""
    pairs = pd.DataFrame({"entity": entity, "number": number})
    return np.asarray(pairs.groupby(["entity", "number"], sort=False).ngroup(), dtype=np.int64)


def beginnings(nested: Sequence[NestedId], last: pd.DataFrame, after: pd.DataFrame) -> dict[str, Any]:
    """Return whether rows (steps) begin new ones of the nested ids, which are counted in them: 1, else 0."""
    return {begins(one.name): (after[one.name] != last[one.name]).astype(np.float64) for one in nested}


def agreed(nested: Sequence[NestedId], drawn: pd.DataFrame) -> pd.DataFrame:
    """Return drawn rows (entities) in which what begins a new one of an id begins new ones of all ids within it."""
    found = {}
    for one in nested:
        found[begins(one.name)] = drawn[[begins(name) for name in (one.name, *one.around)]].max(axis=1)
    return drawn.assign(**found)


def at_once(nested: Sequence[NestedId], time: str, drawn: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which drawn rows (entities,) are at the time of the row before, since their id has one time."""
    found = np.zeros(len(drawn), dtype=bool)
    for one in nested:
        found |= (drawn[begins(one.name)] == 0).to_numpy() & (time in one.constant)
    return found


def continued(nested: Sequence[NestedId], last: pd.DataFrame, drawn: pd.DataFrame) -> pd.DataFrame:
    """Return drawn rows (entities) with what is constant within their ids from the rows before, and the ids counted."""
    rows = drawn.assign(**{one.name: last[one.name] + drawn[begins(one.name)] for one in nested})
    for one in nested:
        new = drawn[begins(one.name)] > 0
        rows = rows.assign(**{name: rows[name].where(new, last[name]) for name in one.constant})
    return rows

"""Ids made anew: of the form they had, shared by as many rows, and by rows that agree where rows of an id must."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.casting import cast_to
from agentsynth.data.schema import Column, IdForm
from agentsynth.errors import SchemaError

Integers: TypeAlias = NDArray[np.int64]


def make_ids(frame: pd.DataFrame, columns: Sequence[Column], rng: np.random.Generator) -> dict[str, pd.Series[Any]]:
    """Make new ids for a typed frame.

    Rows that share an id agree in the columns that the form says are constant within an id (these may be id columns
    made before), and ids have as many rows as the schema's table shows.

    Args:
        frame: (n, p) typed frame with the columns that ids are constant within.
        columns: id columns.
        rng: source of the ids.

    Returns:
        column name -> (n,) ids, in the dtype the column had.
    """
    made: dict[str, pd.Series[Any]] = {}
    names = {column.name for column in columns}
    waiting = list(columns)
    while waiting:
        column = next((c for c in waiting if not names & set(_within(c)) - set(made)), None)
        if column is None:
            raise SchemaError(f"id columns are constant within each other in a circle: {', '.join(sorted(names))}.")
        waiting.remove(column)
        made[column.name] = _make(frame, column, made, rng)
    return made


def _within(column: Column) -> tuple[str, ...]:
    return column.id_form.constant_within if column.id_form else ()


def _make(
    frame: pd.DataFrame, column: Column, made: Mapping[str, pd.Series[Any]], rng: np.random.Generator
) -> pd.Series[Any]:
    """Make one id column, (n,)."""
    form = column.id_form
    if form is None:
        raise SchemaError(f"id column {column.name!r} has no id form: infer the schema anew.")
    present = rng.random(len(frame)) >= column.missing if column.missing else np.ones(len(frame), dtype=bool)
    groups = _groups(frame[present], form, {name: ids[present] for name, ids in made.items()})
    entity = _entities(groups, form, column.ordered, rng)
    values = np.full(len(frame), None, dtype=object)
    values[present] = _forms(form, int(entity.max(initial=-1)) + 1, rng)[entity]
    return _as_dtype(values, column, frame.index)


def _groups(frame: pd.DataFrame, form: IdForm, made: Mapping[str, pd.Series[Any]]) -> Integers:
    """Return (n,) the number of the combination of values that a row's id is constant within."""
    if not form.constant_within:
        return np.zeros(len(frame), dtype=np.int64)
    keys = pd.DataFrame({name: made[name] if name in made else frame[name] for name in form.constant_within})
    groups = keys.groupby(list(keys.columns), dropna=False, sort=False).ngroup()
    return np.asarray(groups.to_numpy(), dtype=np.int64)


def _entities(groups: Integers, form: IdForm, ordered: bool, rng: np.random.Generator) -> Integers:
    """Return (n,) which id, counted from 0, every row gets; counted by first row where `ordered`."""
    if form.rows_per_id == ((1, 1.0),):
        return np.arange(len(groups), dtype=np.int64)
    entity = np.empty(len(groups), dtype=np.int64)
    used = 0
    for group in range(int(groups.max(initial=-1)) + 1):
        rows = np.flatnonzero(groups == group)
        sizes = _sizes(len(rows), form, rng)
        members = np.repeat(np.arange(used, used + len(sizes)), sizes)
        entity[rows] = members if ordered else rng.permutation(members)
        used += len(sizes)
    numbers = pd.factorize(entity)[0] if ordered else rng.permutation(used)[entity]
    return np.asarray(numbers, dtype=np.int64)


def _sizes(rows: int, form: IdForm, rng: np.random.Generator) -> Integers:
    """Draw rows per id until they add up to `rows`; the last id gets what is left."""
    sizes, shares = np.array([size for size, _ in form.rows_per_id]), np.array([share for _, share in form.rows_per_id])
    drawn = rng.choice(sizes, size=rows, p=shares / shares.sum())
    ends = np.minimum(np.cumsum(drawn), rows)
    counts = np.diff(ends, prepend=0)
    return np.asarray(counts[counts > 0], dtype=np.int64)


def _forms(form: IdForm, count: int, rng: np.random.Generator) -> NDArray[Any]:
    """Return `count` different ids as text."""
    if form.style == "sequence":
        return _decorated(form, np.arange(form.first, form.first + count))
    if form.style == "random_number":
        return _decorated(form, _distinct_numbers(form, count, rng))
    found: dict[str, None] = {}
    while len(found) < count:
        fresh = _codes(form, count - len(found), rng)
        found |= dict.fromkeys(fresh)
        if form.style == "pattern" and len(found) < count and _too_few(form, count):
            raise SchemaError(f"only {len(found)} different ids of the form in the table can be made, not {count}.")
    return np.array(list(found), dtype=object)


def _too_few(form: IdForm, count: int) -> bool:
    return math.prod(map(len, form.alphabets)) < count


def _decorated(form: IdForm, numbers: Integers) -> NDArray[Any]:
    return np.array([f"{form.prefix}{number:0{form.width}d}{form.suffix}" for number in numbers.tolist()], dtype=object)


def _distinct_numbers(form: IdForm, count: int, rng: np.random.Generator) -> Integers:
    """Draw different numbers between the first and the last id; beyond the last where these are too few."""
    span = max(form.last - form.first + 1, 2 * count)
    drawn = np.empty(0, dtype=np.int64)
    while len(drawn) < count:
        drawn = np.unique(np.append(drawn, rng.integers(form.first, form.first + span, size=count)))
    chosen: Integers = rng.permutation(drawn)[:count]
    return chosen


def _codes(form: IdForm, count: int, rng: np.random.Generator) -> list[str]:
    if form.style == "uuid":
        made = [str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(count)]
        return [code.upper() for code in made] if form.prefix == "upper" else made
    alphabets = form.alphabets * form.width if form.style == "hex" else form.alphabets
    places = [rng.choice(list(alphabet), size=count) for alphabet in alphabets]
    return ["".join(characters) for characters in zip(*places, strict=True)]


def _as_dtype(values: NDArray[Any], column: Column, index: pd.Index[Any]) -> pd.Series[Any]:
    """Return text ids (n,) in the dtype the column had: numbers again where it held numbers."""
    dtype = column.dtype
    if dtype != "category" and pd.api.types.is_numeric_dtype(pd.api.types.pandas_dtype(dtype)):
        values = np.array([None if value is None else int(value) for value in values], dtype=object)
    text = pd.Series(values, index=index, name=column.name, dtype=object)
    return cast_to(text, dtype)

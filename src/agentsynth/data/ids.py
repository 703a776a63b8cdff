"""Ids made anew: of the form they had, shared by as many rows, and by rows that agree where rows of an id must."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.casting import cast_to
from agentsynth.data.schema import Column, IdForm
from agentsynth.errors import SchemaError

Integers: TypeAlias = NDArray[np.int64]


SPARE = 64
"""Codes of its own, times this, that each share is given by the last characters alone, as far as there are so many."""


@dataclass(frozen=True)
class Share:
    """Which of all ids may be given to a part of a table that is made by itself: no two parts have one in common.

    Of running numbers those from the part's first row on; of numbers and codes at random every `count`-th, and so of
    running ones where it is not known how many ids the parts before have.

    Attributes:
        number: which part, from 0.
        count: parts of the table.
        before: rows of the parts before it; None: not known.
    """

    number: int = 0
    count: int = 1
    before: int | None = 0


ALL = Share()
NONE: Mapping[str, Integers] = MappingProxyType({})


def make_ids(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    rng: np.random.Generator,
    share: Share = ALL,
    entities: Mapping[str, Integers] = NONE,
) -> dict[str, pd.Series[Any]]:
    """Make new ids for a typed frame.

    Rows that share an id agree in the columns that the form says are constant within an id (these may be id columns
    made before), and ids have as many rows as the schema's table shows.

    Args:
        frame: (n, p) typed frame with the columns that ids are constant within.
        columns: id columns.
        rng: source of the ids.
        share: those that may be given, where the frame is a part of a table.
        entities: id column -> (n,) the number of the entity whose row it is, from 0 on, where that is settled.

    Returns:
        column name -> (n,) ids, in the dtype the column had.

    Raises:
        SchemaError: there are too few different ids of a form.
    """
    made: dict[str, pd.Series[Any]] = {}
    names = {column.name for column in columns}
    waiting = list(columns)
    while waiting:
        column = next((c for c in waiting if not names & set(_within(c)) - set(made)), None)
        if column is None:
            raise SchemaError(f"id columns are constant within each other in a circle: {', '.join(sorted(names))}.")
        waiting.remove(column)
        if column.name in entities:
            made[column.name] = _named(entities[column.name], column, frame.index, rng, share)
        else:
            made[column.name] = _make(frame, column, made, rng, share)
    return made


def _within(column: Column) -> tuple[str, ...]:
    return column.id_form.constant_within if column.id_form else ()


def _make(
    frame: pd.DataFrame, column: Column, made: Mapping[str, pd.Series[Any]], rng: np.random.Generator, share: Share
) -> pd.Series[Any]:
    """Make one id column, (n,)."""
    form = column.id_form
    if form is None:
        raise SchemaError(f"id column {column.name!r} has no id form: infer the schema anew.")
    present = rng.random(len(frame)) >= column.missing if column.missing else np.ones(len(frame), dtype=bool)
    groups = _groups(frame[present], form, {name: ids[present] for name, ids in made.items()})
    entity = _entities(groups, form, column.ordered, rng)
    values = np.full(len(frame), None, dtype=object)
    values[present] = _forms(form, int(entity.max(initial=-1)) + 1, rng, share)[entity]
    return _as_dtype(values, column, frame.index)


def _named(
    entity: Integers, column: Column, index: pd.Index[Any], rng: np.random.Generator, share: Share
) -> pd.Series[Any]:
    """Make the ids (n,) of an id column whose entities are known: counted by first row where they are in order."""
    if column.id_form is None:
        raise SchemaError(f"id column {column.name!r} has no id form: infer the schema anew.")
    count = int(entity.max(initial=-1)) + 1
    numbers = pd.factorize(entity)[0] if column.ordered else rng.permutation(count)[entity]
    return _as_dtype(_forms(column.id_form, count, rng, share)[numbers], column, index)


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


def _forms(form: IdForm, count: int, rng: np.random.Generator, share: Share) -> NDArray[Any]:
    """Return `count` different ids of the share as text."""
    if form.style == "sequence":
        return _decorated(form, form.first + _running(count, share))
    if form.style == "random_number":
        return _decorated(form, _distinct_numbers(form, count, rng, share))
    found: dict[str, None] = {}
    while len(found) < count:
        fresh = _codes(form, count - len(found), rng, share)
        found |= dict.fromkeys(fresh)
        if form.style != "uuid" and len(found) < count and (possible := _possible(form, share)) < count:
            part = "" if share.count == 1 else f" for each of {share.count} parts of the table"
            raise SchemaError(f"only {possible} different ids of the form can be made{part}, not {count}.")
    return np.array(list(found), dtype=object)


def _running(count: int, share: Share) -> Integers:
    """Return `count` running numbers (count,) of the share, from 0 on."""
    places = np.arange(count)
    return places * share.count + share.number if share.before is None else places + share.before


def _possible(form: IdForm, share: Share) -> int:
    """Return how many different codes of the form the share has, at the least."""
    return math.prod(len(set(alphabet)) for alphabet in _alphabets(form)) // share.count


def _alphabets(form: IdForm) -> tuple[str, ...]:
    """Return the characters that may stand at each place of a code."""
    return form.alphabets * form.width if form.style == "hex" else form.alphabets


def _decorated(form: IdForm, numbers: Integers) -> NDArray[Any]:
    return np.array([f"{form.prefix}{number:0{form.width}d}{form.suffix}" for number in numbers.tolist()], dtype=object)


def _distinct_numbers(form: IdForm, count: int, rng: np.random.Generator, share: Share) -> Integers:
    """Draw different numbers between the first and the last id; beyond the last where these are too few."""
    span = max((form.last - form.first + 1) // share.count, 2 * count)
    drawn = np.empty(0, dtype=np.int64)
    while len(drawn) < count:
        drawn = np.unique(np.append(drawn, rng.integers(form.first, form.first + span, size=count)))
    chosen: Integers = rng.permutation(drawn)[:count]
    return form.first + (chosen - form.first) * share.count + share.number


def _codes(form: IdForm, count: int, rng: np.random.Generator, share: Share) -> list[str]:
    if form.style == "uuid":
        # 122 random bits: of 10^10 of them two are the same once in 10^17 tables.
        made = [str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(count)]
        return [code.upper() for code in made] if form.prefix == "upper" else made
    alphabets = _alphabets(form)
    places = [rng.choice(list(alphabet), size=count) for alphabet in alphabets]
    if share.count > 1:
        places = _shared_out(places, alphabets, rng, share)
    return ["".join(characters) for characters in zip(*places, strict=True)]


def _shared_out(
    places: list[NDArray[np.str_]], alphabets: Sequence[str], rng: np.random.Generator, share: Share
) -> list[NDArray[np.str_]]:
    """Return the characters (codes,) of each place, the last ones drawn anew as a number of the share.

    Read as a number, they are every `share.count`-th, of as few places as leave the share enough of them.
    """
    first, numbers = len(alphabets), 1
    while first and numbers < SPARE * share.count:
        first -= 1
        numbers *= len(alphabets[first])
    if numbers <= share.number:
        raise SchemaError(
            f"only {numbers} different ids of the form can be made, and {share.count} parts of the table need "
            "some each."
        )
    own = rng.integers(-(-(numbers - share.number) // share.count), size=len(places[0]))
    value, found = own * share.count + share.number, list(places)
    for place in range(len(alphabets) - 1, first - 1, -1):
        value, character = np.divmod(value, len(alphabets[place]))
        found[place] = np.array(list(alphabets[place]))[character]
    return found


def _as_dtype(values: NDArray[Any], column: Column, index: pd.Index[Any]) -> pd.Series[Any]:
    """Return text ids (n,) in the dtype the column had: numbers again where it held numbers.

    Raises:
        SchemaError: there are more ids than the dtype has numbers, or they are no numbers.
    """
    dtype = column.dtype
    if dtype != "category" and pd.api.types.is_numeric_dtype(pd.api.types.pandas_dtype(dtype)):
        try:
            values = np.array([None if value is None else int(value) for value in values], dtype=object)
        except ValueError as error:
            raise SchemaError(
                f"id column {column.name!r} has dtype {dtype}, and ids of its form are no whole numbers: {error}. Give "
                "it another dtype, or the form that its ids have."
            ) from error
    text = pd.Series(values, index=index, name=column.name, dtype=object)
    try:
        return cast_to(text, dtype)
    except OverflowError as error:
        raise SchemaError(
            f"{len(values)} different ids of column {column.name!r} go beyond its dtype {dtype}: ask for fewer rows, "
            "or fit the table with the column as int64."
        ) from error

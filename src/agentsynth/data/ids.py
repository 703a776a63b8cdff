"""Id columns: recognising the form they have, and making new ones of that form."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.casting import cast_to
from agentsynth.data.schema import Column, IdForm
from agentsynth.data.values import label_of
from agentsynth.errors import SchemaError

Integers: TypeAlias = NDArray[np.int64]

NUMBERED = re.compile(r"(?s)(.*?)(\d+)(\D*)")
"""Prefix without digits at its end, the number, suffix without digits."""
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
HEX = re.compile(r"(?=.*[0-9])(?=.*[a-f])[0-9a-f]{8,}|(?=.*[0-9])(?=.*[A-F])[0-9A-F]{8,}")
LONGEST_NUMBER = 18
"""Most digits of a number that int64 surely holds."""
DENSE = 0.2
"""A sequence uses at least this share of the numbers between its first and its last."""
ALPHABETS = ("0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def id_form(series: pd.Series[Any]) -> IdForm | None:
    """Return the form of the ids in a column, or None where they have none in common.

    Args:
        series: (n,) ids, text or whole numbers; missing ones are ignored. `rows_per_id` is counted.
    """
    present = series.dropna()
    texts = [label_of(value) for value in present.unique()]
    form = (_numbered(texts) or _random(texts)) if texts else None
    return form.model_copy(update={"rows_per_id": _rows_per_id(present)}) if form else None


def fallback_form(series: pd.Series[Any]) -> IdForm:
    """Return the form that ids without any form of their own are replaced by: column name and running number.

    Where the ids were numbers, the number alone.
    """
    present = series.dropna()
    count = present.nunique()
    numeric = pd.api.types.is_numeric_dtype(series.dtype)
    return IdForm(
        style="sequence",
        prefix="" if numeric else f"{series.name}_",
        width=1 if numeric else len(str(count)),
        first=1,
        last=count,
        rows_per_id=_rows_per_id(present),
    )


def in_sequence(series: pd.Series[Any], form: IdForm) -> bool:
    """Tell whether ids (n,) of a sequence first occur in the order of their numbers."""
    texts = [label_of(value) for value in series.dropna().unique()]
    digits = [text[len(form.prefix) : len(text) - len(form.suffix)] for text in texts]
    if not all(number.isdecimal() for number in digits):
        # A fallback form: the ids never had numbers; those made are numbered in order.
        return True
    numbers = [int(number) for number in digits]
    return numbers == sorted(numbers)


def _rows_per_id(present: pd.Series[Any]) -> tuple[tuple[int, float], ...]:
    sizes, counts = np.unique(present.value_counts().to_numpy(), return_counts=True)
    return tuple((int(size), float(share)) for size, share in zip(sizes, counts / counts.sum(), strict=True))


def _numbered(texts: Sequence[str]) -> IdForm | None:
    """Return the form `prefix, digits, suffix` if all ids share prefix and suffix."""
    matches = [NUMBERED.fullmatch(text) for text in texts]
    parts = [match.groups() for match in matches if match]
    if len(parts) < len(texts) or len({(prefix, suffix) for prefix, _, suffix in parts}) != 1:
        return None
    digits = [number for _, number, _ in parts]
    lengths = {len(number) for number in digits}
    padded = any(number[0] == "0" and len(number) > 1 for number in digits)
    if max(lengths) > LONGEST_NUMBER or (padded and min(lengths) < max(lengths) and _overpadded(digits)):
        return None
    numbers = [int(number) for number in digits]
    low, high = min(numbers), max(numbers)
    dense = len(set(numbers)) >= DENSE * (high - low + 1)
    return IdForm(
        style="sequence" if dense else "random_number",
        prefix=parts[0][0],
        suffix=parts[0][2],
        width=min(lengths),
        first=low,
        last=high,
    )


def _overpadded(digits: Sequence[str]) -> bool:
    """Tell whether some number has more leading zeros than the shortest length calls for."""
    width = min(map(len, digits))
    return any(number != str(int(number)).zfill(width) for number in digits)


def _random(texts: Sequence[str]) -> IdForm | None:
    """Return the form of random codes: UUIDs, hexadecimal, or one kind of character at each place."""
    if all(map(UUID.fullmatch, texts)):
        return IdForm(style="uuid", prefix="upper" if texts[0].isupper() else "")
    lengths = {len(text) for text in texts}
    if len(lengths) != 1:
        return None
    if all(re.fullmatch("[0-9a-f]{8,}|[0-9A-F]{8,}", text) for text in texts) and any(map(HEX.fullmatch, texts)):
        upper = any(text != text.lower() for text in texts)
        return IdForm(
            style="hex", width=lengths.pop(), alphabets=("0123456789ABCDEF" if upper else "0123456789abcdef",)
        )
    places = [_alphabet(set(characters)) for characters in zip(*texts, strict=True)]
    # Words of equal length are no codes: codes have digits.
    coded = all(places) and any(set(place) & set(ALPHABETS[0]) for place in places)
    return IdForm(style="pattern", alphabets=tuple(places)) if coded else None


def _alphabet(characters: set[str]) -> str:
    """Return what may stand at a place where `characters` were seen; "" if that is not like in a code."""
    if len(characters) == 1:
        return characters.pop()
    for alphabet in (*ALPHABETS, ALPHABETS[0] + ALPHABETS[1], ALPHABETS[0] + ALPHABETS[2]):
        if characters <= set(alphabet):
            return alphabet
    return ""


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

"""The form of ids: prefix and number, or random codes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from agentsynth.data.schema import IdForm
from agentsynth.data.values import label_of

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
    return form.model_copy(update={"rows_per_id": rows_per_id(present)}) if form else None


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
        rows_per_id=rows_per_id(present),
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


def rows_per_id(present: pd.Series[Any]) -> tuple[tuple[int, float], ...]:
    """Return pairs of a number of rows, and the share of ids (n,) with so many, in order; none may be missing."""
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

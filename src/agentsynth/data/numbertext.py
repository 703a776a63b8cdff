"""Numbers held as text: how they are written ("4.70", "0012"), and writing others the same way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.schema import NumberText

NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
"""A plain number: digits, perhaps with a point among them. No spaces, no thousands' marks, no units."""


def number_text(texts: pd.Series[Any]) -> NumberText | None:
    """Return how numbers are written, or None where some text is no plain number, or they are not written in one way.

    Args:
        texts: (n,) text, none missing.

    >>> number_text(pd.Series(["4.70", "12.00"]))
    NumberText(decimals=2, width=1)
    >>> number_text(pd.Series(["4.7", "12"])), number_text(pd.Series(["007", "012"]))
    (NumberText(decimals=0, width=1), NumberText(decimals=0, width=3))
    >>> number_text(pd.Series(["1.10", "1.9"])) is None
    True
    """
    distinct = pd.Series(texts.unique(), dtype="str")
    if not len(distinct) or not distinct.str.fullmatch(NUMBER).all():
        return None
    digits = distinct.str.removeprefix("-")
    length, point = digits.str.len(), digits.str.find(".")
    whole, fraction = point.where(point >= 0, length), (length - point - 1).where(point >= 0, 0)
    padded = (whole > 1) & digits.str.startswith("0")
    form = NumberText(decimals=int(fraction.min()), width=int(whole.min()) if padded.any() else 1)
    written = write_numbers(distinct.astype("float64").to_numpy(), form)
    return form if np.array_equal(written, distinct.to_numpy(dtype=object)) else None


def write_numbers(values: NDArray[np.float64], form: NumberText) -> NDArray[np.object_]:
    """Write numbers (n,) as text, with the fewest digits that tell them, but no fewer than `form` says; NaN -> None."""
    distinct, place = np.unique(values, return_inverse=True)
    texts = np.array([None if np.isnan(value) else _written(value, form) for value in distinct], dtype=object)
    return np.asarray(texts[place])


def _written(value: float, form: NumberText) -> str:
    text = np.format_float_positional(
        value, unique=True, trim="k" if form.decimals else "-", min_digits=form.decimals or None
    )
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, point, fraction = digits.partition(".")
    return sign + whole.zfill(form.width) + point + fraction

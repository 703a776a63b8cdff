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
    form = _apparent_form(distinct)
    return form if form is not None and _is_written(distinct, form) else None


def unusual_text(texts: pd.Series[Any]) -> NumberText | None:
    """Return `number_text` where numbers are written otherwise than floats are by default (4.7, 12.0), else None."""
    distinct = pd.Series(texts.unique(), dtype="str")
    form = _apparent_form(distinct)
    return form if form not in (None, NumberText()) and _is_written(distinct, form) else None


def _apparent_form(distinct: pd.Series[Any]) -> NumberText | None:
    """Return the fewest digits before and after the point; None where some text is no plain number."""
    if not len(distinct) or not distinct.str.fullmatch(NUMBER).all():
        return None
    digits = distinct.str.removeprefix("-")
    length, point = digits.str.len(), digits.str.find(".")
    whole, fraction = point.where(point >= 0, length), (length - point - 1).where(point >= 0, 0)
    padded = (whole > 1) & digits.str.startswith("0")
    return NumberText(decimals=int(fraction.min()), width=int(whole.min()) if padded.any() else 1)


def _is_written(distinct: pd.Series[Any], form: NumberText) -> bool:
    """Tell whether writing the numbers that the texts stand for gives the texts."""
    written = write_numbers(distinct.to_numpy(dtype=np.float64), form)
    return np.array_equal(written, distinct.to_numpy(dtype=object))


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

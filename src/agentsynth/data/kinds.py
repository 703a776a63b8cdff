"""The kind of a column, decided from its dtype, its values and its name.

Every rule is here with its threshold; `infer_schema` adds what the kind needs to be given back in the same form.
"""

from __future__ import annotations

import re
import shlex
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from agentsynth.data.dates import OFFSET_DATETIME, find_format, most_likely_format, parse_dates
from agentsynth.data.idforms import id_form
from agentsynth.data.numbertext import number_text
from agentsynth.data.schema import Kind, NumberText
from agentsynth.errors import SchemaError

DROP = "drop"
"""Kind that the user gives a column to leave it out."""

ID_NAME = re.compile(
    r"(?i:(^|[\W_])(id|ids|uuid|guid|key|isbn|ean|iban|ssn|rownames?|row_names?|index|identifier)$)|[a-z](Id|ID|Key)$"
)
"""Names of columns that hold ids."""
NUMBER_NAME = re.compile(r"(?i)(^|[\W_])(no|nr|num|number|row|obs|case|unnamed: 0|serial|sku)$")
"""Names of columns that may hold ids: believed only where every value is different."""
COUNTING_NAME = re.compile(
    r"(?i:time|year|date|day|week|month|hour|age|period|quarter|size|length|count|rank|dose|^[a-z]$)|^n[A-Z_.\d]"
)
"""Names of columns that count something: consecutive numbers are then no row numbers."""

PLACE_NAME = re.compile(r"(?i)zip|postal|postcode|plz|fips|nuts|iso")
"""Names of columns that hold codes of places, never ids."""

FEW_ID_LEVELS = 20
"""Repeated ids with no more levels than this are taken for a categorical column (store 1 to 5) ..."""
MORE_ID_LEVELS = 100
"""... and up to this many, where there are `ROWS_PER_LEVEL` rows for each on average (species, plots)."""
ROWS_PER_LEVEL = 50
REPEATED_ID_LEVELS = 50
"""Repeated codes such as "C0417" count as ids from this many levels on, whatever the column's name ..."""
REPEATED_ID_SHARE = 0.1
"""... and from this share of the rows on."""
ALMOST_UNIQUE = 0.5
"""Text of which more than this share is different is an id or free text."""
FEW_TEXT_LEVELS = 60
"""Up to this many short texts are levels, even if every one is different (countries, states)."""
SHORT = 30
"""Letters in a short text."""
CODE_LEVELS = 2
"""Whole numbers with no more levels than this are codes (0/1, 1/2)."""
LONGEST_COUNT = 4
"""Digits of whole numbers held as text that may all be of one length and yet count something (years, ages)."""
LARGEST_EXACT = 2**53
"""Beyond this, whole numbers have no exact float."""

UNUSABLE = {
    "m": ("time differences", "numbers (.dt.total_seconds())"),
    "c": ("complex numbers", "two columns of real ones"),
    "PeriodDtype": ("periods", "datetimes (.dt.to_timestamp())"),
    "IntervalDtype": ("intervals", "text (astype(str))"),
}
"""Kind letters and class names of dtypes that cannot be used -> what they hold, and what to turn it into."""


def kind_of(series: pd.Series[Any]) -> Kind:
    """Return the kind of a column (n,); never `derived`, which only other columns can show.

    Raises:
        SchemaError: the column is of no kind that can be used; the message names it and says what to do.
    """
    present = series.dropna()
    _check_usable(present)
    levels = present.nunique()
    if levels == 0 or (levels == 1 and len(present) == len(series)):
        return "constant"
    if types.is_datetime64_any_dtype(series.dtype) or _holds_dates(present):
        return "datetime"
    if types.is_bool_dtype(series.dtype) or isinstance(series.dtype, pd.CategoricalDtype):
        return "categorical"
    if types.is_numeric_dtype(series.dtype):
        return _kind_of_numbers(present, levels, len(series))
    return _kind_of_text(present, levels, len(series))


def values_kind(series: pd.Series[Any]) -> Kind:
    """Return what the values (n,) of a column that others give are: `numeric`, `datetime` or `categorical`."""
    present = series.dropna()
    if types.is_numeric_dtype(series.dtype) and not types.is_bool_dtype(series.dtype):
        return "numeric"
    if types.is_datetime64_any_dtype(series.dtype) or _holds_dates(present):
        return "datetime"
    text = len(present) > 0 and present.map(lambda value: isinstance(value, str)).all()
    return _values_kind_of_text(present) if text else "categorical"


def _values_kind_of_text(present: pd.Series[Any]) -> Kind:
    """Return what text stands for; numbers with zeros in front are codes, and categories are no numbers."""
    if find_format(present.astype(object)) is not None:
        return "datetime"
    numbers = None if isinstance(present.dtype, pd.CategoricalDtype) else number_text(present)
    return "categorical" if numbers is None or numbers.width > 1 else "numeric"


def _check_usable(present: pd.Series[Any]) -> None:
    """Raise for dtypes and objects that no kind covers."""
    name, dtype = present.name, present.dtype
    unusable = UNUSABLE.get(type(dtype).__name__) or UNUSABLE.get(dtype.kind)
    if unusable:
        what, remedy = unusable
        raise SchemaError(f"column {name!r} holds {what}: turn it into {remedy} first, or drop it (kind: {DROP}).")
    if not types.is_object_dtype(dtype):
        return
    odd = present[~present.map(lambda value: isinstance(value, str | bool | np.bool_ | date))]
    if len(odd):
        found = f"{type(odd.iloc[0]).__name__}, e.g. in row {odd.index[0] + 1}"
        if isinstance(odd.iloc[0], bytes):
            raise SchemaError(
                f"column {name!r} holds bytes (images, files), which cannot be modelled.{_remedies(name)}"
            )
        raise SchemaError(
            f"column {name!r} holds objects of type {found}: turn them into numbers (pd.to_numeric) or text "
            f"(astype(str)) first, or drop the column (kind: {DROP})."
        )


def _holds_dates(present: pd.Series[Any]) -> bool:
    """Tell whether a column of objects holds dates (as Parquet's date columns do)."""
    return bool(types.is_object_dtype(present.dtype) and present.map(lambda value: isinstance(value, date)).all())


def _kind_of_numbers(present: pd.Series[Any], levels: int, rows: int) -> Kind:
    values = present.to_numpy()
    if not np.isfinite(values.astype(np.float64)).all():
        return "numeric"  # reading the numbers refuses infinite ones, and says where they are
    if not np.all(np.equal(np.mod(values.astype(np.float64), 1), 0)):
        return "numeric"
    if types.is_integer_dtype(present.dtype) and values.max() > LARGEST_EXACT and values.min() >= 0:
        return "id"
    if ID_NAME.search(str(present.name)) and values.min() >= 0:
        return "id" if _names_entities(levels, len(present)) else "categorical"
    if levels == rows and _numbers_rows(values, str(present.name)):
        return "id"
    return "categorical" if levels <= CODE_LEVELS else "numeric"


def _names_entities(levels: int, present: int) -> bool:
    """Tell whether a column that looks like an id has more different ids than a few classes would."""
    if levels == present:
        return True
    return levels > (MORE_ID_LEVELS if present >= ROWS_PER_LEVEL * levels else FEW_ID_LEVELS)


def _numbers_rows(values: NDArray[Any], name: str) -> bool:
    """Tell whether whole numbers, all different and none missing, number the rows."""
    if NUMBER_NAME.search(name) and values.min() >= 0:
        return True
    return bool(values[0] in (0, 1) and (np.diff(values) == 1).all() and not COUNTING_NAME.search(name))


def _kind_of_text(present: pd.Series[Any], levels: int, rows: int) -> Kind:
    if not present.map(lambda value: isinstance(value, str)).all():
        return "categorical"
    if find_format(present.astype(object)) is not None:
        return "datetime"
    _check_one_offset(present)
    _check_almost_datetimes(present, levels)
    numbers = number_text(present)
    if numbers is not None and _measures(numbers, present, levels):
        return "numeric"
    if _is_text_id(present, levels, rows):
        return "id"
    if PLACE_NAME.search(str(present.name)) and id_form(present) is not None:
        return "categorical"
    if levels <= ALMOST_UNIQUE * len(present) or levels <= FEW_ID_LEVELS:
        return "categorical"
    if levels <= FEW_TEXT_LEVELS and present.str.len().median() <= SHORT:
        return "categorical"
    if numbers is not None and numbers.width == 1:
        return "numeric"
    raise SchemaError(
        f"column {present.name!r} looks like free text ({_many(present, levels)}), which cannot be modelled."
        f"{_almost_numbers(present)}{_remedies(present.name)}"
    )


def _remedies(name: object) -> str:
    """Say what can be done with a column that cannot be modelled."""
    return (
        f" Set its kind (in params.yaml: data.columns.{name}.kind; in Python: infer_schema(table, {{{str(name)!r}: "
        f"{{'kind': ...}}}})): `{DROP}` leaves it out, `id` replaces it by running numbers, `categorical` repeats the "
        f"values themselves. On the command line, `--drop {shlex.quote(str(name))}` leaves it out."
    )


def _many(present: pd.Series[Any], levels: int) -> str:
    """Say what texts look like, but quote none: they may be personal."""
    lengths = present.str.len()
    return (
        f"{levels} different values in {len(present)} rows, {lengths.min()} to {lengths.max()} letters long, the first "
        f"of the shape {shape_of(str(present.iloc[0]))!r}"
    )


def _measures(numbers: NumberText, present: pd.Series[Any], levels: int) -> bool:
    """Tell whether numbers held as text count or measure something; else they are codes, as others are.

    A point says so; whole numbers must be many, without zeros in front, and not all different or all long.
    """
    if levels <= CODE_LEVELS or numbers.width > 1:
        return False
    if present.str.contains(".", regex=False).any():
        return True
    name, lengths = str(present.name), present.str.len()
    code = ID_NAME.search(name) or PLACE_NAME.search(name) or NUMBER_NAME.search(name)
    fixed = bool(lengths.min() == lengths.max() > LONGEST_COUNT)
    return not code and not fixed and bool(FEW_ID_LEVELS < levels < len(present))


def _check_one_offset(present: pd.Series[Any]) -> None:
    """Refuse datetimes with several offsets from UTC: whoever reads the text must say what zone they belong to."""
    if OFFSET_DATETIME.fullmatch(str(present.iloc[0])) and present.str.fullmatch(OFFSET_DATETIME.pattern).all():
        raise SchemaError(
            f"column {present.name!r} is text of datetimes with more than one offset from UTC: turn it into datetimes "
            f"of one zone first (pd.to_datetime(..., utc=True).dt.tz_convert(zone)), or drop it (kind: {DROP})."
        )


def _check_almost_datetimes(present: pd.Series[Any], levels: int) -> None:
    """Refuse datetimes that nearly never repeat, a few of which there are not: they would be taken for random codes."""
    if levels <= ALMOST_UNIQUE * len(present) or levels <= FEW_ID_LEVELS:
        return
    form = most_likely_format(present.astype(object))
    if form is None:
        return
    wrong = parse_dates(present.astype(object), form).isna()
    if 0 < wrong.sum() < ALMOST_UNIQUE * len(present):
        raise SchemaError(
            f"column {present.name!r} holds datetimes written as {form}, but the value in row "
            f"{present.index[wrong][0] + 1}, of the shape {shape_of(str(present[wrong].iloc[0]))!r}, is none: correct "
            f"it, or empty it, in the table.{_remedies(present.name)}"
        )


def _almost_numbers(present: pd.Series[Any]) -> str:
    """Say which texts keep a column from being numeric, if most of them are numbers."""
    others = present[pd.to_numeric(present.astype(object), errors="coerce").isna()]
    if not len(others):
        return " Its values are numbers written in more than one way: `numeric` takes them as such."
    if len(others) >= ALMOST_UNIQUE * len(present):
        return ""
    return (
        f" Most of its values are numbers, but the one in row {others.index[0] + 1}, of the shape "
        f"{shape_of(str(others.iloc[0]))!r}, is not: correct that in the table, to have it numeric."
    )


def _is_text_id(present: pd.Series[Any], levels: int, rows: int) -> bool:
    if ID_NAME.search(str(present.name)):
        return _names_entities(levels, len(present))
    form = id_form(present)
    if form is None or PLACE_NAME.search(str(present.name)):
        return False
    if form.style in ("uuid", "hex"):
        return _names_entities(levels, len(present))
    if form.style == "pattern":
        return levels > max(ALMOST_UNIQUE * len(present), FEW_ID_LEVELS)
    if levels == len(present):
        return levels == rows or levels > FEW_ID_LEVELS
    return levels > max(REPEATED_ID_LEVELS, REPEATED_ID_SHARE * len(present))


def shape_of(text: str) -> str:
    """Return what a text looks like without what it says: every letter as x or X, every digit as 9, cut at 30.

    >>> shape_of("Mr O'Hara, $4,030.26")
    "Xx X'Xxxx, $9,999.99"
    """
    shape = re.sub(r"\d", "9", re.sub(r"[^\W\d_]", lambda letter: "X" if letter[0].isupper() else "x", text))
    return shape if len(shape) <= SHORT else shape[: SHORT - 3] + "..."

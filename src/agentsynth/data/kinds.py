"""The kind of a column, decided from its dtype, its values and its name.

Every rule is here with its threshold; `infer_schema` adds what the kind needs to be given back in the same form.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from agentsynth.data.dates import find_format
from agentsynth.data.ids import id_form
from agentsynth.data.schema import Kind
from agentsynth.errors import SchemaError

DROP = "drop"
"""Kind that the user gives a column to leave it out."""

ID_NAME = re.compile(r"(?i)(^|[\W_])(id|ids|uuid|guid|key|rownames?|row_names?|index|identifier)$|[a-z](Id|ID|Key)$")
"""Names of columns that hold ids."""
NUMBER_NAME = re.compile(r"(?i)(^|[\W_])(no|nr|num|number|row|obs|case|unnamed: 0|serial|sku)$")
"""Names of columns that may hold ids: believed only where every value is different."""
CLOCK_NAME = re.compile(
    r"(?i)time|year|date|day|week|month|hour|age|period|quarter|size|length|count|rank|dose|^[a-z]$"
)
"""Names of columns that count something: consecutive numbers are then no row numbers."""

FEW_ID_LEVELS = 20
"""Repeated ids with no more levels than this are taken for a categorical column (store 1 to 5)."""
REPEATED_ID_LEVELS = 50
"""Repeated codes such as "C0417" count as ids from this many levels on, whatever the column's name."""
ALMOST_UNIQUE = 0.5
"""Text of which more than this share is different is an id or free text."""
FEW_TEXT_LEVELS = 60
"""Up to this many short texts are levels, even if every one is different (countries, states)."""
SHORT = 30
"""Letters in a short text."""
CODE_LEVELS = 2
"""Whole numbers with no more levels than this are codes (0/1, 1/2)."""
LARGEST_EXACT = 2**53
"""Beyond this, whole numbers have no exact float."""


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
    return _kind_of_text(present, levels)


def _check_usable(present: pd.Series[Any]) -> None:
    """Raise for dtypes and objects that no kind covers."""
    name, dtype = present.name, present.dtype
    if types.is_timedelta64_dtype(dtype):
        raise SchemaError(
            f"column {name!r} holds time differences: turn them into numbers first (.dt.total_seconds())."
        )
    if isinstance(dtype, pd.PeriodDtype):
        raise SchemaError(f"column {name!r} holds periods: turn them into datetimes first (.dt.to_timestamp()).")
    if types.is_complex_dtype(dtype) or isinstance(dtype, pd.IntervalDtype):
        raise SchemaError(f"column {name!r} holds {dtype} values, which cannot be modelled: drop it, or make it text.")
    if dtype != object:
        return
    odd = present[~present.map(lambda value: isinstance(value, str | bool | np.bool_ | date))]
    if len(odd):
        raise SchemaError(
            f"column {name!r} holds objects of type {type(odd.iloc[0]).__name__}, e.g. {str(odd.iloc[0])[:60]!r} in row "
            f"{odd.index[0] + 1}: turn them into numbers (pd.to_numeric) or text (astype(str)) first, or drop the column "
            f"(kind: {DROP})."
        )


def _holds_dates(present: pd.Series[Any]) -> bool:
    """Tell whether a column of objects holds dates (as Parquet's date columns do)."""
    return bool(present.dtype == object and present.map(lambda value: isinstance(value, date | datetime)).all())


def _kind_of_numbers(present: pd.Series[Any], levels: int, rows: int) -> Kind:
    values = present.to_numpy()
    if not np.all(np.equal(np.mod(values.astype(np.float64), 1), 0)):
        return "numeric"
    if _is_number_id(present, levels, rows):
        return "id"
    return "categorical" if levels <= CODE_LEVELS else "numeric"


def _is_number_id(present: pd.Series[Any], levels: int, rows: int) -> bool:
    name = str(present.name)
    unique = levels == len(present)
    if np.abs(present.to_numpy(dtype=np.float64)).max() > LARGEST_EXACT or (present.min() < 0):
        return bool(present.min() >= 0)
    if ID_NAME.search(name):
        return levels > FEW_ID_LEVELS or (unique and levels == rows)
    if not unique or levels < rows:
        return False
    if NUMBER_NAME.search(name):
        return True
    consecutive = bool((np.diff(present.to_numpy()) == 1).all())
    return consecutive and present.iloc[0] in (0, 1) and not CLOCK_NAME.search(name)


def _kind_of_text(present: pd.Series[Any], levels: int) -> Kind:
    if not present.map(lambda value: isinstance(value, str)).all():
        return "categorical"
    if find_format(present.astype(object)) is not None:
        return "datetime"
    if _is_text_id(present, levels):
        return "id"
    if levels <= ALMOST_UNIQUE * len(present) or levels <= FEW_ID_LEVELS:
        return "categorical"
    if levels <= FEW_TEXT_LEVELS and present.str.len().median() <= SHORT:
        return "categorical"
    raise SchemaError(
        f"column {present.name!r} looks like free text ({levels} different values in {len(present)} rows, e.g. "
        f"{_shortened(present.iloc[0])}), which cannot be modelled. Set its kind: `{DROP}` leaves it out, `id` replaces it "
        f"by running numbers, `categorical` repeats the texts themselves (in params.yaml: data.columns.{present.name}.kind)."
    )


def _is_text_id(present: pd.Series[Any], levels: int) -> bool:
    named = ID_NAME.search(str(present.name)) is not None
    if named and (levels > FEW_ID_LEVELS or levels == len(present)):
        return True
    form = id_form(present)
    if form is None:
        return False
    if form.style in ("uuid", "hex"):
        return levels > FEW_ID_LEVELS or levels == len(present)
    if form.style == "pattern":
        return levels > ALMOST_UNIQUE * len(present) and levels > FEW_ID_LEVELS and _like_codes(present)
    return levels == len(present) or levels > max(REPEATED_ID_LEVELS, 0.02 * len(present))


def _like_codes(present: pd.Series[Any]) -> bool:
    """Tell whether texts of equal length look like codes (digits in each), not like words."""
    return bool(present.str.contains(r"\d").all())


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")

"""The form of a column whose kind is settled: all that is needed to give it back as it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from agentsynth.data.dates import coarsest_step, find_format
from agentsynth.data.idforms import fallback_form, id_form, in_sequence
from agentsynth.data.kinds import shape_of, values_kind
from agentsynth.data.numbertext import number_text
from agentsynth.data.rounding import decimals_of
from agentsynth.data.schema import Column, Formula, IdForm, Kind
from agentsynth.data.values import label_of, plain, to_datetimes, to_numbers
from agentsynth.errors import SchemaError

Fields = Mapping[str, Any]
RESULTS: dict[str, Kind] = {"label": "categorical", "number": "numeric", "datetime": "datetime"}
"""What a lookup gives -> the kind of column that holds such values."""
SINGLE_PRECISION = ("float32", "Float32", "float[pyarrow]", "float16")


def column_of(series: pd.Series[Any], kind: Kind, given: Fields) -> Column:
    """Describe one column.

    Args:
        series: (n,) its values.
        kind: its kind.
        given: fields that the user has set; they stand.

    Raises:
        SchemaError: the values do not fit the kind.
    """
    form = FORMS[kind](series, given)
    # A formula comes back from there with what it gives.
    stand = {field: value for field, value in given.items() if not (field == "formula" and field in form)}
    fields = {"missing": float(series.isna().mean()), **form, **stand}
    return Column.model_validate({**fields, "name": series.name, "dtype": str(series.dtype), "kind": kind})


def _constant_form(series: pd.Series[Any], _: Fields) -> dict[str, Any]:
    values = list(series.dropna().unique())
    if len(values) > 1:
        raise SchemaError(
            f"column {series.name!r} cannot be constant: it holds {len(values)} different values. Give it another kind."
        )
    value = plain(values[0]) if values else None
    if isinstance(value, float) and math.isinf(value):
        raise SchemaError(f"column {series.name!r} holds infinite numbers: replace them by missing values.")
    dates_as_objects = isinstance(value, date) and types.is_object_dtype(series.dtype)
    return {
        "value": str(value) if isinstance(value, date) else value,
        "levels": _levels(series) if isinstance(series.dtype, pd.CategoricalDtype) else None,
        "step": "day" if dates_as_objects else None,
    }


def _id_form(series: pd.Series[Any], given: Fields) -> dict[str, Any]:
    if "id_form" in given:
        return {}
    form = id_form(series)
    numeric = types.is_numeric_dtype(series.dtype)
    if form is None or (numeric and (form.prefix or form.suffix or not _fits(form, series.dtype))):
        # Numbers below zero, with a fraction, or so large that random ones like them go beyond the dtype.
        form = fallback_form(series)
    return {"id_form": form, "ordered": form.style in ("sequence", "random_number") and in_sequence(series, form)}


def _fits(form: IdForm, dtype: Any) -> bool:
    """Whether all random codes of a form are numbers that an integer dtype holds."""
    if form.style != "pattern" or not types.is_integer_dtype(dtype):
        return True
    limits = np.iinfo(getattr(dtype, "numpy_dtype", dtype))
    return int("".join(max(alphabet) for alphabet in form.alphabets)) <= int(limits.max)


def _datetime_form(series: pd.Series[Any], given: Fields) -> dict[str, Any]:
    form = given.get("format") or _text_format(series)
    zone = getattr(series.dtype, "tz", None)
    timezone = None if zone is None else str(zone)
    column = Column(name=str(series.name), kind="datetime", dtype=str(series.dtype), format=form, timezone=timezone)
    values = to_datetimes(series, column)
    return {
        "format": form,
        "timezone": timezone,
        "step": coarsest_step(values) if values.notna().any() else None,
        "ordered": bool(values.notna().all() and values.is_monotonic_increasing),
    }


def _text_format(series: pd.Series[Any]) -> str | None:
    """Return the format of datetimes held as text, None where they are not text."""
    present = series.dropna().astype(object)
    if not present.map(lambda value: isinstance(value, str)).any():
        return None
    form = find_format(present)
    if form is None:
        shape = repr(shape_of(str(present.iloc[0])))
        raise SchemaError(
            f"column {series.name!r} is text in no datetime format known, of a shape such as {shape}: give its "
            f"`format` (as strftime has it), or another kind."
        )
    return form


def _categorical_form(series: pd.Series[Any], _: Fields) -> dict[str, Any]:
    if types.infer_dtype(series, skipna=True) == "bytes":
        return {"binary": True}
    ordered = bool(isinstance(series.dtype, pd.CategoricalDtype) and series.dtype.ordered)
    return {"levels": _levels(series), "ordered": ordered}


def _levels(series: pd.Series[Any]) -> list[Any] | None:
    """Return the values behind labels where the dtype alone does not tell them: categories, objects not all text.

    Raises:
        SchemaError: a value is neither text, number nor boolean, or two values have the same label.
    """
    if isinstance(series.dtype, pd.CategoricalDtype):
        values = list(series.dtype.categories)
    elif types.is_object_dtype(series.dtype) and types.infer_dtype(series, skipna=True) != "string":
        values = list(series.dropna())
    else:
        return None
    odd = [value for value in map(plain, values) if not isinstance(value, bool | int | float | str)]
    if odd:
        raise SchemaError(
            f"column {series.name!r} has levels of type {type(odd[0]).__name__}: turn them into text first "
            f"(astype(str))."
        )
    levels = [plain(value) for value in pd.unique(pd.Series(values, dtype=object))]
    if len({label_of(value) for value in levels}) < len(levels):
        raise SchemaError(
            f"column {series.name!r} has levels that look alike but differ in type, such as 1 and '1': make them one."
        )
    return levels


def _numeric_form(series: pd.Series[Any], _: Fields) -> dict[str, Any]:
    numbers = np.asarray(to_numbers(series).dropna(), dtype=np.float64)
    if not len(numbers):
        return {}
    held_as_text = not types.is_numeric_dtype(series.dtype)
    single = str(series.dtype) in SINGLE_PRECISION
    return {
        "decimals": decimals_of(numbers, np.dtype(np.float32) if single else None),
        "text": number_text(series.dropna()) if held_as_text else None,
        "minimum": float(numbers.min()),
        "maximum": float(numbers.max()),
    }


def _derived_form(series: pd.Series[Any], given: Fields) -> dict[str, Any]:
    """Describe a column that the user calls derived: by what its formula gives, or, if looked up, by its values."""
    formula = Formula.model_validate(given.get("formula"))
    if formula.operation != "lookup":
        return (_datetime_form if formula.operation == "shift" else _numeric_form)(series, given)
    kind = RESULTS[formula.result] if formula.result else values_kind(series)
    result = next(result for result, kind_of_result in RESULTS.items() if kind_of_result == kind)
    return {**FORMS[kind](series, given), "formula": formula.model_copy(update={"result": result})}


FORMS: dict[Kind, Callable[[pd.Series[Any], Fields], dict[str, Any]]] = {
    "constant": _constant_form,
    "id": _id_form,
    "datetime": _datetime_form,
    "categorical": _categorical_form,
    "numeric": _numeric_form,
    "derived": _derived_form,
}

"""What each column of a table is: the schema, inferred from values and names, with the user's overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types
from pydantic import ValidationError

from agentsynth.data.dates import coarsest_step, find_format
from agentsynth.data.derived import find_formulas
from agentsynth.data.describing import describe
from agentsynth.data.entities import constant_within
from agentsynth.data.ids import fallback_form, id_form, in_sequence
from agentsynth.data.kinds import DROP, kind_of
from agentsynth.data.rounding import decimals_of
from agentsynth.data.schema import Column, Formula, IdForm, Kind, Schema
from agentsynth.data.typed import typed
from agentsynth.data.values import label_of, to_datetimes, to_numbers
from agentsynth.errors import SchemaError

__all__ = ["describe", "infer_schema"]

Overrides = Mapping[str, Mapping[str, Any]]


def infer_schema(frame: pd.DataFrame, overrides: Overrides | None = None) -> Schema:
    """Infer what each column of a table is.

    Kinds: *constant* (one value, or none at all), *id* (names rows or entities; made anew), *datetime* (also as text, in
    one of many strict formats), *categorical* (text, booleans, whole numbers of two levels), *numeric*, and *derived*
    (follows exactly from other columns on every row).

    Args:
        frame: (n, p) table, n >= 1.
        overrides: column -> fields of `Column` to set, such as `{"zip": {"kind": "categorical"}}`. A column of kind
            `drop` is left out of the schema, and so out of everything made with it.

    Returns:
        The schema, columns in the order of the table.

    Raises:
        SchemaError: the table is empty or has column names that are not unique text; a column cannot be used (free
            text, objects, infinite numbers); an override does not fit. The message names the column and the remedy.
    """
    wanted = {str(name): dict(fields) for name, fields in (overrides or {}).items()}
    _check_table(frame)
    _check_overrides(frame, wanted)
    kept = frame[[name for name in frame.columns if wanted.get(name, {}).get("kind") != DROP]].reset_index(drop=True)
    if kept.shape[1] == 0:
        raise SchemaError("every column of the table is dropped: keep at least one.")
    kinds = _kinds(kept, wanted)
    columns = [_column(kept[name], kinds[name], wanted.get(name, {})) for name in kept.columns]
    columns = _with_entities(columns, kept, wanted)
    return _with_formulas(Schema(columns=tuple(columns)), kept, wanted)


def _check_table(frame: pd.DataFrame) -> None:
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise SchemaError(
            f"a schema needs at least one row and one column; the table is {' x '.join(map(str, frame.shape))}."
        )
    odd = [name for name in frame.columns if not isinstance(name, str)]
    if odd:
        raise SchemaError(
            f"column names must be text, found {odd[0]!r}: rename, e.g. frame.columns = map(str, frame.columns)."
        )
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise SchemaError(f"column names must be unique, found {twice[0]!r} more than once: rename one of them.")


def _check_overrides(frame: pd.DataFrame, wanted: Mapping[str, Mapping[str, Any]]) -> None:
    """Check that overrides name columns of the table and fields of a column, with values of the right type."""
    for name, fields in wanted.items():
        if name not in frame.columns:
            raise SchemaError(
                f"an override names column {name!r}, which the table does not have; it has {', '.join(frame.columns)}."
            )
        if fields.get("kind") == DROP:
            continue
        try:
            Column.model_validate({"kind": "numeric", **fields, "name": name, "dtype": str(frame[name].dtype)})
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise SchemaError(
                f"the override of column {name!r} cannot be used: {field}: {first['msg']} (found {first['input']!r}). "
                f"Fields: {', '.join(f for f in Column.model_fields if f not in ('name', 'dtype'))}; kinds: "
                f"id, categorical, numeric, datetime, derived, constant, {DROP}."
            ) from error


def _kinds(frame: pd.DataFrame, wanted: Mapping[str, Mapping[str, Any]]) -> dict[str, Kind]:
    """Return the kind of every column; all columns that cannot be used are reported at once."""
    kinds: dict[str, Kind] = {}
    problems: dict[str, str] = {}
    for name in frame.columns:
        given = wanted.get(name, {}).get("kind")
        try:
            kinds[name] = given or kind_of(frame[name])
        except SchemaError as error:
            problems[name] = str(error)
    if problems:
        raise SchemaError("\n".join(problems.values()))
    return kinds


def _column(series: pd.Series[Any], kind: Kind, override: Mapping[str, Any]) -> Column:
    """Describe one column, of a kind that is settled."""
    details = {
        "constant": _constant_details,
        "id": _id_details,
        "datetime": _datetime_details,
        "categorical": _categorical_details,
        "numeric": _numeric_details,
        "derived": _derived_details,
    }[kind]
    fields = {"missing": float(series.isna().mean()), **details(series, override), **override}
    return Column.model_validate({**fields, "name": series.name, "dtype": str(series.dtype), "kind": kind})


def _constant_details(series: pd.Series[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    values = series.dropna().unique()
    if len(values) > 1:
        raise SchemaError(
            f"column {series.name!r} cannot be constant: it holds {len(values)} values, e.g. {list(values[:3])}."
        )
    value = values[0] if len(values) else None
    if isinstance(value, np.generic):
        value = value.item()
    moment = isinstance(value, date | datetime)
    return {
        "value": str(value) if moment else value,
        "levels": _levels(series),
        "step": "day" if moment and series.dtype == object else None,
        "missing": 0.0 if len(values) else 1.0,
    }


def _id_details(series: pd.Series[Any], override: Mapping[str, Any]) -> dict[str, Any]:
    if "id_form" in override:
        return {}
    form: IdForm = id_form(series) or fallback_form(series)
    if types.is_numeric_dtype(series.dtype) and (form.prefix or form.suffix):
        form = fallback_form(series).model_copy(update={"prefix": "", "width": 0})
    return {"id_form": form, "ordered": form.style == "sequence" and in_sequence(series, form)}


def _datetime_details(series: pd.Series[Any], override: Mapping[str, Any]) -> dict[str, Any]:
    zone = getattr(series.dtype, "tz", None)
    form = override.get("format")
    if form is None and types.is_string_dtype(series.dropna().infer_objects().dtype):
        form = find_format(series.dropna().astype(object))
        if form is None:
            raise SchemaError(
                f"column {series.name!r} is text in no datetime format known, e.g. {series.dropna().iloc[0]!r}: give its "
                f"`format` (as in strftime), or another kind."
            )
    column = Column(
        name=str(series.name),
        kind="datetime",
        dtype=str(series.dtype),
        format=form,
        timezone=str(zone) if zone else None,
    )
    values = to_datetimes(series, column)
    ordered = bool(values.notna().all() and values.is_monotonic_increasing)
    step = coarsest_step(values) if values.notna().any() else None
    return {"format": form, "timezone": column.timezone, "step": step, "ordered": ordered}


def _categorical_details(series: pd.Series[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    ordered = bool(isinstance(series.dtype, pd.CategoricalDtype) and series.dtype.ordered)
    return {"levels": _levels(series), "ordered": ordered}


def _levels(series: pd.Series[Any]) -> list[Any] | None:
    """Return the values behind labels where the dtype alone does not tell them: category, and objects that are not text."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        values = list(series.dtype.categories)
    elif series.dtype == object and types.infer_dtype(series, skipna=True) != "string":
        values = list(series.dropna().unique())
    else:
        return None
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    odd = [value for value in plain if not isinstance(value, bool | int | float | str)]
    if odd:
        raise SchemaError(
            f"column {series.name!r} has levels of type {type(odd[0]).__name__}, e.g. {odd[0]}: turn them into text first "
            f"(astype(str))."
        )
    if len({label_of(value) for value in plain}) < len(plain):
        raise SchemaError(
            f"column {series.name!r} has levels that look alike but differ in type (1 and '1'): make them one type."
        )
    return plain


def _numeric_details(series: pd.Series[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    numbers = to_numbers(series).dropna().to_numpy(dtype=np.float64)
    narrow = np.dtype(np.float32) if str(series.dtype).lower() in ("float32", "float16", "float[pyarrow]") else None
    if not len(numbers):
        return {}
    return {
        "decimals": decimals_of(numbers, narrow),
        "minimum": float(numbers.min()),
        "maximum": float(numbers.max()),
    }


def _derived_details(series: pd.Series[Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a column that the user calls derived; its formula is given or found later."""
    if types.is_numeric_dtype(series.dtype):
        return _numeric_details(series, override)
    return _datetime_details(series, override)


def _with_entities(
    columns: Sequence[Column], frame: pd.DataFrame, wanted: Mapping[str, Mapping[str, Any]]
) -> list[Column]:
    """Find, for every id column with repeated ids, the columns that keep one value over the rows of an id."""
    done: list[Column] = []
    for column in columns:
        form = column.id_form
        if column.kind == "id" and form is not None and "id_form" not in wanted.get(column.name, {}):
            within = constant_within(frame, column, columns)
            column = column.model_copy(update={"id_form": form.model_copy(update={"constant_within": within})})
        done.append(column)
    return done


def _with_formulas(schema: Schema, frame: pd.DataFrame, wanted: Mapping[str, Mapping[str, Any]]) -> Schema:
    """Turn columns that follow from others into derived ones; columns whose kind the user gave stay as they are."""
    given = {name for name, fields in wanted.items() if "formula" in fields}
    settled = {name for name, fields in wanted.items() if fields.get("kind", "derived") != "derived"} | given
    formulas = find_formulas(typed(frame, schema), schema, settled)
    asked = {column.name for column in schema.of_kind("derived")} - given - set(formulas)
    if asked:
        raise SchemaError(
            f"column {min(asked)!r} shall be derived, but no formula gives its value on every row: give its `formula`, or "
            f"another kind."
        )
    return Schema(columns=tuple(_derived(column, formulas.get(column.name)) for column in schema))


def _derived(column: Column, formula: Formula | None) -> Column:
    return column.model_copy(update={"kind": "derived", "formula": formula}) if formula else column

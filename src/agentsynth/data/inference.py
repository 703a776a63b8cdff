"""What each column of a table is: the schema, inferred from values and names, with the user's overrides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import pandas as pd
from pydantic import ValidationError

from agentsynth.data.bounds import bounds_first, check_bounds
from agentsynth.data.dependencies import find_lookups, with_tables
from agentsynth.data.derived import find_formulas
from agentsynth.data.describing import describe
from agentsynth.data.entities import constant_within
from agentsynth.data.forms import column_of
from agentsynth.data.formulas import in_order
from agentsynth.data.inequalities import with_bounds
from agentsynth.data.kinds import DROP, kind_of, values_kind
from agentsynth.data.schema import MOST_COLUMNS, WRITTEN, Column, Formula, Kind, Schema
from agentsynth.data.typed import typed
from agentsynth.errors import SchemaError

__all__ = ["describe", "infer_schema"]

Overrides: TypeAlias = Mapping[str, Mapping[str, Any]]
NUMBERS: tuple[Kind, ...] = ("numeric", "derived")
"""Kinds of columns of which it matters how their numbers are written."""


def infer_schema(frame: pd.DataFrame, overrides: Overrides | None = None) -> Schema:
    """Infer what each column of a table is.

    Kinds: *constant* (one value, or none at all), *id* (names rows or entities; made anew), *datetime* (also as text,
    in one of many strict formats), *categorical* (text, booleans, whole numbers of two levels), *numeric*, and
    *derived* (follows exactly from other columns on every row).

    Text that holds numbers is numeric where they measure something ("4.70"), and comes back as it was written; codes
    with zeros in front ("00501") are ids or categorical. A level that one row has is a level like any other: it is
    drawn about as often. Free text and bytes are in no kind: the error names them, and an override drops them, or keeps
    them as categorical.

    Args:
        frame: (n, p) table, n >= 1.
        overrides: column -> fields of `Column` to set, such as `{"zip": {"kind": "categorical"}}`. A column of kind
            `drop` is left out of the schema, and so out of everything made with it. A column given a kind is not
            derived.

    Returns:
        The schema, columns in the order of the table.

    Raises:
        SchemaError: the table is empty or has column names that are not unique text; a column cannot be used (free
            text, objects, infinite numbers); an override does not fit. The message names the column and the remedy.
    """
    given = {str(name): dict(fields) for name, fields in (overrides or {}).items()}
    _check_table(frame)
    _check_overrides(frame, given)
    kept = frame[[name for name in frame.columns if given.get(name, {}).get("kind") != DROP]].reset_index(drop=True)
    if kept.shape[1] == 0:
        raise SchemaError("every column of the table is dropped: keep at least one.")
    if kept.shape[1] > MOST_COLUMNS:
        raise SchemaError(
            f"the table has {kept.shape[1]:,} columns, and at most {MOST_COLUMNS:,} can be learned from: keep those "
            f"that matter, and leave out the others (kind: {DROP})."
        )
    kinds = _kinds(kept, given)
    written = {
        name: {"text": form} for name, form in frame.attrs.get(WRITTEN, {}).items() if kinds.get(name) in NUMBERS
    }
    fields = {name: {**written.get(name, {}), **_settled_fields(given.get(name, {}))} for name in kept.columns}
    columns = [column_of(kept[name], kinds[name], fields[name]) for name in kept.columns]
    schema = Schema(columns=tuple(_with_entity(column, kept, columns, given) for column in columns))
    return _with_formulas(schema, kept, given)


def _check_table(frame: pd.DataFrame) -> None:
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise SchemaError(f"a schema needs rows and columns; the table has {frame.shape[0]} and {frame.shape[1]}.")
    odd = [name for name in frame.columns if not isinstance(name, str)]
    if odd:
        raise SchemaError(f"column names must be text, found {odd[0]!r}: rename it, e.g. to {str(odd[0])!r}.")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise SchemaError(f"column names must be unique, found {twice[0]!r} more than once: rename one of them.")


def _check_overrides(frame: pd.DataFrame, given: Overrides) -> None:
    """Check that overrides name columns of the table and fields of a column, with values of the right type."""
    for name, fields in given.items():
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


def _kinds(frame: pd.DataFrame, given: Overrides) -> dict[str, Kind]:
    """Return the kind of every column; all columns that cannot be used are reported at once.

    A column that shall be derived, by a formula to be found, is what its values are until then.
    """
    kinds: dict[str, Kind] = {}
    problems: list[str] = []
    for name in frame.columns:
        fields = given.get(name, {})
        try:
            if "formula" in fields:
                kinds[name] = "derived"
            elif fields.get("kind") == "derived":
                kinds[name] = values_kind(frame[name])
            else:
                kinds[name] = fields.get("kind") or kind_of(frame[name])
        except SchemaError as error:
            problems.append(str(error))
    if problems:
        raise SchemaError("\n".join(problems))
    return kinds


def _settled_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the user's fields but for the kind, which `_kinds` has settled."""
    return {field: value for field, value in fields.items() if field != "kind"}


def _with_entity(column: Column, frame: pd.DataFrame, columns: list[Column], given: Overrides) -> Column:
    """Return an id column with what keeps one value over all rows of an id; other columns as they are."""
    if column.kind != "id" or column.id_form is None or "id_form" in given.get(column.name, {}):
        return column
    within = constant_within(frame, column, columns)
    return column.model_copy(update={"id_form": column.id_form.model_copy(update={"constant_within": within})})


def _with_formulas(schema: Schema, frame: pd.DataFrame, given: Overrides) -> Schema:
    """Turn columns that follow from others into derived ones; columns whose kind the user gave stay as they are."""
    asked = {name for name, fields in given.items() if fields.get("kind") == "derived" and "formula" not in fields}
    settled = {name for name, fields in given.items() if fields.keys() & {"kind", "formula"}} - asked
    _check_formulas(schema)
    bounds_first([*schema.modelled, *(c for c in schema.of_kind("id", "constant", "derived") if c.above)])
    plain = typed(frame, schema)
    check_bounds(plain, schema)
    bounded = [name for name, fields in given.items() if "above" in fields]
    # A column that follows from others has its value from them: bounds that the user sets are for columns that do not.
    settled |= {*bounded, *(name for column in bounded for name in schema[column].above)}
    schema = _derived(with_tables(schema, plain), find_formulas(plain, schema, settled))
    schema = _derived(schema, find_lookups(plain, schema, settled))
    unknown = sorted(name for name in asked if schema[name].formula is None)
    if unknown:
        raise SchemaError(
            f"column {unknown[0]!r} shall be derived, but no formula that is looked for gives its value on every row: "
            f"give its `formula`, or another kind."
        )
    return with_bounds(schema, plain, bounded, [name for name, fields in given.items() if "excess" in fields])


def _derived(schema: Schema, formulas: Mapping[str, Formula]) -> Schema:
    """Return a schema whose columns that have a formula here are derived."""
    found = {name: {"kind": "derived", "formula": formula} for name, formula in formulas.items()}
    return Schema(columns=tuple(column.model_copy(update=found.get(column.name, {})) for column in schema))


def _check_formulas(schema: Schema) -> None:
    """Check that formulas the user gave are computed from columns of the table, and not in a circle."""
    derived = {column.name: column for column in schema.of_kind("derived")}
    for column in derived.values():
        for name in column.formula.inputs if column.formula else ():
            labels = schema[name].is_label and column.formula is not None and column.formula.operation == "lookup"
            if not (schema[name].is_numeric or schema[name].is_datetime or labels):
                raise SchemaError(f"the formula of {column.name!r} uses {name!r}, which is {schema[name].kind}.")
    in_order(derived)

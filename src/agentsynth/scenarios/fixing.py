"""The columns that a scenario holds to a value: whether they can be, and as what."""

from __future__ import annotations

from collections.abc import Mapping

from agentsynth.base.codec import Codec
from agentsynth.base.held import Held, Value
from agentsynth.base.parts import Part
from agentsynth.data.schema import Column, Schema
from agentsynth.data.values import label_of
from agentsynth.errors import ScenarioError
from agentsynth.scenarios.grammar import Key


def held_of(fixed: Mapping[str, Key | None], schema: Schema, codec: Codec) -> Held:
    """Return the columns to hold, by what a scenario says is `fixed`.

    Args:
        fixed: column -> value; None: missing.
        schema: of the table.
        codec: what its columns hold.

    Raises:
        ScenarioError: a column cannot be held, or cannot have the value; the message says what can be done instead.
    """
    values = {name: _value(name, value, schema, codec) for name, value in fixed.items()}
    for column in schema.modelled:
        for bound in _bounds(column, schema):
            _check_order(column.name, bound, values)
    return Held.of(values, schema)


def _value(name: str, value: Key | None, schema: Schema, codec: Codec) -> Value:
    column = _column(name, schema)
    part = next((part for part in codec.parts if part.column == name), None)
    if part is None or not len(part.values):
        raise ScenarioError(f"a scenario fixes {name!r}, which is empty in the table.")
    if value is None:
        if not column.missing:
            raise ScenarioError(f"a scenario fixes {name!r} to null, but no value of it is missing in the table.")
        return None
    return _label(value, part) if column.is_label else _number(value, column, part)


def _column(name: str, schema: Schema) -> Column:
    """Return the column called `name`, if it is one that can be held."""
    column = next((column for column in schema if column.name == name), None)
    moment = next((column for column in schema if column.is_datetime and name.startswith(f"{column.name}.")), None)
    if column is None and moment is None:
        raise ScenarioError(f"a scenario fixes {name!r}; the table has {', '.join(schema.names)}.")
    if column is None or column.is_datetime:
        asked = name if column is None else f"{name}.month"
        raise ScenarioError(
            f"a scenario fixes {name!r}, but moments cannot be held to one value: choose rows by their month, weekday "
            f"or hour, such as `where: {asked} = 11`."
        )
    if column.formula is not None:
        raise ScenarioError(
            f"a scenario fixes {name!r}, which is computed from {', '.join(column.formula.inputs)}: fix these, or "
            f"choose rows with `where`."
        )
    if column.kind == "id":
        raise ScenarioError(f"a scenario fixes {name!r}, which is an id: ids are made anew for every table.")
    if column.kind == "constant":
        raise ScenarioError(f"a scenario fixes {name!r}, which has one value only, {column.value!r}: leave it out.")
    return column


def _label(value: Key, part: Part) -> str:
    label = label_of(value)
    known = [str(known) for known in part.values if known is not None]
    if label not in known:
        more = f" and {len(known) - 12} more" if len(known) > 12 else ""
        raise ScenarioError(
            f"a scenario fixes {part.column!r} to {label!r}; the column has {', '.join(sorted(known)[:12])}{more}."
        )
    return label


def _number(value: Key, column: Column, part: Part) -> float:
    try:
        number = float("no number" if isinstance(value, bool) else value)
    except ValueError:
        raise ScenarioError(
            f"a scenario fixes {column.name!r} to {value!r}; the column holds numbers, and that is none."
        ) from None
    low, high = (part.smallest, part.most) if part.excess else (float(part.values[0]), float(part.values[-1]))
    if not low <= number <= high:
        raise ScenarioError(
            f"a scenario fixes {column.name!r} to {number:g}; the table has {low:g} to {high:g}. Nothing is known of "
            f"rows beyond; `scale` moves values there."
        )
    if column.decimals is not None and round(number, column.decimals) != number:
        raise ScenarioError(
            f"a scenario fixes {column.name!r} to {number:g}; the column is rounded, to "
            f"{10.0**-column.decimals:g}: fix it to {round(number, column.decimals):g}."
        )
    return number


def _bounds(column: Column, schema: Schema) -> set[str]:
    """Return the columns that a column is never below, directly or by others between."""
    return {found for name in column.above for found in (name, *_bounds(schema[name], schema))}


def _check_order(upper: str, lower: str, values: Mapping[str, Value]) -> None:
    if upper not in values or lower not in values:
        return
    high, low = values[upper], values[lower]
    if isinstance(high, float) and not (isinstance(low, float) and low <= high):
        shown = "missing" if low is None else f"{low:g}"
        raise ScenarioError(
            f"a scenario fixes {upper!r} to {high:g} and {lower!r} to {shown}; in the table {upper!r} is never below "
            f"{lower!r}, nor without it."
        )

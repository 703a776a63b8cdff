"""The schema as a table for people to read."""

from __future__ import annotations

from agentsynth.data.formulas import formula_text
from agentsynth.data.schema import Column, Schema

HEADER = ("column", "kind", "form", "missing")


def describe(schema: Schema) -> str:
    """Return a schema as an aligned table: column, kind, form, share of missing values."""
    rows = [HEADER, *((column.name, column.kind, _form(column), _missing(column)) for column in schema)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([lines[0], rule, *lines[1:]])


def _missing(column: Column) -> str:
    if column.missing == 0:
        return "-"
    return f"{column.missing:.1%}" if column.missing >= 0.001 else "<0.1%"


def _form(column: Column) -> str:
    if column.formula is not None:
        return f"= {formula_text(column.formula)}"
    if column.id_form is not None:
        return _id_text(column)
    if column.kind == "constant":
        return "all missing" if column.value is None else f"always {column.value}"
    if column.kind == "datetime":
        return _datetime_text(column)
    return _number_text(column) if column.kind == "numeric" else _label_text(column)


def _number_text(column: Column) -> str:
    digits = {None: "not rounded", 0: "whole", 1: "1 decimal"}.get(column.decimals)
    if digits is None and column.decimals is not None:
        digits = f"{column.decimals} decimals" if column.decimals > 0 else f"multiples of {10**-column.decimals}"
    limits = "" if column.minimum is None else f", {column.minimum:g} to {column.maximum:g}"
    return f"{digits}{limits}"


def _datetime_text(column: Column) -> str:
    parts = [f"to the {column.step}" if column.step else "", column.timezone or ""]
    parts += [f"text {column.format}" if column.format else "", "rows in its order" if column.ordered else ""]
    return ", ".join(part for part in parts if part)


def _label_text(column: Column) -> str:
    text = {"bool": "true / false", "boolean": "true / false"}.get(column.dtype, "levels")
    count = f"{len(column.levels)} {text}" if column.levels else text
    return f"{count}, in order" if column.ordered else count


def _id_text(column: Column) -> str:
    form = column.id_form
    if form is None:
        return ""
    if form.style in ("uuid", "hex"):
        text = {"uuid": "UUID", "hex": f"{form.width} hexadecimal digits"}[form.style]
    elif form.style == "pattern":
        text = "random codes like " + "".join(alphabet[len(alphabet) // 2] for alphabet in form.alphabets)
    else:
        kind = "numbered" if form.style == "sequence" else "random numbers"
        text = f"{kind}, like {form.prefix}{form.first:0{form.width}d}{form.suffix}"
    if form.rows_per_id != ((1, 1.0),):
        text += f", about {sum(size * share for size, share in form.rows_per_id):.1f} rows each"
    within = ", ".join(form.constant_within)
    return text + (f", one {within} each" if within else "")

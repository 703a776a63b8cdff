"""The schema as a table for people to read."""

from __future__ import annotations

from agentsynth.data.schema import Column, Formula, IdForm, Schema

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
        rounded = {"down": ", rounded down", "up": ", rounded up"}.get(column.formula.rounding, "")
        return f"= {formula_text(column.formula)}{rounded}{_cut(column)}"
    if column.id_form is not None:
        return _id_text(column.id_form)
    if column.kind == "constant":
        return "all missing" if column.value is None else f"always {_shortened(str(column.value))}"
    if column.kind == "datetime":
        return _datetime_text(column) + _above_text(column)
    return _number_text(column) + _above_text(column) if column.kind == "numeric" else _label_text(column)


def _above_text(column: Column) -> str:
    same = f"the {column.step} of " if column.by_step else ""
    return f", never below {same}{' or '.join(column.above)}" if column.above else ""


def _shortened(text: str) -> str:
    return text if len(text) <= 30 else text[:27] + "..."


def _cut(column: Column) -> str:
    """Say what a datetime copied from another is cut to."""
    bare = column.formula is not None and column.formula.operation == "shift" and len(column.formula.inputs) == 1
    return f", cut to the {column.step}" if bare else ""


def _number_text(column: Column) -> str:
    if column.decimals is None:
        digits = "not rounded"
    elif column.decimals < 0:
        digits = f"multiples of {10**-column.decimals}"
    else:
        digits = {0: "whole", 1: "1 decimal"}.get(column.decimals, f"{column.decimals} decimals")
    return digits if column.minimum is None else f"{digits}, {column.minimum:g} to {column.maximum:g}"


def _datetime_text(column: Column) -> str:
    parts = [f"to the {column.step}" if column.step else "", column.timezone or ""]
    parts += [f"text {column.format}" if column.format else "", "rows in its order" if column.ordered else ""]
    return ", ".join(part for part in parts if part)


def _label_text(column: Column) -> str:
    if column.dtype in ("bool", "boolean"):
        return "true or false"
    if column.levels is None:
        return "levels"
    return f"{len(column.levels)} levels, in order" if column.ordered else f"{len(column.levels)} levels"


def _id_text(form: IdForm) -> str:
    if form.style == "uuid":
        text = "UUID"
    elif form.style == "hex":
        text = f"{form.width} hexadecimal digits"
    elif form.style == "pattern":
        text = "random codes like " + "".join(alphabet[len(alphabet) // 2] for alphabet in form.alphabets)
    else:
        kind = "numbered" if form.style == "sequence" else "random numbers"
        text = f"{kind}, like {form.prefix}{form.first:0{form.width}d}{form.suffix}"
    if form.rows_per_id != ((1, 1.0),):
        text += f", about {sum(size * share for size, share in form.rows_per_id):.1f} rows each"
    within = ", ".join(form.constant_within)
    return text + (f", one {within} each" if within else "")


def formula_text(formula: Formula) -> str:
    """Write a formula for people to read.

    >>> formula_text(Formula(operation="product", inputs=("price", "quantity"), coefficients=(1.19,)))
    '1.19 x price x quantity'
    """
    inputs = formula.inputs
    if formula.operation == "linear":
        return _sum_text(formula)
    if formula.operation == "lookup":
        return _lookup_text(formula)
    if formula.operation == "calendar":
        return f"{formula.unit} of {inputs[0]}{_signed(formula.intercept)}"
    if formula.operation == "duration":
        return f"{formula.unit}s from {inputs[1]} to {inputs[0]}{_signed(formula.intercept)}"
    if formula.operation == "shift":
        return inputs[0] + (f" + {inputs[1]} {formula.unit}s" if len(inputs) > 1 else "") + _signed(formula.intercept)
    text = (" / " if formula.operation == "ratio" else " x ").join(inputs)
    return _times(formula.coefficients[0], text)


def _lookup_text(formula: Formula) -> str:
    name = f"{formula.unit} of {formula.inputs[0]}" if formula.unit else formula.inputs[0]
    return f"table[{name}], {len(formula.table)} entries"


def _times(constant: float, text: str) -> str:
    """Write a positive constant times something; one over a whole number as a division."""
    if constant == 1:
        return text
    over = round(1 / constant) if constant else 0
    short = len(f"{constant:.12g}") <= 6
    return f"{text} / {over}" if over > 1 and not short and 1 / over == constant else f"{constant:g} x {text}"


def _sum_text(formula: Formula) -> str:
    terms = list(zip(formula.coefficients, formula.inputs, strict=True))
    if (
        len(terms) > 1
        and set(formula.coefficients) != {1.0}
        and min(formula.coefficients) == max(formula.coefficients) > 0
    ):
        return _times(formula.coefficients[0], f"({' + '.join(formula.inputs)})") + _signed(formula.intercept)
    positive_first = sorted(terms, key=lambda term: term[0] < 0)
    if formula.intercept and positive_first[0][0] < 0:
        return f"{formula.intercept:g}" + "".join(f" - {_times(-c, name)}" for c, name in terms)
    text = "".join((" - " if c < 0 else " + ") + _times(abs(c), name) for c, name in positive_first)
    return (text[3:] if text.startswith(" + ") else f"-{text[3:]}") + _signed(formula.intercept)


def _signed(value: float) -> str:
    return f" {'-' if value < 0 else '+'} {abs(value):g}" if value else ""

"""The schema: what each column of a table is, and how to write it back in the form it had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

from pandas import Timestamp
from pandas.api.types import pandas_dtype
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from agentsynth.errors import SchemaError
from agentsynth.files import read_json, write_json

Kind = Literal["id", "categorical", "numeric", "datetime", "derived", "constant"]
Operation = Literal["product", "ratio", "linear", "duration", "shift", "calendar", "lookup"]
Level: TypeAlias = bool | int | float | str
Unit = Literal["year", "quarter", "month", "day", "weekday", "hour", "minute", "second"]
Step = Literal["year", "month", "day", "hour", "minute", "second", "millisecond", "microsecond"]

MOST_DIGITS = 131_072
"""No field of a CSV file is longer; a schema that asks for more digits is an error or an attack."""
MOST_COLUMNS = 1000
"""More columns than this are no small table: the time taken grows with the square of their number."""
WRITTEN = "agentsynth.written"
"""Key in a table's `attrs`: column -> how a CSV file has its floats written, as fields of `NumberText`."""
INPUTS: dict[Operation, tuple[int, int]] = {
    "product": (1, 20),
    "ratio": (2, 2),
    "linear": (1, 200),
    "duration": (2, 2),
    "shift": (1, 2),
    "calendar": (1, 1),
    "lookup": (1, 1),
}
"""Fewest and most inputs of an operation."""
LENGTHS: tuple[Unit, ...] = ("day", "hour", "minute", "second")
"""Units that a duration may be counted in."""
UNITS: dict[Operation, tuple[Unit, ...]] = {"duration": LENGTHS, "shift": LENGTHS, "calendar": get_args(Unit)}
"""Units of the operations that have one."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Formula(_Model):
    """How a derived column follows from others, exactly, on every row.

    `product`: c * x1 * x2 ... ; `ratio`: c * x1 / x2 ; `linear`: intercept + sum c_i * x_i ;
    `duration`: (x1 - x2) of two datetimes in `unit` ; `shift`: datetime x1 + number x2 in `unit`
    (without x2: x1 itself), cut to the column's step; `calendar`: the part `unit` of datetime x1 (weekday: Monday is
    `intercept`); `lookup`: what `table` gives for x1, or for the part `unit` of datetime x1.
    A row with any input missing is missing (but for a lookup whose table says otherwise).
    """

    operation: Operation
    inputs: tuple[str, ...]
    coefficients: tuple[float, ...] = (1.0,)
    intercept: float = 0.0
    unit: Unit | None = None
    rounding: Literal["nearest", "half_up", "down", "up"] = "nearest"
    """`nearest` as numpy does it (a half to the even digit); `half_up`: a half away from zero, as Excel and SQL do."""
    table: tuple[tuple[Level | None, Level | None], ...] = ()
    """Lookup: pairs (x, value), None = missing; datetimes in ISO 8601. Of a number or datetime x, each value holds from
    its own x on, up to the next one; the first one below it, too."""
    result: Literal["label", "number", "datetime"] | None = None
    """Lookup: what the values are."""

    @model_validator(mode="after")
    def _consistent(self) -> Formula:
        least, most = INPUTS[self.operation]
        if not least <= len(self.inputs) <= most:
            raise ValueError(f"a {self.operation} has {least} to {most} inputs, not {len(self.inputs)}")
        if self.operation == "linear" and len(self.coefficients) != len(self.inputs):
            raise ValueError(f"{len(self.inputs)} inputs need as many coefficients, not {len(self.coefficients)}")
        if self.operation == "lookup" and self.unit not in (None, *UNITS["calendar"]):
            raise ValueError(f"the unit of a lookup is a part of a datetime: {', '.join(UNITS['calendar'])}")
        if self.operation in UNITS and self.unit not in UNITS[self.operation]:
            raise ValueError(f"a {self.operation} needs a unit: one of {', '.join(UNITS[self.operation])}")
        return self


class IdForm(_Model):
    """The form of an id column: `prefix` + digits (zero-padded to `width`) + `suffix`, or random hexadecimal.

    `pattern` is a random code: one character of each of `alphabets` in turn.
    """

    style: Literal["sequence", "random_number", "uuid", "hex", "pattern"]
    prefix: str = ""
    suffix: str = ""
    width: Annotated[int, Field(ge=0, le=MOST_DIGITS)] = 0
    first: int = 0
    last: int = 0
    alphabets: tuple[str, ...] = ()
    """Pattern: the characters that may stand at each place."""
    rows_per_id: tuple[tuple[int, float], ...] = ((1, 1.0),)
    """(rows, share of ids with that many rows); ((1, 1.0),) where every row has an id of its own."""
    constant_within: tuple[str, ...] = ()
    """Columns that keep one value over all rows of an id."""


class NumberText(_Model):
    """How numbers are written as text: with the fewest digits that tell them, and no fewer than these."""

    decimals: Annotated[int, Field(ge=0, le=MOST_DIGITS)] = 1
    """Fewest digits after the point; 0: whole numbers have no point."""
    width: Annotated[int, Field(ge=1, le=MOST_DIGITS)] = 1
    """Fewest digits before the point, zeros in front of the number."""


class Column(_Model):
    """One column: its kind, and what is needed to restore its form."""

    name: str
    kind: Kind
    dtype: str
    """The pandas dtype to give back, as `str(series.dtype)`."""
    missing: Annotated[float, Field(ge=0, le=1)] = 0.0
    decimals: Annotated[int, Field(ge=-300, le=300)] | None = None
    """Numeric: digits after the point (negative: multiples of 10, 100, ...); None = not rounded."""
    text: NumberText | None = None
    """Numeric: how its numbers are written, where the column is text, or where a CSV file has them another way than
    floats are written ("4.70")."""
    minimum: float | None = None
    maximum: float | None = None
    step: Step | None = None
    """Datetime: the coarsest calendar unit that every value is a whole number of."""
    format: str | None = None
    """Datetime held as text: its strftime format."""
    timezone: str | None = None
    value: str | float | int | bool | None = None
    """Constant: the value (None = all missing)."""
    formula: Formula | None = None
    id_form: IdForm | None = None
    ordered: bool = False
    """Datetime and id: the rows of the table stand in its order. Categorical: its levels are in order."""
    levels: tuple[bool | int | float | str, ...] | None = None
    """Categorical: the values that labels stand for, in order; given where `dtype` alone cannot restore them."""
    binary: bool = False
    """Categorical: its values are bytes (images, files); their labels are base64."""
    above: tuple[str, ...] = ()
    """Numeric and datetime: columns of the same kind that this one is never below, on no row."""
    by_step: bool = False
    """Datetime: whether bounds are cut to the column's step first (shipped no earlier than on the day of the order)."""
    excess: bool = False
    """Whether it is modelled as its excess over the largest of `above`; else it is modelled as it is, and raised where
    it falls below them."""

    @field_validator("dtype")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            pandas_dtype(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"there is no pandas dtype {value!r}") from error
        return value

    @field_validator("timezone")
    @classmethod
    def _on_the_map(cls, value: str | None) -> str | None:
        try:
            Timestamp(0, tz=value)
        except (KeyError, IndexError, ValueError, OSError) as error:  # pandas looks for the first letter of ""
            raise ValueError(f"there is no time zone {value!r}") from error
        return value

    @field_validator("format")
    @classmethod
    def _has_parts(cls, value: str | None) -> str | None:
        if value is not None and "%" not in value:
            raise ValueError(f"{value!r} has no part of a datetime, such as %Y")
        return value

    @field_validator("above", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @property
    def is_label(self) -> bool:
        """Whether the typed frame holds this column as labels (a derived one may be of that type, too)."""
        formula = self.formula if self.kind == "derived" else None
        return self.kind == "categorical" or (formula is not None and formula.result == "label")

    @property
    def is_datetime(self) -> bool:
        """Whether the typed frame holds this column as datetimes (a derived one may be of that type, too)."""
        formula = self.formula if self.kind == "derived" else None
        return self.kind == "datetime" or (
            formula is not None and (formula.operation == "shift" or formula.result == "datetime")
        )

    @property
    def is_numeric(self) -> bool:
        """Whether the typed frame holds this column as numbers."""
        return self.kind == "numeric" or (self.kind == "derived" and not self.is_datetime and not self.is_label)


class Schema(_Model):
    """The columns of a table, in order."""

    columns: tuple[Column, ...]

    @field_validator("columns")
    @classmethod
    def _once(cls, value: tuple[Column, ...]) -> tuple[Column, ...]:
        twice = [name for name, count in Counter(column.name for column in value).items() if count > 1]
        if twice:
            raise ValueError(f"column {twice[0]!r} is there more than once")
        return value

    def __iter__(self) -> Iterator[Column]:  # type: ignore[override]  # pydantic iterates over fields
        return iter(self.columns)

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise SchemaError(f"no column {name!r}; the table has {', '.join(self.names)}.")

    @property
    def names(self) -> list[str]:
        """Column names, in order."""
        return [column.name for column in self.columns]

    @property
    def by_name(self) -> Schema:
        """The same columns in the order of their names: what is learned does not depend on how a table was arranged."""
        return self.model_copy(update={"columns": tuple(sorted(self.columns, key=lambda column: column.name))})

    def of_kind(self, *kinds: Kind) -> list[Column]:
        """Return the columns of the given kinds, in order."""
        return [column for column in self.columns if column.kind in kinds]

    @property
    def modelled(self) -> list[Column]:
        """Columns that the base generator learns (categorical, numeric, datetime)."""
        return self.of_kind("categorical", "numeric", "datetime")

    @property
    def compared(self) -> list[Column]:
        """Columns that scores compare: the modelled and the derived ones."""
        return self.of_kind("categorical", "numeric", "datetime", "derived")

    def save(self, path: str | Path) -> None:
        """Write the schema as JSON."""
        write_json(path, self.model_dump(mode="json"))

    @classmethod
    def load(cls, path: str | Path) -> Schema:
        """Read a schema written by `save`.

        Raises:
            SchemaError: the file is not a schema.
        """
        return cls.from_json(read_json(path), str(path))

    @classmethod
    def from_json(cls, value: Mapping[str, object], where: str = "schema") -> Schema:
        """Build a schema from decoded JSON, with readable errors."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise SchemaError(f"{where} is not a schema: {place}: {first['msg']}.") from error

"""Conditions such as `timestamp.hour in 17..20` or `user_type = premium`: parsed, checked, never evaluated as code."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.schema import Column, Schema
from agentsynth.env.margins import numbers_of
from agentsynth.errors import ScenarioError

Mask = NDArray[np.bool_]
ASPECTS = ("month", "weekday", "hour")
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "==": operator.eq,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_RANGE = re.compile(r"^\s*(-?[\d.:T-]+?)\s*\.\.\s*(-?[\d.:T-]+)\s*$")
_DASH = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)\s*$")


@dataclass(frozen=True)
class Subject:
    """A column, or an aspect (month, weekday, hour) of a datetime column."""

    column: Column
    aspect: str = "value"

    @classmethod
    def of(cls, text: str, schema: Schema) -> Subject:
        """Find the subject called `text`.

        Raises:
            ScenarioError: there is no such column, or it has no such aspect, or it is not one that can be steered.
        """
        name, _, aspect = text.strip().rpartition(".")
        if text.strip() in schema.names:
            name, aspect = text.strip(), "value"
        if name not in schema.names:
            raise ScenarioError(f"a scenario names {text.strip()!r}; the table has {', '.join(schema.names)}.")
        column = schema[name]
        if column.kind in ("id", "constant"):
            raise ScenarioError(
                f"a scenario steers {name!r}, which is {column.kind}: only values that vary and repeat can be."
            )
        if aspect != "value" and (column.kind != "datetime" or aspect not in ASPECTS):
            raise ScenarioError(
                f"{text.strip()!r}: only datetime columns have aspects, and these are {', '.join(ASPECTS)}."
            )
        return cls(column, aspect)

    @property
    def is_label(self) -> bool:
        """Whether values are labels, not numbers."""
        return self.column.kind == "categorical"

    def numbers(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Return the values (rows,) as numbers: datetimes as days since 1970; missing -> NaN.

        Raises:
            ScenarioError: the column holds labels.
        """
        if self.is_label:
            raise ScenarioError(f"column {self.column.name!r} holds labels; it has no mean, quantiles or ranges.")
        return numbers_of(frame[self.column.name], self.aspect)

    def matches(self, frame: pd.DataFrame, text: str) -> Mask:
        """Return the rows (rows,) whose value is `text`: a label, a number, or a range `a..b` (also `17-20`)."""
        if self.is_label:
            return self.labels(frame, [text.strip()])
        bounds = _RANGE.match(text) or _DASH.match(text)
        numbers = self.numbers(frame)
        if bounds:
            low, high = self.number(bounds[1]), self.number(bounds[2])
        else:
            low = high = self.number(text)
        mask: Mask = (numbers >= low) & (numbers <= high)
        return mask

    def labels(self, frame: pd.DataFrame, wanted: list[str]) -> Mask:
        """Return the rows that bear one of the `wanted` labels.

        Raises:
            ScenarioError: no row at all bears one of them.
        """
        series = frame[self.column.name]
        present = {str(label) for label in series.dropna().unique()}
        unknown = [label for label in wanted if label not in present]
        if unknown:
            some = sorted(present)[:12]
            raise ScenarioError(f"column {self.column.name!r} has no {unknown[0]!r}; it has {', '.join(some)}.")
        mask: Mask = series.isin(wanted).to_numpy(dtype=bool)
        return mask

    def number(self, text: str) -> float:
        """Read a number, or a date of a datetime column as days since 1970.

        Raises:
            ScenarioError: it is neither.
        """
        try:
            return float(text)
        except ValueError:
            pass
        if self.column.kind == "datetime" and self.aspect == "value":
            try:
                return (pd.Timestamp(text.strip()) - pd.Timestamp(0)) / pd.Timedelta(days=1)
            except ValueError as error:
                raise ScenarioError(f"{text.strip()!r} is not a date that {self.column.name!r} could hold.") from error
        raise ScenarioError(f"{self.column.name!r} holds numbers, and {text.strip()!r} is not one.")


def rows_where(text: str, frame: pd.DataFrame, schema: Schema) -> Mask:
    """Return the rows (rows,) of a typed frame that meet every condition of `text`, which are joined by `and`.

    A condition is `subject operator value`: operators `= != < <= > >= in`, and `not in`; after `in` comes a range
    `a..b` or a list `[a, b, ...]`.

    Raises:
        ScenarioError: a condition cannot be read, or names what the table does not have.
    """
    masks = [_condition(part, frame, schema) for part in re.split(r"\s+and\s+", text.strip())]
    found: Mask = np.logical_and.reduce(masks)
    return found


def _condition(text: str, frame: pd.DataFrame, schema: Schema) -> Mask:
    member = re.match(r"^(.+?)\s+(not\s+)?in\s+(.+)$", text)
    if member:
        mask = _member(Subject.of(member[1], schema), member[3], frame)
        return ~mask if member[2] else mask
    comparison = re.match(r"^(.+?)\s*(<=|>=|!=|==|=|<|>)\s*(.+)$", text)
    if not comparison:
        raise ScenarioError(
            f"cannot read the condition {text!r}; write e.g. 'price > 20' or 'timestamp.hour in 17..20'."
        )
    subject, symbol, value = Subject.of(comparison[1], schema), comparison[2], comparison[3].strip().strip("'\"")
    if subject.is_label:
        if symbol not in ("=", "==", "!="):
            raise ScenarioError(
                f"{text!r}: {subject.column.name!r} holds labels, which can be compared with = and != only."
            )
        mask = subject.labels(frame, [value])
        return ~mask if symbol == "!=" else mask
    found: Mask = _COMPARISONS[symbol](subject.numbers(frame), subject.number(value))
    return found


def _member(subject: Subject, text: str, frame: pd.DataFrame) -> Mask:
    text = text.strip()
    if not text.startswith("["):
        return subject.matches(frame, text)
    if not text.endswith("]"):
        raise ScenarioError(f"the list {text!r} lacks its closing bracket.")
    values = [value.strip().strip("'\"") for value in text[1:-1].split(",")]
    if subject.is_label:
        return subject.labels(frame, values)
    found: Mask = np.logical_or.reduce([subject.matches(frame, value) for value in values])
    return found

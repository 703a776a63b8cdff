"""Conditions such as `timestamp.hour in 17..20` or `user_type = premium`: parsed, checked, never evaluated as code."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.schema import Column, Level, Schema
from agentsynth.data.values import label_of
from agentsynth.env.margins import numbers_of
from agentsynth.errors import ScenarioError

Mask = NDArray[np.bool_]
ASPECTS = {"month": "1 to 12", "weekday": "0, Monday, to 6", "hour": "0 to 23"}
"""Aspect of a datetime -> its numbers."""
_COMPARISONS: dict[str, Callable[[Any, float, float], Any]] = {
    "<=": lambda x, _, high: x <= high,
    ">=": lambda x, low, _: x >= low,
    "!=": lambda x, low, high: ~((x >= low) & (x <= high)),
    "==": lambda x, low, high: (x >= low) & (x <= high),
    "=": lambda x, low, high: (x >= low) & (x <= high),
    "<": lambda x, low, _: x < low,
    ">": lambda x, _, high: x > high,
}
"""Symbol -> comparison of x with a value that reaches from low to high (a day, a month; low = high for a number)."""
_RANGE = re.compile(r"^\s*(-?[\d.:T-]+?)\s*\.\.\s*(-?[\d.:T-]+)\s*$")
_DASH = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)\s*$")
_DATE = re.compile(r"^\d{4}(-\d\d(-\d\d([T ]\d\d(:\d\d(:\d\d(\.\d{1,6})?)?)?)?)?)?$")
_QUOTED = re.compile(r"""(?<![^\s\[,=<>!])(['"`])(.*?)\1(?![^\s\],=<>!])""")
_HIDDEN = re.compile("\0(\\d+)\0")
_MEMBER = re.compile(r"^(.+?)\s+(not\s+)?in\s+(.+)$")
_COMPARISON = re.compile(r"^(.+?)\s*(<=|>=|!=|==|=|<|>)\s*(.+)$")


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
        name, aspect = _named(text, schema), "value"
        if name is None:
            before, _, aspect = text.strip().rpartition(".")
            name = _named(before, schema)
        if name is None:
            raise ScenarioError(f"a scenario names {text.strip()!r}; the table has {', '.join(schema.names)}.")
        column = schema[name]
        if column.kind in ("id", "constant"):
            raise ScenarioError(
                f"a scenario steers {name!r}, which is {column.kind}: only values that vary and repeat can be."
            )
        if aspect != "value" and not (column.is_datetime and aspect in ASPECTS):
            raise ScenarioError(
                f"{text.strip()!r}: only datetime columns have aspects, and these are {', '.join(ASPECTS)}."
            )
        return cls(column, aspect)

    @property
    def is_label(self) -> bool:
        """Whether values are labels, not numbers."""
        return self.column.is_label

    def numbers(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Return the values (rows,) as numbers: datetimes as days since 1970; missing -> NaN.

        Raises:
            ScenarioError: the column holds labels.
        """
        if self.is_label:
            raise ScenarioError(f"column {self.column.name!r} holds labels; it has no mean, quantiles or ranges.")
        return numbers_of(frame[self.column.name], self.aspect)

    def matches(self, frame: pd.DataFrame, text: str) -> Mask:
        """Return the rows (rows,) whose value is `text`: a label, a number, a date, or a range `a..b` (also `17-20`).

        Months, weekdays and hours go round: `22..4` is the night.

        Raises:
            ScenarioError: it cannot be read, or the range runs backwards.
        """
        if self.is_label:
            return self.labels(frame, [text])
        numbers = self.numbers(frame)
        ends = _RANGE.match(text) or (None if self._dated else _DASH.match(text))
        low, high = (self.span(ends[1])[0], self.span(ends[2])[1]) if ends else self.span(text)
        if low > high and self.aspect not in ASPECTS:
            raise ScenarioError(f"the range {text.strip()!r} of {self.column.name!r} runs backwards.")
        above, below = numbers >= low, numbers <= high
        mask: Mask = above & below if low <= high else above | below
        return mask

    def labels(self, frame: pd.DataFrame, wanted: list[str]) -> Mask:
        """Return the rows that bear one of the `wanted` labels.

        Raises:
            ScenarioError: one of them is not a level of the column (where the schema has none: of the frame).
        """
        series = frame[self.column.name]
        levels = self._levels()
        known = set(series.dropna().unique()) if levels is None else {label_of(level) for level in levels}
        unknown = [label for label in wanted if label not in known]
        if unknown:
            some = sorted(known)[:12]
            raise ScenarioError(f"column {self.column.name!r} has no {unknown[0]!r}; it has {', '.join(some)}.")
        mask: Mask = series.isin(wanted).to_numpy(dtype=bool)
        return mask

    def _levels(self) -> tuple[Level, ...] | None:
        """Return the levels of a label column; None where the schema does not say."""
        formula = self.column.formula
        if self.column.levels is not None or formula is None:
            return self.column.levels
        return tuple(value for _, value in formula.table if value is not None)

    @property
    def _dated(self) -> bool:
        """Whether values are dates, not numbers."""
        return self.column.is_datetime and self.aspect == "value"

    def span(self, text: str) -> tuple[float, float]:
        """Read a number, or a date of a datetime column, as the first and the last number that it covers.

        A date covers all of its day, month or year, as far as it is given: `2025-11` is November, in days since 1970.

        Raises:
            ScenarioError: it is neither.
        """
        text = text.strip()
        if self._dated:
            return self._date_span(text)
        try:
            return float(text), float(text)
        except ValueError:
            meaning = f" ({ASPECTS[self.aspect]})" if self.aspect in ASPECTS else ""
            raise ScenarioError(f"{self.column.name!r} holds numbers{meaning}, and {text!r} is not one.") from None

    def _date_span(self, text: str) -> tuple[float, float]:
        try:
            first = np.datetime64(text) if _DATE.match(text) else None
        except ValueError:
            first = None
        if first is None:
            raise ScenarioError(
                f"{text!r} is not a date that {self.column.name!r} could hold; write 2025-11-28 or 2025-11-28T17:30."
            )
        last = (first + 1).astype("datetime64[us]") - np.timedelta64(1, "us")
        ends = numbers_of(pd.Series(np.array([first.astype("datetime64[us]"), last])), "value")
        return float(ends[0]), float(ends[1])


def _named(text: str, schema: Schema) -> str | None:
    """Return the name of the column called `text`; spaces around it may be left out."""
    loosely = (name for name in schema.names if name.strip() == text.strip())
    return text if text in schema.names else next(loosely, None)


def is_named(text: str, schema: Schema) -> bool:
    """Tell whether `text` names a column, or something like an aspect of one."""
    return _named(text, schema) is not None or _named(text.strip().rpartition(".")[0], schema) is not None


def rows_where(text: str, frame: pd.DataFrame, schema: Schema) -> Mask:
    """Return the rows (rows,) of a typed frame that meet every condition of `text`, which are joined by `and`.

    A condition is `subject operator value`: operators `= != < <= > >= in`, and `not in`; after `in` comes a range
    `a..b` or a list `[a, b, ...]`. A date stands for all of its day, month or year (`timestamp = 2025-11`), and months,
    weekdays and hours go round (`timestamp.hour in 22..4`). A name or value that holds `and`, `in`, commas or signs
    stands in quotes. Where the value is missing, only `!=` and `not in` hold.

    Raises:
        ScenarioError: a condition cannot be read, or names what the table does not have.
    """
    parts, shown = _parts(text)
    found: Mask = np.logical_and.reduce([_condition(part, shown, frame, schema) for part in parts])
    return found


def subjects_of(text: str, schema: Schema) -> list[Subject]:
    """Return what the conditions of `text` are about, in their order.

    Raises:
        ScenarioError: a condition cannot be read, or names what the table does not have.
    """
    return [Subject.of(name, schema) for name in names_of(text)]


def names_of(text: str) -> list[str]:
    """Return what the conditions of `text` name, in their order.

    Raises:
        ScenarioError: a condition cannot be read.
    """
    parts, shown = _parts(text)
    return [shown((_MEMBER.match(part) or _comparison(part, shown))[1]) for part in parts]


def _parts(text: str) -> tuple[list[str], Callable[[str], str]]:
    """Return the conditions that `and` joins, what is quoted hidden in them, and what shows it again in a piece.

    Raises:
        ScenarioError: the text holds the sign that hides.
    """
    quoted: list[str] = []
    if "\0" in text:
        raise ScenarioError(f"the condition {text!r} holds a zero byte; write it as text.")

    def hide(match: re.Match[str]) -> str:
        quoted.append(match[2])
        return f"\0{len(quoted) - 1}\0"

    def shown(piece: str) -> str:
        return _HIDDEN.sub(lambda match: quoted[int(match[1])], piece.strip())

    return re.split(r"\s+and\s+", _QUOTED.sub(hide, text.strip())), shown


def _condition(text: str, shown: Callable[[str], str], frame: pd.DataFrame, schema: Schema) -> Mask:
    """Evaluate one condition; `shown` brings back what was quoted in a piece of it."""
    member = _MEMBER.match(text)
    if member:
        mask = _member(Subject.of(shown(member[1]), schema), member[3].strip(), shown, frame)
        return ~mask if member[2] else mask
    comparison = _comparison(text, shown)
    subject, symbol, value = Subject.of(shown(comparison[1]), schema), comparison[2], shown(comparison[3])
    if subject.is_label:
        if symbol not in ("=", "==", "!="):
            raise ScenarioError(
                f"{shown(text)!r}: {subject.column.name!r} holds labels, which can be compared with = and != only."
            )
        mask = subject.labels(frame, [value])
        return ~mask if symbol == "!=" else mask
    found: Mask = _COMPARISONS[symbol](subject.numbers(frame), *subject.span(value))
    return found


def _comparison(text: str, shown: Callable[[str], str]) -> re.Match[str]:
    """Take a condition apart into subject, symbol and value.

    Raises:
        ScenarioError: it is none.
    """
    comparison = _COMPARISON.match(text)
    if comparison is None:
        raise ScenarioError(
            f"cannot read the condition {shown(text)!r}; write e.g. 'price > 20' or 'timestamp.hour in 17..20', with "
            f"quotes around names and values that hold 'and', 'in', commas or signs."
        )
    return comparison


def _member(subject: Subject, text: str, shown: Callable[[str], str], frame: pd.DataFrame) -> Mask:
    if not text.startswith("["):
        return subject.matches(frame, shown(text))
    if not text.endswith("]"):
        raise ScenarioError(f"the list {shown(text)!r} lacks its closing bracket.")
    values = [shown(value) for value in text[1:-1].split(",")]
    if subject.is_label:
        return subject.labels(frame, values)
    found: Mask = np.logical_or.reduce([subject.matches(frame, value) for value in values])
    return found

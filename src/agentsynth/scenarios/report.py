"""The report of a scenario: what became of its targets, what else moved, how near the table is to real rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from agentsynth.errors import InputError, ScenarioError

LISTED = 20
"""Most movements that are listed of columns, and of conditionals."""
FORMAT = 1


@dataclass(frozen=True)
class Reached:
    """How a table stands to one target of its scenario.

    Attributes:
        name: the target.
        before: the number before anything was steered.
        wanted: the number asked for.
        reached: the number that the table has; NaN: it has none.
        tolerance: how far from `wanted` counts as reached.
        reason: why it fell short, as far as it was found out; empty where it did not.
    """

    name: str
    before: float
    wanted: float
    reached: float
    tolerance: float
    reason: str = ""

    @property
    def gap(self) -> float:
        """What is missing: wanted - reached."""
        return self.wanted - self.reached

    @property
    def met(self) -> bool:
        """Whether the number is as near as its tolerance asks."""
        return abs(self.gap) <= self.tolerance


@dataclass(frozen=True)
class Spread:
    """How a column's values are spread: one side of a movement.

    Attributes:
        shares: (cells,) share of rows in each cell; they sum to 1.
        mean: of the numbers, datetimes in days since 1970; None where there are none.
        std: their standard deviation.
    """

    shares: tuple[float, ...]
    mean: float | None = None
    std: float | None = None


@dataclass(frozen=True)
class Moved:
    """How far a column that no target names moved, by itself or given a column that one names.

    Attributes:
        name: the column, or an aspect of it (`timestamp.hour`).
        given: the steered column that it is looked at within the cells of; empty: by itself.
        cells: what each cell holds.
        dated: whether the numbers are days since 1970.
        before: the table unguided, its rows with the scenario's `where` and `fixed` only. Given another column: with
            the rows shared out to its cells as in the steered table.
        after: the steered table.
        distance: between the two, 0 to 1: root mean squared difference of cumulative shares where cells have an order,
            else total variation; given another column: the mean over its cells, weighted by the steered table's rows.
        noise: the distance that 95 % of unguided tables of as many rows stay below, by chance.
    """

    name: str
    given: str
    cells: tuple[str, ...]
    dated: bool
    before: Spread
    after: Spread
    distance: float
    noise: float

    @property
    def excess(self) -> float:
        """How much further it moved than chance explains; negative: not so far."""
        return self.distance - self.noise

    @property
    def label(self) -> str:
        """The name, with what it is given."""
        return f"{self.name} given {self.given}" if self.given else self.name


@dataclass(frozen=True)
class Nearest:
    """Distance to the nearest training row: Gower's, the mean over columns, 0 (equal) to 1.

    Each is the fifth percentile and the median over rows.
    """

    steered: tuple[float, float]
    unguided: tuple[float, float]
    """Rows as the base generator draws them."""
    real: tuple[float, float]
    """Training rows, to the nearest other one."""


@dataclass(frozen=True)
class ScenarioReport:
    """What became of a scenario.

    Attributes:
        scenario: its name.
        rows: of the table.
        drawn: rows that had to be drawn in search of them.
        effective: Kish's effective number of rows that the targets leave of those drawn.
        targets: one for each number that was wanted.
        columns: columns that no target names, those that moved furthest beyond chance first.
        conditionals: the same, each given a column that a target names.
        columns_left_out: how many more columns moved less than those listed.
        conditionals_left_out: the same of conditionals.
        nearest: None where the training rows are not at hand.
        seen: first rows of the table that movements were looked at over, where it is in parts; None: all rows.
    """

    scenario: str
    rows: int
    drawn: int
    effective: float
    targets: tuple[Reached, ...] = ()
    columns: tuple[Moved, ...] = ()
    conditionals: tuple[Moved, ...] = ()
    columns_left_out: int = 0
    conditionals_left_out: int = 0
    nearest: Nearest | None = None
    seen: int | None = None
    format: int = field(default=FORMAT, repr=False)

    @property
    def missed(self) -> tuple[Reached, ...]:
        """The targets that fell short."""
        return tuple(target for target in self.targets if not target.met)

    def check(self, more: str = "") -> None:
        """Do nothing where all targets were reached.

        Raises:
            ScenarioError: a goal fell short; the message says which, why, and by how much, and then `more`.
        """
        from agentsynth.scenarios.text import shortfall

        if self.missed:
            raise ScenarioError(f"scenario {self.scenario!r}: {shortfall(self)}{more}")

    @property
    def furthest(self) -> tuple[Moved, ...]:
        """All listed movements, those furthest beyond chance first."""
        return tuple(sorted((*self.columns, *self.conditionals), key=lambda moved: -moved.excess))

    def to_text(self, *, short: bool = False) -> str:
        """Return the report for people to read; `short`: the targets, and the three largest movements."""
        from agentsynth.scenarios.text import report_text, short_text

        return short_text(self) if short else report_text(self)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain values for JSON; a number that there is none of is None."""
        plain: dict[str, Any] = as_plain(asdict(self))
        for target, of in zip(plain["targets"], self.targets, strict=True):
            target |= {"gap": as_plain(of.gap), "met": of.met}
        return plain

    @classmethod
    def from_json(cls, value: Any) -> ScenarioReport:
        """Build the report that `to_json` described.

        Raises:
            InputError: it is none, or one of another version.
        """
        found = value.get("format") if isinstance(value, Mapping) else None
        if found != FORMAT:
            raise InputError(f"this is no scenario report of this version: expected format {FORMAT}, found {found!r}.")
        try:
            return cls(
                **{
                    **value,
                    "effective": _number(value["effective"]),
                    "targets": tuple(reached_from(target) for target in value["targets"]),
                    "columns": tuple(_moved(moved) for moved in value["columns"]),
                    "conditionals": tuple(_moved(moved) for moved in value["conditionals"]),
                    "nearest": value["nearest"] and Nearest(**{k: tuple(v) for k, v in value["nearest"].items()}),
                }
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"this is no scenario report of this version: {error}.") from error


def listed(movements: Sequence[Moved]) -> tuple[tuple[Moved, ...], int]:
    """Return the movements furthest beyond chance, and how many are left out."""
    order = sorted(movements, key=lambda moved: -moved.excess)
    return tuple(order[:LISTED]), max(0, len(order) - LISTED)


def as_plain(value: Any) -> Any:
    """Return nested values for JSON: a number that there is none of is None."""
    if isinstance(value, Mapping):
        return {key: as_plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [as_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def reached_from(value: Mapping[str, Any]) -> Reached:
    """Build how a table stands to a target from plain values."""
    names = [name for name in value if name not in ("name", "reason", "gap", "met")]
    return Reached(name=value["name"], reason=value["reason"], **{name: _number(value[name]) for name in names})


def _moved(value: Mapping[str, Any]) -> Moved:
    sides = {side: Spread(**{**value[side], "shares": tuple(value[side]["shares"])}) for side in ("before", "after")}
    return Moved(**{**value, "cells": tuple(value["cells"]), **sides})

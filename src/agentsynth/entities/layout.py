"""The tables that the rows of entities are learned from: what is given in each, and what is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from agentsynth.data.schema import Column, Schema
from agentsynth.entities.clock import Clock
from agentsynth.entities.nested import begins, so_far
from agentsynth.entities.plan import EntityPlan

ROWS, PLACE, LEFT, PACE = "(rows)", "(row)", "(rows left)", "(time left a row)"
GAP, GAP_BEFORE, TIME_OF_DAY = "(gap)", "(gap before)", "(time of day)"
SHARE = "(share of the time left a row)"


def before(name: str) -> str:
    """Return what a column is called as it was in the row before."""
    return f"{name} (before)"


def mean(name: str) -> str:
    """Return what the mean of a number over the rows so far is called."""
    return f"{name} (mean)"


def change(name: str) -> str:
    """Return what the change of a number since the row before is called."""
    return f"{name} (change)"


def numbers_of(plan: EntityPlan, schema: Schema) -> list[str]:
    """Return the numbers whose mean so far is looked at."""
    return [name for name in plan.others if schema[name].kind == "numeric"]


def number(name: str, decimals: int | None = 0) -> Column:
    """Return a column of numbers."""
    return Column(name=name, kind="numeric", dtype="float64", decimals=decimals)


def free(column: Column, name: str) -> Column:
    """Return a column under another name, and without bounds."""
    return column.model_copy(update={"name": name, "above": (), "by_step": False, "excess": False})


@dataclass(frozen=True)
class Layout:
    """The schemas of four tables: of first rows; of what ids a next row begins; of when it comes; of what is in it.

    Attributes:
        plan: what the entities are.
        schema: of the table.
        by_flow: whether gaps are drawn by the share that they take of the time left (see `agentsynth.entities.flow`).
        timed: whether a time of day is drawn, where there is one.
    """

    plan: EntityPlan
    schema: Schema
    by_flow: bool = False
    timed: bool = True

    @property
    def first(self) -> Schema:
        """First rows, and how many rows the entity has."""
        return Schema(columns=(*self.schema.modelled, number(ROWS)))

    @cached_property
    def begun(self) -> Schema:
        """Whether next rows begin new ones of the nested ids, after what this is drawn by."""
        return Schema(columns=(*self._features, *(number(begins(one.name)) for one in self.plan.nested)))

    @cached_property
    def when(self) -> Schema:
        """The gap, or its share, and the time of day of next rows, after what they are drawn by."""
        gap, time = self._timed
        told = number(SHARE, None) if self.by_flow else gap
        drawn = [number(TIME_OF_DAY)] if Clock(time).step and self.timed else []
        return Schema(columns=(*self.begun.columns, told, *drawn))

    @property
    def told(self) -> str:
        """The column that a gap is drawn in."""
        return SHARE if self.by_flow else GAP

    @cached_property
    def what(self) -> Schema:
        """All else of next rows, after what they are drawn by; of numbers that drift, the change."""
        others = [
            number(change(name), self.schema[name].decimals) if name in self.plan.drifting else self.schema[name]
            for name in self.plan.others
        ]
        known = self.begun.columns if self.plan.time is None else [*self.begun.columns, *self._timed]
        return Schema(columns=(*known, *others))

    @property
    def known_first(self) -> frozenset[str]:
        """What is known before anything of a next row is drawn."""
        return frozenset(column.name for column in self._features)

    @property
    def known(self) -> frozenset[str]:
        """What is known before it is drawn when the next row comes."""
        return frozenset(self.begun.names)

    @property
    def known_then(self) -> frozenset[str]:
        """What is known before all else is drawn."""
        return self.known if self.plan.time is None else self.known | {GAP, self.plan.time}

    @property
    def _timed(self) -> tuple[Column, Column]:
        time = self.schema[str(self.plan.time)]
        return number(GAP, 0 if time.is_datetime else time.decimals), time

    @cached_property
    def _features(self) -> list[Column]:
        columns = [free(self.schema[name], name) for name in self.plan.attributes]
        columns += [free(self.schema[name], before(name)) for name in self.plan.varying]
        columns += [number(mean(name), None) for name in numbers_of(self.plan, self.schema)]
        columns += [number(ROWS), number(PLACE), number(LEFT)]
        columns += [number(told) for one in self.plan.nested for told in (one.name, so_far(one.name))]
        if self.plan.time is None:
            return columns
        return [*columns, number(PACE, None), number(GAP_BEFORE, self._timed[0].decimals)]

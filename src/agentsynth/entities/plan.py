"""The plan of a table with entities: whose rows they are, what stays the same, and by what rows follow one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.config import EntityConfig
from agentsynth.data.entities import is_constant_within
from agentsynth.data.schema import Column, Schema
from agentsynth.entities.groups import by_entity, is_group
from agentsynth.entities.nested import NestedId, is_nested, numbered
from agentsynth.errors import SchemaError

AUTO = "auto"
FEWEST_ENTITIES = 10
"""Fewer entities are nothing to learn from."""
LARGEST = 1e70
"""Numbers of entities may be so large: products of two, summed up and squared, are still numbers."""
DRIFT = 0.2
"""Standard deviation of a number's changes from row to row, in such of the number itself, below which it drifts."""


@dataclass(frozen=True)
class EntityPlan:
    """What the entities of a table are.

    Attributes:
        id: the id column by which rows belong together.
        attributes: modelled columns that stay the same over the rows of an entity.
        time: datetime or number by which the rows of an entity follow one another; None: the order of the table.
        others: modelled columns that change from row to row, but for the time.
        drifting: numbers among them that change little from row to row, against how much they differ in the table: of
            these the change is drawn.
        nested: id columns within an entity: the orders of a user.
        groups: id columns around entities, in a form that counts entities: the school of a pupil.
    """

    id: str
    attributes: tuple[str, ...]
    time: str | None
    others: tuple[str, ...]
    drifting: tuple[str, ...] = ()
    nested: tuple[NestedId, ...] = ()
    groups: tuple[Column, ...] = ()

    @classmethod
    def of(cls, frame: pd.DataFrame, schema: Schema, config: EntityConfig) -> EntityPlan:
        """Find the entities of a typed frame.

        Raises:
            SchemaError: the column is no id of entities, or has too few of them; the time is none; a number is too
                large.
        """
        name = id_of(schema, config.column)
        entity = entity_of(frame, name)
        modelled = [column.name for column in schema.by_name.modelled]
        attributes = tuple(column for column in modelled if is_constant_within(frame[name], frame[column]))
        varying = [schema[column] for column in modelled if column not in attributes]
        _check_size(frame, schema)
        if not varying:
            raise SchemaError(f"no column changes over the rows of {name!r}: there is nothing to draw row by row.")
        time = _time(frame, entity, varying, config.time)
        others = tuple(column.name for column in varying if column.name != time)
        plan = cls(name, attributes, time, others)
        rows, entity = plan.arranged(frame)
        bounds = {bound for column in schema.modelled for bound in column.above}
        free = [
            c.name for c in varying if c.name in others and c.kind == "numeric" and not c.above and c.name not in bounds
        ]
        drifting = tuple(name for name in free if _drifts(rows[name].to_numpy(np.float64), entity))
        return replace(plan, drifting=drifting)._with_ids(rows, entity, schema)

    def _with_ids(self, rows: pd.DataFrame, entity: NDArray[np.int64], schema: Schema) -> EntityPlan:
        """Return the plan with the other id columns that are within entities, or around them."""
        others = [column for column in schema.of_kind("id") if column.name != self.id]
        within = [column for column in others if is_nested(rows[column.name], entity)]
        names, varying = [column.name for column in within], [schema[name] for name in self.varying]
        groups = [column for column in others if is_group(rows[column.name], entity)]
        return replace(
            self,
            nested=tuple(NestedId.of(rows, column, varying, names) for column in within),
            groups=tuple(by_entity(groups, rows, entity, self.attributes)),
        )

    @property
    def varying(self) -> tuple[str, ...]:
        """All modelled columns that change from row to row."""
        return self.others if self.time is None else (*self.others, self.time)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        return {**asdict(self), "groups": [column.model_dump(mode="json") for column in self.groups]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> EntityPlan:
        """Build the plan that `to_json` described."""
        attributes, others, drifting = (tuple(map(str, value[name])) for name in ("attributes", "others", "drifting"))
        # Models of formats before 7 know of no other ids.
        nested = tuple(NestedId.from_json(told) for told in value.get("nested", ()))
        groups = tuple(Column.model_validate(told) for told in value.get("groups", ()))
        return cls(str(value["id"]), attributes, value["time"], others, drifting, nested, groups)

    def check(self, schema: Schema) -> None:
        """Check a plan that was read from a file.

        Raises:
            ValueError: it is not one of the schema's table.
        """
        columns = sorted([*self.attributes, *self.varying])
        numbers = {column.name for column in schema.of_kind("numeric")}
        timed = self.time is None or not schema[self.time].is_label
        whole = columns == sorted(column.name for column in schema.modelled)
        drifting = {*self.drifting} <= numbers & {*self.others}
        if not (whole and timed and drifting and self._names_ids_of(schema)):
            raise ValueError("entities and schema do not fit each other")

    def _names_ids_of(self, schema: Schema) -> bool:
        """Tell whether all ids are those of a schema, and what is said of them speaks of columns that it can."""
        nested, groups = {one.name for one in self.nested}, {column.name for column in self.groups}
        known = {column.name for column in schema.of_kind("id")}
        apart = len({self.id, *nested, *groups}) == 1 + len(self.nested) + len(self.groups)
        within = {name for column in self.groups if column.id_form for name in column.id_form.constant_within}
        return (
            apart
            and {self.id, *nested, *groups} <= known
            and all({*one.constant} <= {*self.varying} and {*one.around} <= nested for one in self.nested)
            and all(column.id_form for column in self.groups)
            and within <= {*self.attributes, *groups}
        )

    def arranged(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.int64]]:
        """Return a typed frame (rows) by entity and in order of time, and the number of each row's entity from 0.

        Nested ids are counted, from 1 on in each entity.
        """
        rows, entity = self.in_order(frame, entity_of(frame, self.id))
        return numbered(rows, entity, [one.name for one in self.nested]), entity

    def in_order(self, frame: pd.DataFrame, entity: NDArray[np.int64]) -> tuple[pd.DataFrame, NDArray[np.int64]]:
        """Return the rows of a typed frame, and the entity (rows,) of each, by entity and in order of time."""
        times = np.arange(len(frame)) if self.time is None else frame[self.time].to_numpy()
        order = np.lexsort((times, entity))
        return frame.iloc[order].reset_index(drop=True), entity[order]


def overrides_of(config: EntityConfig, given: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return corrections of the schema by which a column that is said to name entities is taken for an id.

    Args:
        config: names the column.
        given: the user's own corrections, which go before.
    """
    named = {config.column: {"kind": "id"}} if config.column not in (None, AUTO) else {}
    return {**{str(name): fields for name, fields in named.items()}, **given}


def entity_of(frame: pd.DataFrame, column: str) -> NDArray[np.int64]:
    """Return the number (rows,) of each row's entity, counted from 0 by their first rows.

    Raises:
        SchemaError: a row has no id.
    """
    missing = np.flatnonzero(frame[column].isna())
    if len(missing):
        raise SchemaError(
            f"column {column!r} names the entities, and {len(missing)} rows have none (the first is row "
            f"{missing[0] + 1}): fill them in, or leave these rows out."
        )
    return np.asarray(pd.factorize(frame[column])[0], dtype=np.int64)


def id_of(schema: Schema, wanted: str | None) -> str:
    """Return the id column that is meant; of several that repeat, the one that names the fewest entities.

    Raises:
        SchemaError: there is none, or the wanted one is none.
    """
    repeated = {c.name: _rows_per_id(c) for c in schema.of_kind("id") if _rows_per_id(c) > 1}
    if wanted == AUTO and repeated:
        return max(sorted(repeated), key=lambda name: repeated[name])
    if wanted in repeated:
        return str(wanted)
    known = ", ".join(repeated) or "none"
    if wanted == AUTO:
        raise SchemaError(
            "the table has no id column with several rows an id, so it has no entities: name the column "
            "(entities.column), and say that it is one (data.columns: {NAME: {kind: id}})."
        )
    raise SchemaError(
        f"entities.column is {wanted!r}, which is no id column with several rows an id; those there are: {known}. "
        f"A column that was taken for something else is made one by data.columns: {{{wanted}: {{kind: id}}}}."
    )


def _check_size(frame: pd.DataFrame, schema: Schema) -> None:
    for column in schema.by_name.modelled:
        largest = frame[column.name].abs().max() if column.kind == "numeric" else 0.0
        if largest > LARGEST:
            raise SchemaError(
                f"column {column.name!r} has numbers up to {largest:.3g}; those of entities are summed up and squared, "
                f"and may be {LARGEST:g} at the most: divide them, or leave the column out."
            )


def _rows_per_id(column: Column) -> float:
    sizes = column.id_form.rows_per_id if column.id_form else ()
    return sum(rows * share for rows, share in sizes)


def _time(frame: pd.DataFrame, entity: NDArray[np.int64], varying: list[Column], wanted: str | None) -> str | None:
    """Return the column by which rows follow one another: the one wanted, the first datetime, or a number that counts.

    Raises:
        SchemaError: the wanted one cannot tell.
    """
    able = [column.name for column in varying if not column.is_label and _orders(column, frame)]
    if wanted is not None:
        if wanted not in able:
            raise SchemaError(
                f"entities.time is {wanted!r}, by which rows cannot follow one another: it has to be a datetime or a "
                f"number that changes over the rows of an entity and is never missing; there are {', '.join(able)}."
            )
        return wanted
    dates = [column.name for column in varying if column.name in able and column.is_datetime]
    counts = [name for name in able if name not in dates and _counts(frame[name].to_numpy(np.float64), entity)]
    # Of several that count (the year and the age), the one that all entities share.
    counts.sort(key=lambda name: frame[name].nunique())
    return next(iter([*dates, *counts]), None)


def _orders(column: Column, frame: pd.DataFrame) -> bool:
    return not column.above and not frame[column.name].isna().any()


def _drifts(numbers: NDArray[np.float64], entity: NDArray[np.int64]) -> bool:
    """Tell whether a number (rows,), by entity and in order of time, changes little from row to row."""
    changes = np.diff(numbers)[np.diff(entity) == 0]
    return bool(not np.isnan(numbers).any() and changes.std() < DRIFT * numbers.std())


def _counts(numbers: NDArray[np.float64], entity: NDArray[np.int64]) -> bool:
    """Tell whether a number grows from row to row of every entity, in the order of the table."""
    order = np.argsort(entity, kind="stable")
    same = np.diff(entity[order]) == 0
    return bool((np.diff(numbers[order])[same] > 0).all())

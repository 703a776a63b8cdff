"""The history of entities: what is known of them when their next row is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.schema import Schema
from agentsynth.data.stretches import Stretches
from agentsynth.entities.clock import Clock
from agentsynth.entities.layout import GAP_BEFORE, LEFT, PACE, PLACE, ROWS, before, mean, numbers_of
from agentsynth.entities.nested import rows_so_far, so_far
from agentsynth.entities.plan import EntityPlan

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class History:
    """What is known of entities before their next row.

    Attributes:
        last: (entities) typed frame: their rows before, attributes included; nested ids are counted in each entity.
        rows: (entities,) rows that they are to have.
        place: (entities,) rows that they have.
        sums: number -> (entities,) its sum over the rows so far.
        known: number -> (entities,) rows so far in which it is not missing.
        gap: (entities,) how long after the row before it the last row came; NaN for a first one.
        nested: nested id -> (entities,) rows that the one of the last row has so far.
    """

    last: pd.DataFrame
    rows: Floats
    place: Floats
    sums: dict[str, Floats]
    known: dict[str, Floats]
    gap: Floats
    nested: dict[str, Floats]

    @classmethod
    def begin(cls, first: pd.DataFrame, rows: Floats, numbers: Sequence[str], nested: Sequence[str]) -> History:
        """Return the history of entities with their first rows, of which numbers and nested ids are counted."""
        nothing = np.zeros(len(first))
        zeros, none = dict.fromkeys(numbers, nothing), dict.fromkeys(nested, nothing)
        return cls(first, rows, nothing, zeros, zeros, nothing, none)._with(first, np.full(len(first), np.nan))

    def followed(self, rows: pd.DataFrame, gap: Floats) -> History:
        """Return the history after a next row (entities) each, which came so long after the last one."""
        return self._with(rows, gap)

    def _with(self, rows: pd.DataFrame, gap: Floats) -> History:
        values = {name: rows[name].to_numpy(np.float64) for name in self.sums}
        return replace(
            self,
            last=rows,
            place=self.place + 1,
            sums={name: self.sums[name] + np.nan_to_num(values[name]) for name in values},
            known={name: self.known[name] + ~np.isnan(values[name]) for name in values},
            gap=gap,
            nested={name: 1 + have * (rows[name] == self.last[name]).to_numpy() for name, have in self.nested.items()},
        )

    def take(self, entities: NDArray[np.intp]) -> History:
        """Return the history of some entities only."""
        return History(
            self.last.iloc[entities].reset_index(drop=True),
            self.rows[entities],
            self.place[entities],
            {name: values[entities] for name, values in self.sums.items()},
            {name: values[entities] for name, values in self.known.items()},
            self.gap[entities],
            {name: values[entities] for name, values in self.nested.items()},
        )

    def features(self, plan: EntityPlan, clock: Clock | None) -> pd.DataFrame:
        """Return what the next row is drawn by: (entities) typed frame."""
        columns: dict[str, Any] = {name: self.last[name] for name in plan.attributes}
        columns |= {before(name): self.last[name] for name in plan.varying}
        for name, total in self.sums.items():
            columns[mean(name)] = total / np.where(self.known[name] > 0, self.known[name], np.nan)
        columns |= {ROWS: self.rows, PLACE: self.place, LEFT: self.rows - self.place}
        columns |= {name: self.last[name] for name in self.nested}
        columns |= {so_far(name): have for name, have in self.nested.items()}
        if clock is not None:
            remaining = clock.last - clock.split(self.last[clock.column.name])[0]
            columns |= {PACE: remaining / (self.rows - self.place), GAP_BEFORE: self.gap}
        return pd.DataFrame(columns)


@dataclass(frozen=True)
class Steps:
    """All steps from a row to the next one of the same entity in the training rows.

    Attributes:
        history: (steps) before the next row.
        after: (steps) typed frame: the next rows.
    """

    history: History
    after: pd.DataFrame

    @classmethod
    def of(
        cls, rows: pd.DataFrame, entity: NDArray[np.int64], plan: EntityPlan, schema: Schema, clock: Clock | None
    ) -> Steps:
        """Return the steps of rows that stand by entity (rows,) and in order of time."""
        stretches = Stretches.of(entity)
        place, sizes = stretches.places, stretches.sizes[entity]
        follows = np.flatnonzero(place)
        numbers = numbers_of(plan, schema)
        values = rows[numbers]
        sums, known = values.fillna(0).groupby(entity).cumsum(), values.notna().groupby(entity).cumsum()
        gap = np.full(len(rows), np.nan)
        if clock is not None:
            times = rows[clock.column.name]
            gap[follows] = clock.gaps(times.iloc[follows - 1], times.iloc[follows])[0]
        last = follows - 1
        history = History(
            rows.iloc[last].reset_index(drop=True),
            sizes[last].astype(np.float64),
            place[last].astype(np.float64) + 1,
            {name: sums[name].to_numpy(np.float64)[last] for name in numbers},
            {name: known[name].to_numpy(np.float64)[last] for name in numbers},
            gap[last],
            {one.name: rows_so_far(rows[one.name].to_numpy(), entity)[last] for one in plan.nested},
        )
        return cls(history, rows.iloc[follows].reset_index(drop=True))

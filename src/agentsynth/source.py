"""The rows that a scenario starts from: of its slice, with its fixed columns, and what each of them counts for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.base.held import Held
from agentsynth.base.trees import SequentialTrees
from agentsynth.data.schema import Schema
from agentsynth.entities.generator import EntityGenerator
from agentsynth.entities.pool import EntityPool
from agentsynth.entities.rows_table import RowsTable
from agentsynth.env.pool import Pool
from agentsynth.model import Generator
from agentsynth.scenarios.constraints import Constraint
from agentsynth.scenarios.fixing import held_of
from agentsynth.scenarios.grammar import Scenario
from agentsynth.scenarios.owned import OwnedRows
from agentsynth.scenarios.rarity import Rarity
from agentsynth.scenarios.scaling import scaled
from agentsynth.scenarios.starting import Start
from agentsynth.scenarios.table import Table
from agentsynth.scenarios.targets import constraints_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Source:
    """Draws the rows of a scenario.

    Attributes:
        generator: where rows come from.
        scenario: which ones are wanted.
        schema: of the table, with the labels of every column.
        whole: a pool of the table as it is.
        held: the columns that are fixed.
        start: what makes a pool as the real table is.
    """

    generator: Generator
    scenario: Scenario
    schema: Schema
    whole: Pool
    held: Held
    start: Start

    @classmethod
    def of(cls, generator: Generator, scenario: Scenario, whole: Pool) -> Source:
        """Read what a scenario fixes.

        Raises:
            ScenarioError: a column cannot be fixed so.
        """
        schema = with_labels(generator)
        fine = generator.detail
        start = Start.of(whole.frame, fine.cells.margins, fine.real)
        return cls(generator, scenario, schema, whole, held_of(scenario.fixed, schema, generator.trees.codec), start)

    @property
    def weighted(self) -> bool:
        """Whether rows count for more or less than others beyond what makes the pool as the real table is."""
        return bool(self.held.values) or self.scenario.temperature != 1

    def first(self, rng: np.random.Generator) -> Pool:
        """Return the rows of the scenario in the whole pool, or in one as large where columns are fixed."""
        return self.draw(len(self.whole), rng) if self.held.values else self._slice(self.whole)

    def draw(self, rows: int, rng: np.random.Generator) -> Pool:
        """Draw so many rows; return those of the scenario's slice."""
        return self.generator.draw_pool(rows, rng, self.held, self._wanted)

    def weights(self, pool: Pool) -> tuple[Floats, Floats]:
        """Return the weights (rows,) of rows in an unguided table, and before targets are met; each sum to 1."""
        logs = pool.logs + self.start.weights(pool.frame)
        plain = _weights(logs)
        if self.scenario.temperature == 1:
            return plain, plain
        return plain, _weights(logs + self._rarity.weights(pool.cells, self.scenario.temperature))

    @cached_property
    def _rarity(self) -> Rarity:
        cells, real = self.generator.cells, self.generator.real
        return Rarity.of(cells, real, self.generator.detail.rows, self.schema)

    @cached_property
    def base_of_whole(self) -> Floats:
        """The weights (rows,) that make the whole pool as the real table is."""
        return _weights(self.start.weights(self.whole.frame))

    def wanted(self, pool: Pool) -> Pool:
        """Return a pool as its rows are to stand in the table: with scaled values.

        Raises:
            ScenarioError: a column cannot be scaled so.
        """
        if not isinstance(pool, EntityPool) or not isinstance(self.generator, EntityGenerator):
            return replace(pool, frame=scaled(pool.frame, self.scenario, self.schema))
        if not self.scenario.scale:
            return pool
        rows = scaled(pool.rows, self.scenario, self.generator.table)
        return replace(pool, rows=rows, frame=self.generator.trees.summary.of(rows, pool.owner))

    def constraints(self, pool: Pool, table: Table, exact: int | None = None) -> list[Constraint]:
        """Return the numbers that the scenario wants of a pool, whose rows are those of `table`.

        Of entities `exact` is the number of rows that all of them have together; None: as many as they have.

        Raises:
            ScenarioError: a target does not fit the table.
        """
        if not isinstance(pool, EntityPool):
            return constraints_of(self.scenario, table)
        finer = replace(table, frame=pool.rows, schema=rows_with_labels(self.generator), rows=exact or table.rows)
        rows = RowsTable(**vars(finer), owner=pool.owner, exact=exact is not None)
        return constraints_of(self.scenario, table, rows)

    def _slice(self, pool: Pool) -> Pool:
        return pool.take(np.flatnonzero(self._wanted(pool)))

    def _wanted(self, pool: Pool) -> NDArray[np.bool_]:
        """Tell which rows (rows,) belong to the scenario's slice."""
        schema = rows_with_labels(self.generator)
        rows = OwnedRows(pool.rows, schema, pool.owner) if isinstance(pool, EntityPool) else None
        return self.scenario.slice(pool.frame, self.schema, rows)


def _weights(logs: Floats) -> Floats:
    weights: Floats = np.exp(logs - logs.max(initial=-np.inf))
    weights /= weights.sum()
    return weights


def with_labels(generator: Generator) -> Schema:
    """Return the schema with the labels of every categorical column: a small pool may lack rare ones."""
    return _labelled(generator.schema, [generator.trees])


def rows_with_labels(generator: Generator) -> Schema:
    """Return the same of the rows of the table, where what is drawn are entities."""
    return _labelled(generator.table, generator.drawing)


def sliced(generator: Generator, frame: pd.DataFrame, scenario: Scenario) -> NDArray[np.bool_]:
    """Tell which rows (rows,) of a typed table belong to a scenario's slice: of entities all or none.

    Raises:
        ScenarioError: the scenario does not fit the table.
    """
    rows = None
    if isinstance(generator, EntityGenerator):
        arranged, owner = generator.plan.arranged(frame)
        rows = OwnedRows(arranged, rows_with_labels(generator), owner)
    return generator.rows_of(frame, scenario.slice(generator.units(frame), with_labels(generator), rows))


def _labelled(schema: Schema, drawing: Iterable[SequentialTrees]) -> Schema:
    parts = [part for trees in drawing for part in trees.codec.parts if part.role == "label"]
    labels: dict[str, dict[str, None]] = {}
    for part in parts:
        labels.setdefault(part.column, {}).update({label: None for label in part.values if label is not None})
    return Schema(
        columns=tuple(
            column.model_copy(update={"levels": tuple(labels[column.name])}) if column.name in labels else column
            for column in schema
        )
    )

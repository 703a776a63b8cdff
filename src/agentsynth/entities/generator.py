"""The generator of a table with entities: it draws entities with their rows, and knows how real entities are spread."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.base.codec import Codec, Floats
from agentsynth.base.held import FREE, Held
from agentsynth.base.trees import SequentialTrees
from agentsynth.config import Config
from agentsynth.data.ids import ALL, Share
from agentsynth.data.schema import Schema
from agentsynth.data.typed import add_derived, finish
from agentsynth.entities.groups import grouped
from agentsynth.entities.nested import FEWEST_REPEATS, over_the_table
from agentsynth.entities.plan import FEWEST_ENTITIES, EntityPlan, entity_of
from agentsynth.entities.pool import EntityPool
from agentsynth.entities.sequences import Sequences
from agentsynth.entities.sizing import Sizes
from agentsynth.entities.summary import Summary
from agentsynth.env.pool import Keep, Pool, every
from agentsynth.errors import InputError
from agentsynth.model import Generator, fit_parts
from agentsynth.seeding import child_seed, stream


class EntityTrees(SequentialTrees):
    """Draws entities as rows of their summary.

    Args:
        codec: fitted codec of the summary.
        summary: what is told of an entity.
        sequences: draws the rows.
        table: schema of the table.
    """

    def __init__(self, codec: Codec, summary: Summary, sequences: Sequences, table: Schema) -> None:
        super().__init__(codec, sequences.first.config)
        self.summary = summary
        self.sequences = sequences
        self.table = table

    def draw_held(self, rows: int, held: Held, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return the codes (entities, parts) of drawn entities, and the logarithms of their weights (entities,)."""
        drawn = self.entities(rows, held, rng)
        return drawn.codes, drawn.logs

    def entities(self, entities: int, held: Held, rng: np.random.Generator) -> EntityPool:
        """Return drawn entities with their rows; not sorted into cells yet."""
        rows, owner, logs = self.sequences.draw(entities, self.table, rng, held)
        complete = add_derived(rows, self.table)
        summary = self.summary.of(complete, owner)
        codes = self.codec.encode(summary, lenient=True)
        return EntityPool(summary, codes, np.empty((entities, 0), np.int32), logs, complete, np.bincount(owner))


@dataclass(frozen=True)
class EntityGenerator(Generator):
    """Draws entities; `schema`, `cells` and shares are those of their summary."""

    trees: EntityTrees

    @property
    def table(self) -> Schema:
        """The schema of the table."""
        return self.trees.table

    @property
    def sequences(self) -> Sequences:
        """Draws the rows of entities."""
        return self.trees.sequences

    @property
    def plan(self) -> EntityPlan:
        """What the entities are."""
        return self.sequences.plan

    @property
    def sizes(self) -> Sizes:
        """How many rows entities have."""
        part = next(part for part in self.trees.codec.parts if part.column == self.trees.summary.rows)
        mean = float(part.values @ part.counts / part.counts.sum())
        return Sizes(mean, math.gcd(*(int(rows) for rows in part.values)))

    def shown(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        """Return rows of drawn entities, typed, with derived columns; the first two are known in every column."""
        drawn = self.trees.entities(rows, FREE, rng).rows
        for trees in self.drawing:
            known = trees.codec.decode(trees.codec.first_known)
            for name in known.columns.intersection(drawn.columns):
                drawn[name] = pd.concat([known[name], drawn[name].iloc[len(known) :]], ignore_index=True)
        return add_derived(drawn, self.table)

    def draw_pool(self, rows: int, rng: np.random.Generator, held: Held = FREE, keep: Keep = every) -> EntityPool:
        """Draw `rows` candidate entities, with attributes held to a value; return those that are to be kept."""
        pool = self.trees.entities(rows, held, rng)
        kept = keep(pool)
        pool = pool if kept.all() else pool.take(np.flatnonzero(kept))
        cells = self.cells.of(pool.frame, self.trees.codec.features(pool.codes))
        return EntityPool(**{**vars(pool), "cells": cells})

    def draw_rows(self, rows: int, rng: np.random.Generator) -> Pool:
        """Draw entities that nothing is to be chosen from."""
        return self.trees.entities(rows, FREE, rng)

    def units_for(self, rows: int) -> int:
        """Return how many entities have so many rows on average, at least one."""
        return self.sizes.entities(rows)

    @property
    def drawing(self) -> tuple[SequentialTrees, ...]:
        """All that is drawn from: first rows, when the next one comes, what is in it."""
        when = self.sequences.when
        drawn = (self.sequences.first, self.sequences.begun, None if when is None else when.trees, self.sequences.what)
        return tuple(trees for trees in drawn if trees is not None)

    def units(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the summary (entities) of the entities of a typed table with derived columns."""
        return self.trees.summary.of(*self.plan.arranged(frame))

    def rows_of(self, frame: pd.DataFrame, units: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which rows (rows,) of a table are those of chosen entities (entities,)."""
        return units[entity_of(frame, self.plan.id)]

    def finish(self, pool: Pool, seed: int, share: Share = ALL) -> pd.DataFrame:
        """Return the rows of entities in the form of the table: one id for each entity."""
        if not isinstance(pool, EntityPool):
            raise TypeError("these are no entities")
        owner, rng = pool.owner, stream(seed, "groups")
        numbers = {self.plan.id: owner, **grouped(pool.rows, owner, self.plan.groups, rng)}
        for one in self.plan.nested:
            numbers[one.name] = over_the_table(pool.rows[one.name].to_numpy(), owner)
        # Entities or rows are counted before parts are made, never both.
        return finish(pool.rows, self.table, seed, replace(share, before=None), numbers)


def fit_entity_generator(
    frame: pd.DataFrame, schema: Schema, config: Config, seed: int, advance: Callable[[], None] = lambda: None
) -> EntityGenerator:
    """Fit the generator of a table with entities on a typed frame.

    Raises:
        SchemaError: there are no entities.
        InputError: there are too few of them.
    """
    plan = EntityPlan.of(frame, schema, config.entities)
    rows, entity = plan.arranged(frame)
    _check_numbers(plan, entity)
    sequences = Sequences.fit(rows, entity, plan, schema, config.generator, child_seed(seed, "rows"), advance)
    summary = Summary(plan, schema)
    table = summary.of(add_derived(rows, schema), entity)
    codec = Codec(summary.schema).fit(table)
    trees = EntityTrees(codec, summary, sequences, schema)
    parts = fit_parts(table, codec.encode(table), trees, summary.schema, config, seed)
    return EntityGenerator(**vars(parts))


def _check_numbers(plan: EntityPlan, entity: NDArray[np.int64]) -> None:
    entities = int(entity.max(initial=-1)) + 1
    if entities < FEWEST_ENTITIES or len(entity) - entities < FEWEST_REPEATS:
        raise InputError(
            f"the table has {entities} entities in {plan.id!r}, with {len(entity) - entities} rows after their first: "
            f"at least {FEWEST_ENTITIES} and {FEWEST_REPEATS} are needed to learn how rows follow one another. Leave "
            "out entities.column to draw rows one by one."
        )

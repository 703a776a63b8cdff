"""Rows of entities, drawn in order: the first one with all that stays the same, then each given those before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.base.held import FREE, Held
from agentsynth.base.trees import SequentialTrees
from agentsynth.config import GeneratorConfig
from agentsynth.data.schema import Schema
from agentsynth.data.stretches import Stretches
from agentsynth.entities.clock import Clock
from agentsynth.entities.drift import Drifts
from agentsynth.entities.history import History, Steps
from agentsynth.entities.layout import GAP, ROWS, Layout, numbers_of
from agentsynth.entities.nested import agreed, at_once, beginnings, continued
from agentsynth.entities.plan import EntityPlan
from agentsynth.entities.timing import Timing, Waits, grown
from agentsynth.seeding import child_seed

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Sequences:
    """Draws entities with their rows.

    Attributes:
        plan: what the entities are.
        clock: by what rows follow one another; None: in order of the table.
        drifts: the numbers whose changes are drawn.
        first: draws first rows, with the number of rows of the entity (`ROWS`).
        when: draws how long after the row before a row comes, and at what time of day; None without a clock.
        what: draws what else changes from row to row; None where nothing does.
        begun: draws whether a next row begins new ones of the nested ids; None where there are none.
    """

    plan: EntityPlan
    clock: Clock | None
    drifts: Drifts
    first: SequentialTrees
    when: Timing | None
    what: SequentialTrees | None
    begun: SequentialTrees | None = None

    @classmethod
    def fit(
        cls,
        rows: pd.DataFrame,
        entity: Integers,
        plan: EntityPlan,
        schema: Schema,
        config: GeneratorConfig,
        seed: int,
        advance: Callable[[], None] = lambda: None,
    ) -> Sequences:
        """Learn from the typed rows of entities, by entity and in order of time, and each row's entity (rows,)."""
        layout = Layout(plan, schema)
        clock = None if plan.time is None else Clock.of(schema[plan.time], rows)
        drifts = Drifts.of(plan, schema, rows)
        steps = Steps.of(rows, entity, plan, schema, clock)
        lives = Stretches.of(entity)
        heads = rows.iloc[lives.starts].reset_index(drop=True).assign(**{ROWS: lives.sizes.astype(np.float64)})

        def fitted(table: Schema, given: frozenset[str], frame: pd.DataFrame, name: str) -> SequentialTrees:
            return grown(table, given, frame, config, child_seed(seed, name), advance)

        first, when, what, begun = fitted(layout.first, frozenset(), heads, "first"), None, None, None
        known = steps.history.features(plan, clock)
        if plan.nested:
            known = known.assign(**beginnings(plan.nested, steps.history.last, steps.after))
            begun = fitted(layout.begun, layout.known_first, known, "begun")
        if clock is not None:
            time = clock.column.name
            gap, of_day = clock.gaps(steps.history.last[time], steps.after[time])
            waits, whose = Waits(known, steps.history.last[time], gap, of_day), entity[lives.places > 0]
            moments = clock.split(rows[time])[0]
            when = Timing.fit(waits, whose, moments, clock, layout, config, child_seed(seed, "when"), advance)
            known = known.assign(**{GAP: gap})
            known[time] = steps.after[time]
        if plan.others:
            after = drifts.taken(steps.history.last, steps.after[list(plan.others)])
            what = fitted(layout.what, layout.known_then, pd.concat([known, after], axis=1), "what")
        return cls(plan, clock, drifts, first, when, what, begun)

    def draw(
        self, entities: int, schema: Schema, rng: np.random.Generator, held: Held = FREE
    ) -> tuple[pd.DataFrame, Integers, Floats]:
        """Draw entities.

        Args:
            entities: how many.
            schema: of the table.
            rng: source of randomness.
            held: attributes held to a value.

        Returns:
            Typed frame (rows) of the modelled columns and nested ids, which are counted in each entity, by entity and
            in order of time; the number of each row's entity (rows,); the logarithm of each entity's weight
            (entities,).
        """
        codes, logs = self.first.draw_held(entities, held, rng)
        nested = [one.name for one in self.plan.nested]
        heads = self.first.codec.decode(codes, held).assign(**dict.fromkeys(nested, 1.0))
        names = [*(column.name for column in schema.modelled), *nested]
        history = History.begin(heads[names], heads[ROWS].to_numpy(np.float64), numbers_of(self.plan, schema), nested)
        who: NDArray[np.intp] = np.arange(entities)
        frames, owners = [heads[names]], [who]
        while len(going := np.flatnonzero(history.place < history.rows)):
            history, who = history.take(going), who[going]
            rows, gap = self._next(history, rng)
            history = history.followed(rows[names], gap)
            frames.append(history.last)
            owners.append(who)
        # In order of time once more: two rows of a day may have been drawn the other way round.
        return (*self.plan.in_order(pd.concat(frames, ignore_index=True), np.concatenate(owners)), logs)

    def _next(self, history: History, rng: np.random.Generator) -> tuple[pd.DataFrame, Floats]:
        """Draw the next row (entities) of each entity, and how long after the last one it comes."""
        known = history.features(self.plan, self.clock)
        if self.begun is not None:
            known = agreed(self.plan.nested, self.begun.draw_given(known, rng))
        gap = np.full(len(known), np.nan)
        if self.clock is not None and self.when is not None:
            name = self.clock.column.name
            gap, time = self.when.draw(known, history.last[name], rng)
            gap = np.where(at_once(self.plan.nested, name, known), self.clock.none, gap)
            known = known.assign(**{GAP: gap, name: self.clock.after(history.last[name], gap, time, rng)})
        drawn = known if self.what is None else self.what.draw_given(known, rng)
        rows = self.drifts.added(history.last, drawn)
        return continued(self.plan.nested, history.last, rows), gap

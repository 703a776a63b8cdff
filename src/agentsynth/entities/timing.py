"""Timing: when the next row of an entity comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.base.codec import Codec
from agentsynth.base.trees import SequentialTrees
from agentsynth.config import GeneratorConfig
from agentsynth.data.schema import Schema
from agentsynth.entities.clock import Clock
from agentsynth.entities.flow import Flow
from agentsynth.entities.judging import DRAWN, Way, better, repeated
from agentsynth.entities.layout import GAP, LEFT, SHARE, TIME_OF_DAY, Layout
from agentsynth.seeding import child_seed, stream

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
TRIES = 4
"""Times that a gap is drawn which leads beyond the last training moment."""


def grown(
    table: Schema,
    given: frozenset[str],
    frame: pd.DataFrame,
    config: GeneratorConfig,
    seed: int,
    advance: Callable[[], None] = lambda: None,
) -> SequentialTrees:
    """Return trees grown on a typed frame (rows), to draw the columns of `table` that are not given."""
    codec = Codec(table).fit(frame)
    return SequentialTrees(codec, config, given).fit(codec.encode(frame), seed, advance)


@dataclass(frozen=True)
class Waits:
    """What is learned from: how long entities waited for their next rows.

    Attributes:
        known: (steps) typed frame: what is known before.
        last: (steps,) the moments that were waited from.
        gap: (steps,) how long.
        of_day: (steps,) the time of day of the next row; NaN where there is none.
    """

    known: pd.DataFrame
    last: pd.Series[Any]
    gap: Floats
    of_day: Floats

    def take(self, steps: Indices) -> Waits:
        """Return some of the steps only."""
        return Waits(self.known.iloc[steps], self.last.iloc[steps], self.gap[steps], self.of_day[steps])


@dataclass(frozen=True)
class Timing:
    """Draws how long after the last row the next one comes, and at what time of day.

    Attributes:
        clock: by what rows follow one another.
        trees: what is drawn from.
        flow: by whose shares gaps are drawn; None: they are drawn as they are.
    """

    clock: Clock
    trees: SequentialTrees
    flow: Flow | None = None

    @classmethod
    def fit(
        cls,
        waits: Waits,
        entity: NDArray[np.int64],
        moments: Floats,
        clock: Clock,
        layout: Layout,
        config: GeneratorConfig,
        seed: int,
        advance: Callable[[], None] = lambda: None,
    ) -> Timing:
        """Learn when next rows come: by the flow where that tells better of other entities when they do.

        Args:
            waits: of all steps.
            entity: (steps,) whose they are.
            moments: (rows,) of all training rows.
            clock: of the moments.
            layout: of the tables.
            config: of the trees.
            seed: decides everything random here.
            advance: called after each part that is learned.
        """
        ways = None, Flow.of(moments, clock.grain)

        def way(flow: Flow | None) -> Way:
            def drawn(learned: Indices, judged: Indices, seed: int) -> Floats:
                own = cls._grown(waits.take(learned), clock, flow, replace(layout, timed=False), config, seed)
                asked = waits.take(judged)
                last = repeated(asked.last.to_frame()).iloc[:, 0]
                gaps = own.draw(repeated(asked.known), last, stream(seed, "gaps"))[0]
                return gaps.reshape(len(judged), DRAWN)

            return drawn

        chosen = ways[better(waits.gap, entity, [way(flow) for flow in ways], child_seed(seed, "ways"))]
        return cls._grown(waits, clock, chosen, layout, config, seed, advance)

    @classmethod
    def _grown(
        cls,
        waits: Waits,
        clock: Clock,
        flow: Flow | None,
        layout: Layout,
        config: GeneratorConfig,
        seed: int,
        advance: Callable[[], None] = lambda: None,
    ) -> Timing:
        layout, told = replace(layout, by_flow=flow is not None), waits.gap
        if flow is not None:
            part = stream(seed, "part of a grain").random(len(told))
            told = flow.shares(clock, clock.split(waits.last)[0], told, waits.known[LEFT].to_numpy(), part)
        frame = waits.known.assign(**{layout.told: told, TIME_OF_DAY: waits.of_day})
        return cls(clock, grown(layout.when, layout.known, frame, config, seed, advance), flow)

    def draw(self, known: pd.DataFrame, last: pd.Series[Any], rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw how long (entities,) after the last row the next one comes, and at what time of day.

        What would lie after all training moments is drawn again, a few times.
        """
        gap, time = np.empty(len(known)), np.full(len(known), np.nan)
        late: Indices = np.arange(len(known))
        for _ in range(TRIES):
            drawn = self.trees.draw_given(known.iloc[late], rng)
            gap[late] = self._gaps(drawn, last.iloc[late])
            if TIME_OF_DAY in drawn:
                time[late] = drawn[TIME_OF_DAY]
            late = late[self.clock.beyond(last.iloc[late], gap[late])]
            if not len(late):
                break
        return gap, time

    def _gaps(self, drawn: pd.DataFrame, last: pd.Series[Any]) -> Floats:
        """Return the gaps (entities,) that drawn rows tell of."""
        told = drawn[GAP if self.flow is None else SHARE].to_numpy(np.float64)
        if self.flow is None:
            return told
        return self.flow.gaps(self.clock, self.clock.split(last)[0], told, drawn[LEFT].to_numpy(np.float64))

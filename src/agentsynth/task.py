"""The task that a generation sets: the pool, and the goal that a scenario states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.config import Config
from agentsynth.env.aims import Aim
from agentsynth.env.environment import SyntheticDataEnvironment
from agentsynth.env.goals import Goal, moved
from agentsynth.env.pool import Pool
from agentsynth.env.weights import effective_size, fair_size, thin
from agentsynth.errors import ScenarioError
from agentsynth.model import Generator
from agentsynth.scenarios.constraints import Constraint
from agentsynth.scenarios.grammar import Scenario
from agentsynth.scenarios.measured import as_meant
from agentsynth.scenarios.planning import Plan, plan
from agentsynth.scenarios.table import Function, Table
from agentsynth.seeding import stream
from agentsynth.source import Source

Floats = NDArray[np.float64]
MOST_POOLS, ENOUGH_POOLS = 24, 6
"""Times the first pool that is drawn in search of rows for a scenario: before giving up, and where there are rows
enough already, but some of them weigh too much."""
DRAWS = 4
"""Times that rows are drawn in search of them: each time as many as still seem to be missing."""


@dataclass(frozen=True)
class Asked:
    """What is asked of a generation beside the number of rows.

    Attributes:
        scenario: what to steer to; None: mimic the table.
        functions: name -> the user's own measures of a table, which the scenario may name.
        fine_tune: episodes that the learned policy is trained on the task first.
        total: rows of the whole table, of which a piece may be made at a time; of entities: how many of them.
        exact: rows that the table has; None: as many as its entities have.
        now: name -> the number that changes such as `+20%` start from; where not given: what the pool has.
    """

    scenario: Scenario | None = None
    functions: Mapping[str, Function] = field(default_factory=dict)
    fine_tune: int = 0
    total: int = 0
    exact: int | None = None
    now: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """A pool and the goal to compose from it.

    Attributes:
        pool: rows of the scenario's slice only, thinned so that they meet its targets.
        goal: wanted shares, and the numbers to aim at.
        fine: (pool rows, groups) the fine cells of the pool, and the shares wanted in them; None: no refinement.
        constraints: the scenario's targets, over the pool.
        now: the numbers that they had before anything was steered.
        searched: what was drawn and planned before; None: no scenario.
    """

    pool: Pool
    goal: Goal
    fine: tuple[NDArray[np.int32], Goal] | None
    constraints: Sequence[Constraint] = ()
    now: Mapping[str, float] = field(default_factory=dict)
    searched: Searched | None = None

    def environment(self, generator: Generator, config: Config, rows: int) -> SyntheticDataEnvironment:
        """Return the environment in which a table of so many rows of the pool is composed."""
        sized = config.model_copy(update={"environment": config.environment.model_copy(update={"rows": rows})})
        return generator.environment(self.pool.cells, sized, len(self.goal.aims))

    @property
    def cost(self) -> Cost | None:
        """What the search for rows cost; None: no scenario."""
        if self.searched is None:
            return None
        planned = self.searched.planned
        return Cost(self.searched.drawn, planned.kept, effective_size(planned.plan.weights))


@dataclass(frozen=True)
class Cost:
    """What a scenario's rows cost.

    Attributes:
        drawn: rows that were drawn.
        kept: rows that can be taken of them in the proportions that the targets need.
        effective: Kish's effective number of rows that the targets leave.
    """

    drawn: int
    kept: int
    effective: float

    @classmethod
    def total(cls, costs: Iterable[Cost]) -> Cost:
        """Return what several pieces cost together."""
        found = tuple(costs)
        drawn, kept = sum(cost.drawn for cost in found), sum(cost.kept for cost in found)
        return cls(drawn, kept, sum(cost.effective for cost in found))


@dataclass(frozen=True)
class Planned:
    """A pool of a scenario's slice, and its plan.

    Attributes:
        pool: the rows.
        made: the rows as they are to stand in the table.
        constraints: the scenario's targets, over the rows.
        unguided: (rows,) the weights that they have in an unguided table.
        base: (rows,) the weights that the plan starts from.
        plan: the weights by which the targets are met.
    """

    pool: Pool
    made: Pool
    constraints: Sequence[Constraint]
    unguided: Floats
    base: Floats
    plan: Plan

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as they are to stand in the table."""
        return self.made.frame

    @property
    def kept(self) -> int:
        """Rows that can be kept of the pool so that its rows as they come are what the plan says."""
        return fair_size(self.plan.weights) if len(self.pool) else 0


@dataclass(frozen=True)
class Searched:
    """What the search for a scenario's rows came to.

    Attributes:
        planned: all rows of the slice, and their plan.
        drawn: rows that were drawn in all.
    """

    planned: Planned
    drawn: int


def prepare_task(generator: Generator, config: Config, rows: int, asked: Asked, seed: int) -> Task:
    """Draw a pool large enough for `rows` rows of the scenario, and state its goal in cells and aims.

    Raises:
        ScenarioError: the scenario does not fit the table, or too few rows of its slice can be drawn.
    """
    rng = stream(seed, "pool")
    size = max(round(rows * _pool_factor(config)), 200)
    whole = generator.draw_pool(size, rng)
    if asked.scenario is None:
        fine = (generator.detail_of(whole), Goal(generator.detail.real)) if _refines(config) else None
        return Task(whole, Goal(generator.real), fine)
    source = Source.of(generator, asked.scenario, whole)
    searched = _search(source, asked, rows, rng)
    return replace(_steered(source, config, searched.planned, rows, rng), searched=searched)


def _search(source: Source, asked: Asked, rows: int, rng: np.random.Generator) -> Searched:
    """Draw rows until enough of them meet the scenario; no more than `MOST_POOLS` times the first pool."""
    scenario, first = source.scenario, len(source.whole)
    pool = source.first(rng)
    planned, drawn = _planned(pool, asked, source), first
    for _ in range(DRAWS):
        # A half more than seem to be missing, so that one further draw mostly does.
        rate = min(len(pool) / (4 * rows), planned.kept / (2 * rows))
        most = MOST_POOLS if len(pool) < 4 * rows else ENOUGH_POOLS
        more = min(round(1.5 * drawn * (1 / max(rate, 1e-9) - 1)), (most + 1) * first - drawn)
        if rate >= 1 or more <= 0:
            break
        pool = pool.followed_by(source.draw(more, rng))
        drawn += more
        planned = _planned(pool, asked, source)
    if len(pool) < rows:
        raise ScenarioError(
            f"scenario {scenario.name!r}: only {len(pool)} of {drawn} drawn rows meet "
            f"{scenario.where!r}, and {rows} are wanted. Ask for fewer rows, or widen the condition."
        )
    return Searched(planned, drawn)


def _planned(pool: Pool, asked: Asked, source: Source) -> Planned:
    """State a scenario over a pool of its slice, and weigh the rows so that it holds."""
    unguided, base = source.weights(pool)
    if not len(pool):
        return Planned(pool, pool, (), unguided, base, Plan(base, np.zeros((0, 0))))
    made = source.wanted(pool)
    table = Table(made.frame, source.schema, asked.total, base, asked.now, asked.functions)
    constraints = source.constraints(made, table, asked.exact)
    told = {name: values for c in constraints for name, values in c.told.items()}
    made = replace(made, frame=made.frame.assign(**told)) if told else made
    return Planned(pool, made, constraints, unguided, base, plan(constraints, base))


def _steered(source: Source, config: Config, planned: Planned, rows: int, rng: np.random.Generator) -> Task:
    """Return the task of a scenario: the goal is the real shares, moved as they move from the whole pool to its own."""
    generator, name, pool, weights = source.generator, source.scenario.name, planned.pool, planned.plan.weights
    cells, detail, whole = generator.cells, generator.detail, source.base_of_whole
    before, after = cells.shares(source.whole.cells, whole), cells.shares(pool.cells, weights)
    goal = moved(Goal(generator.real), cells, before, after, name, detail.rows)
    fine = None
    if _refines(config):
        places = generator.detail_of(pool)
        before, after = detail.shares(generator.detail_of(source.whole), whole), detail.shares(places, weights)
        fine = places, moved(Goal(detail.real), detail, before, after, name, detail.rows)
    now = {c.name: as_meant(c, planned.frame, planned.base) for c in planned.constraints}
    constraints = planned.constraints
    # Values are scaled, cells are not: the mix of rows is that of the table before.
    pool = planned.made
    if constraints or source.weighted:
        # Selection looks at cells only: within one, it takes rows as the pool has them.
        kept = thin(weights, max(2 * rows, planned.kept), rng)
        pool = pool.take(kept)
        fine = None if fine is None else (fine[0][kept], fine[1])
        wanted = planned.plan.aims(constraints)
        constraints = [constraint.take(kept) for constraint in constraints]
        equal = np.full(len(kept), 1.0 / len(kept))
        # Of measured numbers the influence is that of the plan: to probe them again would take as long.
        influences = [
            planned.plan.influences[kept, place] if constraint.probed else constraint.influence(equal)
            for place, constraint in enumerate(constraints)
        ]
        aims = (
            Aim.of(c.name, aim, influence, c.of, exact=not c.probed)
            for c, aim, influence in zip(constraints, wanted, influences, strict=True)
        )
        goal = Goal(goal.shares, name, tuple(aims))
    return Task(pool, goal, fine, constraints, now)


def _refines(config: Config) -> bool:
    return config.environment.selection and config.refinement.exchanges > 0


def _pool_factor(config: Config) -> float:
    wanted = config.environment.pool_factor
    return max(wanted, config.refinement.pool_factor) if _refines(config) else wanted

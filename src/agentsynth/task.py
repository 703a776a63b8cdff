"""The task that a generation sets: the pool, and the goal that a scenario states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.config import Config
from agentsynth.data.schema import Schema
from agentsynth.env.balancing import effective_size, thin
from agentsynth.env.goals import Goal, moved
from agentsynth.env.pool import Pool
from agentsynth.env.scenarios import Constraint, Scenario, target_weights
from agentsynth.errors import ScenarioError
from agentsynth.model import Generator
from agentsynth.seeding import stream

Floats = NDArray[np.float64]
KEPT = 0.5
"""Rows kept of a pool that is thinned by weights, per effective row: the fewer, the nearer to the weights they are."""
MOST_POOLS = 24
"""Pools drawn in search of rows for a scenario, before giving up."""


@dataclass(frozen=True)
class Task:
    """A pool and the goal to compose from it.

    Attributes:
        pool: rows of the scenario's slice only, thinned so that they meet its targets.
        goal: wanted shares.
        fine: (pool rows, groups) the fine cells of the pool, and the shares wanted in them; None: no refinement.
        constraints: the scenario's targets.
    """

    pool: Pool
    goal: Goal
    fine: tuple[NDArray[np.int32], Goal] | None
    constraints: list[Constraint]


def prepare_task(generator: Generator, config: Config, rows: int, scenario: Scenario | None, seed: int) -> Task:
    """Draw a pool large enough for `rows` rows of the scenario, and state its goal in cells.

    Raises:
        ScenarioError: the scenario does not fit the table, or too few rows of its slice can be drawn.
    """
    rng = stream(seed, "pool")
    size = max(round(rows * _pool_factor(config)), 200)
    whole = generator.draw_pool(size, rng)
    if scenario is None:
        fine = (generator.detail_of(whole), Goal(generator.detail.real)) if _refines(config) else None
        return Task(whole, Goal(generator.real), fine, [])
    schema = with_labels(generator)
    pool = _slice(whole, scenario, schema)
    for _ in range(MOST_POOLS):
        if len(pool) >= 4 * rows:
            constraints, weights = _weigh(pool, scenario, schema)
            if effective_size(weights) >= 2 * rows:
                break
        pool = _joined(pool, _slice(generator.draw_pool(size, rng), scenario, schema))
    else:
        constraints, weights = _weigh(pool, scenario, schema)
    if len(pool) < rows:
        raise ScenarioError(
            f"scenario {scenario.name!r}: only {len(pool)} of {(MOST_POOLS + 1) * size} drawn rows meet "
            f"{scenario.where!r}, and {rows} are wanted. Ask for fewer rows, or widen the condition."
        )
    return _steered(generator, config, scenario.name, whole, pool, weights, constraints, rows, rng)


def _steered(
    generator: Generator,
    config: Config,
    name: str,
    whole: Pool,
    pool: Pool,
    weights: Floats,
    constraints: list[Constraint],
    rows: int,
    rng: np.random.Generator,
) -> Task:
    """Return the task of a scenario: the goal is the real shares, moved as they move from the whole pool to its own."""
    cells, detail = generator.cells, generator.detail
    before, after = cells.shares(whole.cells), cells.shares(pool.cells, weights)
    goal = moved(Goal(generator.real), cells, before, after, name, detail.rows)
    fine = None
    if _refines(config):
        places = generator.detail_of(pool)
        before, after = detail.shares(generator.detail_of(whole)), detail.shares(places, weights)
        fine = places, moved(Goal(detail.real), detail, before, after, name, detail.rows)
    if constraints:
        # Selection looks at cells only: within one, it takes rows as the pool has them.
        kept = thin(weights, max(2 * rows, round(KEPT * effective_size(weights))), rng)
        pool = pool.take(kept)
        fine = None if fine is None else (fine[0][kept], fine[1])
    return Task(pool, goal, fine, constraints)


def _refines(config: Config) -> bool:
    return config.environment.selection and config.refinement.exchanges > 0


def _pool_factor(config: Config) -> float:
    wanted = config.environment.pool_factor
    return max(wanted, config.refinement.pool_factor) if _refines(config) else wanted


def with_labels(generator: Generator) -> Schema:
    """Return the schema with the labels of every categorical column: a small pool may lack rare ones."""
    labels = {part.column: part.values for part in generator.trees.codec.parts if part.role == "label"}
    return Schema(
        columns=tuple(
            column.model_copy(update={"levels": tuple(label for label in labels[column.name] if label is not None)})
            if column.name in labels
            else column
            for column in generator.schema
        )
    )


def _slice(pool: Pool, scenario: Scenario, schema: Schema) -> Pool:
    return pool.take(np.flatnonzero(scenario.slice(pool.frame, schema)))


def _joined(first: Pool, second: Pool) -> Pool:
    return Pool(
        pd.concat([first.frame, second.frame], ignore_index=True),
        np.concatenate([first.codes, second.codes]),
        np.concatenate([first.cells, second.cells]),
    )


def _weigh(pool: Pool, scenario: Scenario, schema: Schema) -> tuple[list[Constraint], Floats]:
    if not len(pool):
        return [], np.zeros(0)
    constraints = scenario.constraints(pool.frame, schema)
    return constraints, target_weights(constraints, len(pool))

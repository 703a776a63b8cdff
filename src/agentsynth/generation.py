"""From a model to a table: the pool, the goal that a scenario states, and the composing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.agent.composing import compose
from agentsynth.agent.policies import NeutralPolicy, NoisyPolicy, Policy, ProportionalPolicy, RandomPolicy
from agentsynth.config import Config
from agentsynth.data.schema import Schema
from agentsynth.data.typed import finish
from agentsynth.env.balancing import effective_size, thin
from agentsynth.env.goals import Goal, moved
from agentsynth.env.pool import Pool
from agentsynth.env.scenarios import Constraint, Scenario, target_weights
from agentsynth.env.selection import top
from agentsynth.errors import ConfigError, ScenarioError
from agentsynth.model import Generator, Model
from agentsynth.seeding import child_seed, stream

Floats = NDArray[np.float64]
POLICIES = ("q_learning", "neutral", "random", "proportional", "raking", "free")
"""`free` takes rows as they come from the base generator; `raking` draws them by weights found on the whole pool."""
LARGEST = 20_000
"""Rows composed at a time; longer tables are composed in pieces, in bounded memory."""
KEPT = 0.5
"""Rows kept of a pool that is thinned by weights, per effective row: the fewer, the nearer to the weights they are."""
RAKING_ROUNDS = 50
"""Times that raking goes through all margins: by then shares are right to about 0.001."""
MOST_POOLS = 24
"""Pools drawn in search of rows for a scenario, before giving up."""


@dataclass(frozen=True)
class Reached:
    """How a table stands to one target of its scenario."""

    name: str
    wanted: float
    reached: float


@dataclass(frozen=True)
class Composed:
    """A generated table and what became of its scenario's targets."""

    table: pd.DataFrame
    targets: list[Reached]


@dataclass(frozen=True)
class Task:
    """A pool and the goal to compose from it.

    Attributes:
        pool: rows of the scenario's slice only, thinned so that they meet its targets.
        goal: wanted shares.
        constraints: the scenario's targets.
    """

    pool: Pool
    goal: Goal
    constraints: list[Constraint]


def generate(
    model: Model,
    config: Config,
    rows: int,
    seed: int,
    scenario: Scenario | None = None,
    policy: str = "q_learning",
    advance: Callable[[int], None] = lambda _: None,
) -> Composed:
    """Generate a table.

    Args:
        model: the fitted model.
        config: its parameters.
        rows: rows wanted; that many are returned.
        seed: decides everything random here.
        scenario: what to steer to; None: mimic the table.
        policy: one of `POLICIES`.
        advance: called with the number of rows done.

    Raises:
        ConfigError: no such policy.
        ScenarioError: the scenario does not fit the table, or too few rows of its slice can be drawn.
    """
    if policy not in POLICIES:
        raise ConfigError(f"no policy {policy!r}; there are {', '.join(POLICIES)}.")
    pieces = []
    constraints: list[Constraint] = []
    sizes = np.diff(np.linspace(0, rows, -(-rows // LARGEST) + 1).round().astype(int))
    for number, size in enumerate(sizes):
        piece_seed = child_seed(seed, f"piece.{number}")
        task = prepare_task(model.generator, config, int(size), scenario, piece_seed)
        chosen = choose(model, config, task, int(size), policy, piece_seed)
        pieces.append(task.pool.frame.iloc[chosen])
        constraints = constraints or task.constraints
        advance(int(size))
    frame = pd.concat(pieces, ignore_index=True)
    targets = [Reached(target.name, target.wanted, target.read(frame)) for target in constraints]
    return Composed(finish(frame, model.generator.schema, child_seed(seed, "finish")), targets)


def prepare_task(generator: Generator, config: Config, rows: int, scenario: Scenario | None, seed: int) -> Task:
    """Draw a pool large enough for `rows` rows of the scenario, and state its goal in cells.

    Raises:
        ScenarioError: the scenario does not fit the table, or too few rows of its slice can be drawn.
    """
    rng = stream(seed, "pool")
    size = max(round(rows * config.environment.pool_factor), 200)
    whole = generator.draw_pool(size, rng)
    base = Goal(generator.real)
    if scenario is None:
        return Task(whole, base, [])
    before = generator.cells.shares(whole.cells)
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
    goal = moved(base, generator.cells, before, generator.cells.shares(pool.cells, weights), scenario.name)
    if constraints:
        # Selection looks at cells only: within one, it takes rows as the pool has them.
        pool = pool.take(thin(weights, max(2 * rows, round(KEPT * effective_size(weights))), rng))
    return Task(pool, goal, constraints)


def choose(model: Model, config: Config, task: Task, rows: int, policy: str, seed: int) -> NDArray[np.intp]:
    """Return the rows (rows,) of the task's pool that a policy puts into the table, in random order."""
    rng = stream(seed, f"policy.{policy}")
    if policy == "free":
        chosen = rng.permutation(len(task.pool))[:rows]
    elif policy == "raking":
        weights = raking_weights(model.generator, task)
        chosen = top(np.log(np.maximum(weights, 1e-300)) + rng.gumbel(size=len(weights)), rows)
    else:
        sized = config.model_copy(update={"environment": config.environment.model_copy(update={"rows": rows})})
        env = model.generator.environment(task.pool.cells, sized)
        chosen = compose(env, _policy(policy, model, config, rng), task.goal, child_seed(seed, "compose")).chosen
    shuffled: NDArray[np.intp] = stream(seed, "order").permutation(chosen)
    return shuffled


def raking_weights(generator: Generator, task: Task) -> Floats:
    """Return the weights (rows,) of the pool that meet the goal in every margin's cells.

    Raking (Deming and Stephan 1940, Ann. Math. Statist. 11(4), p. 427): margin by margin, weights are multiplied by
    wanted over present share, until all margins hold; cells that the pool lacks are passed over.
    """
    weights = np.full(len(task.pool), 1.0 / len(task.pool))
    for _ in range(RAKING_ROUNDS):
        for places in task.pool.cells[:, : len(generator.cells.margins)].T:
            present = np.bincount(places, weights, minlength=len(task.goal.shares))
            weights *= np.divide(task.goal.shares, present, out=np.ones_like(present), where=present > 0)[places]
            weights /= weights.sum()
    return weights


def _policy(name: str, model: Model, config: Config, rng: np.random.Generator) -> Policy:
    count = len(model.policy.factor_names)
    if name == "neutral":
        return NeutralPolicy(count)
    if name == "random":
        return RandomPolicy(count, rng)
    if name == "proportional":
        return ProportionalPolicy(count)
    return NoisyPolicy(model.policy, config.agent.noise, rng)


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
        np.concatenate([first.features, second.features]),
        np.concatenate([first.cells, second.cells]),
    )


def _weigh(pool: Pool, scenario: Scenario, schema: Schema) -> tuple[list[Constraint], Floats]:
    if not len(pool):
        return [], np.zeros(0)
    constraints = scenario.constraints(pool.frame, schema)
    return constraints, target_weights(constraints, len(pool))

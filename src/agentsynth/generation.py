"""From a model to a table: composing and refining it, under one of the policies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.agent.composing import compose
from agentsynth.agent.policies import NeutralPolicy, NoisyPolicy, Policy, ProportionalPolicy, RandomPolicy
from agentsynth.config import Config
from agentsynth.data.typed import finish
from agentsynth.env.exchange import exchange
from agentsynth.env.scenarios import Constraint, Scenario
from agentsynth.env.selection import top
from agentsynth.errors import ConfigError
from agentsynth.model import Generator, Model
from agentsynth.seeding import child_seed, stream
from agentsynth.task import Task, prepare_task

Floats = NDArray[np.float64]
POLICIES = ("q_learning", "neutral", "random", "proportional", "raking", "free")
"""`free` takes rows as they come from the base generator; `raking` draws them by weights found on the whole pool."""
LARGEST = 5_000
"""Rows composed at a time; longer tables are composed in pieces, in bounded memory."""
RAKING_ROUNDS = 50
"""Times that raking goes through all margins: by then shares are right to about 0.001."""


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
        if task.fine is not None:
            cells, goal = task.fine
            importance, tries = model.generator.detail.importance, config.refinement.exchanges
            chosen = exchange(cells, chosen, goal.shares, importance, tries, stream(seed, "exchange"))
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

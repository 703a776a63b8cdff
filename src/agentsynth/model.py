"""What is learned from a table: base generator, cells, real shares, policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.agent.history import TrainingHistory
from agentsynth.agent.policies import QPolicy
from agentsynth.agent.training import train
from agentsynth.base.codec import Codec
from agentsynth.base.trees import SequentialTrees
from agentsynth.config import Config
from agentsynth.data.schema import Schema
from agentsynth.data.typed import add_derived
from agentsynth.env.cells import Cells, fit_cells
from agentsynth.env.critic import fit_critic
from agentsynth.env.environment import SyntheticDataEnvironment
from agentsynth.env.goals import Goal, GoalSampler
from agentsynth.env.pool import Pool, draw_pool
from agentsynth.seeding import child_seed, stream

Floats = NDArray[np.float64]
HELD_OUT_GOALS = 4
"""Goals that the policy is judged on and not trained on (but for the first, the table itself)."""


@dataclass(frozen=True)
class Generator:
    """Draws realistic rows and knows which shares real rows have.

    Attributes:
        schema: the table's schema.
        trees: fitted base generator (holds the codec).
        cells: how rows are sorted into cells.
        real: (cells,) shares of the training rows.
    """

    schema: Schema
    trees: SequentialTrees
    cells: Cells
    real: Floats

    def draw_pool(self, rows: int, rng: np.random.Generator) -> Pool:
        """Draw `rows` candidates."""
        return draw_pool(self.trees, self.schema, self.cells, rows, rng)

    def environment(self, pool: NDArray[np.int32], config: Config) -> SyntheticDataEnvironment:
        """Return the environment that composes from `pool` (rows, groups)."""
        return SyntheticDataEnvironment(self.schema, self.cells, self.real, pool, config.environment)


@dataclass(frozen=True)
class Model:
    """All that is saved: the generator, the policy learned in its environment, and how the learning went."""

    generator: Generator
    policy: QPolicy
    history: TrainingHistory


def fit_generator(
    frame: pd.DataFrame, schema: Schema, config: Config, seed: int, advance: Callable[[], None] = lambda: None
) -> Generator:
    """Fit the base generator and the cells on a typed frame."""
    codec = Codec(schema).fit(frame)
    codes = codec.encode(frame)
    trees = SequentialTrees(codec, config.generator).fit(codes, child_seed(seed, "trees"), advance)
    settings = config.environment
    complete = add_derived(frame, schema)
    cells = fit_cells(complete, schema, settings.bins, settings.pairs)
    features = codec.features(codes)
    if settings.critic:
        candidates = codec.features(trees.draw(len(frame), stream(seed, "critic.candidates")))
        critic = fit_critic(features, candidates, child_seed(seed, "critic"))
        cells = cells if critic is None else cells.with_critic(critic)
    return Generator(schema, trees, cells, cells.shares(cells.of(complete, features)))


def fit_model(
    generator: Generator,
    config: Config,
    seed: int,
    advance: Callable[[], None] = lambda: None,
) -> Model:
    """Train the agent in the generator's environment.

    Args:
        generator: the fitted generator.
        config: parameters.
        seed: decides everything random here.
        advance: called after each episode.
    """
    env, sampler = training_environment(generator, config, seed)
    goals = _goals(sampler, config.agent.goals, stream(seed, "goals"))
    held_out = _goals(sampler, HELD_OUT_GOALS, stream(seed, "held-out goals"))
    policy, history = train(env, config.agent, goals, held_out, seed, advance)
    return Model(generator, policy, history)


def training_environment(
    generator: Generator, config: Config, seed: int
) -> tuple[SyntheticDataEnvironment, GoalSampler]:
    """Return an environment with a freshly drawn pool, and the sampler that gives each of its resets a pushed goal."""
    rows = round(config.environment.rows * config.environment.pool_factor)
    pool = generator.draw_pool(rows, stream(seed, "pool")).cells
    env = generator.environment(pool, config)
    sampler = GoalSampler(Goal(generator.real), generator.cells, pool, _directions(env, pool), config.agent.push)
    env.goals = sampler
    return env, sampler


def _directions(env: SyntheticDataEnvironment, cells: NDArray[np.int32]) -> Floats:
    """Return the direction (rows, factors) of rows, given their cells, when the goal is the real table."""
    by_cell = env.factors.directions(env.cells, env.real, env.real)
    return env.cells.row_directions(by_cell, cells)


def _goals(sampler: GoalSampler, count: int, rng: np.random.Generator) -> list[Goal]:
    """Return the table itself and pushed goals, `count` in all; pushes come in pairs, one the reverse of the other.

    So every column is pushed up as often as down, and the agent meets gaps of both signs.
    """
    pushes = [push for _ in range(count // 2) for push in _both_ways(sampler.push(rng))]
    return [sampler.base, *(sampler.pushed(push) for push in pushes[: count - 1])]


def _both_ways(push: Floats) -> tuple[Floats, Floats]:
    return push, -push

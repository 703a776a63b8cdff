"""What is learned from a table: base generator, cells, real shares, policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.agent.history import TrainingHistory
from agentsynth.agent.policies import QPolicy
from agentsynth.agent.training import Exam, train
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
PUSHED_EXAMS = 3
"""Goals beside the table itself that the policy is examined on."""


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

    def cells_of(self, frame: pd.DataFrame) -> NDArray[np.int32]:
        """Return the cells (rows, groups) of a typed frame of real rows."""
        complete = add_derived(frame, self.schema)
        codec = self.trees.codec
        return self.cells.of(complete, codec.features(codec.encode(frame, lenient=True)))


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
    validation: pd.DataFrame | None,
    config: Config,
    seed: int,
    advance: Callable[[], None] = lambda: None,
) -> Model:
    """Train the agent in the generator's environment.

    Args:
        generator: the fitted generator.
        validation: typed frame of rows that nothing was fitted on; they judge the policy. None: the training shares do.
        config: parameters.
        seed: decides everything random here.
        advance: called after each episode.
    """
    env, sampler = training_environment(generator, config, seed)
    rng = stream(seed, "goals")
    goals = [sampler.base, *(sampler.draw(rng) for _ in range(config.agent.goals - 1))]
    exams = _exams(generator, env, sampler, validation, stream(seed, "exams"))
    policy, history = train(env, config.agent, goals, exams, seed, advance)
    return Model(generator, policy, history)


def training_environment(
    generator: Generator, config: Config, seed: int
) -> tuple[SyntheticDataEnvironment, GoalSampler]:
    """Return an environment with a freshly drawn pool that aims at another pushed goal after each reset; its sampler."""
    rows = round(config.environment.rows * config.environment.pool_factor)
    pool = generator.draw_pool(rows, stream(seed, "pool")).cells
    env = generator.environment(pool, config)
    sampler = GoalSampler(Goal(generator.real), generator.cells, pool, _directions(env, pool), config.agent.push)
    env.goals = sampler
    return env, sampler


def _directions(env: SyntheticDataEnvironment, cells: NDArray[np.int32]) -> Floats:
    """Return the direction (rows, factors) of rows, given their cells, when the goal is the real table."""
    by_cell = env.factors.directions(env.cells, env.real, env.real)
    found: Floats = by_cell[cells[:, : len(env.cells.margins)]].sum(axis=1)
    return found


def _exams(
    generator: Generator,
    env: SyntheticDataEnvironment,
    sampler: GoalSampler,
    validation: pd.DataFrame | None,
    rng: np.random.Generator,
) -> list[Exam]:
    """Return the table itself and some pushed goals, each with the held-out rows under the same push."""
    pushes = [np.zeros(len(env.factors.names)), *(sampler.push(rng) for _ in range(PUSHED_EXAMS))]
    goals = [sampler.pushed(push) for push in pushes]
    if validation is None or not len(validation):
        return [Exam(goal, goal.shares) for goal in goals]
    cells = generator.cells_of(validation)
    directions = _directions(env, cells)
    return [
        Exam(goal, generator.cells.shares(cells, np.exp(directions @ push)))
        for goal, push in zip(goals, pushes, strict=True)
    ]

"""What is learned from a table: base generator, cells, real shares, policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.agent.history import TrainingHistory
from agentsynth.agent.policies import QPolicy
from agentsynth.agent.training import train
from agentsynth.base.codec import Codec
from agentsynth.base.held import FREE, Held
from agentsynth.base.trees import SequentialTrees
from agentsynth.config import Config
from agentsynth.data.ids import ALL, Share
from agentsynth.data.schema import Schema
from agentsynth.data.typed import add_derived, finish
from agentsynth.entities.sizing import Sizes
from agentsynth.env.cells import Cells, fit_cells
from agentsynth.env.critic import fit_critic
from agentsynth.env.detail import Detail
from agentsynth.env.environment import SyntheticDataEnvironment
from agentsynth.env.exchange import exchange
from agentsynth.env.goals import Goal, GoalSampler
from agentsynth.env.margins import fit_margins
from agentsynth.env.pool import Keep, Pool, draw_pool, every
from agentsynth.seeding import child_seed, stream

Floats = NDArray[np.float64]
HELD_OUT_GOALS = 4
"""Goals that the policy is judged on and not trained on (but for the first, the table itself)."""
TRAINING_AIMS = 3
"""Numbers that a goal of training aims at; what is learned of one serves any number of them."""
CRITIC_ROUNDS = 3
"""Rounds of the second critic, each on a table refined by the cells of those before."""
CRITIC_ROWS = 1000
"""Most rows of such a table, and most real rows beside it."""
CRITIC_POOL = 10
"""Rows of the pool for each of its rows."""
CRITIC_TRIES = 2.0
"""Swaps tried for each of its rows: most of what refinement gains comes with the first."""


@dataclass(frozen=True)
class Generator:
    """Draws realistic rows and knows which shares real rows have.

    Attributes:
        schema: the table's schema.
        trees: fitted base generator (holds the codec).
        cells: how rows are sorted into cells.
        real: (cells,) shares of the training rows.
        detail: the finer cells that a composed table is refined by.
    """

    schema: Schema
    trees: SequentialTrees
    cells: Cells
    real: Floats
    detail: Detail

    def draw_pool(self, rows: int, rng: np.random.Generator, held: Held = FREE, keep: Keep = every) -> Pool:
        """Draw `rows` candidates, with columns held to a value; return those of them that are to be kept."""
        return draw_pool(self.trees, self.schema, self.cells, rows, rng, held, keep)

    @property
    def table(self) -> Schema:
        """The schema of the table that is made: that of the rows, but for entities."""
        return self.schema

    def draw_rows(self, rows: int, rng: np.random.Generator) -> Pool:
        """Draw rows that nothing is to be chosen from: they are not sorted into cells."""
        codes = self.trees.draw(rows, rng)
        frame = add_derived(self.trees.codec.decode(codes), self.schema)
        return Pool(frame, codes, np.empty((rows, 0), np.int32), np.zeros(rows))

    @property
    def sizes(self) -> Sizes | None:
        """How many rows entities have; None: rows are drawn one by one."""
        return None

    def shown(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        """Return drawn rows, typed, with derived columns, after two that have known values in every column."""
        codec = self.trees.codec
        codes = np.concatenate([codec.first_known, self.trees.draw(rows, rng)])
        return add_derived(codec.decode(codes), self.schema)

    def units_for(self, rows: int) -> int:
        """Return how many units have so many rows: the rows themselves, but for entities."""
        return rows

    @property
    def drawing(self) -> tuple[SequentialTrees, ...]:
        """All that is drawn from."""
        return (self.trees,)

    def units(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return what `schema` tells of a typed table with derived columns: its rows, but for entities."""
        return frame

    def rows_of(self, frame: pd.DataFrame, units: NDArray[np.bool_]) -> NDArray[np.bool_]:  # noqa: ARG002
        """Tell which rows (rows,) of a table belong to chosen `units` (units,) of it."""
        return units

    def finish(self, pool: Pool, seed: int, share: Share = ALL) -> pd.DataFrame:
        """Return rows in the form of the table (see `agentsynth.data.typed.finish`)."""
        return finish(pool.frame, self.schema, seed, share)

    def environment(self, pool: NDArray[np.int32], config: Config, aims: int = 0) -> SyntheticDataEnvironment:
        """Return the environment that composes from `pool` (rows, groups) for goals of up to so many aims."""
        return SyntheticDataEnvironment(self.schema, self.cells, self.real, pool, config.environment, aims=aims)

    def detail_of(self, pool: Pool) -> NDArray[np.int32]:
        """Return the fine cells (rows, groups) of a pool."""
        # The critic is that of the coarser cells, and costs the most.
        return self.detail.of(pool.frame, self.trees.codec, pool.codes, self.cells.leaves(pool.cells))


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
    return fit_parts(add_derived(frame, schema), codes, trees, schema, config, seed)


def fit_parts(
    complete: pd.DataFrame, codes: Floats, trees: SequentialTrees, schema: Schema, config: Config, seed: int
) -> Generator:
    """Return the generator of fitted trees: with cells, and the shares that real rows have in them.

    Args:
        complete: typed frame (rows) of the training rows with derived columns.
        codes: (rows, parts) their codes.
        trees: fitted base generator.
        schema: of `complete`.
        config: parameters.
        seed: decides everything random here.
    """
    fine, cells = _cells(complete, schema, config)
    codec = trees.codec
    features = codec.features(codes)
    if config.environment.critic:
        candidates = codec.features(trees.draw(len(complete), stream(seed, "critic.candidates")))
        critic = fit_critic(features, candidates, child_seed(seed, "critic"))
        fine, cells = fine.with_critic(critic), cells.with_critic(critic)
    real = cells.shares(cells.of(complete, features))
    detail = Detail.fit(complete, trees, codes, fine, stream(seed, "novelty"))
    generator = Generator(schema, trees, cells, real, detail)
    if not config.refinement.exchanges:
        return generator
    return _examined(generator, features, child_seed(seed, "second critic"))


def _examined(generator: Generator, features: NDArray[np.float32], seed: int) -> Generator:
    """Return the generator with its pairs leaning, and a second critic beside the first, if it has one.

    The first critic has seen rows as they are drawn. What refinement leaves for a classifier to find is something else,
    and that of a table refined by what the second one found is something else again.

    Args:
        generator: the generator.
        features: (rows, features) of the real rows.
        seed: decides everything random here.
    """
    rng = stream(seed, "tables")
    real = features[rng.permutation(len(features))[:CRITIC_ROWS]]
    pool = generator.draw_pool(CRITIC_POOL * len(real), stream(seed, "pool"))
    drawn, cells = generator.trees.codec.features(pool.codes), generator.detail_of(pool)
    detail = generator.detail.leaning(cells)
    for number in range(CRITIC_ROUNDS if generator.cells.critic else 0):
        start = rng.permutation(len(pool))[: len(real)]
        chosen = exchange(cells, start, detail.real, detail.importance, CRITIC_TRIES, rng)
        critic = fit_critic(real, drawn[chosen], child_seed(seed, f"critic.{number}"))
        if critic is None:
            break
        detail = detail.with_critic(critic, features)
        cells = detail.with_leaves(cells, critic.all_leaves(drawn))
    return replace(generator, detail=detail)


def _cells(frame: pd.DataFrame, schema: Schema, config: Config) -> tuple[Cells, Cells]:
    """Return the fine cells to refine by and the coarser ones to compose by: fewer bins, and only the best pairs."""
    steered, refined = config.environment, config.refinement
    fine = fit_cells(frame, schema, refined.bins, max(refined.pairs, steered.pairs))
    return fine, Cells(tuple(fit_margins(frame, schema, steered.bins)), fine.pairs[: steered.pairs])


def fit_model(
    generator: Generator,
    config: Config,
    seed: int,
    advance: Callable[[], None] = lambda: None,
    watch: Callable[[int, QPolicy], None] = lambda *_: None,
) -> Model:
    """Train the agent in the generator's environment.

    Args:
        generator: the fitted generator.
        config: parameters.
        seed: decides everything random here.
        advance: called after each episode.
        watch: called after each episode with its number and the policy so far.
    """
    env, sampler = training_environment(generator, config, seed)
    goals = _goals(sampler, config.agent.goals, stream(seed, "goals"))
    held_out = _goals(sampler, HELD_OUT_GOALS, stream(seed, "held-out goals"), aimed_every=2)
    policy, history = train(env, config.agent, goals, held_out, seed, advance, watch)
    return Model(generator, policy, history)


def training_environment(
    generator: Generator, config: Config, seed: int, aims: int = TRAINING_AIMS
) -> tuple[SyntheticDataEnvironment, GoalSampler]:
    """Return an environment with a freshly drawn pool, and the sampler that gives each of its resets a pushed goal."""
    rows, factor = config.environment.rows, config.environment.pool_factor
    pool = generator.draw_pool(round(rows * factor), stream(seed, "pool")).cells
    env = generator.environment(pool, config, aims)
    directions = _directions(env, pool)
    sampler = GoalSampler(Goal(generator.real), generator.cells, pool, directions, config.agent.push, rows)
    env.goals = sampler
    return env, sampler


def _directions(env: SyntheticDataEnvironment, cells: NDArray[np.int32]) -> Floats:
    """Return the direction (rows, factors) of rows, given their cells, when the goal is the real table."""
    by_cell = env.factors.directions(env.cells, env.real, env.real)
    return env.cells.row_directions(by_cell, cells)


def _goals(sampler: GoalSampler, count: int, rng: np.random.Generator, *, aimed_every: int = 1) -> list[Goal]:
    """Return the table itself and pushed goals, `count` in all; pushes come in pairs, one the reverse of the other.

    So every column is pushed up as often as down, and the agent meets gaps of both signs. One in `aimed_every` has
    aims: those of the training all do, for an aim's gap is soon closed, and what to do about a wide one is seen seldom.
    """
    pushes = [push for _ in range(count // 2) for push in _both_ways(sampler.push(rng))]
    goals = [
        sampler.pushed(push) if (number + 1) % aimed_every else sampler.aimed(push, rng)
        for number, push in enumerate(pushes)
    ]
    return [sampler.base, *goals[: count - 1]]


def _both_ways(push: Floats) -> tuple[Floats, Floats]:
    return push, -push

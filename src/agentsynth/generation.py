"""From a model to a table: composing and refining it, under one of the policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.agent.composing import compose
from agentsynth.agent.policies import NeutralPolicy, NoisyPolicy, Policy, ProportionalPolicy, QPolicy, RandomPolicy
from agentsynth.agent.training import fine_tuned
from agentsynth.config import Config
from agentsynth.data.ids import Share
from agentsynth.env.pool import Pool
from agentsynth.env.refining import Refinement
from agentsynth.env.selection import top
from agentsynth.env.weights import rake
from agentsynth.exact_rows import cut_to, rows_in
from agentsynth.model import Generator, Model
from agentsynth.partitions import Partition
from agentsynth.reporting import reached, report_of, unguided
from agentsynth.request import Request
from agentsynth.scenarios.nearest import JUDGED, nearest_rows
from agentsynth.scenarios.report import Reached, ScenarioReport
from agentsynth.seeding import child_seed, stream
from agentsynth.task import Asked, Cost, Task, prepare_task

Floats = NDArray[np.float64]
RAKING_ROUNDS = 50
"""Times that raking goes through all margins: by then shares are right to about 0.001."""


@dataclass(frozen=True)
class Composed:
    """A generated table and what became of its scenario.

    Attributes:
        table: the table.
        report: what became of the scenario; None without one.
        codes: codes (rows, parts) of some of the table's rows, and of as many unguided ones; None without a scenario.
    """

    table: pd.DataFrame
    report: ScenarioReport | None = None
    codes: tuple[Floats, Floats] | None = None

    @property
    def targets(self) -> list[Reached]:
        """How the table stands to each target of its scenario."""
        return [] if self.report is None else list(self.report.targets)

    def checked(self) -> Composed:
        """Return the same.

        Raises:
            ScenarioError: a goal fell short; the message says which, why, and by how much.
        """
        if self.report is not None:
            self.report.check()
        return self

    def with_nearest(self, train: pd.DataFrame, generator: Generator) -> Composed:
        """Return the same with the distance of its rows to the nearest training rows (typed) in the report."""
        if self.report is None or self.codes is None:
            return self
        codec = generator.trees.codec
        found = nearest_rows(codec.parts, codec.encode(generator.units(train)), *self.codes, stream(0, "nearest"))
        return replace(self, report=replace(self.report, nearest=found))


@dataclass(frozen=True)
class Made:
    """A partition of a table.

    Attributes:
        table: its rows, finished.
        frame: its rows as they were composed, typed.
        codes: codes (rows, parts) of at most `JUDGED` of them.
        first: the task of its first piece; None: rows were taken as they are drawn.
        cost: of its pieces; of nothing without a scenario.
    """

    table: pd.DataFrame
    frame: pd.DataFrame
    codes: Floats
    first: Task | None
    cost: Cost

    @property
    def weights(self) -> list[float]:
        """What these rows count for in each target of the scenario over the whole table."""
        return [] if self.first is None else [target.weight(self.frame) for target in self.first.constraints]

    @property
    def now(self) -> Mapping[str, float]:
        """The numbers that the scenario's targets had before anything was steered."""
        return self.first.now if self.first is not None else {}

    @property
    def targets(self) -> tuple[Reached, ...]:
        """How these rows alone stand to each target of the scenario, and why they fell short."""
        return () if self.first is None else reached(self.first, self.cost, self.frame)


Prepare = Callable[[Generator, Config, int, Asked, int], Task]
"""Prepares the task of a piece, as `prepare_task` does."""


def generate(
    model: Model,
    config: Config,
    request: Request,
    advance: Callable[[int], None] = lambda _: None,
    prepare: Prepare = prepare_task,
) -> Composed:
    """Generate a table: all its partitions, in order.

    Args:
        model: the fitted model.
        config: its parameters.
        request: what is wanted.
        advance: called with the number of rows done.
        prepare: prepares the task of each piece.

    Raises:
        ScenarioError: the scenario does not fit the table, or too few rows of its slice can be drawn.
    """
    parts: list[Made] = []
    for partition in request.partitions:
        parts.append(make(model, config, request, partition, advance, prepare))
        # All partitions mean the same by `+20%`, and the first one's rows stand for all in the report.
        request = request.starting_from(parts[0].now)
    table = parts[0].table if len(parts) == 1 else pd.concat([part.table for part in parts], ignore_index=True)
    report, first = report_on(model.generator, request, parts), parts[0].first
    if report is None or first is None or first.searched is None:
        return Composed(table)
    weights = unguided(first.searched).weights
    some = stream(request.seed, "unguided").choice(len(weights), JUDGED, p=weights)
    steered = np.concatenate([part.codes for part in parts])[:JUDGED]
    return Composed(table, report, (steered, first.searched.planned.pool.codes[some]))


def report_on(generator: Generator, request: Request, parts: Sequence[Made]) -> ScenarioReport | None:
    """Return what became of a scenario in partitions, the table's first one before all; None: there is no scenario."""
    scenario, first = request.asked.scenario, parts[0].first
    if scenario is None or first is None:
        return None
    frame, cost = pd.concat([part.frame for part in parts], ignore_index=True), Cost.total(part.cost for part in parts)
    return report_of(generator, scenario, first, cost, frame, stream(request.seed, "report"))


def make(
    model: Model,
    config: Config,
    request: Request,
    partition: Partition,
    advance: Callable[[int], None] = lambda _: None,
    prepare: Prepare = prepare_task,
) -> Made:
    """Make one partition of a table.

    But for the first one, `request` has to say what changes start from (`Request.starting_from`).

    Raises:
        ScenarioError: the scenario does not fit the table, or too few rows of its slice can be drawn.
    """
    pieces: list[Pool] = []
    costs: list[Cost] = []
    first: Task | None = None
    done = 0
    for piece in request.pieces(partition, pieces):
        if request.plain:
            pieces.append(model.generator.draw_rows(piece.rows, stream(piece.seed, "pool")))
        else:
            task = prepare(model.generator, config, piece.rows, request.asked, piece.seed)
            chosen = choose(model, config, task, piece.rows, request.policy, piece.seed, request.asked.fine_tune)
            pieces.append(task.pool.take(chosen))
            first, request = first or task, request.starting_from(task.now)
            costs += [] if task.cost is None else [task.cost]
        before, done = done, min(sum(map(rows_in, pieces)), partition.rows) if request.exact else done + piece.rows
        advance(done - before)
    whole = pieces[0].followed_by(*pieces[1:])
    if request.exact:
        whole = cut_to(whole, partition.rows, stream(partition.seed_of(request.seed), "entities"))
    seed, share = child_seed(request.seed, "finish"), Share(partition.number, partition.count, partition.before)
    table = model.generator.finish(whole, partition.seed_of(seed), share)
    return Made(table, whole.frame, whole.codes[:JUDGED], first, Cost.total(costs))


def choose(
    model: Model, config: Config, task: Task, rows: int, policy: str, seed: int, fine_tune: int = 0
) -> NDArray[np.intp]:
    """Return the rows (rows,) of the task's pool that a policy puts into the table, in random order.

    The learned policy is first trained on the task for `fine_tune` episodes more.
    """
    rng = stream(seed, f"policy.{policy}")
    if policy == "free":
        chosen = rng.permutation(len(task.pool))[:rows]
    elif policy == "raking":
        weights = raking_weights(model.generator, task)
        chosen = top(np.log(np.maximum(weights, 1e-300)) + rng.gumbel(size=len(weights)), rows)
    else:
        env = task.environment(model.generator, config, rows)
        learned = model.policy.for_aims(env.aims)
        if policy == "q_learning" and fine_tune:
            learned = fine_tuned(env, config.agent, learned, task.goal, fine_tune, child_seed(seed, "fine-tune"))
        steering = _policy(policy, learned, config, rng)
        chosen = compose(env, steering, task.goal, child_seed(seed, "compose")).chosen
        if task.fine is not None:
            cells, goal = task.fine
            importance, tries = model.generator.detail.importance, config.refinement.exchanges
            refinement = Refinement(cells, goal.shares, importance, task.goal.aims, tries)
            chosen = refinement.of(chosen, stream(seed, "exchange"))
    shuffled: NDArray[np.intp] = stream(seed, "order").permutation(chosen)
    return shuffled


def raking_weights(generator: Generator, task: Task) -> Floats:
    """Return the weights (rows,) of the pool that meet the goal in every margin's cells.

    Cells that the pool lacks are passed over.
    """
    margins = task.pool.cells[:, : len(generator.cells.margins)]
    return rake(margins, task.goal.shares, RAKING_ROUNDS)[0]


def _policy(name: str, learned: QPolicy, config: Config, rng: np.random.Generator) -> Policy:
    count = len(learned.used)
    if name == "neutral":
        return NeutralPolicy(count)
    if name == "random":
        return RandomPolicy(count, rng)
    if name == "proportional":
        return ProportionalPolicy(count)
    return NoisyPolicy(learned, config.agent.noise, rng)

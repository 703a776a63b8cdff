"""What a trial is judged by: the models it trains, and the similarity of what they make to what they have not seen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from agentsynth.agent.composing import compose
from agentsynth.agent.policies import QPolicy
from agentsynth.config import Config
from agentsynth.data.schema import Schema
from agentsynth.data.typed import typed
from agentsynth.env.similarity import Similarity
from agentsynth.env.weights import systematic
from agentsynth.errors import ConfigError, ScenarioError
from agentsynth.fitting import fit_any
from agentsynth.generation import generate
from agentsynth.metrics.privacy import nearer_to_training
from agentsynth.metrics.similarity import typed_similarity
from agentsynth.metrics.values import compared
from agentsynth.model import Generator, Model, fit_model, training_environment
from agentsynth.params import TuneParams
from agentsynth.request import Request
from agentsynth.scenarios.grammar import Scenario
from agentsynth.scenarios.meeting import meeting, stated
from agentsynth.seeding import child_seed, stream
from agentsynth.source import with_labels
from agentsynth.task import Asked, prepare_task

Report = Callable[[float], None]
"""Told of the policy's score at each checkpoint of a training; may raise, to stop it."""
CHECKPOINTS = 6
"""Points of a learning curve, evenly spaced, the last of them after the last episode."""
GOALS = 12
"""Goals that score goals averages."""
CURVE_GOALS = 4
"""Of these, the ones that its learning curve looks at."""
PUSH = 1.0
"""How far these goals lie: fixed, as trials may vary how far the goals are that they train on (`agent.push`)."""
FEWEST_ROWS = 20
"""Unseen rows that a scenario must have to be judged by."""
DRAWN = 20
"""Rows drawn for each unseen row of a scenario with targets."""
_KEPT = 4


class Score(Protocol):
    """What a study looks for: the objectives' values of a configuration trained with one seed."""

    def __call__(self, config: Config, seed: int, report: Report) -> tuple[float, ...]:
        """Train, telling `report` of the learning curve, and return a value for each objective."""
        ...


@dataclass(frozen=True)
class Tables:
    """What a study looks at: it never sees the test rows."""

    train: pd.DataFrame
    validation: pd.DataFrame
    schema: Schema


class Trainer:
    """Fits as `AgentSynth` does, bit by bit the same; base generators that trials have in common are fitted once.

    Args:
        train: rows to learn from, as read.
        schema: theirs.
    """

    def __init__(self, train: pd.DataFrame, schema: Schema) -> None:
        self.train, self.schema = typed(train, schema), schema
        self._generators: OrderedDict[str, Generator] = OrderedDict()

    def generator(self, config: Config, seed: int) -> Generator:
        """Return the fitted base generator."""
        steered, refined = config.environment, config.refinement
        parts = (steered.bins, steered.pairs, steered.critic, refined.bins, refined.pairs)
        key = f"{seed} {config.generator.model_dump_json()} {parts}"
        if key not in self._generators:
            self._generators[key] = fit_any(self.train, self.schema, config, child_seed(seed, "fit"))
        self._generators.move_to_end(key)
        while len(self._generators) > _KEPT:
            self._generators.popitem(last=False)
        return self._generators[key]

    def fit(self, config: Config, seed: int, look: Callable[[QPolicy], float], report: Report) -> Model:
        """Train an agent; at each checkpoint, `report` what `look` says of the policy."""
        episodes = config.agent.episodes
        points = set(np.linspace(0, episodes, min(CHECKPOINTS, episodes) + 1).round().astype(int)[1:] - 1)

        def watch(episode: int, policy: QPolicy) -> None:
            if episode in points:
                report(look(policy))

        return fit_model(self.generator(config, seed), config, child_seed(seed, "agent"), watch=watch)


class RowsScore:
    """Similarity of generated tables to unseen rows; with `privacy`, and how much they lean on the training rows.

    Of a table with entities these are the entities, by what is told of each (`agentsynth.entities.summary`).

    The tables are made as the pipeline makes them: composed with noise on the factors, and refined. The learning curve
    is that of one table composed by the policy so far, not refined.

    The second objective is the excess of `nearer_to_training` over its fair value 0.5: below that, a table knows no
    less of the training rows, it was only luckier.

    Args:
        trainer: fits.
        unseen: rows to judge by, as read.
        scenario: name of a scenario; None: mimic. Where it has targets, the unseen rows are drawn by the weights
            nearest to equal ones that meet them.
        tables: how many tables are averaged.
        privacy: give the second objective.
    """

    def __init__(
        self,
        trainer: Trainer,
        unseen: pd.DataFrame,
        scenario: str | None = None,
        tables: int = 3,
        *,
        privacy: bool = False,
    ) -> None:
        self._trainer, self._scenario, self._tables, self._privacy = trainer, scenario, tables, privacy
        self._unseen = typed(unseen, trainer.schema)
        self._known: tuple[pd.DataFrame, int] | None = None

    def __call__(self, config: Config, seed: int, report: Report) -> tuple[float, ...]:
        """Return the similarity, and with `privacy` the excess."""
        scenario = _scenario(config, self._scenario)
        generator = self._trainer.generator(config, seed)
        real, rows = self._reference(generator, scenario)
        task = prepare_task(generator, config, rows, Asked(scenario, total=rows), child_seed(seed, "tuning.curve"))
        env = task.environment(generator, config, rows)

        def look(policy: QPolicy) -> float:
            chosen = compose(env, policy.for_aims(env.aims), task.goal, child_seed(seed, "tuning.compose")).chosen
            return typed_similarity(real, compared(task.pool.frame.iloc[chosen], generator.schema))

        model = self._trainer.fit(config, seed, look, report)
        return self._judge(model, config, real, rows, scenario, seed)

    def _judge(
        self, model: Model, config: Config, real: pd.DataFrame, rows: int, scenario: Scenario | None, seed: int
    ) -> tuple[float, ...]:
        generator, schema = model.generator, self._trainer.schema
        seeds = [child_seed(seed + number, "generate") for number in range(self._tables)]
        requests = [Request(rows, table_seed, Asked(scenario)) for table_seed in seeds]
        composed = [generate(model, config, request).table for request in requests]
        made = [compared(generator.units(typed(table, schema)), generator.schema) for table in composed]
        similarity = float(np.mean([typed_similarity(real, table) for table in made]))
        if not self._privacy:
            return (similarity,)
        columns = [column.name for column in generator.schema.modelled]
        known = (generator.units(frame) for frame in (self._trainer.train, self._unseen))
        train, unseen = (compared(frame, generator.schema)[columns] for frame in known)
        nearer = [nearer_to_training(train, unseen, table[columns], seed) for table in made]
        return similarity, max(float(np.mean(nearer)) - 0.5, 0.0)

    def _reference(self, generator: Generator, scenario: Scenario | None) -> tuple[pd.DataFrame, int]:
        """Return the compared columns of the unseen rows that tables shall be like, and how many rows tables have."""
        if self._known is None:
            unseen = generator.units(self._unseen)
            whole = (unseen, len(unseen))
            frame, rows = whole if scenario is None else _meeting(scenario, unseen, with_labels(generator))
            self._known = compared(frame, generator.schema), rows
        return self._known


def _meeting(scenario: Scenario, unseen: pd.DataFrame, schema: Schema) -> tuple[pd.DataFrame, int]:
    """Return unseen rows of the scenario's slice, with targets drawn by weights that meet them, and how many there are.

    Raises:
        ScenarioError: the slice has too few rows.
    """
    inside = unseen[scenario.slice(unseen, schema)].reset_index(drop=True)
    if len(inside) < FEWEST_ROWS:
        raise ScenarioError(
            f"scenario {scenario.name!r}: {len(inside)} of the {len(unseen)} unseen rows meet {scenario.where!r}, and "
            f"at least {FEWEST_ROWS} are needed to judge by. Widen the condition, or set more rows apart."
        )
    constraints = stated(scenario, inside, schema)
    if not constraints:
        return inside, len(inside)
    weights = meeting(constraints, len(inside))
    # Systematic: of each row as many as its weight says, to within one; random draws of so few would miss the targets.
    places = systematic(weights, DRAWN * len(inside), 0.5)
    return inside.iloc[places].reset_index(drop=True), len(inside)


def _scenario(config: Config, name: str | None) -> Scenario | None:
    if name is None:
        return None
    if name not in config.scenarios:
        known = ", ".join(config.scenarios) or "none"
        raise ConfigError(f"tune.scenario is {name!r}, but `scenarios` knows: {known}.")
    return Scenario.of(config.scenarios[name], name)


class GoalsScore:
    """Similarity of composed tables to goals that no training saw: the table with one to three columns pushed.

    The tables are composed greedily by the learned policy and not refined, from a pool of their own: nothing but the
    agent and its environment tells trials apart. All components count alike, whatever the reward weights.

    Args:
        trainer: fits.
        name: of the goals' random stream; other names are other goals.
    """

    def __init__(self, trainer: Trainer, name: str = "tuning.goals") -> None:
        self._trainer, self._name = trainer, name

    def __call__(self, config: Config, seed: int, report: Report) -> tuple[float, ...]:
        """Return the similarity."""
        generator = self._trainer.generator(config, seed)
        agent = config.agent.model_copy(update={"push": PUSH})
        examined = config.model_copy(update={"agent": agent})
        env, sampler = training_environment(generator, examined, child_seed(seed, f"{self._name}.pool"))
        rng = stream(0, self._name)
        goals = [sampler.base, *(sampler.draw(rng) for _ in range(GOALS - 1))]
        plain = Similarity(generator.cells, self._trainer.schema, {}, aims=True)

        def similarity(policy: QPolicy, count: int) -> float:
            seeds = [child_seed(seed, f"{self._name}.{number}") for number in range(count)]
            learned = policy.for_aims(env.aims)
            tables = [compose(env, learned, goal, place) for goal, place in zip(goals, seeds, strict=False)]
            return float(np.mean([plain.total(table.components) for table in tables]))

        model = self._trainer.fit(config, seed, lambda policy: similarity(policy, CURVE_GOALS), report)
        return (similarity(model.policy, GOALS),)


def score_of(params: TuneParams, trainer: Trainer, unseen: pd.DataFrame, places: Iterable[str]) -> Score:
    """Return the score that `params` ask for, judging by `unseen` rows where it judges by rows.

    Raises:
        ConfigError: the score cannot be compared between trials that vary such parameters, or be asked for like this.
    """
    if params.score == "rows":
        return RowsScore(trainer, unseen, params.scenario, params.tables, privacy=params.privacy)
    if params.privacy or params.scenario:
        raise ConfigError("tune.score goals takes neither tune.privacy nor tune.scenario: they need score rows.")
    yardstick = sorted({"environment.bins", "environment.pairs"} & set(places))
    if yardstick:
        raise ConfigError(
            f"tune.score goals is measured in cells that {' and '.join(yardstick)} would change: trials could not be "
            "compared. Leave it out of tune.space, or use score rows."
        )
    return GoalsScore(trainer)

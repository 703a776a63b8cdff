"""Are scenarios reached? Goals at 20, 50 and 100 % of what is feasible, under every policy, on four tables.

For each table and seed a model is fitted on a random half, once, with defaults. Goals (`goals_of_tables.py`) are stated
as far as a pool of its rows can be tilted towards them and still leave twice the rows of a table to choose from; their
signs alternate with the seed. A miss is counted in tolerances: 1 is 2 % of a mean, median, ratio or function, or one
point of a share, correlation, Gini coefficient or top share; a joint goal has the largest miss of its numbers.

All policies compose from the same pool, planned and thinned by entropy balancing. `balancing` takes its rows as they
come (`free` in the library), `raking` draws them by weights raked to the margins of the goal. The others compose in the
environment, with and without selection; `plain rule` is the log-factor proportional to the gap, `needed` that in
proportion to what the next rows would have to do, which the learned policy observes, too. `q_learning` has the noise
on its factors that generation has, `q_learning, no noise` the learned factors themselves, as a rule has its own.
`refined` is what a user gets: Q-learning with selection, and then rows exchanged for others of the pool.

- Slices: the margins of a slice of the training rows are given as targets, and the table is judged by the unseen rows
  of that slice.
- Conditionals: how far the distributions of other columns, given a steered one, are from unseen rows, beside those of a
  table that nothing steers.
- Zero-shot: the policy as trained on random goals beside one trained from nothing on the very goal, with selection. The
  way is how much of the miss that neutral factors leave is gone: 1 where the goal is hit.
- Infeasible: goals that nobody can reach, with what is reached and how long it takes.

    python benchmarks/scenarios.py --out scenarios.csv
    python benchmarks/scenarios.py --read scenarios.csv      # print the tables of an earlier run, also of one stopped
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from goals_of_tables import Columns, functions, kinds, stated
from needed_rule import NeededRule
from output import add_read, parser, positive, save, saved
from scenario_report import LEARNED, QUIET, report
from scoring import random_halves
from tables import TABLES, load

from agentsynth import AgentSynth
from agentsynth.agent.composing import compose
from agentsynth.agent.policies import NeutralPolicy, Policy, QPolicy
from agentsynth.agent.training import fine_tuned
from agentsynth.config import Config
from agentsynth.data.typed import typed
from agentsynth.env.environment import SyntheticDataEnvironment
from agentsynth.env.margins import Margin
from agentsynth.generation import choose
from agentsynth.metrics.similarity import typed_similarity
from agentsynth.metrics.values import compared
from agentsynth.scenarios.grammar import Scenario
from agentsynth.scenarios.table import Table
from agentsynth.seeding import child_seed, stream
from agentsynth.source import with_labels
from agentsynth.task import Asked, Task, prepare_task

DEFAULT = ("shop", "CPS1985", "SaratogaHouses", "Wage")
POLICIES = {
    "balancing": "free",
    "raking": "raking",
    "neutral": "neutral",
    "random": "random",
    "plain rule": "proportional",
}
COMPOSING = ("neutral", "random", "plain rule", LEARNED)
NEEDED = {"needed, gain 0.5": 0.5, "needed, gain 1": 1.0}
"""Rules with the observation of the learned policy: what the next rows would have to do (`NeededRule`)."""
EPISODES = 30
"""Episodes of a policy that is trained on the very goal."""
TRAINED_TABLES = 6
"""Tables composed with each policy where learned ones are compared with one another."""
TRAINED = ("mean", "correlation", "ratio of groups", "gini")
"""Kinds of goals that policies are trained on, as each takes as long as a fit."""


@dataclass(frozen=True)
class Fitted:
    """A model, fitted on half of a table, and what its goals are stated over."""

    synth: AgentSynth
    train: pd.DataFrame
    unseen: pd.DataFrame
    columns: Columns
    asked: Asked
    rows: int
    seed: int

    @classmethod
    def on(cls, table: str, rows: int, seed: int) -> Fitted:
        """Fit on a random half."""
        train, unseen = random_halves(load(table), seed)
        synth = AgentSynth(seed=seed).fit(train)
        known = typed(train, synth.schema_)
        columns = Columns.of(known, synth.schema_)
        boxes = functions(columns, known)
        learned, others = (compared(typed(part, synth.schema_), synth.schema_) for part in (train, unseen))
        return cls(synth, learned, others, columns, Asked(None, boxes), rows, seed)

    def config(self, *, selection: bool = True, refined: bool = False) -> Config:
        """Return the model's parameters with parts of the composing left out."""
        config = self.synth.config
        environment = config.environment.model_copy(update={"selection": selection})
        refinement = config.refinement if refined else config.refinement.model_copy(update={"exchanges": 0.0})
        return config.model_copy(update={"environment": environment, "refinement": refinement})

    def task(self, scenario: dict[str, Any], config: Config) -> Task:
        """Return the task of a scenario."""
        asked = replace(self.asked, scenario=Scenario.of(scenario), total=self.rows)
        seed = child_seed(self.seed, "benchmark.task")
        return prepare_task(self.synth.model_.generator, config, self.rows, asked, seed)

    def environment(self, task: Task, *, selection: bool = True) -> SyntheticDataEnvironment:
        """Return the environment that a task's tables are composed in."""
        return task.environment(self.synth.model_.generator, self.config(selection=selection), self.rows)

    def goals(self, chosen: Sequence[str] | None) -> Iterator[tuple[str, float, dict[str, Any]]]:
        """Yield kind, part of what is feasible, and scenario of every goal of the chosen kinds; None: of all."""
        generator = self.synth.model_.generator
        pool = generator.draw_pool(20 * self.rows, stream(self.seed, "benchmark.goals"))
        weights = np.full(len(pool), 1.0 / len(pool))
        table = Table(pool.frame, with_labels(generator), self.rows, weights, functions=self.asked.functions)
        for number, (kind, scenario) in enumerate(kinds(self.columns).items()):
            if chosen is not None and kind not in chosen:
                continue
            sign = 1 if kind == "detection score" or (self.seed + number) % 2 else -1
            for part, goal in stated(scenario, table, 2 * self.rows, sign).items():
                yield kind, part, goal


def misses_of(task: Task, chosen: np.ndarray[Any, np.dtype[np.intp]]) -> float:
    """Return the largest miss of a table, in tolerances."""
    frame = task.pool.frame.iloc[chosen]
    return max(abs(target.read(frame) - target.wanted) / target.tolerance for target in task.constraints)


def run(table: str, rows: int, seed: int, kinds_run: Sequence[str] | None = None) -> pd.DataFrame:
    """Fit one model; return the misses of every goal, policy and form of composing, and the other figures."""
    fitted = Fitted.on(table, rows, seed)
    found: list[dict[str, Any]] = []
    for kind, part, scenario in fitted.goals(kinds_run):
        where = {"table": table, "seed": seed, "kind": kind, "part": part}
        task = fitted.task(scenario, fitted.config())
        for name, selection, chosen in _composed(fitted, task):
            found.append({**where, "policy": name, "selection": selection, "miss": misses_of(task, chosen)})
        found += [{**where, **record} for record in _as_generated(fitted, scenario)]
        if part == 0.5 and kind in TRAINED:
            found += [{**where, **record} for record in _trained_for_it(fitted, task)]
    found += [{"table": table, "seed": seed, **record} for record in (*_slices(fitted), *_infeasible(fitted))]
    return pd.DataFrame(found)


def _composed(fitted: Fitted, task: Task) -> Iterator[tuple[str, str, np.ndarray[Any, np.dtype[np.intp]]]]:
    """Yield policy, form of composing, and the rows chosen."""
    model, seed = fitted.synth.model_, child_seed(fitted.seed, "benchmark.choose")
    for name in (*POLICIES, LEARNED):
        policy = POLICIES.get(name, name)
        for selection in (True, False) if name in COMPOSING else (False,):
            form = ("with" if selection else "without") if name in COMPOSING else "weights"
            yield name, form, choose(model, fitted.config(selection=selection), task, fitted.rows, policy, seed)
    aims = len(task.goal.aims)
    noiseless: dict[str, Policy] = {QUIET: model.policy.for_aims(aims)}
    noiseless |= {name: NeededRule(len(model.policy.factor_names), aims, gain) for name, gain in NEEDED.items()}
    for selection in (True, False):
        env = fitted.environment(task, selection=selection)
        for name, rule in noiseless.items():
            chosen = compose(env, rule, task.goal, child_seed(seed, "compose")).chosen
            yield name, "with" if selection else "without", chosen


def _as_generated(fitted: Fitted, scenario: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the misses of tables as a user gets them, and how far their conditionals are from unseen rows."""
    config = fitted.config(refined=True)
    task, seed = fitted.task(scenario, config), child_seed(fitted.seed, "benchmark.choose")
    steered = {column for target in scenario.get("targets", {}) for column in [target]}
    chosen = choose(fitted.synth.model_, config, task, fitted.rows, LEARNED, seed)
    record = {"policy": LEARNED, "selection": "refined", "miss": misses_of(task, chosen)}
    if steered:
        record |= {"conditionals": _conditionals(fitted, task.pool.frame.iloc[chosen], steered)}
        free = fitted.synth.model_.generator.draw_pool(fitted.rows, stream(seed, "benchmark.free"))
        record |= {"unguided": _conditionals(fitted, free.frame, steered)}
    yield record


def _conditionals(fitted: Fitted, frame: pd.DataFrame, steered: set[str]) -> float:
    """Return the mean distance (total variation) to unseen rows of other columns' distributions given a steered one."""
    distances = []
    for first, second in fitted.synth.model_.generator.detail.cells.pairs:
        if (first.column in steered) == (second.column in steered):
            continue
        given, other = (first, second) if first.column in steered else (second, first)
        made, real = (_counts(given, other, rows) for rows in (frame, fitted.unseen))
        both = made.any(axis=1) & real.any(axis=1)
        made, real = made[both], real[both]
        apart = np.abs(made / made.sum(axis=1, keepdims=True) - real / real.sum(axis=1, keepdims=True)).sum(axis=1) / 2
        distances.append(float(made.sum(axis=1) @ apart / made.sum()))
    return float(np.mean(distances)) if distances else float("nan")


def _counts(given: Margin, other: Margin, rows: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return how many rows each cell of two margins has."""
    cells = given.codes(rows).astype(np.intp) * other.size + other.codes(rows)
    return np.bincount(cells, minlength=given.size * other.size).reshape(given.size, other.size)


def _trained_for_it(fitted: Fitted, task: Task) -> Iterator[dict[str, Any]]:
    """Yield the misses of the policy as it is, fine-tuned on the goal, and trained from nothing on the goal."""
    model, aims = fitted.synth.model_, len(task.goal.aims)
    env, config = fitted.environment(task), fitted.config()
    learned, blank = model.policy.for_aims(aims), QPolicy.blank(model.policy.factor_names, aims)
    policies: dict[str, Policy] = {"neutral": NeutralPolicy(len(learned.used)), "zero-shot": learned}
    for name, start in {"fine-tuned": learned, "trained for it": blank}.items():
        policies[name] = fine_tuned(env, config.agent, start, task.goal, EPISODES, fitted.seed)
    for name, policy in policies.items():
        seeds = [child_seed(fitted.seed, f"benchmark.{number}") for number in range(TRAINED_TABLES)]
        missed = [misses_of(task, compose(env, policy, task.goal, seed).chosen) for seed in seeds]
        yield {"policy": name, "selection": "training", "miss": float(np.mean(missed))}


def _slices(fitted: Fitted) -> Iterator[dict[str, Any]]:
    """Yield the similarity to a slice's unseen rows of tables that were given its margins, or its condition, only."""
    columns, schema = fitted.columns, fitted.synth.schema_
    condition = f"'{columns.label}' = '{columns.levels[1]}'"
    inside, unseen = (rows[rows[columns.label] == columns.levels[1]] for rows in (fitted.train, fitted.unseen))
    targets: dict[str, Any] = {columns.label: {"share": {columns.levels[1]: 1.0}}}
    for column in schema.modelled:
        known = inside[column.name].dropna()
        if column.kind == "numeric" and known.nunique() > 5:
            targets[column.name] = {
                "mean": float(known.mean()),
                "quantile": {0.25: float(known.quantile(0.25)), 0.75: float(known.quantile(0.75))},
            }
        elif column.is_label and column.name != columns.label and 2 <= known.nunique() <= 12:
            shares = inside[column.name].value_counts(normalize=True, dropna=False)
            targets[column.name] = {
                "share": {str(level): float(share) for level, share in shares.items() if isinstance(level, str)}
            }
    given: dict[str, dict[str, Any]] = {
        "slice, from its margins": {"targets": targets},
        "slice, from its condition": {"where": condition},
    }
    for kind, scenario in given.items():
        for policy in (LEARNED, "neutral", "raking", "free"):
            made = fitted.synth.compose(len(unseen), scenario, fitted.seed, policy=policy).table
            score = typed_similarity(unseen, compared(typed(made, schema), schema))
            yield {"kind": kind, "policy": {"free": "balancing"}.get(policy, policy), "similarity": score}
        yield {"kind": kind, "policy": "real rows of the slice", "similarity": typed_similarity(unseen, inside)}


def _infeasible(fitted: Fitted) -> Iterator[dict[str, Any]]:
    """Yield what becomes of goals that nobody can reach."""
    columns = fitted.columns
    first = fitted.unseen[columns.first].dropna()
    low, high = f"'{columns.first}' <= {first.median():g}", float(first.quantile(0.9))
    goals: dict[str, dict[str, Any]] = {
        "beyond all rows": {"targets": {columns.first: {"mean": float(10 * first.max())}}},
        "contradiction": {"shares": {low: 0.95}, "targets": {columns.first: {"mean": high}}},
    }
    for kind, scenario in goals.items():
        begun = time.perf_counter()
        composed = fitted.synth.compose(fitted.rows, scenario, fitted.seed)
        seconds = time.perf_counter() - begun
        short = sum(abs(target.reached - target.wanted) > target.tolerance for target in composed.targets)
        yield {"kind": kind, "policy": LEARNED, "selection": "refined", "short": short, "seconds": seconds}


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    options = parser(__doc__)
    options.add_argument("--tables", nargs="+", choices=TABLES, default=DEFAULT, metavar="NAME")
    options.add_argument("--seeds", type=positive, default=10, help="seeds 0, 1, ...: split, fit, goals and generation")
    options.add_argument("--rows", type=positive, default=1000, help="rows of each table")
    options.add_argument("--kinds", nargs="+", metavar="NAME", help="of goals; all if not given")
    options.add_argument("--workers", type=positive, default=1, help="processes")
    add_read(options)
    given = options.parse_args(argv)
    if given.read:
        report(saved(given.read))
        return
    jobs = [(table, given.rows, seed, given.kinds) for seed in range(given.seeds) for table in given.tables]
    runs: list[pd.DataFrame] = []
    with ProcessPoolExecutor(given.workers) as pool:
        for found in pool.map(run, *zip(*jobs, strict=True)):
            runs.append(found)
            save(pd.concat(runs, ignore_index=True), given.out)
    report(pd.concat(runs, ignore_index=True))


if __name__ == "__main__":
    main()

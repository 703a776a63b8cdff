"""How hard are the defaults to beat? One Optuna study over several tables, and its best parameters on test rows.

A trial trains on every table of the study and is worth the mean of its scores there (`--score`): goals, the similarity
of tables composed by the learned policy to goals it was not trained on; or rows, the similarity of generated tables to
validation rows. The study begins with the defaults. Then the best parameters and the defaults are trained with seeds
that the study did not see, on the tables of the study and on others, and compared on test rows (`rows`) and on goals
that the study did not use (`goals`), paired by table and seed.

The study is an ordinary one: kept in `--storage`, resumed by the same command, shared by several workers.

    python benchmarks/tuned_defaults.py --score goals --out tuned.csv
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from output import interval, machine, parser, positive, save, section, with_interval
from tables import TABLES, load

from agentsynth.config import Config
from agentsynth.data.inference import infer_schema
from agentsynth.data.schema import Schema
from agentsynth.data.splitting import Split, split
from agentsynth.files import digest
from agentsynth.params import SplitParams, TuneParams
from agentsynth.processes import myself
from agentsynth.tuning.results import Tuning, found, words
from agentsynth.tuning.scores import GoalsScore, Report, RowsScore, Score, Trainer, score_of
from agentsynth.tuning.space import search_space, with_values
from agentsynth.tuning.study import Setting, open_study, run_study
from agentsynth.tuning.trials import finished
from agentsynth.tuning.workers import run_in_processes

STUDY_TABLES = ("shop", "CPS1985", "births14", "SaratogaHouses")
OTHER_TABLES = ("Titanic", "HMDA", "ESS9GB")
KINDS = ("numeric", "categorical", "datetime", "derived", "pairs")


def parts(name: str, rows: int) -> tuple[Schema, Split]:
    """Return the schema of a table, and its rows set apart, of which at most so many are used."""
    table = load(name)
    schema = infer_schema(table)
    table = table.sample(min(rows, len(table)), random_state=0).reset_index(drop=True)
    return schema, split(table, schema, SplitParams(), 0)


@dataclass
class MeanScore:
    """The mean over tables of a score."""

    params: TuneParams
    tables: Sequence[str]
    rows: int
    places: Sequence[str] = field(default_factory=tuple)

    @cached_property
    def scores(self) -> list[Score]:
        """One score a table."""
        found = []
        for name in self.tables:
            schema, rows = parts(name, self.rows)
            found.append(score_of(self.params, Trainer(rows.train, schema), rows.validation, self.places))
        return found

    def __call__(self, config: Config, seed: int, report: Report) -> tuple[float, ...]:  # noqa: ARG002  # not pruned
        """Return the mean."""
        values = [score(config, seed, lambda _: None)[0] for score in self.scores]
        return (float(np.mean(values)),)


@dataclass(frozen=True)
class Job:
    """What each worker does."""

    setting: Setting
    score: MeanScore
    deadline: float
    command: str

    def __call__(self) -> None:
        """Run trials until the study is complete or the time is up."""
        study = open_study(self.setting)
        run_study(study, self.score, self.setting, command=self.command, deadline=self.deadline)


def tuned(setting: Setting, score: MeanScore, minutes: float) -> Tuning:
    """Run or resume the study; return what it found."""
    study = open_study(setting)
    deadline = time.time() + 60 * minutes
    if len(finished(study)) < setting.params.trials:
        run_in_processes(Job(setting, score, deadline, myself()), setting.params.workers, lambda: None)
    return found(study, setting)


@dataclass(frozen=True)
class Comparison:
    """Trains with the best parameters and the defaults on one table; sent to a worker."""

    configs: Mapping[str, Config]
    rows: int
    seeds: Sequence[int]

    def __call__(self, name: str) -> pd.DataFrame:
        """Return a row for each score, seed, and configuration."""
        schema, rows = parts(name, self.rows)
        trainer = Trainer(rows.train, schema)
        scores: dict[str, Score] = {
            "rows": RowsScore(trainer, rows.test),
            "goals": GoalsScore(trainer, "benchmark.test goals"),
        }
        records = [
            {
                "table": name,
                "score": score,
                "seed": seed,
                "config": which,
                "value": judge(config, seed, lambda _: None)[0],
            }
            for seed in self.seeds
            for score, judge in scores.items()
            for which, config in self.configs.items()
        ]
        return pd.DataFrame(records)


def gains(records: pd.DataFrame, tables: Sequence[str]) -> pd.DataFrame:
    """Return tuned less default for each table, with its interval over seeds, and the mean over tables with its own."""
    wide = records.pivot_table(index=["table", "seed"], columns=["score", "config"], values="value", sort=False)
    rows = {name: {} for name in [*tables, "mean over tables"]}  # type: dict[str, dict[str, str]]
    for score in ("rows", "goals"):
        gap = wide[score]["tuned"] - wide[score]["default"]
        for name in tables:
            rows[name][f"{score}: default"] = f"{wide.loc[name][score]['default'].mean():.4f}"
            rows[name][f"{score}: tuned - default"] = with_interval(gap.loc[name], 4, signed=True)
        means = [gap.loc[name].mean() for name in tables]
        rows["mean over tables"][f"{score}: default"] = ""
        rows["mean over tables"][f"{score}: tuned - default"] = with_interval(means, 4, signed=True)
    return pd.DataFrame(rows).T.rename_axis("table")


def verdict(records: pd.DataFrame, tables: Sequence[str], score: str) -> str:
    """Say whether the defaults are beaten on these tables."""
    chosen = records[(records["score"] == score) & records["table"].isin(tables)]
    wide = chosen.pivot_table(index="table", columns="config", values="value")
    mean, half = interval(wide["tuned"] - wide["default"])
    if not abs(mean) > half:  # also where one table gives no interval
        return "not told apart from the defaults"
    return "better than the defaults" if mean > 0 else "worse than the defaults"


def report(records: pd.DataFrame, groups: Mapping[str, Sequence[str]]) -> None:
    """Print the gains on each group of tables."""
    for title, tables in groups.items():
        if tables:
            section(f"Tuned less default, {title}", gains(records[records["table"].isin(tables)], tables))
            said = "; ".join(f"{score}: {verdict(records, tables, score)}" for score in ("rows", "goals"))
            print(f"\n{title}: {said}")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    options = parser(__doc__)
    options.add_argument("--score", choices=("goals", "rows"), default="goals", help="what the study looks for")
    options.add_argument("--trials", type=positive, default=60)
    options.add_argument("--minutes", type=float, default=60.0, help="after which no trial is begun")
    options.add_argument("--workers", type=positive, default=2)
    options.add_argument("--seeds", type=positive, default=1, help="training runs a trial and table")
    options.add_argument("--test-seeds", type=positive, default=5)
    options.add_argument("--episodes", type=positive, help="of each training; the default is the default")
    options.add_argument("--max-rows", type=positive, default=1500, help="rows of a table that are used")
    options.add_argument("--tables", nargs="+", choices=TABLES, default=STUDY_TABLES, metavar="NAME")
    options.add_argument("--others", nargs="*", choices=TABLES, default=OTHER_TABLES, metavar="NAME")
    options.add_argument("--storage", default="journal:tuned_defaults.log", help="where the study is kept")
    options.add_argument("--figures", type=Path, help="folder for the study's figures")
    given = options.parse_args(argv)
    base = Config.of({"agent": {"episodes": given.episodes}} if given.episodes else None)
    params = TuneParams(
        score=given.score,
        trials=given.trials,
        workers=given.workers,
        seeds=given.seeds,
        pruning=False,
        storage=given.storage,
    )
    space = search_space(base, params.space, KINDS)
    identity = digest([*given.tables, given.max_rows])
    setting = Setting(f"defaults-{given.score}", base, params, space, 0, identity)
    result = tuned(setting, MeanScore(params, given.tables, given.max_rows, tuple(space)), given.minutes)
    print(f"{len(given.tables)} tables, at most {given.max_rows:,} rows of each; score {given.score}. {machine()}.\n")
    print("\n".join(words(result)), flush=True)
    if given.figures:
        from agentsynth.plots.tuning import draw

        draw(result, given.figures)
    configs = {"tuned": with_values(base, result.best.params), "default": base}
    seeds = [given.seeds + number for number in range(given.test_seeds)]
    compare = Comparison(configs, given.max_rows, seeds)
    with ProcessPoolExecutor(given.workers, get_context("spawn")) as pool:
        records = pd.concat(pool.map(compare, [*given.tables, *given.others]), ignore_index=True)
    save(records, given.out)
    report(records, {"tables of the study": list(given.tables), "other tables": list(given.others)})


if __name__ == "__main__":
    main()

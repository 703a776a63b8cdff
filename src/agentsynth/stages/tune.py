"""Stage tune: an Optuna study over the parameters, each trial a nested MLflow run; `tuning/dvc.yaml` runs it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import yaml

from agentsynth.data.reading import read_table, write_table
from agentsynth.files import digest, write_json, write_text
from agentsynth.params import Params
from agentsynth.processes import is_alive, myself
from agentsynth.progress import Progress, bar, silent
from agentsynth.stages import paths
from agentsynth.stages.prepare import prepare, prepared_tables
from agentsynth.stages.records import table_name
from agentsynth.stages.running import run
from agentsynth.tracking.store import project_root
from agentsynth.tuning.scores import GoalsScore, RowsScore, Score, Tables, Trainer, score_of
from agentsynth.tuning.space import search_space, with_values, without_idle
from agentsynth.tuning.storage import placed
from agentsynth.tuning.workers import POLL, run_in_processes

if TYPE_CHECKING:
    import optuna

    from agentsynth.tracking.studies import StudyRun
    from agentsynth.tuning.gain import Gain
    from agentsynth.tuning.results import Tuning
    from agentsynth.tuning.study import Setting
    from agentsynth.tuning.trials import TrialRecord

BEST, TRIALS, RESULT = "best_params.yaml", "trials.csv", "result.json"


@dataclass(frozen=True)
class Problem:
    """What to tune on: the study's tables, the test rows that only the last comparison sees, and a short name."""

    tables: Tables
    test: pd.DataFrame
    name: str

    @classmethod
    def of(cls, table: Path | None, params: Params) -> Problem:
        """Return the parts of `table`, set apart as `params` say; None: those that stage prepare wrote.

        Raises:
            InputError: the table cannot be used, or stage prepare has not run.
        """
        if table is None:
            test = read_table(paths.need(paths.TEST, "prepare"))
            return cls(Tables(*prepared_tables()), test, table_name(params))
        chosen = params.model_copy(update={"data": params.data.model_copy(update={"table": str(table)})})
        schema, rows = prepare(chosen)
        return cls(Tables(rows.train, rows.validation, schema), rows.test, table_name(chosen))


@dataclass(frozen=True)
class Job:
    """What each worker does: join the study, and run trials."""

    tables: Tables
    setting: Setting
    command: str
    deadline: float

    def __call__(self, on_trial: Callable[[], None] = lambda: None) -> None:
        """Run trials until the study is complete or the time is up."""
        from agentsynth.tuning.study import open_study, run_study

        params, trainer = self.setting.params, Trainer(self.tables.train, self.tables.schema)
        score = score_of(params, trainer, self.tables.validation, self.setting.space)
        study = open_study(self.setting)
        run_study(study, score, self.setting, command=self.command, deadline=self.deadline, on_trial=on_trial)


def setting_of(problem: Problem, params: Params) -> Setting:
    """Return what the study is about.

    Raises:
        ConfigError: the search space cannot be used, or what is asked for does not go together.
    """
    from agentsynth.tuning.study import Setting

    tune, tables = params.tune, problem.tables
    kinds = [*dict.fromkeys(column.kind for column in tables.schema.compared), "pairs"]
    wanted = search_space(params.config, tune.privacy_space if tune.privacy else tune.space, kinds)
    space, left_out = without_idle(wanted, params.config, tables.schema)
    aim = [tune.score, tune.scenario or "", "privacy" if tune.privacy else ""]
    name = tune.study or "-".join(part for part in (problem.name, *aim) if part)
    root = project_root()  # a temporary workspace of `dvc exp run` is deleted
    if root.resolve() != Path.cwd().resolve():
        tune = tune.model_copy(update={"storage": placed(tune.storage, root)})
    rows = [frame.to_csv(index=False) for frame in (tables.train, tables.validation)]
    identity = digest(*rows, tables.schema.model_dump(mode="json"))
    return Setting(name, params.config, tune, space, params.seed, identity, left_out)


class Outcome(NamedTuple):
    """What came of a study."""

    text: str
    worth_it: bool
    """Whether the best parameters are better than the present ones on the test rows, told apart from chance."""


def tune_table(problem: Problem, params: Params, out: Path, *, progress: Progress = silent) -> Outcome:
    """Run or resume the study, log it, write what it found to `out`; return what came of it.

    Raises:
        ConfigError: the study's storage or search space cannot be used, or its study is about something else.
        InputError: the parameters that the study begins with cannot be used.
    """
    from agentsynth.tracking.studies import StudyRun
    from agentsynth.tuning.gain import is_better
    from agentsynth.tuning.results import found
    from agentsynth.tuning.study import identifier, open_study
    from agentsynth.tuning.trials import take_back

    setting = setting_of(problem, params)
    score_of(setting.params, Trainer(problem.tables.train, problem.tables.schema), problem.test, setting.space)
    study = open_study(setting)
    take_back(study)
    tags = {"table": problem.name, "scenario": setting.params.scenario, "seed": params.seed, "score": params.tune.score}
    settings = setting.params.model_dump(mode="json", exclude={"timeout", "workers", "trials", "storage"})
    log = StudyRun(setting.name, identifier(study), setting.objectives, tags, settings)
    with log:
        deaths = _run(study, Job(problem.tables, setting, myself(), _deadline(params)), log, progress)
        tuning = found(study, setting)
        gains = [] if tuning.is_default else _gains(problem, setting, tuning, progress)
        files = _write(tuning, gains, setting, out)
        _log_result(log, tuning, gains, files)
    return Outcome("\n".join([*deaths, *summary(tuning, gains, setting, out)]), is_better(gains))


def _deadline(params: Params) -> float:
    return float("inf") if params.tune.timeout is None else time.time() + params.tune.timeout


def _run(study: optuna.Study, job: Job, log: StudyRun, progress: Progress) -> list[str]:
    """Run the job in as many processes as asked for, logging trials as they finish; return what went wrong in words."""
    from agentsynth.tuning.trials import finished, running, take_back

    shown = 0
    params = job.setting.params
    with progress("trials", params.trials) as advance:

        def watch() -> None:
            nonlocal shown
            ended = finished(study)
            for trial in ended:
                if trial.command == job.command or _is_orphan(trial):
                    log.trial(trial)
            advance(len(ended) - shown)
            shown = len(ended)

        watch()
        codes: list[int] = []
        try:
            if params.workers == 1:
                job(on_trial=watch)
            elif shown < params.trials:
                codes = run_in_processes(job, params.workers, watch)
        finally:
            take_back(study)
            watch()
        while time.time() < job.deadline and running(study):  # another command's last trials
            time.sleep(POLL)
            take_back(study)
            watch()
    return [
        f"a worker died (code {code}): its trial is tried again by the others, or by the same command" for code in codes
    ]


def _is_orphan(trial: TrialRecord) -> bool:
    """Return whether the command that ran a trial is gone, and cannot log it."""
    return not is_alive(trial.command, trial.ended.timestamp() if trial.ended else 0.0)


def _gains(problem: Problem, setting: Setting, tuning: Tuning, progress: Progress) -> list[Gain]:
    """Return what was gained on the test rows, and by score goals on other goals; with seeds new to the study."""
    from agentsynth.tuning.gain import measure

    params, tables = setting.params, problem.tables
    trainer = Trainer(tables.train, tables.schema)
    seeds = [setting.seed + params.seeds + number for number in range(params.test_seeds)]
    what = "rows" if setting.base.entities.column is None else "entities"
    count = "" if what == "entities" else f"{len(problem.test)} "
    meanings = [(f"similarity to {count}test {what}", True)]
    meanings += [(f"excess of {what} nearer to training than to test {what}", False)] if params.privacy else []
    rows = RowsScore(trainer, problem.test, params.scenario, params.tables, privacy=params.privacy)
    scores: dict[str, tuple[Score, list[tuple[str, bool]]]] = {"rows": (rows, meanings)}
    if params.score == "goals":
        scores["goals"] = (GoalsScore(trainer, "tuning.test goals"), [("similarity to other goals", True)])
    tuned, default = (with_values(setting.base, values) for values in (tuning.best.params, tuning.began_with))
    with progress("test trainings", 2 * len(seeds) * len(scores)) as advance:
        return measure(scores, tuned, default, seeds, advance)


def _write(tuning: Tuning, gains: list[Gain], setting: Setting, out: Path) -> list[Path]:
    """Write parameters, trials, result and figures; return the files."""
    from agentsynth.plots import tuning as figures

    best, trials, result = out / BEST, out / TRIALS, out / RESULT
    write_text(best, yaml.safe_dump(tuning.nested(), sort_keys=False))
    write_table(tuning.frame(), trials)
    write_json(result, _json(tuning, gains, setting))
    return [best, trials, result, *figures.draw(tuning, out)]


def _json(tuning: Tuning, gains: list[Gain], setting: Setting) -> dict[str, Any]:
    def told(trial: TrialRecord) -> dict[str, Any]:
        values = dict(zip(tuning.objectives, trial.values, strict=True))
        return {"trial": trial.number, **values, "params": dict(trial.params)}

    return {
        "study": setting.name,
        "trials": len(tuning.trials),
        "best": told(tuning.best),
        "default": told(tuning.default),
        "front": [told(trial) for trial in tuning.front],
        "importance": tuning.importance,
        "left_out": list(setting.left_out),
        "gains": [gain.to_json() for gain in gains],
    }


def _log_result(log: StudyRun, tuning: Tuning, gains: list[Gain], files: list[Path]) -> None:
    metrics = {f"best/{name}": value for name, value in zip(tuning.objectives, tuning.best.values, strict=True)}
    metrics |= {f"default/{name}": value for name, value in zip(tuning.objectives, tuning.default.values, strict=True)}
    metrics |= {f"gain/{gain.score}": gain.difference.mean for gain in gains}
    metrics |= {f"gain_half_width/{gain.score}": gain.difference.half for gain in gains}
    verdict = "; ".join(str(gain) for gain in gains) or "nothing better found"
    log.result(metrics, {"best_trial": tuning.best.number, "verdict": verdict}, files)


def summary(tuning: Tuning, gains: list[Gain], setting: Setting, out: Path) -> list[str]:
    """Return the study's result in lines."""
    from agentsynth.tuning.results import words

    lines = words(tuning)
    if setting.left_out:
        lines.append(f"not looked for, as the table has no such columns: {', '.join(setting.left_out)}")
    if gains:
        lines += ["best against present parameters, on what the study did not see:", *(f"  {gain}" for gain in gains)]
    wanted = setting.params.trials
    if len(tuning.trials) < wanted:
        lines.append(f"{len(tuning.trials)} of {wanted} trials so far: the same command goes on")
    return [*lines, f"written to {out}/"]


def main() -> None:
    """Run the stage in the project's folder."""
    params = Params.load()
    print(tune_table(Problem.of(None, params), params, paths.TUNING, progress=bar).text)


if __name__ == "__main__":
    run(main)

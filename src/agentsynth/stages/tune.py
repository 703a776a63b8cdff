"""Stage tune: an Optuna study over the agent's parameters and the reward weights, each trial a nested MLflow run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import yaml

from agentsynth.config import Config, Params
from agentsynth.data.reading import write_table
from agentsynth.data.schema import Schema
from agentsynth.files import digest, write_text
from agentsynth.progress import Progress, bar, silent
from agentsynth.scoring import held_out_similarity
from agentsynth.stages import paths
from agentsynth.stages.prepare import prepare, prepared_tables
from agentsynth.stages.running import run
from agentsynth.synth import AgentSynth
from agentsynth.tuning import Tuning, finished_trials, open_study, run_study


class Tables(NamedTuple):
    """What a study looks at: it never sees the test rows."""

    train: pd.DataFrame
    validation: pd.DataFrame
    schema: Schema


def tables_of(table: Path | None, params: Params) -> Tables:
    """Return the parts of `table`, set apart as `params` say; None: those that stage prepare wrote.

    Raises:
        InputError: the table cannot be used, or stage prepare has not run.
    """
    if table is None:
        return Tables(*prepared_tables())
    chosen = params.model_copy(update={"data": params.data.model_copy(update={"table": str(table)})})
    schema, rows = prepare(chosen)
    return Tables(rows.train, rows.validation, schema)


def trained_score(tables: Tables, config: Config, seed: int) -> float:
    """Return the similarity to the validation rows of what `config` learns from the training rows."""
    synth = AgentSynth(config, seed=seed).fit(tables.train, schema=tables.schema)
    return held_out_similarity(synth, tables.validation, tables.schema, seed=seed, tables=1)


def tune_tables(tables: Tables, params: Params, out: Path, *, progress: Progress = silent) -> str:
    """Run or resume the study, log it, write `best_params.yaml` and `trials.csv` to `out`; return what was found.

    Raises:
        ConfigError: the study's storage cannot be used, or its study is of other data.
    """
    from agentsynth.tracking.studies import StudyRun

    best, trials = out / "best_params.yaml", out / "trials.csv"
    identity = digest(*(frame.to_csv(index=False) for frame in tables[:2]), tables.schema.model_dump(mode="json"))
    base, settings, seed = params.config, params.tune, params.seed
    study = open_study(base, settings, seed=seed, identity=identity)
    missing = max(settings.trials - finished_trials(study), 0)
    with StudyRun(settings.study, {"seed": seed}) as log, progress("trials", missing) as advance:

        def on_trial(number: int, values: Mapping[str, float], value: float | None, state: str) -> None:
            log.trial(number, values, value, state)
            advance()

        score = partial(trained_score, tables)
        found = run_study(study, score, base, settings, seed=seed, on_trial=on_trial)
        write_text(best, yaml.safe_dump(found.nested(), sort_keys=False))
        write_table(found.trials, trials)
        log.result({"best": found.value, "default": found.default_value}, [best, trials])
    return summary(found, best)


def summary(found: Tuning, best: Path) -> str:
    """Return the study's result in words."""
    lines = [f"  {name}: {value:.4g}" for name, value in found.best.items()]
    gain = f"{found.value:.4f} on the validation rows, {found.default_value:.4f} with the parameters it began with"
    return "\n".join([f"best of {len(found.trials)} trials: {gain}", *lines, f"written to {best}"])


def main() -> None:
    """Run the stage in the project's folder."""
    params = Params.load()
    print(tune_tables(tables_of(None, params), params, paths.TUNING, progress=bar))


if __name__ == "__main__":
    run(main)

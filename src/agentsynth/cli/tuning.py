"""The command that looks for better parameters: tune."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agentsynth.cli.options import (
    TABLE,
    ParamsFile,
    Quiet,
    Seed,
    bar_of,
    params_of,
    path_argument,
    path_option,
    resumable,
    say,
)

_LEFT = (
    "left as it is, as nothing better than the present parameters was told apart from chance on the test rows; "
    "--apply --force writes the best trial's all the same"
)


def tune(
    table: Annotated[Path | None, path_argument(help=f"A {TABLE}; else the one that `dvc repro prepare` made.")] = None,
    out: Annotated[Path, path_option(help="Folder for parameters, trials, result and figures.")] = Path("data/tuning"),
    trials: Annotated[int | None, typer.Option(min=1, help="Trials of the study, those done before counted.")] = None,
    timeout: Annotated[float | None, typer.Option(min=1, help="Seconds after which no trial is begun.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that run trials side by side.")] = None,
    score: Annotated[str | None, typer.Option(help="What is looked for: rows or goals.")] = None,
    scenario: Annotated[str | None, typer.Option(help="Name of the scenario that tables are steered to.")] = None,
    privacy: Annotated[bool | None, typer.Option(help="Trade similarity against privacy: a Pareto front.")] = None,
    study: Annotated[str | None, typer.Option(help="Name of the study; else by table and score.")] = None,
    storage: Annotated[str | None, typer.Option(help="sqlite:///PATH, journal:PATH, or another Optuna URL.")] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write the best into the parameter file, if better on the test rows.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="With --apply: whatever the test rows say.")] = False,
    params: ParamsFile = None,
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Look for better parameters: an Optuna study whose value is the similarity to validation rows.

    A study that was stopped or killed goes on where it was, by the same command; given twice, two share the work.
    Options go before section `tune` of the parameters: --params, or params.yaml if it is there. --apply writes what is
    better than the present parameters on the test rows, told apart from chance; else nothing, unless with --force.
    """
    from agentsynth.errors import ConfigError
    from agentsynth.params import Params
    from agentsynth.stages.tune import BEST, Problem, tune_table

    file = params or Path("params.yaml")
    if force and not apply:
        raise ConfigError("--force goes with --apply: it says that the best parameters are written in any case.")
    if apply and not file.exists():
        raise ConfigError(f"--apply writes into {file}, and there is no such file. Name one with --params.")
    chosen = params_of(file if params or file.exists() else None, seed)
    options = {
        "trials": trials,
        "timeout": timeout,
        "workers": workers,
        "score": score,
        "scenario": scenario,
        "privacy": privacy,
        "study": study,
        "storage": storage,
    }
    changes = {name: value for name, value in options.items() if value is not None}
    whole = chosen.model_dump()
    chosen = Params.of_values({**whole, "tune": {**whole["tune"], **changes}}, "tune")
    with resumable("trials"):
        outcome = tune_table(Problem.of(table, chosen), chosen, out, progress=bar_of(quiet))
        say(quiet, outcome.text)
    if apply and (force or outcome.worth_it):
        _apply(out / BEST, file, quiet=quiet)
    elif apply:
        say(quiet, f"{file}: {_LEFT}")


def _apply(best: Path, file: Path, *, quiet: bool) -> None:
    """Write the best parameters into a parameter file, and say what changed."""
    from agentsynth.tuning.applying import apply

    changed = apply(best, file)
    say(quiet, "\n".join([f"{file}: {len(changed)} values changed", *(f"  {line}" for line in changed)]))

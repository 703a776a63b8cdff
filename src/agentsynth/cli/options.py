"""Options that commands share, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from agentsynth.config import Config
    from agentsynth.params import Params
    from agentsynth.progress import Progress
    from agentsynth.scenarios.grammar import Scenario

# What cannot be read is for the readers to tell, with the reason and what to do: typer would say "not readable" alone,
# also of a file that is to be replaced.
path_argument = partial(typer.Argument, readable=False)
path_option = partial(typer.Option, readable=False)

Seed = Annotated[int | None, typer.Option(min=0, help="The same seed gives the same result; 0 if not given.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar, no messages.")]
ParamsFile = Annotated[Path | None, path_option("--params", help="Parameters, in the form of params.yaml.")]
Ids = Annotated[
    list[str] | None,
    typer.Option("--id", help="A column to be taken for an id, not for labels or numbers; may be repeated."),
]
Drop = Annotated[list[str] | None, typer.Option(help="A column to leave out, e.g. free text; may be repeated.")]
TABLE = "CSV or Parquet file"
Model = Annotated[Path, path_argument(help="A model that `agentsynth fit` or `dvc repro` saved.")]
Train = Annotated[Path | None, path_option(help="The rows the model learned from; privacy needs them.")]
Target = Annotated[str | None, typer.Option(help="Column that models trained on each table predict.")]
ScenarioName = Annotated[
    str | None,
    typer.Option(help="Name of a scenario, or a YAML or JSON file with one; else the table is mimicked."),
]


def params_of(file: Path | None, seed: int | None) -> Params:
    """Return the parameters of a file, or the defaults; a seed that was given goes before theirs."""
    from agentsynth.params import Params

    params = Params() if file is None else Params.load(file)
    return params if seed is None else params.model_copy(update={"seed": seed})


def overrides_of(params: Params, drop: list[str] | None, ids: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """Return the corrections of the schema that the parameters, `--id` and `--drop` ask for."""
    kinds = {**dict.fromkeys(ids or [], "id"), **dict.fromkeys(drop or [], "drop")}
    return {**params.data.columns, **{column: {"kind": kind} for column, kind in kinds.items()}}


def scenario_of(text: str | None) -> str | Scenario | None:
    """Return what `--scenario` means: a file's scenario, or a name as it is."""
    if text is None or not text.lower().endswith((".yaml", ".yml", ".json")):
        return text
    from agentsynth.scenarios.grammar import Scenario

    return Scenario.load(text)


def with_entity(config: Config, entity: str | None) -> Config:
    """Return a configuration with the entity column that was given, which goes before its own."""
    if entity is None:
        return config
    return config.model_copy(update={"entities": config.entities.model_copy(update={"column": entity})})


def check_wanted(rows: int | None, entities: int | None) -> None:
    """Check that either rows or entities are asked for."""
    if (rows is None) == (entities is None):
        raise typer.BadParameter("say how many rows are wanted, or how many entities.", param_hint="'--rows'")


def bar_of(quiet: bool) -> Progress:
    """Return the progress bar to show: none where quiet, or where nobody looks."""
    from agentsynth.progress import bar, silent

    return silent if quiet else bar


@contextmanager
def resumable(finished: str) -> Iterator[None]:
    """Tell somebody who stops the block that what is finished is kept; the exit code is that of a shell."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"stopped; finished {finished} are kept, and the same command goes on", err=True)
        raise typer.Exit(130) from None


def say(quiet: bool, message: str) -> None:
    """Print a message, but where quiet."""
    if not quiet:
        typer.echo(message)

"""The command line: simulate, fit, generate, evaluate, tune. Commands import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from agentsynth.config import Params
    from agentsynth.env.scenarios import Scenario
    from agentsynth.progress import Progress

app = typer.Typer(
    name="agentsynth",
    help="Learn from a small table, and compose synthetic tables that mimic it or are steered to a scenario.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Seed = Annotated[int | None, typer.Option(min=0, help="The same seed gives the same result; 0 if not given.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar, no messages.")]
ParamsFile = Annotated[Path | None, typer.Option("--params", help="Parameters, in the form of params.yaml.")]
Drop = Annotated[list[str] | None, typer.Option(help="A column to leave out, e.g. free text; may be repeated.")]
TABLE = "CSV or Parquet file"


def main() -> None:
    """Run the command line; exit code 2 where the input cannot be used, 1 where the fault is ours."""
    from agentsynth.stages.running import run

    run(app)


@app.callback(invoke_without_command=True)
def _app(
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.", is_eager=True)] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"agentsynth {installed('agentsynth')}")
        raise typer.Exit


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help=f"Where to write the table: a {TABLE}.")],
    rows: Annotated[int, typer.Option(min=1, help="Rows to simulate.")] = 2000,
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Simulate the e-commerce table that AgentSynth is shown on."""
    from agentsynth.data.reading import check_ending, write_table
    from agentsynth.data.shop import simulate_shop

    check_ending(out)
    write_table(simulate_shop(rows, seed or 0), out)
    _say(quiet, f"{rows} rows to {out}")


@app.command()
def fit(
    table: Annotated[Path, typer.Argument(help=f"The table to learn from: a {TABLE}.")],
    out: Annotated[Path, typer.Option(help="Where to save the model: a folder, or a file that ends in .zip.")],
    drop: Drop = None,
    params: ParamsFile = None,
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Learn from a table: show the schema it is taken to have, fit the base generator, train the agent."""
    from agentsynth.data.describing import describe
    from agentsynth.data.inference import infer_schema
    from agentsynth.data.reading import read_table
    from agentsynth.synth import AgentSynth

    chosen = _params(params)
    frame = read_table(table)
    schema = infer_schema(frame, _overrides(chosen, drop))
    _say(quiet, describe(schema))
    synth = AgentSynth(chosen.config, seed=chosen.seed if seed is None else seed)
    synth.fit(frame, schema=schema, progress=_bar(quiet)).save(out)
    _say(quiet, f"model saved to {out}")


@app.command()
def generate(
    model: Annotated[Path, typer.Argument(help="A model that `agentsynth fit` or `dvc repro` saved.")],
    rows: Annotated[int, typer.Option(min=1, help="Rows to compose.")],
    out: Annotated[Path, typer.Option(help=f"Where to write them: a {TABLE}.")],
    scenario: Annotated[
        str | None,
        typer.Option(help="Name of a scenario, or a YAML or JSON file with one; else the table is mimicked."),
    ] = None,
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Compose a synthetic table."""
    from agentsynth.data.reading import check_ending, write_table
    from agentsynth.stages.generate import summary
    from agentsynth.synth import AgentSynth

    check_ending(out)
    synth = AgentSynth.load(model)
    composed = synth.compose(rows, _scenario(scenario), seed, progress=_bar(quiet))
    write_table(composed.table, out, synth.schema_)
    _say(quiet, summary(composed, out))


@app.command()
def evaluate(
    real: Annotated[Path, typer.Argument(help=f"Real rows that the model has not seen: a {TABLE}.")],
    synthetic: Annotated[Path, typer.Argument(help=f"The synthetic table to judge: a {TABLE}.")],
    train: Annotated[Path | None, typer.Option(help="The rows the model learned from; privacy needs them.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the report as JSON.")] = None,
    target: Annotated[str | None, typer.Option(help="Column that models trained on each table predict.")] = None,
    drop: Drop = None,
    params: ParamsFile = None,
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Judge a synthetic table against real rows; every score stands beside its ceiling and floor."""
    from agentsynth.data.inference import infer_schema
    from agentsynth.data.reading import read_table
    from agentsynth.metrics.report import build_report

    chosen = _params(params)
    unseen, made = read_table(real), read_table(synthetic)
    learned = None if train is None else read_table(train)
    schema = infer_schema(unseen if learned is None else learned, _overrides(chosen, drop))
    report = build_report(
        learned,
        unseen,
        made,
        schema,
        seed=chosen.seed if seed is None else seed,
        target=target or chosen.evaluate.target,
        max_rows=chosen.evaluate.max_rows,
    )
    if out is not None:
        report.save(out)
    _say(quiet and out is not None, report.to_text())


@app.command()
def tune(
    table: Annotated[
        Path | None, typer.Argument(help=f"A {TABLE}; else the one that `dvc repro prepare` made.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for best_params.yaml and trials.csv.")] = Path("data/tuning"),
    trials: Annotated[int | None, typer.Option(min=1, help="Trials of the study, those done before counted.")] = None,
    params: ParamsFile = None,
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Look for better parameters: an Optuna study whose value is the similarity to validation rows.

    A study that was stopped goes on where it was. Without --params, params.yaml is read if it is there.
    """
    from agentsynth.stages.tune import tables_of, tune_tables

    project = Path("params.yaml")
    chosen = _params(params or (project if project.exists() else None))
    changes: dict[str, Any] = {} if trials is None else {"tune": chosen.tune.model_copy(update={"trials": trials})}
    changes |= {} if seed is None else {"seed": seed}
    chosen = chosen.model_copy(update=changes)
    found = tune_tables(tables_of(table, chosen), chosen, out, progress=_bar(quiet))
    _say(quiet, found)


def _params(file: Path | None) -> Params:
    """Return the parameters of a file, or the defaults."""
    from agentsynth.config import Params

    return Params() if file is None else Params.load(file)


def _overrides(params: Params, drop: list[str] | None) -> dict[str, dict[str, Any]]:
    """Return the corrections of the schema that the parameters and `--drop` ask for."""
    return {**params.data.columns, **{column: {"kind": "drop"} for column in drop or []}}


def _scenario(text: str | None) -> str | Scenario | None:
    """Return what `--scenario` means: a file's scenario, or a name as it is."""
    if text is None or not text.lower().endswith((".yaml", ".yml", ".json")):
        return text
    from agentsynth.env.scenarios import Scenario

    return Scenario.load(text)


def _bar(quiet: bool) -> Progress:
    """Return the progress bar to show: none where quiet, or where nobody looks."""
    from agentsynth.progress import bar, silent

    return silent if quiet else bar


def _say(quiet: bool, message: str) -> None:
    if not quiet:
        typer.echo(message)


if __name__ == "__main__":
    main()

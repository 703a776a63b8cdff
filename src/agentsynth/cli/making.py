"""Commands that make tables and models: simulate, fit, generate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypedDict

import typer

from agentsynth.cli.options import (
    TABLE,
    Drop,
    Ids,
    Model,
    ParamsFile,
    Quiet,
    ScenarioName,
    Seed,
    bar_of,
    check_wanted,
    overrides_of,
    params_of,
    path_argument,
    path_option,
    resumable,
    say,
    scenario_of,
    with_entity,
)
from agentsynth.progress import Progress


class _Wanted(TypedDict):
    """What both forms of generating are told."""

    entities: int | None
    policy: str
    strict: bool
    progress: Progress


def simulate(
    out: Annotated[Path, path_option(help=f"Where to write the table: a {TABLE}.")],
    rows: Annotated[int, typer.Option(min=1, help="Rows to simulate.")] = 2000,
    habits: Annotated[bool, typer.Option("--habits", help="Users have habits: an hour, a taste, a rhythm.")] = False,
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Simulate the e-commerce table that AgentSynth is shown on."""
    from agentsynth.data.reading import check_ending, write_table
    from agentsynth.data.shop import simulate_shop

    check_ending(out)
    write_table(simulate_shop(rows, seed or 0, habits=habits), out)
    say(quiet, f"{rows} rows to {out}")


def fit(
    table: Annotated[Path, path_argument(help=f"The table to learn from: a {TABLE}.")],
    out: Annotated[Path, path_option(help="Where to save the model: a folder, or a file that ends in .zip.")],
    drop: Drop = None,
    entity: Annotated[
        str | None, typer.Option(help="Id column of what has several rows, such as user_id; auto: the column is found.")
    ] = None,
    ids: Ids = None,
    params: ParamsFile = None,
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Learn from a table: show the schema it is taken to have, fit the base generator, train the agent."""
    from agentsynth.data.describing import describe
    from agentsynth.data.inference import infer_schema
    from agentsynth.data.reading import read_table
    from agentsynth.entities.describing import describe as describe_entities
    from agentsynth.entities.generator import EntityGenerator
    from agentsynth.entities.plan import overrides_of as entity_overrides
    from agentsynth.synth import AgentSynth

    chosen = params_of(params, seed)
    frame = read_table(table)
    config = with_entity(chosen.config, entity)
    schema = infer_schema(frame, entity_overrides(config.entities, overrides_of(chosen, drop, ids)))
    say(quiet, describe(schema))
    synth = AgentSynth(config, seed=chosen.seed)
    generator = synth.fit(frame, schema=schema, progress=bar_of(quiet)).model_.generator
    if isinstance(generator, EntityGenerator):
        say(quiet, describe_entities(generator.plan))
    synth.save(out)
    say(quiet, f"model saved to {out}")


def generate(
    model: Model,
    out: Annotated[
        str, typer.Option(help=f"Where to write them: a {TABLE}; or, for long tables, a folder or fsspec URL.")
    ],
    rows: Annotated[int | None, typer.Option(min=1, help="Rows to compose.")] = None,
    entities: Annotated[
        int | None, typer.Option(min=1, help="Entities to compose in place of rows: each has as many as it has.")
    ] = None,
    scenario: ScenarioName = None,
    policy: Annotated[
        str, typer.Option(help="What composes: q_learning, or neutral, random, proportional, raking, free (fastest).")
    ] = "q_learning",
    workers: Annotated[int | None, typer.Option(min=1, help="A folder only: processes that share the work.")] = None,
    dask: Annotated[
        str | None, typer.Option(help="A folder only: tcp://... of a Dask scheduler whose workers share the work.")
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Write nothing where a goal of the scenario fell short; into a folder, only its first part.",
        ),
    ] = False,
    report: Annotated[
        Path | None, path_option(help="Where to write the scenario's report: a .json file, or a figure (.png).")
    ] = None,
    escape_formulas: Annotated[
        bool, typer.Option("--escape-formulas", help="Put an apostrophe before text that a spreadsheet would run.")
    ] = False,
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Compose a synthetic table.

    Into a folder it is written in parts, in bounded memory; stopped or killed, the same command goes on.
    """
    from agentsynth.data.reading import check_ending, write_table
    from agentsynth.data.spreadsheets import without_formulas
    from agentsynth.stages.generate import check_in_parts, check_one_file, check_report, summary, write_report
    from agentsynth.streaming.folders import is_folder
    from agentsynth.streaming.telling import told
    from agentsynth.synth import AgentSynth

    if "\0" in out:
        raise typer.BadParameter("a name has no null byte in it.", param_hint="'--out'")
    check_wanted(rows, entities)
    check_report(report, scenario)
    wanted: _Wanted = {"entities": entities, "policy": policy, "strict": strict, "progress": bar_of(quiet)}
    if is_folder(out):
        check_in_parts(escape_formulas=escape_formulas)
        synth = AgentSynth.load(model)
        with resumable("parts"):
            written = synth.generate_to(out, rows, scenario_of(scenario), seed, workers=workers, dask=dask, **wanted)
        if report is not None and written.report is not None:
            write_report(written.report, report)
        say(quiet, told(written))
        return
    path = Path(out)
    check_ending(path)
    check_one_file(path, workers, dask)
    synth = AgentSynth.load(model)
    composed = synth.compose(rows, scenario_of(scenario), seed, **wanted)
    table = without_formulas(composed.table) if escape_formulas else composed.table
    write_table(table, path, synth.schema_)
    if report is not None and composed.report is not None:
        write_report(composed.report, report)
    say(quiet, summary(composed, path))

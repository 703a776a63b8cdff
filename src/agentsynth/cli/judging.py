"""Commands that judge tables and models: evaluate, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agentsynth.cli.options import (
    TABLE,
    Drop,
    Model,
    ParamsFile,
    Quiet,
    ScenarioName,
    Seed,
    Target,
    Train,
    bar_of,
    overrides_of,
    params_of,
    path_argument,
    path_option,
    say,
    scenario_of,
)


def evaluate(
    real: Annotated[Path, path_argument(help=f"Real rows that the model has not seen: a {TABLE}.")],
    synthetic: Annotated[Path, path_argument(help=f"The synthetic table to judge: a {TABLE}.")],
    train: Train = None,
    out: Annotated[Path | None, path_option(help="Where to write the report as JSON.")] = None,
    target: Target = None,
    drop: Drop = None,
    params: ParamsFile = None,
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Judge a synthetic table against real rows; every score stands beside its ceiling and floor."""
    from agentsynth.data.inference import infer_schema
    from agentsynth.data.reading import read_table
    from agentsynth.metrics.report import build_report

    chosen = params_of(params, seed)
    unseen, made = read_table(real), read_table(synthetic)
    learned = None if train is None else read_table(train)
    schema = infer_schema(unseen if learned is None else learned, overrides_of(chosen, drop))
    report = build_report(
        learned,
        unseen,
        made,
        schema,
        seed=chosen.seed,
        target=target or chosen.evaluate.target,
        max_rows=chosen.evaluate.max_rows,
    )
    if out is not None:
        report.save(out)
    say(quiet and out is not None, report.to_text())


def report(
    model: Model,
    out: Annotated[Path, path_option(help="Where to write the page: a file that ends in .html.")],
    real: Annotated[Path | None, path_option(help=f"Real rows that the model has not seen: a {TABLE}.")] = None,
    train: Train = None,
    synthetic: Annotated[Path | None, path_option(help="A table to judge; else one is composed.")] = None,
    scenario: ScenarioName = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Rows to compose; else as many as real ones.")] = None,
    target: Target = None,
    title: Annotated[str | None, typer.Option(help="What to call the table; else as its file.")] = None,
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Write one HTML page about a model: scores, columns, pairs, privacy, training, and how to reproduce them."""
    import sys

    from agentsynth.pages import write_page
    from agentsynth.stages.pages import typed_command
    from agentsynth.stages.report import Request, check_page_name, subject_of

    check_page_name(out)
    request = Request(
        model=model,
        real=real,
        synthetic=synthetic,
        train=train,
        scenario=scenario_of(scenario),
        rows=rows,
        target=target,
        title=title,
        seed=seed,
        command=typed_command(sys.argv),
        scenario_argument=scenario,
    )
    write_page(subject_of(request, bar_of(quiet)), out)
    say(quiet, f"report to {out}")

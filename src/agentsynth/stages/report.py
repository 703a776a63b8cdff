"""The page of a saved model, as `agentsynth report` makes it; stage evaluate makes that of the pipeline's result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from agentsynth.data.reading import read_table
from agentsynth.data.typed import typed
from agentsynth.errors import InputError
from agentsynth.metrics.report import build_report
from agentsynth.pages import Judged, Origin, Subject
from agentsynth.params import EvaluateParams
from agentsynth.progress import Progress, silent
from agentsynth.scenarios.grammar import Scenario
from agentsynth.stages.evaluate import FEWEST_ROWS
from agentsynth.stages.pages import last_commit, sources_of, typed_command, versions
from agentsynth.synth import AgentSynth

ROWS = 1000
"""Rows composed where neither their number nor unseen rows are given."""


@dataclass(frozen=True)
class Request:
    """What a page is asked to show.

    Attributes:
        model: the saved model.
        real: unseen rows; None: nothing is judged.
        synthetic: a table that was made before; None: one is composed.
        train: the rows that were learned from; None: privacy is not judged.
        scenario: name or scenario to steer to; None: mimic.
        rows: rows to compose; None: as many as unseen ones.
        target: column that utility predicts; None: the best predictable one.
        title: what the table is called; None: as the first of the files given for training rows, unseen rows and model.
        seed: of composing and of judging; None: the model's.
        command: as it is typed in a shell.
        scenario_argument: the scenario as it was given there.
    """

    model: Path
    real: Path | None = None
    synthetic: Path | None = None
    train: Path | None = None
    scenario: str | Scenario | None = None
    rows: int | None = None
    target: str | None = None
    title: str | None = None
    seed: int | None = None
    command: str = ""
    scenario_argument: str | None = None


def check_page_name(path: Path) -> None:
    """Refuse a name that browsers would not take for a page.

    Raises:
        InputError: it does not end in .html.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"cannot write {path}: a page's name ends in .html; found {path.suffix!r}.")


def subject_of(request: Request, progress: Progress = silent) -> Subject:
    """Return what the page is about: the table composed or read, and judged if there is something to judge it by.

    Raises:
        InputError: the request contradicts itself, or a file or the scenario cannot be used.
    """
    _check(request)
    synth = AgentSynth.load(request.model)
    seed = synth.seed if request.seed is None else request.seed
    scenario = None if request.scenario is None else synth.scenario(request.scenario)
    real = None if request.real is None else read_table(request.real)
    if request.synthetic is None:
        rows = request.rows or (ROWS if real is None else len(real))
        composed = synth.compose(rows, scenario, seed, progress=progress)
        if request.train is not None:
            train = typed(read_table(request.train), synth.schema_)
            composed = composed.with_nearest(train, synth.model_.generator)
        synthetic, steered = composed.table, composed.report
    else:
        synthetic, steered = read_table(request.synthetic), None
    return Subject(
        synth=synth,
        table=request.title or (request.train or request.real or request.model).stem,
        synthetic=synthetic,
        origin=_origin(request, synth, seed, len(synthetic)),
        scenario=scenario,
        steered=steered,
        judged=None if real is None else _judge(request, synth, scenario, seed, real, synthetic),
    )


def _check(request: Request) -> None:
    if request.synthetic is not None and request.rows is not None:
        raise InputError("--rows is of a table to compose; found --synthetic, a table that is there. Give one of them.")
    if request.real is None and (request.train is not None or request.target is not None):
        given = "--train" if request.train is not None else "--target"
        raise InputError(f"{given} serves to judge, and that needs rows that the model has not seen: give --real, too.")


def _judge(
    request: Request, synth: AgentSynth, scenario: Scenario | None, seed: int, real: pd.DataFrame, made: pd.DataFrame
) -> Judged:
    """Return the scores by the unseen rows, or by those in the scenario's slice where they are enough."""
    train = None if request.train is None else read_table(request.train)
    judges, learned = synth.slice(real, scenario), None if train is None else synth.slice(train, scenario)
    if min(len(judges), FEWEST_ROWS if learned is None else len(learned)) < FEWEST_ROWS:
        judges, learned = real, train
    report = build_report(
        learned,
        judges,
        made,
        synth.schema_,
        seed=seed,
        target=request.target,
        max_rows=EvaluateParams().max_rows,
    )
    return Judged(judges, report, _by(scenario, len(judges), len(real)), learned is not None)


def _by(scenario: Scenario | None, judges: int, real: int) -> str:
    """Return which rows judge, as a sentence."""
    if scenario is None:
        return f"The table mimics the one learned from, and is judged by {judges:,} unseen rows."
    if judges < real:
        return f"Judged by the {judges:,} of {real:,} unseen rows in the scenario's slice."
    return f"Compared with all {judges:,} unseen rows: what the scenario changes on purpose counts as a difference."


def _origin(request: Request, synth: AgentSynth, seed: int, rows: int) -> Origin:
    files = {"model": request.model, "training rows": request.train, "unseen rows": request.real}
    files["synthetic rows"] = request.synthetic
    config = synth.config.model_dump(mode="json")
    named = [request.scenario] if isinstance(request.scenario, str) else []
    config["scenarios"] = {name: config["scenarios"][name] for name in named}
    return Origin(
        command=request.command,
        seeds={"fitting": synth.seed, "composing and judging": seed},
        parameters=config,
        versions=versions(),
        sources=sources_of({role: path for role, path in files.items() if path is not None}),
        commit=last_commit(),
        table_command="" if request.synthetic else _table_command(request, seed, rows),
    )


def _table_command(request: Request, seed: int, rows: int) -> str:
    """Return the command that makes the composed table."""
    steered = ["--scenario", request.scenario_argument] if request.scenario_argument else []
    options = ["--rows", str(rows), "--seed", str(seed), *steered, "--out", "synthetic.csv"]
    return typed_command(["agentsynth", "generate", str(request.model), *options])

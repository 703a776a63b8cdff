"""Stage generate: compose a synthetic table with the best learned policy, steered to the scenario."""

from __future__ import annotations

from pathlib import Path

from agentsynth.data.reading import read_table, write_table
from agentsynth.data.typed import typed
from agentsynth.errors import InputError
from agentsynth.files import read_json, write_json
from agentsynth.generation import Composed
from agentsynth.params import Params
from agentsynth.plots.scenario import scenario_report
from agentsynth.progress import Progress, bar, silent
from agentsynth.scenarios.report import ScenarioReport
from agentsynth.stages import paths
from agentsynth.stages.running import run
from agentsynth.synth import AgentSynth


def generate(synth: AgentSynth, params: Params, *, progress: Progress = silent) -> Composed:
    """Return `generate.rows` synthetic rows of the scenario that `params` name, and how its targets were reached.

    Raises:
        ScenarioError: there is no such scenario, or the table cannot have it.
    """
    return synth.compose(params.generate.rows, params.generate.scenario, params.seed, progress=progress)


def summary(composed: Composed, path: Path) -> str:
    """Return what was composed, in words."""
    told = [] if composed.report is None else [composed.report.to_text(short=True)]
    return "\n".join([f"{len(composed.table)} rows to {path}", *told])


def check_report(path: Path | None, scenario: str | None) -> None:
    """Check, before anything is composed, that a scenario's report can be written.

    Raises:
        InputError: there is no scenario to report on, or the file's ending is neither .json nor .png.
    """
    if path is None:
        return
    if scenario is None:
        raise InputError("a report is of a scenario, and none was asked for: add --scenario, or leave out --report.")
    if path.suffix.lower() not in (".json", ".png"):
        raise InputError(f"cannot write {path}: reports end with .json, figures of them with .png.")


def check_in_parts(*, escape_formulas: bool) -> None:
    """Check that nothing is asked of a table in parts that only a file for spreadsheets can have.

    Raises:
        InputError: `--escape-formulas` is given.
    """
    if escape_formulas:
        raise InputError("--escape-formulas is for files that spreadsheets open, and parts are Parquet: leave it out.")


def check_one_file(path: Path, workers: int | None, dask: str | None) -> None:
    """Check that no workers are asked for, as a single file is made in one process.

    Raises:
        InputError: there are some.
    """
    if workers is not None or dask is not None:
        raise InputError(f"workers write the parts of a table in a folder, and {path} is a file: name a folder.")


def write_report(report: ScenarioReport, path: Path) -> None:
    """Write a scenario's report as JSON, or as a figure where the path ends with .png."""
    if path.suffix.lower() == ".png":
        scenario_report(report, path)
    else:
        write_json(path, report.to_json())


def read_report() -> ScenarioReport | None:
    """Return the scenario's report, as this stage wrote it; None: there was no scenario."""
    value = read_json(paths.TARGETS)
    return None if value is None else ScenarioReport.from_json(value)


def main() -> None:
    """Run the stage in the project's folder."""
    from agentsynth.stages.records import generate_record, train_record
    from agentsynth.tracking.pipeline import recorded

    params = Params.load()
    synth = AgentSynth.load(paths.need(paths.MODEL, "train"))
    train = typed(read_table(paths.need(paths.TRAIN, "prepare")), synth.schema_)
    composed = generate(synth, params, progress=bar).with_nearest(train, synth.model_.generator)
    for path in (paths.SYNTHETIC, paths.SYNTHETIC_CSV):
        write_table(composed.table, path, synth.schema_)
    write_json(paths.TARGETS, None if composed.report is None else composed.report.to_json())
    with recorded([train_record(params, synth), generate_record(params, composed.report)]):
        pass
    print(summary(composed, paths.SYNTHETIC_CSV))


if __name__ == "__main__":
    run(main)

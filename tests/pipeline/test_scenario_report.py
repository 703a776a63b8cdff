"""What stage generate keeps of a scenario: the report as JSON, its numbers and its figure in the run."""

from __future__ import annotations

import pytest

from agentsynth.data.reading import write_table
from agentsynth.files import write_json, write_text
from agentsynth.params import Params
from agentsynth.stages import generate, paths
from agentsynth.stages.records import generate_record
from agentsynth.synth import AgentSynth
from agentsynth.tracking.pipeline import recorded
from agentsynth.tracking.runs import Run
from agentsynth.tracking.store import Store


def kept(params: Params, synth: AgentSynth) -> Run:
    """Write what the stage writes, and log it as the stage does."""
    composed = generate.generate(synth, params)
    write_table(composed.table, paths.SYNTHETIC, synth.schema_)
    write_text(paths.SYNTHETIC_CSV, "a\n1\n")
    write_json(paths.TARGETS, None if composed.report is None else composed.report.to_json())
    with recorded([generate_record(params, generate.read_report())]) as run:
        return run


@pytest.mark.parametrize("scenario", ["holiday_season", None])
def test_the_report_of_a_scenario_is_logged_with_its_figure(
    store: Store, params: Params, synth: AgentSynth, scenario: str | None
) -> None:
    chosen = params.model_copy(update={"generate": params.generate.model_copy(update={"scenario": scenario})})
    run = kept(chosen, synth)
    metrics = store.client.get_run(run.id).data.metrics
    artifacts = {item.path for item in store.client.list_artifacts(run.id)}
    figures = {item.path for item in store.client.list_artifacts(run.id, "figures")}
    assert {"synthetic.csv", "targets.json"} <= artifacts
    assert figures == ({"figures/scenario_report.png"} if scenario else set())
    assert bool([name for name in metrics if name.startswith("reached/")]) == bool(scenario)
    report = generate.read_report()
    assert (report and report.scenario) == scenario

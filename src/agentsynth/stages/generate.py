"""Stage generate: compose a synthetic table with the best learned policy, steered to the scenario."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pandas as pd

from agentsynth.config import Params
from agentsynth.data.reading import write_table
from agentsynth.errors import ScenarioError
from agentsynth.stages import paths
from agentsynth.stages.running import run
from agentsynth.synth import AgentSynth


def generate(synth: AgentSynth, params: Params, *, progress: bool = False) -> pd.DataFrame:
    """Return (generate.rows, columns) synthetic rows, of the scenario that `params` name.

    Raises:
        ScenarioError: there is no such scenario, or the table cannot have it.
    """
    return synth.generate(params.generate.rows, scenario=chosen_scenario(params), seed=params.seed, progress=progress)


def chosen_scenario(params: Params) -> Mapping[str, Any] | None:
    """Return the scenario that `generate.scenario` names, None where it names none.

    Raises:
        ScenarioError: `scenarios` holds no such name.
    """
    name = params.generate.scenario
    if name is None:
        return None
    if name not in params.scenarios:
        known = ", ".join(params.scenarios) or "none"
        raise ScenarioError(f"generate.scenario is {name!r}, but params.yaml has the scenarios: {known}.")
    return {"name": name, **params.scenarios[name]}


def main() -> None:
    """Run the stage in the project's folder."""
    from agentsynth.stages.records import generate_record, train_record
    from agentsynth.tracking.pipeline import recorded

    params = Params.load()
    synth = AgentSynth.load(paths.need(paths.MODEL, "train"))
    table = generate(synth, params, progress=sys.stderr.isatty())
    for path in (paths.SYNTHETIC, paths.SYNTHETIC_CSV):
        write_table(table, path)
    with recorded([train_record(params, synth), generate_record(params)]):
        pass
    print(f"{len(table)} rows to {paths.SYNTHETIC_CSV}: {params.generate.scenario or 'mimicking the table'}")


if __name__ == "__main__":
    run(main)

"""Stage generate: compose a synthetic table with the best learned policy, steered to the scenario."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from agentsynth.config import Params
from agentsynth.data.reading import write_table
from agentsynth.files import read_json, write_json
from agentsynth.generation import Composed, Reached
from agentsynth.progress import Progress, bar, silent
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
    targets = [
        f"  {target.name}: wanted {target.wanted:.4g}, reached {target.reached:.4g}" for target in composed.targets
    ]
    return "\n".join([f"{len(composed.table)} rows to {path}", *targets])


def read_targets() -> list[Reached]:
    """Return how the targets were reached, as this stage wrote it."""
    return [Reached(**target) for target in read_json(paths.TARGETS)]


def main() -> None:
    """Run the stage in the project's folder."""
    from agentsynth.stages.records import generate_record, train_record
    from agentsynth.tracking.pipeline import recorded

    params = Params.load()
    synth = AgentSynth.load(paths.need(paths.MODEL, "train"))
    composed = generate(synth, params, progress=bar)
    for path in (paths.SYNTHETIC, paths.SYNTHETIC_CSV):
        write_table(composed.table, path, synth.schema_)
    write_json(paths.TARGETS, [asdict(target) for target in composed.targets])
    with recorded([train_record(params, synth), generate_record(params, composed.targets)]):
        pass
    print(summary(composed, paths.SYNTHETIC_CSV))


if __name__ == "__main__":
    run(main)

"""What each stage writes into the pipeline's MLflow run, and the key that tells its result from others."""

from __future__ import annotations

import os
from pathlib import Path

from agentsynth.data.reading import read_table
from agentsynth.files import digest
from agentsynth.params import Params
from agentsynth.plots.scenario import scenario_report
from agentsynth.scenarios.report import ScenarioReport
from agentsynth.stages import paths
from agentsynth.synth import AgentSynth
from agentsynth.tracking.pipeline import StageRecord
from agentsynth.tracking.runs import Run

_TRAIN_SECTIONS = {"seed", "data", "split", "generator", "environment", "refinement", "agent", "entities"}


def table_name(params: Params) -> str:
    """Return a short name of the table: its file's, or "shop"."""
    return Path(params.data.table).stem if params.data.table else "shop"


def run_name(params: Params, scenario: str = "") -> str:
    """Return what the run is called in a list: table, scenario, seed, and the DVC experiment's name if it is one."""
    parts = [table_name(params), scenario, f"seed {params.seed}", os.environ.get("DVC_EXP_NAME", "")]
    return " ".join(part for part in parts if part)


def policy_digest(synth: AgentSynth) -> str:
    """Return a digest of what was learned; scenarios that the model can only be asked for do not change it."""
    schema = synth.schema_.model_dump(mode="json")
    return digest(schema, synth.policy_.tables.tolist(), synth.history_.to_json())


def train_record(params: Params, synth: AgentSynth) -> StageRecord:
    """Return what stage train says: parameters, data, curves by episode, best action, figures, schema."""
    sections = params.model_dump(mode="json", include=_TRAIN_SECTIONS)

    def write(run: Run) -> None:
        history = synth.history_
        run.name(run_name(params))
        digest_of_rows = run.dataset(read_table(paths.TRAIN), table_name(params), "training")
        run.tag({"table": table_name(params), "seed": params.seed, "data_digest": digest_of_rows})
        run.params(sections)
        run.dataset(read_table(paths.VALIDATION), table_name(params), "validation")
        curves = {"return": history.returns, "epsilon": history.epsilon, "similarity": history.similarity}
        components = {f"similarity_{name}": values for name, values in history.components.items()}
        curves |= {"held_out": history.held_out, **components}
        run.curves({f"train/{name}": values for name, values in curves.items()})
        run.metrics({f"best_action/{factor}": value for factor, value in history.best_action.items()})
        run.metrics({f"rival/{policy}": value for policy, value in history.rivals.items()})
        run.metrics({"train/best_episode": history.best_episode})
        run.files([paths.TRAINING_PROGRESS, paths.LEARNED_RESPONSE, paths.Q_TABLES], "figures")
        run.files([paths.SCHEMA, paths.HISTORY])

    return StageRecord("train", digest(policy_digest(synth), sections), write)


def generate_record(params: Params, report: ScenarioReport | None) -> StageRecord:
    """Return what stage generate says: the scenario, the table it made, and the scenario's report and figure."""
    name = params.generate.scenario
    chosen = params.generate.model_dump()

    def write(run: Run) -> None:
        run.name(run_name(params, name or "mimic"))
        run.tag({"scenario": name or "mimic"})
        run.params({"generate": chosen})
        run.dataset(read_table(paths.SYNTHETIC), f"{table_name(params)} synthetic", "synthetic")
        run.files([paths.SYNTHETIC_CSV, paths.TARGETS])
        if report is not None:
            run.metrics({f"wanted/{target.name}": target.wanted for target in report.targets})
            run.metrics({f"reached/{target.name}": target.reached for target in report.targets})
            # Made where there is a scenario only, so no output of the pipeline.
            figure = paths.FIGURES / "scenario_report.png"
            scenario_report(report, figure)
            run.files([figure], "figures")

    return StageRecord("generate", digest(paths.SYNTHETIC, paths.TARGETS, chosen), write)


def evaluate_record(params: Params) -> StageRecord:
    """Return what stage evaluate says: the rows it judged by, figures, the report; scores are logged with the model."""

    def write(run: Run) -> None:
        run.params({"evaluate": params.evaluate.model_dump()})
        run.dataset(read_table(paths.TEST), table_name(params), "test")
        run.files([paths.DATA_COMPARISON, paths.POLICY_COMPARISON], "figures")
        run.files([paths.REPORT, paths.REPORT_PAGE, paths.POLICIES])

    return StageRecord("evaluate", digest(paths.REPORT, params.evaluate.model_dump()), write)

"""What each stage writes into the pipeline's MLflow run, and the key that tells its result from others."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from agentsynth.config import Params
from agentsynth.data.reading import read_table
from agentsynth.files import digest
from agentsynth.generation import Reached
from agentsynth.metrics.report import Report
from agentsynth.stages import paths
from agentsynth.synth import AgentSynth
from agentsynth.tracking.pipeline import StageRecord
from agentsynth.tracking.runs import Run

_TRAIN_SECTIONS = {"seed", "data", "split", "generator", "environment", "agent"}


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
        run.tag({"table": table_name(params), "seed": params.seed, "agentsynth_version": version("agentsynth")})
        run.params(sections)
        run.dataset(read_table(paths.TRAIN), table_name(params), "training")
        run.dataset(read_table(paths.VALIDATION), table_name(params), "validation")
        curves = {"return": history.returns, "epsilon": history.epsilon, "similarity": history.similarity}
        components = {f"similarity_{name}": values for name, values in history.components.items()}
        curves |= {"held_out": history.held_out, **components}
        run.curves({f"train/{name}": values for name, values in curves.items()})
        run.metrics({f"best_action/{factor}": value for factor, value in history.best_action.items()})
        run.metrics({f"rival/{policy}": value for policy, value in history.rivals.items()})
        run.metrics({"best_episode": history.best_episode})
        run.files([paths.TRAINING_PROGRESS, paths.LEARNED_RESPONSE, paths.Q_TABLES], "figures")
        run.files([paths.SCHEMA, paths.HISTORY])

    return StageRecord("policy", digest(policy_digest(synth), sections), write)


def generate_record(params: Params, targets: Sequence[Reached]) -> StageRecord:
    """Return what stage generate says: the scenario, and the table it made."""
    name = params.generate.scenario
    chosen = params.generate.model_dump()

    def write(run: Run) -> None:
        run.name(run_name(params, name or "mimic"))
        run.tag({"scenario": name or "mimic"})
        run.params({"generate": chosen})
        run.dataset(read_table(paths.SYNTHETIC), f"{table_name(params)} synthetic", "synthetic")
        run.metrics({f"wanted/{target.name}": target.wanted for target in targets})
        run.metrics({f"reached/{target.name}": target.reached for target in targets})
        run.files([paths.SYNTHETIC_CSV, paths.TARGETS])

    return StageRecord("generate", digest(paths.SYNTHETIC, paths.TARGETS, chosen), write)


def evaluate_record(params: Params, report: Report) -> StageRecord:
    """Return what stage evaluate says: the scores against unseen rows, their figures, the report."""

    def write(run: Run) -> None:
        run.params({"evaluate": params.evaluate.model_dump()})
        run.dataset(read_table(paths.TEST), table_name(params), "test")
        run.metrics(report.metrics())
        run.files([paths.DATA_COMPARISON, paths.POLICY_COMPARISON], "figures")
        run.files([paths.REPORT, paths.POLICIES])

    return StageRecord("evaluate", digest(paths.REPORT, params.evaluate.model_dump()), write)

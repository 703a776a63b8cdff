"""What stage evaluate does in MLflow: scores into the pipeline's run, the policy into the registry, a new champion."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from agentsynth.files import digest, write_text
from agentsynth.metrics.report import Report
from agentsynth.params import Params
from agentsynth.stages import paths
from agentsynth.stages.card import model_card, score_table
from agentsynth.stages.contest import contest, own_scores
from agentsynth.stages.generate import read_report
from agentsynth.stages.records import evaluate_record, generate_record, train_record
from agentsynth.synth import AgentSynth
from agentsynth.tracking import registry
from agentsynth.tracking.pipeline import recorded
from agentsynth.tracking.runs import Run

CARD = "model_card.md"
_VERSION_TAGS = ("table", "seed", "data_digest", "dvc_experiment")
"""Tags of the run that its version bears, too."""


def register(report: Report, judged: str, synth: AgentSynth, test: pd.DataFrame, params: Params) -> str:
    """Record the evaluation, register the policy, and let it challenge the champion; return what came of it.

    Args:
        report: the scores of the synthetic table.
        judged: what was judged, and by which rows.
        synth: the policy.
        test: unseen rows, by which it is compared with the champion.
        params: of the pipeline.
    """
    trained = train_record(params, synth)
    generated = generate_record(params, read_report())
    own = own_scores(synth, test)
    with recorded([trained, generated, evaluate_record(params)]) as run:
        keys = {"policy_key": trained.key, "scenarios_key": digest(params.scenarios)}
        version = _register(run, report, judged, synth, keys)
        score = float(np.mean(own))
        verdict = registry.promote(run.client, version.number, score, lambda rival: contest(synth, own, rival, test))
        run.metrics({**report.metrics(), "held_out_similarity": score}, version.model_id)
        run.tag({"verdict": verdict.reason})
        became = f"policy version {version.number}{' is the champion' if verdict.promoted else ''}: {verdict.reason}"
        run.note(f"{became[0].upper()}{became[1:]}.\n\n{judged}\n\n{score_table(report)}")
    return became


def _register(run: Run, report: Report, judged: str, synth: AgentSynth, keys: dict[str, str]) -> registry.Version:
    """Register the policy with its card and schema."""
    tags = {name: value for name, value in run.tags().items() if name in _VERSION_TAGS}
    origin = {
        "table": tags["table"],
        "digest of the training rows": tags["data_digest"],
        "seed": synth.seed,
        "commit": run.tags().get("mlflow.source.git.commit", "none"),
        "versions": run.tags()["versions"],
    }
    card = model_card(synth, report, judged, origin, registry.MODEL)
    with tempfile.TemporaryDirectory() as folder:
        write_text(Path(folder) / CARD, card)
        files = {"card": Path(folder) / CARD, "schema": paths.SCHEMA}
        run.files([Path(folder) / CARD])
        return registry.register(run, paths.MODEL, keys=keys, tags=tags, card=card, files=files)

"""Stage train: fit the base generator, train the agent, and begin the pipeline's MLflow run."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pandas as pd

from agentsynth import plots
from agentsynth.data.reading import write_table
from agentsynth.data.schema import Schema
from agentsynth.params import Params
from agentsynth.progress import Progress, bar, silent
from agentsynth.stages import paths
from agentsynth.stages.prepare import prepared_tables
from agentsynth.stages.running import run
from agentsynth.synth import AgentSynth


def train(rows: pd.DataFrame, schema: Schema, params: Params, *, progress: Progress = silent) -> AgentSynth:
    """Return a synthesiser fitted on `rows`.

    Raises:
        InputError: the table or the parameters cannot be used.
    """
    synth = AgentSynth(params.config, seed=params.seed)
    return synth.fit(rows, schema=schema, progress=progress)


def draw_figures(synth: AgentSynth) -> Path:
    """Draw the training's figures; return the training curve's copy under its time-stamped name.

    DVC keeps the names that stay the same, so that the same seed gives the same `dvc.lock`.
    """
    plots.training_progress(synth.history_, paths.TRAINING_PROGRESS)
    plots.learned_response(synth.policy_, paths.LEARNED_RESPONSE)
    plots.q_tables(synth.policy_, paths.Q_TABLES)
    stamped = paths.FIGURES / plots.training_progress_name(datetime.now().astimezone())
    shutil.copyfile(paths.TRAINING_PROGRESS, stamped)
    return stamped


def main() -> None:
    """Run the stage in the project's folder."""
    from agentsynth.stages.records import train_record
    from agentsynth.tracking.pipeline import recorded

    params = Params.load()
    rows, _, schema = prepared_tables()
    synth = train(rows, schema, params, progress=bar)
    synth.save(paths.MODEL)
    history = synth.history_.to_frame()
    write_table(history, paths.HISTORY)
    write_table(history.loc[history["held_out"].notna(), ["episode", "held_out"]], paths.CHECKS)
    stamped = draw_figures(synth)
    with recorded([train_record(params, synth)]) as mlflow_run:
        mlflow_run.files([stamped], "figures")
    action = ", ".join(f"{factor} {value:.2f}" for factor, value in synth.history_.best_action.items())
    print(f"{len(synth.history_)} episodes, best policy after episode {synth.history_.best_episode}; action {action}")


if __name__ == "__main__":
    run(main)

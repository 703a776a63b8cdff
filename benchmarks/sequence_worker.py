"""Have a packaged rival learn a table with entities and draw new ones: run by an interpreter that has the rival.

    PYTHON benchmarks/sequence_worker.py FOLDER

FOLDER holds `train.parquet` and `task.json` (see `sequences.py`, which writes them and reads what this writes:
`rows.parquet` and `times.json`). AgentSynth need not be installed there. Times are CPU seconds of this process, imports
not counted.

The rival is TabularARGN of `mostlyai-engine` (Apache-2.0), with its defaults: Tiwald et al., "TabularARGN: A flexible
and efficient auto-regressive framework for generating high-fidelity synthetic data", arXiv:2501.12012 (2025). It draws
the rows of an entity given a table with one row an entity; that table is drawn by a model of its own.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd

Task = dict[str, Any]


def main(folder: Path) -> None:
    """Do what `task.json` says."""
    task: Task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    rows = pd.read_parquet(folder / "train.parquet")
    package = importlib.import_module("mostlyai.engine")
    package.set_random_state(task["seed"])
    times = [time.process_time()]
    known = rows.drop_duplicates(task["id"])[[task["id"], *task["attributes"]]]
    attributes = _attributes(package, known, task)
    sequences = _sequences(package, rows, known, task)
    times.append(time.process_time())
    new = _new_entities(attributes, task)
    made = sequences.sample(ctx_data=new).merge(new, on=task["id"], validate="many_to_one")
    times.append(time.process_time())
    made[list(rows.columns)].to_parquet(folder / "rows.parquet", index=False)
    seconds = {"fit": times[1] - times[0], "generate": times[2] - times[1]}
    (folder / "times.json").write_text(json.dumps(seconds), encoding="utf-8")


def _attributes(package: Any, known: pd.DataFrame, task: Task) -> Any:
    """Return a model of the attributes, one row an entity; None where there are no attributes."""
    if not task["attributes"]:
        return None
    model = package.TabularARGN(max_training_time=task["minutes"])
    return model.fit(known[task["attributes"]])


def _sequences(package: Any, rows: pd.DataFrame, known: pd.DataFrame, task: Task) -> Any:
    """Return a model of the rows of an entity, in their order, given its attributes."""
    key = task["id"]
    model = package.TabularARGN(
        tgt_context_key=key,
        ctx_primary_key=key,
        ctx_data=known,
        # How long after the row before a row comes: made for sequences, but used only where it is asked for.
        tgt_encoding_types=dict.fromkeys(task["relative"], "TABULAR_DATETIME_RELATIVE"),
        max_training_time=task["minutes"],
    )
    return model.fit(rows.drop(columns=task["attributes"]))


def _new_entities(attributes: Any, task: Task) -> pd.DataFrame:
    """Return names and attributes of new entities."""
    names = pd.DataFrame({task["id"]: [f"E{number:06d}" for number in range(task["entities"])]})
    if attributes is None:
        return names
    return names.join(attributes.sample(n_samples=task["entities"]).reset_index(drop=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

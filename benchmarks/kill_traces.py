"""What the commands that kills.py kills leave in a project's folder: temporary files, parts, running MLflow runs."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from kill_targets import LONG

from agentsynth.files import MARK
from agentsynth.streaming.manifest import MANIFEST


def running(folder: Path) -> set[str]:
    """Return the ids of a project's MLflow runs that are RUNNING."""
    if not (folder / "mlruns" / "mlflow.db").exists():
        return set()
    connection = sqlite3.connect(f"file:{folder / 'mlruns' / 'mlflow.db'}?mode=ro", uri=True, timeout=60)
    try:
        return {run for (run,) in connection.execute("SELECT run_uuid FROM runs WHERE status = 'RUNNING'")}
    finally:
        connection.close()


def begun(folder: Path) -> set[str]:
    """Return the temporary files, the parts of the long table, and the running MLflow runs that are there."""
    places = (folder, folder / "data", folder / "figures", folder / "data" / "tuning", folder / LONG)
    files = {path.name for place in places if place.exists() for path in place.iterdir()}
    # Not the manifest of a folder of parts: it is written before there are workers.
    return {name for name in files if (MARK in name or "part-" in name) and Path(MANIFEST).stem not in name} | running(
        folder
    )


def left(folder: Path) -> list[str]:
    """Return the temporary files and folders that are there, those of Dask's workers among them."""
    found = [path for path in folder.rglob("*") if MARK in path.name]
    found += (folder / "tmp").rglob("*worker*-*")
    return [str(path.relative_to(folder)) for path in found]

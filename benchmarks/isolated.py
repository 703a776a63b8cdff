"""A method run in a process of its own, so that a slow one can be ended and a broken one breaks nothing else."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from agentsynth.files import read_json, write_json
from agentsynth.seeding import child_seed

WORKER = Path(__file__).with_name("method_worker.py")
PATIENCE = 10
"""Wall-clock seconds allowed for each CPU second, against processes that wait for ever."""
OVERRUN = -signal.SIGXCPU if hasattr(signal, "SIGXCPU") else None
"""The return code of a process that its CPU limit ended; Windows knows none."""


@dataclass(frozen=True)
class Outcome:
    """What became of a method on a table: rows and CPU seconds, or why there are none."""

    status: str
    """ok, timeout, or failed."""
    rows: pd.DataFrame | None = None
    fit_seconds: float | None = None
    generate_seconds: float | None = None
    note: str = ""


def run_method(
    method: str, train: pd.DataFrame, rows: int, seed: int, limit: int, target: str | None = None
) -> Outcome:
    """Fit the method called `method` to `train`, draw `rows` rows, and return what came of it.

    Args:
        method: a name of `methods.METHODS`.
        train: the table as it was read.
        rows: rows to draw.
        seed: of fit and draw.
        limit: CPU seconds that both may take together.
        target: the table's label, for methods that treat it apart.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train.to_parquet(folder / "train.parquet", index=False)
        task = {"method": method, "rows": rows, "seed": seed, "limit": limit, "target": target}
        write_json(folder / "task.json", {**task, "sample_seed": child_seed(seed, "benchmark.rows")})
        return run_worker(Path(sys.executable), WORKER, folder, limit)


def run_worker(python: Path, worker: Path, folder: Path, limit: int) -> Outcome:
    """Run a worker on a folder, and return what it wrote there: `rows.parquet` and `times.json`.

    Args:
        python: the interpreter.
        worker: the script; it sees to the limit itself, but for the clock.
        folder: what it is given to do, and where it leaves what it did.
        limit: seconds that it is allowed; by the clock, `PATIENCE` times as many.
    """
    clock = PATIENCE * limit + 60
    try:
        ended = subprocess.run(  # noqa: S603  # our own scripts
            [str(python), str(worker), str(folder)], capture_output=True, text=True, check=False, timeout=clock
        )
    except subprocess.TimeoutExpired:
        return Outcome("timeout", note=f"> {clock} s by the clock")
    if ended.returncode == OVERRUN:
        return Outcome("timeout", note=f"> {limit} s")
    if ended.returncode != 0:
        return Outcome("failed", note=_reason(ended.stderr, ended.returncode))
    times = read_json(folder / "times.json")
    return Outcome("ok", pd.read_parquet(folder / "rows.parquet"), times["fit"], times["generate"])


def _reason(errors: str, code: int) -> str:
    """Return the last line of a traceback, which holds the error."""
    lines = [line for line in errors.splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"exit code {code}"

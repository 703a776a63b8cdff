"""Fit one method to one table and write the rows that it draws: a process of its own, which a time limit can end.

    python benchmarks/method_worker.py FOLDER

FOLDER holds `train.parquet` and `task.json` (see `isolated.py`, which writes them and reads what this writes:
`rows.parquet` and `times.json`). Times are CPU seconds of this process, imports not counted.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pandas as pd
from methods import METHODS

from agentsynth.files import read_json, write_json


def limit_cpu(seconds: int) -> None:
    """Have the system end this process once it has used so many more CPU seconds (where it can: not on Windows)."""
    if sys.platform != "win32":
        import resource

        most = int(time.process_time()) + seconds + 1
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def main(folder: Path) -> None:
    """Do what `task.json` says."""
    task = read_json(folder / "task.json")
    train = pd.read_parquet(folder / "train.parquet")
    method = METHODS[task["method"]].make(task["seed"])
    limit_cpu(task["limit"])
    times = [time.process_time()]
    method.fit(train, task["target"])
    times.append(time.process_time())
    made = method.sample(task["rows"], task["sample_seed"])
    times.append(time.process_time())
    made.to_parquet(folder / "rows.parquet", index=False)
    write_json(folder / "times.json", {"fit": times[1] - times[0], "generate": times[2] - times[1]})


if __name__ == "__main__":
    main(Path(sys.argv[1]))

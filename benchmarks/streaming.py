"""What a long table costs that is written in parts: rates as ratios, cost by partitions and workers, memory, goals.

All with a model of the shop with the defaults, in one run:

- rates: rows per CPU second, and each as a share of free ones, medians over repeats that take turns. `uniforms` is
  numpy drawing two uniform numbers for each cell (what drawing may cost at the least), `drawn` the base generator's
  codes, `free` finished tables of its rows, `mimic` and `black_friday` tables composed by the agent, 5,000 rows at a
  time, `written` pyarrow writing a finished table to Parquet in memory, `streamed` free rows to files.
- partitions: the same number of rows in each, more and more of them, written by one process and by Dask workers. Each
  is a process of its own: wall seconds in all, microseconds per row without what one of a single partition takes, and
  the peak memory of the process and of its largest worker.
- long: a table of 100,000,000 free rows, stopped after so many minutes: rows written, and the peak memory on the way.
- goals: how far each target of the scenario is missed, over the whole table and by the worst of its partitions.

    python benchmarks/streaming.py --out streaming.csv
"""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from argparse import SUPPRESS
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from output import machine, parser, positive, save, section

from agentsynth import AgentSynth
from agentsynth.data.shop import simulate_shop
from agentsynth.generation import make
from agentsynth.params import Params
from agentsynth.request import LARGEST, Request
from agentsynth.seeding import stream
from agentsynth.streaming.parts import Job
from agentsynth.streaming.writing import Footers, runner, write_table_in_parts
from agentsynth.streaming.written import Written
from agentsynth.task import Asked

LONG = 100_000_000
SCENARIO = "black_friday"
PARAMS = Path(__file__).parents[1] / "params.yaml"
MEGA = 1024.0
"""Kilobytes, as the system counts memory, in a megabyte."""
Case = dict[str, Any]


class TimeIsUpError(Exception):
    """The minutes of the long table are over."""


def peak() -> float:
    """Return the peak memory of this process in MB: `getrusage` counts that of the process that began it, too."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / MEGA
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGA


def request_of(synth: AgentSynth, case: Case) -> Request:
    """Return what a case asks for."""
    asked = Asked(None if case.get("scenario") is None else synth.scenario(case["scenario"]))
    sizes, most = synth.model_.generator.sizes, case.get("partition_rows", 100_000)
    return Request(case["rows"], 0, asked, case.get("policy", "free"), most, sizes, sizes is not None)


def rates(synth: AgentSynth, rows: int, steered: int, repeats: int) -> pd.DataFrame:
    """Return rows per CPU second of what a table goes through."""
    trees, rng = synth.model_.generator.trees, stream(0, "rates")
    columns = len(synth.schema_.names)
    free = Request(max(rows, LARGEST + 1), 0, policy="free")
    table = pa.Table.from_pandas(_made(synth, free), preserve_index=False)

    def composed(scenario: str | None) -> pd.DataFrame:
        asked = Asked(None if scenario is None else synth.scenario(scenario))
        return _made(synth, Request(steered, 0, asked))

    with tempfile.TemporaryDirectory() as folder:
        jobs: list[Job] = []

        def kept(job: Job, *_: Any) -> Footers:
            jobs.append(job)
            return {}

        _written(synth, free, f"{folder}/table", run=kept)
        writer = jobs[0].writer()
        work: dict[str, tuple[Callable[[], Any], int]] = {
            "uniforms": (lambda: rng.random((rows, columns, 2)), rows),
            "drawn": (lambda: [trees.draw(min(rows, 20_000), rng) for _ in range(max(1, rows // 20_000))], rows),
            "free": (lambda: _made(synth, free), free.rows),
            "mimic": (partial(composed, None), steered),
            SCENARIO: (partial(composed, SCENARIO), steered),
            "written": (lambda: pq.write_table(table, io.BytesIO()), free.rows),
            "streamed": (lambda: writer.write(0), free.rows),
        }
        found: dict[str, list[float]] = {name: [] for name in work}
        for _ in range(repeats):
            for name, (job, count) in work.items():
                began = time.process_time()
                job()
                found[name].append(count / max(time.process_time() - began, 1e-6))
    medians = {name: float(np.median(each)) for name, each in found.items()}
    shares = {name: median / medians["free"] for name, median in medians.items()}
    return pd.DataFrame({"rows per CPU s": medians, "of free": shares})


def _made(synth: AgentSynth, request: Request) -> pd.DataFrame:
    return make(synth.model_, synth.config, request, request.partitions[0]).table


def _written(synth: AgentSynth, request: Request, out: str, **options: Any) -> Written:
    return write_table_in_parts(synth.model_, synth.config, request, 0, out, **options)


def run_case(model: Path, case: Case) -> Case:
    """Write one table in this process and its workers, and return what it cost."""
    synth = AgentSynth.load(model)
    began, done = time.perf_counter(), 0
    memory: list[tuple[int, float]] = []

    def advanced(rows: int) -> None:
        nonlocal done
        done += rows
        memory.append((done, peak()))
        if time.perf_counter() - began > case.get("seconds", np.inf):
            raise TimeIsUpError

    @contextmanager
    def progress(what: str, total: int | None) -> Iterator[Callable[..., None]]:  # noqa: ARG001  # the interface hands them over
        yield advanced

    with tempfile.TemporaryDirectory() as folder:
        try:
            run = runner(workers=case.get("workers"))
            goals = _written(synth, request_of(synth, case), f"{folder}/table", run=run, progress=progress).goals
        except TimeIsUpError:
            goals = ()
        sizes = [file.stat().st_size for file in Path(folder).glob("*/part-*")]
    usage = {who: resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)}
    steps = [memory[int(place * (len(memory) - 1))] for place in (0.1, 0.5, 1.0)]
    return {
        "done": done,
        "wall": time.perf_counter() - began,
        "CPU": sum(each.ru_utime + each.ru_stime for each in usage.values()),
        "peak MB": peak(),
        "worker MB": usage[resource.RUSAGE_CHILDREN].ru_maxrss / MEGA,
        "bytes per row": sum(sizes) / max(done, 1),
        "on the way": steps,
        "goals": [
            (goal.whole.name, goal.whole.wanted, goal.whole.reached, goal.lowest, goal.highest, goal.whole.tolerance)
            for goal in goals
        ],
    }


def measured(model: Path, **case: Any) -> Case:
    """Run a case in a process of its own."""
    command = [sys.executable, __file__, "--case", json.dumps(case), "--model", str(model)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # this very script
    if done.returncode:
        raise RuntimeError(f"{case} failed:\n{done.stderr}")
    found: Case = json.loads(done.stdout.splitlines()[-1])
    return {**case, **found}


def partitions_table(cases: Sequence[Case]) -> pd.DataFrame:
    """Return what partitions cost; per row beyond the fewest partitions, which hold what it takes to begin."""
    frame = pd.DataFrame(cases)
    frame["by"] = ["this process" if pd.isna(workers) else f"{workers:.0f} workers" for workers in frame["workers"]]
    first = frame.groupby("by")[["wall", "done"]].transform("min")
    more = (frame["done"] - first["done"]).replace(0, np.nan)
    frame["us per further row"] = 1e6 * (frame["wall"] - first["wall"]) / more
    shown = ["partitions", "done", "wall", "CPU", "us per further row", "peak MB", "worker MB"]
    return frame.set_index("by")[shown]


def goals_table(case: Case) -> pd.DataFrame:
    """Return by how much each target is missed, in per cent of what was wanted."""
    rows = {
        name: {
            "wanted": wanted,
            "whole": 100 * abs(reached / wanted - 1),
            "worst partition": 100 * max(abs(low / wanted - 1), abs(high / wanted - 1)),
            "tolerance": 100 * tolerance / wanted,
        }
        for name, wanted, reached, low, high, tolerance in case["goals"]
    }
    return pd.DataFrame(rows).T.rename_axis("target")


def long_table(case: Case) -> pd.DataFrame:
    """Return what was done of the long table, and what all of it would take."""
    rate = case["done"] / case["wall"]
    figures = {
        "rows written": float(case["done"]),
        "rows per second": rate,
        "minutes for 100,000,000": LONG / rate / 60,
        "GB for 100,000,000": LONG * case["bytes per row"] / 1e9,
        **{f"peak MB after {done:,} rows": megabytes for done, megabytes in case["on the way"]},
    }
    return pd.DataFrame({"figure": figures}).rename_axis("long")


def main() -> None:
    """Measure everything and print it."""
    options = parser(__doc__)
    options.add_argument("--rows", type=positive, default=100_000, help="rows of the tables that rates are measured on")
    options.add_argument("--steered", type=positive, default=LARGEST, help="the same of composed ones")
    options.add_argument("--repeats", type=positive, default=5)
    options.add_argument("--partitions", type=positive, nargs="+", default=[1, 10, 100, 1000])
    options.add_argument("--partition-rows", type=positive, default=6_000, help="rows of each of them")
    options.add_argument("--workers", type=positive, nargs="*", default=[1, 2])
    options.add_argument("--seconds", type=positive, default=300, help="time for the long table")
    options.add_argument("--goal-rows", type=positive, default=50_000)
    options.add_argument("--goal-partitions", type=positive, default=5)
    options.add_argument("--case", type=json.loads, help=SUPPRESS)
    options.add_argument("--model", type=Path, help=SUPPRESS)
    chosen = options.parse_args()
    if chosen.case is not None:
        print(json.dumps(run_case(chosen.model, chosen.case)))
        return
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.zip"
        params = Params.load(PARAMS)
        synth = AgentSynth(params.config, seed=0).fit(simulate_shop(params.data.rows, params.data.seed))
        synth.save(model)
        found = rates(AgentSynth.load(model), chosen.rows, chosen.steered, chosen.repeats)
        section("Rates", found.rename_axis("what"), 4)
        size = chosen.partition_rows
        cases = [
            measured(model, partitions=count, rows=count * size, partition_rows=size, workers=workers)
            for workers in (None, *chosen.workers)
            for count in chosen.partitions
        ]
        section("Partitions", partitions_table(cases), 2)
        long = measured(model, rows=LONG, seconds=chosen.seconds)
        section("A long table", long_table(long), 1)
        count = chosen.goal_rows
        each = -(-count // chosen.goal_partitions)
        goals = measured(model, rows=count, partition_rows=each, scenario=SCENARIO, policy="q_learning")
        section(f"Goals of {SCENARIO}, missed by per cent", goals_table(goals), 2)
    everything = [*({"rate": name, **row} for name, row in found.T.to_dict().items()), *cases, long, goals]
    save(pd.DataFrame([_plain(each) for each in everything]), chosen.out)


def _plain(case: Case) -> Case:
    return {key: json.dumps(value) if isinstance(value, list) else value for key, value in case.items()}


if __name__ == "__main__":
    main()

"""kill -9 at random moments, then the same command again: does it complete, and is nothing half done left?

What is killed, in turn: the pipeline's stages prepare, train, generate and evaluate; all of it, by `dvc repro`; saving
a model over an older one (as a folder, and as a zip); `agentsynth generate` into a file; `agentsynth tune`; and
`agentsynth generate` into a folder of parts: in one process, with two workers that are killed with it, and with two
workers that are not. The moment is drawn evenly over the CPU seconds that the command took when it was left alone;
every other time, the kill waits until a temporary file, a part or a running MLflow run is seen, and a little more: up
to one of the times in `LATE`. With `--row 3` a command is killed three times, each where the one before left off, until
it may complete; the row ends earlier where it completes before it is killed. After each kill

- every process that the command had started ends by itself within `ENDING` seconds.

And after the last one

- the model that was being replaced can be loaded, old or new, once the next command that writes it began; files that
  were there are whole;
- the same command, given again, ends with code 0;
- no temporary file is left, no lock keeps anybody waiting, and no MLflow run is RUNNING;
- the pipeline is up to date for DVC, and all it made has the digests of a run that was left alone;
- a study has as many finished trials as asked for, none lost and none twice;
- a folder of parts has the files of a run that was left alone, byte for byte, and no others.

    python benchmarks/kills.py --kills 30 --out kills.csv
    python benchmarks/kills.py --kills 10 --row 2 --targets "generate parts" "save a zip"
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from kill_targets import Target, environment, project, targets
from kill_traces import begun, left, running
from output import parser, positive

from agentsynth.data.reading import write_table

LIMIT = 300.0
"""Seconds after which a command that is run again is taken for stuck."""
LATE = (0.005, 2.0)
"""Seconds that a kill comes at most after a temporary file or a running run is seen: one of these, at random."""
ENDING = 10.0
"""Seconds within which the workers of a process that was killed must have ended."""
HEAD = (
    "| killed | runs | killed before their end | with workers, longest until these ended "
    "| left half-written files, runs | problems after the next run |\n|---|---|---|---|---|---|"
)


def spent(process: psutil.Process) -> float:
    """Return the CPU seconds of a process and of all that it started."""
    try:
        return sum(sum(one.cpu_times()[:4]) for one in (process, *process.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0.0


def wait(process: subprocess.Popen[bytes], folder: Path, moment: float, late: float | None, before: set[str]) -> None:
    """Wait for so many CPU seconds, or, where `late` is given, until something is begun and so many seconds more."""
    end = time.monotonic() + LIMIT
    watched = psutil.Process(process.pid)
    while process.poll() is None and time.monotonic() < end:
        if late is None and spent(watched) >= moment:
            return
        if late is not None and begun(folder) - before:
            time.sleep(late)
            return
        time.sleep(0.001 if late is not None else 0.01)


def start(target: Target, folder: Path) -> subprocess.Popen[bytes]:
    """Begin a command in a session of its own, so that what it starts can be found, and killed with it."""
    (folder / "tmp").mkdir(exist_ok=True)
    with (folder / "said.log").open("wb") as out:
        return subprocess.Popen(  # noqa: S603
            target.command,
            cwd=folder,
            env=environment(folder),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def session(number: int) -> list[psutil.Process]:
    """Return the processes of a session that have not ended."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == number and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


def ended(number: int) -> float:
    """Wait until all processes of a session have ended; return the seconds that it took.

    Raises:
        RuntimeError: some go on; they are killed.
    """
    begin = time.monotonic()
    while here := session(number):
        if time.monotonic() - begin > ENDING:
            os.killpg(number, signal.SIGKILL)
            raise RuntimeError(f"{len(here)} processes go on after {ENDING:g} s")
        time.sleep(0.01)
    return time.monotonic() - begin


def left_alone(target: Target, folder: Path) -> float:
    """Run a command to its end; return the CPU seconds it took, those of what it started included.

    Raises:
        RuntimeError: it failed, did not end, or left processes.
    """
    before = os.times()
    process = start(target, folder)
    try:
        code = process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise RuntimeError(f"{target.name} did not end in {LIMIT:g} s") from None
    if code:
        raise RuntimeError(f"{target.name} ended with {code}: {(folder / 'said.log').read_text()[-1500:]}")
    ended(process.pid)
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


def kill(process: subprocess.Popen[bytes], *, alone: bool) -> bool:
    """Kill a command, with all that it has started or alone; return whether it had not ended before."""
    if process.poll() is None:
        (os.kill if alone else os.killpg)(process.pid, signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def problem_of(target: Target, folder: Path) -> str:
    """Run a command again after it was killed; return what is wrong then, empty: nothing."""
    try:
        left_alone(target, folder)
        if not target.whole(folder):
            return "what it wrote is not whole"
    except Exception as error:  # whatever it is, it is what this looks for
        return f"{type(error).__name__}: {error}"
    if left(folder):
        return f"left: {left(folder)}"
    return f"{len(running(folder))} RUNNING" if running(folder) else ""


def killed(target: Target, folder: Path, moment: float, late: float | None) -> dict[str, object]:
    """Kill a command after so many seconds, or late in a write; return what was found."""
    before = begun(folder)
    process = start(target, folder)
    wait(process, folder, moment, late, before)
    workers = max(len(session(process.pid)) - 1, 0)
    before_its_end = kill(process, alone=target.alone)
    problem, ending = "", float("nan")
    try:
        ending = ended(process.pid)
    except RuntimeError as error:
        problem = str(error)
    return {
        "target": target.name,
        "in_a_write": late is not None,
        "moment": round(moment if late is None else late, 3),
        "killed": before_its_end,
        "workers": workers,
        "ended_after": round(ending, 3),
        "half_written": len(left(folder)),
        "runs_left": len(running(folder)),
        "problem": problem,
    }


def killed_in_turn(chosen: list[Target], folder: Path, kills: int, row: int, seed: int) -> pd.DataFrame:
    """Kill so many commands, in turn, each so many times before it may complete; return a line for each kill."""
    rng = np.random.default_rng(seed)
    project(folder)
    for target in chosen:
        target.prepare(folder)
    known = targets()
    needed = {name: known[name] for target in chosen for name in (*target.needs, target.name)}
    seconds = {name: left_alone(target, folder) for name, target in needed.items()}
    results: list[dict[str, object]] = []
    for number in count():
        if len(results) >= kills:
            break
        target = chosen[number % len(chosen)]
        target.clear(folder)
        for place in range(number // len(chosen), number // len(chosen) + row):
            moment = float(rng.uniform(0, seconds[target.name]))
            late = None if place % 2 else float(rng.uniform(0, rng.choice(LATE)))
            results.append(killed(target, folder, moment, late))
            print(results[-1], file=sys.stderr, flush=True)
            if not results[-1]["killed"]:
                break
        results[-1]["problem"] = results[-1]["problem"] or problem_of(target, folder)
        print(f"then: {results[-1]['problem'] or 'fine'}", file=sys.stderr, flush=True)
    return pd.DataFrame(results)


def main() -> None:
    """Kill, run again, and print what was found."""
    arguments = parser(__doc__)
    arguments.add_argument(
        "--kills", type=positive, default=32, help="how many at least, in turn over all that is killed"
    )
    arguments.add_argument("--row", type=positive, default=1, help="how many times before the command may complete")
    arguments.add_argument("--seed", type=int, default=0, help="of the moments")
    arguments.add_argument("--targets", nargs="+", choices=targets(), default=list(targets()), help="only these")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as place:
        chosen = [targets()[name] for name in asked.targets]
        table = killed_in_turn(chosen, Path(place), asked.kills, asked.row, asked.seed)
    if asked.out is not None:
        write_table(table, asked.out)
    print(HEAD)
    for name, rows in table.groupby("target", sort=False):
        half, runs = (rows[column].sum() for column in ("half_written", "runs_left"))
        workers, longest = (rows["workers"] > 0).sum(), rows["ended_after"].max()
        print(f"| {name} | {len(rows)} | {rows['killed'].sum()} | {workers}, {longest:.2f} s ", end="")
        print(f"| {half}, {runs} | {(rows['problem'] != '').sum()} |")
    print(f"\n{table['killed'].sum()} of {len(table)} were killed before their end")
    for problem in table.loc[table["problem"] != "", "problem"]:
        print(f"- {problem}")


if __name__ == "__main__":
    main()

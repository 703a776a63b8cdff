"""The served policy under load: right answers, none lost, memory that stays?

A small policy is registered in the MLflow store of a temporary project, and served there by `mlflow models serve`. For
some minutes, clients that work side by side ask for tables: other seeds, sizes and scenarios, several at a time; one
request in five is malformed, wrong or too large. Every answer is compared with the rows that the native object makes
for the same request, to the last digit; what cannot be met must be answered with status 400 and a message. An answer
that does not come in 120 s, or a connection that breaks, is lost.

Memory is what the server and all processes that it started hold together (resident), sampled twice a second; after
warm-up: when a tenth of the time is over.

    python benchmarks/load.py --minutes 5 --clients 8 --out load.csv
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from load_questions import SCENARIOS, Answer, Question, ask, mixed, questions
from output import machine, markdown, parser, positive, save

from agentsynth.data.shop import simulate_shop
from agentsynth.synth import AgentSynth
from agentsynth.tracking import registry
from agentsynth.tracking.pipeline import StageRecord, recorded

CONFIG = {
    "generator": {"trees": 2},
    "environment": {"rows": 60, "steps": 6},
    "agent": {"episodes": 3},
    "scenarios": SCENARIOS,
}
SETTINGS = {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
STARTING = 180.0
"""Seconds within which the server must be up."""
WARM = 0.1
"""Part of the time that is warm-up."""
EVERY = 0.5
"""Seconds between two looks at the server's memory."""


@dataclass
class Memory:
    """Resident memory of a process and of all that it started, in MB.

    Attributes:
        process: the first one.
        seconds: when each sample was taken, since the first.
        sizes: the samples.
    """

    process: psutil.Process
    seconds: list[float] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)

    def watch(self, stop: threading.Event) -> None:
        """Take samples until told to stop."""
        begin = time.monotonic()
        while True:
            self.seconds.append(time.monotonic() - begin)
            self.sizes.append(sum(map(_resident, [self.process, *self.process.children(recursive=True)])))
            if stop.wait(EVERY):
                return

    def figures(self) -> dict[str, float]:
        """Return the memory after warm-up, at the end, and the largest; and the growth of its second half."""
        when, sizes = np.array(self.seconds), np.array(self.sizes)
        warm, late = when >= WARM * when[-1], when >= when[-1] / 2
        growth = 60 * np.polyfit(when[late], sizes[late], 1)[0] if late.sum() > 1 else float("nan")
        return {
            "after warm-up": sizes[warm][0],
            "half-way": sizes[late][0],
            "at the end": sizes[-1],
            "largest": sizes.max(),
            "growth a minute, second half": growth,
        }


def _resident(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / 1e6
    except psutil.NoSuchProcess:
        return 0.0


def registered(folder: Path) -> AgentSynth:
    """Register a small policy as champion of a project; return the native object of the registered version."""
    AgentSynth(CONFIG, seed=1).fit(simulate_shop(300, seed=5)).save(folder / "model")
    with chdir(folder), recorded([StageRecord("policy", "first", lambda _: None)]) as run:
        version = registry.register(run, Path("model"), keys={"policy_key": "first"}, card="a policy under load")
        run.client.set_registered_model_alias(registry.MODEL, registry.CHAMPION, version.number)
        return registry.load(version.number)


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Serve a project's champion while the block runs; yield address and process once it answers.

    Raises:
        RuntimeError: it ended, or is not up in time.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    python = Path(sys.executable).parent
    command = [str(python / "mlflow"), "models", "serve", "-m", f"models:/{registry.MODEL}@{registry.CHAMPION}"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [*command, "--env-manager", "local", "--port", str(port)],
            cwd=folder,
            env={**os.environ, **SETTINGS, "PATH": f"{python}{os.pathsep}{os.environ['PATH']}"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, process, folder / "server.log")
        yield address, psutil.Process(process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + STARTING
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{address}/ping"):  # noqa: S310  # this machine's
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise RuntimeError(f"the server is not up: {log.read_text()[-1500:]}")


def client(address: str, asked: Sequence[Question], end: float) -> list[Answer]:
    """Ask one question after another, from the first on again, until it is time to end; return the answers."""
    answers = []
    for question in cycle(asked):
        answers.append(ask(address, question))
        if time.monotonic() > end:
            break
    return answers


def load(address: str, asked: Sequence[Question], clients: int, seconds: float) -> list[Answer]:
    """Let clients ask side by side for so long; return all answers."""
    end = time.monotonic() + seconds
    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(client, address, mixed(asked, number), end) for number in range(clients)]
        return [answer for done in running for answer in done.result()]


def told(answers: pd.DataFrame, seconds: float) -> pd.DataFrame:
    """Return how many answers there were of each kind, how many were wrong or lost, and how long they took."""
    groups = {"rows asked for": answers[answers["right"]], "to be refused": answers[~answers["right"]], "all": answers}
    lines = {}
    for name, rows in groups.items():
        lost = rows["problem"].str.startswith("lost").sum()
        lines[name] = {
            "requests": len(rows),
            "wrong answers": (rows["problem"] != "").sum() - lost,
            "lost": lost,
            "a second": len(rows) / seconds,
            "median (s)": rows["seconds"].median(),
            "99th percentile (s)": rows["seconds"].quantile(0.99),
            "longest (s)": rows["seconds"].max(),
        }
    # Counts stay whole numbers beside seconds.
    return pd.DataFrame.from_dict(lines, orient="index").astype({"requests": int, "wrong answers": int, "lost": int})


def main() -> None:
    """Serve, ask, compare, and print what was found."""
    arguments = parser(__doc__)
    arguments.add_argument("--minutes", type=float, default=1.0, help="how long")
    arguments.add_argument("--clients", type=positive, default=8, help="how many ask side by side")
    arguments.add_argument("--seeds", type=positive, default=20, help="of the tables that are asked for")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as place:
        wanted = questions(registered(Path(place)), asked.seeds)
        with served(Path(place)) as (address, process):
            memory, stop = Memory(process), threading.Event()
            watching = threading.Thread(target=memory.watch, args=[stop])
            watching.start()
            begin = time.monotonic()
            answers = load(address, wanted, asked.clients, 60 * asked.minutes)
            seconds = time.monotonic() - begin
            stop.set()
            watching.join()
    found = pd.DataFrame(answers)
    save(found, asked.out)
    print(f"{seconds:.0f} seconds, {asked.clients} clients, {len(wanted)} different requests; {machine()}\n")
    print(markdown(told(found, seconds)))
    print("\n| memory of the server | MB |\n|---|---|")
    for name, size in memory.figures().items():
        print(f"| {name} | {size:.1f} |")
    for problem, count in found.loc[found["problem"] != "", "problem"].value_counts().items():
        print(f"- {count} times: {problem}")


if __name__ == "__main__":
    main()

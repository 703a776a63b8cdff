"""The same seed gives the same bytes, whatever the process: its hash seed, its threads, what it did before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import hashlib, sys
import numpy as np
from agentsynth import AgentSynth
from agentsynth.data.shop import simulate_shop

np.random.seed(int(sys.argv[1]))
np.random.normal(size=int(sys.argv[1]))
config = {"environment": {"rows": 80, "steps": 16, "pairs": 10}, "agent": {"episodes": 4, "goals": 2}}
synth = AgentSynth(config, seed=5).fit(simulate_shop(500, seed=5))
synth.save(sys.argv[2])
print(hashlib.sha256(open(sys.argv[2], "rb").read()).hexdigest())
scenarios = [None, {"where": "category in [Books, Toys]", "targets": {"price": {"mean": "+10%"}}}]
for policy in ("q_learning", "raking"):
    for scenario in scenarios:
        table = synth.generate(100, scenario, seed=6, policy=policy)
        print(hashlib.sha256(table.to_csv().encode()).hexdigest())
"""


def digests(folder: Path, hash_seed: int, threads: int) -> list[str]:
    """Return the digests of a model and of tables made by a process of its own."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed), **dict.fromkeys(names, str(threads))}
    command = [sys.executable, "-c", SCRIPT, str(hash_seed), str(folder / f"{hash_seed}.zip")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.slow
def test_two_processes_make_the_same_bytes(tmp_path: Path) -> None:
    first, second = digests(tmp_path, 1, 1), digests(tmp_path, 2, 4)
    assert len(first) == 5
    assert first == second

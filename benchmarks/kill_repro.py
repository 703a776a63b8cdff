"""The whole pipeline as kills.py kills it, `dvc repro`: a project of its own, and what must be true of it afterwards.

The project has no git, and has the package's code, as the stages depend on it. What a run that was left alone writes
into `dvc.lock`, digests of all that the stages made, is what one that was killed has to end with; and DVC has to take
all of it for up to date.
"""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = ("dvc.yaml", ".dvcignore")
FOLDERS = ("src/agentsynth", "data/raw")
LOCK, UNTOUCHED = "dvc.lock", "untouched.lock"
"""What DVC knows of the results, and the same of a run that was left alone."""
MADE = (LOCK, "data", "figures", "mlruns", "mlflow.db", ".dvc/cache")
"""All that the pipeline writes: results, runs, and DVC's copies, from which it would take the results."""


def make_project(folder: Path) -> None:
    """Make a project of DVC in a folder that has its parameters; the pipeline does not run yet."""
    from dvc.repo import Repo

    Repo.init(str(folder), no_scm=True, force=True).close()
    for name in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored, dirs_exist_ok=True)
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)


def keep_untouched(folder: Path) -> None:
    """Keep what a run that was left alone wrote into `dvc.lock`, to be compared with, and clear the project."""
    shutil.copy(folder / LOCK, folder / UNTOUCHED)
    clear(folder)


def clear(folder: Path) -> None:
    """Take away all that the pipeline made, so that it has all of its work to do."""
    for name in MADE:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    (folder / "data" / "raw").mkdir(parents=True)


def is_whole(folder: Path) -> bool:
    """Whether everything is up to date for DVC, and has the digests of a run that was left alone."""
    from dvc.repo import Repo

    with Repo(str(folder)) as repo:
        up_to_date = not repo.status()
    return up_to_date and (folder / LOCK).read_bytes() == (folder / UNTOUCHED).read_bytes()

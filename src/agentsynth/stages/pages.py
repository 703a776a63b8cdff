"""Where a result comes from, for its page; and the page of the pipeline's result."""

from __future__ import annotations

import platform
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from agentsynth.files import digest
from agentsynth.pages import Commit, Judged, Origin, Source, Subject, write_page
from agentsynth.params import Params
from agentsynth.stages import paths
from agentsynth.stages.generate import read_report
from agentsynth.synth import AgentSynth

if TYPE_CHECKING:
    from agentsynth.stages.evaluate import Evaluation

DETERMINING = ("src", "params.yaml", "dvc.yaml", "data/raw")
"""What the pipeline's result depends on. A commit that changes none of it does not count: once the result is
committed, it would name another commit each time that it is made again."""
PACKAGES = ("agentsynth", "numpy", "pandas", "scikit-learn", "scipy", "matplotlib")
_PIPELINE_PARAMS = {"tune"}  # left out: they do not change the result


def pipeline_page(
    evaluation: Evaluation, synth: AgentSynth, synthetic: pd.DataFrame, params: Params, judged_by: str
) -> None:
    """Write the page of the pipeline's result.

    Args:
        evaluation: what stage evaluate found.
        synth: the model.
        synthetic: the table that was judged.
        params: all parameters.
        judged_by: which rows it was judged by, as a sentence.
    """
    commit = last_commit(DETERMINING)
    sources = {"training rows": paths.TRAIN, "unseen rows": paths.TEST, "model": paths.MODEL}
    origin = Origin(
        command=f"git checkout {commit.name}\ndvc repro" if commit else "dvc repro",
        seeds={"all": params.seed},
        parameters=params.model_dump(mode="json", exclude=_PIPELINE_PARAMS),
        versions=versions(),
        sources=sources_of({**sources, "synthetic rows": paths.SYNTHETIC}),
        commit=commit,
    )
    chosen = params.generate.scenario
    subject = Subject(
        synth=synth,
        table=Path(params.data.table).stem if params.data.table else "shop",
        synthetic=synthetic,
        origin=origin,
        scenario=synth.scenario(chosen) if chosen else None,
        steered=read_report(),
        judged=Judged(evaluation.unseen, evaluation.report, judged_by),
        policies=evaluation.policies,
    )
    write_page(subject, paths.REPORT_PAGE)


def versions() -> dict[str, str]:
    """Return the versions of Python and of what decides results."""
    return {"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def sources_of(files: Mapping[str, Path]) -> list[Source]:
    """Return files with their digests."""
    return [Source(role, path.as_posix(), digest(path)) for role, path in files.items()]


def last_commit(places: Sequence[str] = (), folder: Path = Path()) -> Commit | None:
    """Return the last commit of the git repository of `folder` that changed one of `places` (none given: the last one).

    None: there is no repository, no commit, or no git.
    """
    name = _git(folder, "log", "-1", "--format=%H", "--", *places)
    if not name:
        return None
    changed = _git(folder, "status", "--porcelain", "--no-renames", "--untracked-files=no", "--", *places) or ""
    return Commit(name.strip(), tuple(sorted(line[3:].strip('"') for line in changed.splitlines())))


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what a git command prints; None: it cannot run here."""
    try:
        done = subprocess.run(  # noqa: S603  # arguments of our own
            ["git", "-C", str(folder), "-c", "core.quotePath=false", *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def typed_command(arguments: Sequence[str]) -> str:
    """Return a command as it is typed in a shell.

    >>> typed_command(["/usr/bin/agentsynth", "report", "my model"])
    "agentsynth report 'my model'"
    """
    first, *others = arguments
    return shlex.join([Path(first).name, *others])

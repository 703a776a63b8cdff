"""Writing a long table: what is there already is kept, and the rest is made, here or on workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agentsynth.config import Config
from agentsynth.errors import InputError, MissingPackageError
from agentsynth.model import Model
from agentsynth.progress import Progress, silent
from agentsynth.request import Request
from agentsynth.scenarios.report import Reached
from agentsynth.storage import fingerprint, model_bytes
from agentsynth.streaming.folders import Folder, folder_at
from agentsynth.streaming.manifest import Manifest, claimed, deciding_versions, write_manifest
from agentsynth.streaming.parts import Footer, Job, footer_of
from agentsynth.task import prepare_task

Footers = Mapping[int, Footer]
"""Number of a part -> what it says of itself."""
Run = Callable[[Job, Sequence[int], Callable[[int], None]], Footers]
"""Makes the parts of a job that are numbered (there may be none), and calls back with rows done."""


@dataclass(frozen=True)
class Goal:
    """How a table in parts stands to one target of its scenario.

    Attributes:
        whole: over all rows. Of shares, means and totals exactly; of other numbers (medians, ...) the mean over parts,
            which differs from it by less than parts do from each other.
        lowest, highest: over single parts.
    """

    whole: Reached
    lowest: float
    highest: float


@dataclass(frozen=True)
class Written:
    """A table in a folder.

    Attributes:
        url: of the folder.
        rows: in all parts.
        entities: in all parts; None: rows are no entities'.
        parts: how many there are.
        kept: how many of them were there before.
        goals: one for each target of the scenario.
    """

    url: str
    rows: int
    parts: int
    kept: int
    goals: tuple[Goal, ...] = ()
    entities: int | None = None


def here(job: Job, numbers: Sequence[int], advance: Callable[[int], None]) -> Footers:
    """Make parts one after another, in this process."""
    if not numbers:
        return {}
    writer = job.writer()
    return {number: writer.write(number, advance) for number in numbers}


def runner(workers: int | None = None, dask: str | None = None) -> Run:
    """Return what makes parts: this process, so many processes, or the workers of a Dask scheduler.

    Raises:
        InputError: workers of both kinds are asked for, or none at all.
        MissingPackageError: Dask is not installed.
    """
    if workers is None and dask is None:
        return here
    if workers is not None and dask is not None:
        raise InputError("workers are either started here, or those of the scheduler: not both. Leave out one of them.")
    if workers is not None and workers < 1:
        raise InputError(f"workers are one or more; found {workers}.")
    try:
        from agentsynth.streaming.cluster import on_workers
    except ImportError as error:
        if error.name not in ("dask", "distributed"):
            raise
        raise MissingPackageError(
            "workers need Dask, which is not installed: pip install 'agentsynth[dask]'."
        ) from error
    return on_workers(workers, dask)


def write_table_in_parts(
    model: Model,
    config: Config,
    request: Request,
    seed: int,
    out: str,
    run: Run = here,
    progress: Progress = silent,
) -> Written:
    """Write a table as a folder of Parquet files, one for each partition; those that are there already are kept.

    Args:
        model: the fitted model.
        config: its parameters.
        request: what is wanted; functions of the user's own are not possible.
        seed: as the user gave it, for the manifest.
        out: folder or fsspec URL.
        run: makes the parts that are missing.
        progress: makes a progress bar.

    Raises:
        InputError: the folder cannot be written, or holds something else.
        ScenarioError: the scenario does not fit the table.
    """
    folder, scenario = folder_at(out), request.asked.scenario
    manifest = Manifest(
        model=fingerprint(model, config, 0),
        rows=request.rows,
        unit=request.unit,
        seed=seed,
        policy=request.policy,
        fine_tune=request.asked.fine_tune,
        scenario=None if scenario is None else scenario.model_dump(mode="json", exclude_defaults=True),
        partitions=len(request.partitions),
        partition_rows=request.partition_rows,
        versions=deciding_versions(),
    )
    before = claimed(folder, manifest)
    if before is None:
        manifest = manifest.model_copy(update={"now": _now(model, config, request)})
        write_manifest(folder, manifest)
    else:
        manifest = before
    kept = _finished(folder, manifest)
    missing = [number for number in range(manifest.partitions) if number not in kept]
    with progress(request.unit, request.rows) as advance:
        advance(sum(request.partitions[number].rows for number in kept))
        job = Job(model_bytes(model, config, 0), request, manifest, folder.url)
        # Also where none is missing: it may have to tidy up after a run that was killed when all parts were there.
        done = {**kept, **run(job, missing, advance)}
    folder.tidy()
    parts = [done[number] for number in sorted(done)]
    rows, entities = sum(part.rows for part in parts), [part.entities for part in parts if part.entities is not None]
    goals = _goals(parts)
    return Written(folder.url, rows, len(parts), len(kept), goals, sum(entities) if request.sizes else None)


def _now(model: Model, config: Config, request: Request) -> dict[str, float]:
    """Return what changes such as `+20%` start from: the numbers of the first piece's pool."""
    if request.asked.scenario is None:
        return {}
    first = next(request.pieces(request.partitions[0]))
    return dict(prepare_task(model.generator, config, first.rows, request.asked, first.seed).now)


def _finished(folder: Folder, manifest: Manifest) -> dict[int, Footer]:
    """Return the footers of the parts that are there."""
    there = set(folder.names())
    numbers = [number for number in range(manifest.partitions) if manifest.part(number) in there]
    footers = {number: footer_of(folder, manifest, number) for number in numbers}
    return {number: footer for number, footer in footers.items() if footer is not None}


def _goals(parts: Sequence[Footer]) -> tuple[Goal, ...]:
    goals = []
    every = np.array([part.weights for part in parts], dtype=np.float64).T
    for targets, weights in zip(zip(*(part.targets for part in parts), strict=True), every, strict=True):
        found = np.array([target.reached for target in targets])
        known = ~np.isnan(found)
        mean = float(np.average(found[known], weights=weights[known])) if known.any() else float("nan")
        low, high = (float(end.reduce(found)) for end in (np.fmin, np.fmax))
        goals.append(Goal(replace(targets[0], reached=mean, reason=""), low, high))
    return tuple(goals)

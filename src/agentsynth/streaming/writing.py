"""Writing a long table: what is there already is kept, and the rest is made, here or on workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from agentsynth.config import Config
from agentsynth.errors import InputError, MissingPackageError
from agentsynth.model import Model
from agentsynth.progress import Progress, silent
from agentsynth.request import Request
from agentsynth.storage import fingerprint, model_bytes
from agentsynth.streaming.folders import Folder, folder_at
from agentsynth.streaming.manifest import Manifest, claimed, deciding_versions, write_manifest
from agentsynth.streaming.parts import Footer, Job, footer_of
from agentsynth.streaming.written import Written
from agentsynth.task import prepare_task

Footers = Mapping[int, Footer]
"""Number of a part -> what it says of itself."""
Run = Callable[[Job, Sequence[int], Callable[[int], None]], Footers]
"""Makes the parts of a job that are numbered (there may be none), and calls back with rows done."""


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
    *,
    strict: bool = False,
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
        strict: a goal that falls short is an error: in the first part, before others are made, or over the whole table.

    Raises:
        InputError: the folder cannot be written, or holds something else.
        ScenarioError: the scenario does not fit the table; or, where `strict`, a goal fell short.
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
    with progress(request.unit, request.rows) as advance:
        advance(sum(request.partitions[number].rows for number in kept))
        job = Job(model_bytes(model, config, 0), request, manifest, folder.url)
        done = dict(kept)
        if strict:
            done |= here(job, [] if 0 in done else [0], advance)
            Written.of(folder.url, [done[0]], 1).checked()
        missing = [number for number in range(manifest.partitions) if number not in done]
        # Also where none is missing: it may have to tidy up after a run that was killed when all parts were there.
        done |= run(job, missing, advance)
    folder.tidy()
    written = Written.of(folder.url, [done[number] for number in sorted(done)], len(kept))
    return written.checked() if strict else written


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

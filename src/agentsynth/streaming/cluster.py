"""Parts made by Dask workers: processes of this machine, or of a cluster that a scheduler's address tells.

The model travels to each worker once, as the bytes of its file; a task is a part's number. Dask itself serialises what
goes between its own processes with pickle: a scheduler is to be reached by those only who may run code on it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from pathlib import Path

import dask
from distributed import Client, KilledWorker, LocalCluster, Worker, WorkerPlugin, as_completed, get_worker
from distributed.comm.core import CommClosedError

from agentsynth.abandoned import sweep, temporary
from agentsynth.errors import AgentSynthError, InputError
from agentsynth.streaming.parts import Footer, Job
from agentsynth.streaming.writing import Footers, Run

AHEAD = 3
"""Parts handed out for each thread of the workers, the one that it is making counted."""
PATIENCE = 60
"""Seconds to wait for a scheduler, and for its first worker."""
REGISTRATIONS = 5
"""Times that workers are handed the model, where each time one of them dies at it."""
LOOPBACK = "127.0.0.1"
SCRATCH = "agentsynth-workers-"
"""In the names of the temporary folders in which workers have theirs, so that those of killed ones are known."""


def on_workers(workers: int | None = None, address: str | None = None) -> Run:
    """Return what makes parts on workers.

    Args:
        workers: processes to start on this machine; they listen on the loopback interface, and end with the work.
        address: of the scheduler of a cluster that is there already; instead of `workers`.
    """

    def run(job: Job, numbers: Sequence[int], advance: Callable[[int], None]) -> Footers:
        if address is None:
            sweep(Path(tempfile.gettempdir()), SCRATCH)
        if not numbers:
            return {}
        with _local(min(workers or 1, len(numbers))) if address is None else _at(address) as client:
            return _make_parts(client, job, numbers, advance)

    return run


class _Parts(WorkerPlugin):
    """What Dask sends to each worker once, also to those that come later: the job, which is opened there."""

    def __init__(self, job: Job) -> None:
        self.name = f"agentsynth-{job.manifest.digest}"
        self.job = job

    def setup(self, worker: Worker) -> None:  # noqa: ARG002  # the interface hands it over
        """Load the model."""
        self.writer = self.job.writer()


@contextmanager
def _local(workers: int) -> Iterator[Client]:
    """Start processes of one thread each; a worker that dies is started again."""
    with (
        # Dask's own folder, which is shared, is tidied by chance.
        temporary(lambda: Path(tempfile.mkdtemp(prefix=SCRATCH))) as scratch,
        # Its profiler looks at every worker a hundred times a second.
        dask.config.set({"distributed.worker.profile.enabled": False, "temporary-directory": str(scratch)}),
        _started(workers) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _started(workers: int) -> LocalCluster:
    try:
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host=LOOPBACK,
            # With None, its HTTP server would take port 8787, or complain that somebody has it.
            dashboard_address=f"{LOOPBACK}:0",
            worker_dashboard_address=None,
        )
    except RuntimeError as error:
        raise AgentSynthError(
            f"{workers} workers could not be started ({error}): they may lack memory, or one was killed. Ask for fewer."
        ) from error


@contextmanager
def _at(address: str) -> Iterator[Client]:
    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise InputError(f"there is no Dask scheduler at {address}: {error}.") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise InputError(f"the scheduler at {address} has no workers: start some with `dask worker`.") from error
        yield client


def _make_parts(client: Client, job: Job, numbers: Sequence[int], advance: Callable[[int], None]) -> Footers:
    """Hand out parts, a few at a time for each worker: the scheduler's load does not grow with the table."""
    plugin = _Parts(job)
    done: dict[int, Footer] = {}
    waiting = iter(numbers)
    running = as_completed(with_results=True)
    try:
        _register(client, plugin)
        _hand_out(client, plugin.name, waiting, running)
        for future, (number, footer) in running:
            future.release()
            done[number] = footer
            advance(job.request.partitions[number].rows)
            _hand_out(client, plugin.name, waiting, running)
        # All parts are there: whether a worker that dies now has heard of it does not matter.
        with suppress(CommClosedError):
            client.unregister_worker_plugin(plugin.name)
    except KilledWorker as error:
        raise AgentSynthError(
            f"workers died again and again at the same part ({error}): they may lack memory. Parts that are finished "
            "are kept, and the same command goes on."
        ) from error
    except (CancelledError, CommClosedError) as error:
        raise AgentSynthError(
            f"the scheduler was lost ({error}). Parts that are finished are kept, and the same command goes on."
        ) from error
    return done


def _register(client: Client, plugin: _Parts) -> None:
    """Hand the plugin to all workers; once more where one of them died meanwhile, as others may not have got it."""
    for _ in range(REGISTRATIONS - 1):
        try:
            client.register_plugin(plugin)
        except CommClosedError:
            continue
        return
    client.register_plugin(plugin)


def _hand_out(client: Client, name: str, waiting: Iterator[int], running: as_completed) -> None:
    """Fill up the parts that are handed out, as many as the workers that are there now can do with."""
    room = AHEAD * max(1, sum(client.nthreads().values())) - running.count()
    for _, number in zip(range(room), waiting, strict=False):
        running.add(client.submit(_make_part, name, number, pure=False))


def _make_part(name: str, number: int) -> tuple[int, Footer]:
    """Make a part in a worker; return its number, and what it says of itself."""
    plugin = get_worker().plugins[name]
    assert isinstance(plugin, _Parts)  # noqa: S101  # for the type checker
    return number, plugin.writer.write(number)

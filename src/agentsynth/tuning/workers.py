"""The processes that run trials: who they are, whether they live, and how several are started and watched."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from agentsynth.errors import AgentSynthError, InputError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

POLL = 0.5
"""Seconds between two looks at the workers."""


class Job(Protocol):
    """What a worker does; it is sent to the worker's process."""

    def __call__(self) -> None:
        """Run trials until there is nothing left to do."""
        ...


def run_in_processes(job: Job, count: int, watch: Callable[[], None]) -> list[int]:
    """Run `job` in so many processes at once, calling `watch` all the while; return the codes of those killed.

    A worker that dies of a signal leaves the others at work. When this process is interrupted, so are they.

    Raises:
        AgentSynthError: a worker raised it.
        RuntimeError: a worker failed otherwise.
    """
    context = multiprocessing.get_context("spawn")
    ends = [context.Pipe(duplex=False) for _ in range(count)]
    processes = [context.Process(target=_work, args=(job, told), daemon=True) for _, told in ends]
    try:
        for process in processes:
            process.start()
        while any(process.is_alive() for process in processes):
            watch()
            time.sleep(POLL)
    finally:
        for process in processes:
            if process.is_alive():
                process.terminate()
            if process.pid is not None:
                process.join()
    for (said, _), process in zip(ends, processes, strict=True):
        if process.exitcode and said.poll():
            kind, message = said.recv()
            raise (InputError if kind == "input" else AgentSynthError)(message)
    codes = [process.exitcode for process in processes if process.exitcode]
    if any(code > 0 for code in codes):
        raise RuntimeError(f"a worker failed: its traceback stands above (codes {codes})")
    return codes


def _work(job: Job, told: Connection) -> None:
    """Do the job; tell the parent of an error that was raised on purpose."""
    try:
        job()
    except AgentSynthError as error:
        told.send(("input" if isinstance(error, InputError) else "fault", str(error)))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def orphaned() -> bool:
    """Return whether this is a worker whose parent is gone."""
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()

"""Which process did something, and whether it still lives: what a killed one left open can be ended by others."""

from __future__ import annotations

import os
import platform
import time

CLOCK = 60.0
"""Seconds by which the time when a process began may seem to move."""
SILENCE = 3600.0
"""Seconds without a sign of life after which a worker on another machine is taken for dead."""


def myself() -> str:
    """Return what tells this process from all others: machine, process id, and when it began."""
    import psutil

    return f"{platform.node()}/{os.getpid()}/{psutil.Process().create_time():.2f}"


def is_alive(worker: str, seen: float) -> bool:
    """Return whether a process lives; on another machine, whether it gave a sign of life in the last hour.

    Args:
        worker: what `myself` returned there.
        seen: when it gave the last sign of life, in seconds since 1970.
    """
    import psutil

    machine, pid, began = worker.rsplit("/", 2)
    if machine != platform.node():
        return time.time() - seen < SILENCE
    try:
        process = psutil.Process(int(pid))
        # The system reckons from when it was booted, by a clock that may have been set since.
        same = abs(float(process.create_time()) - float(began)) < CLOCK
        return same and bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False

"""With a real local cluster: processes of this machine, as `--workers` starts them."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from agentsynth.errors import AgentSynthError, InputError
from agentsynth.streaming.parts import Job
from agentsynth.streaming.writing import Footers, runner
from agentsynth.streaming.written import Written

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow
Write = Callable[..., Written]

ONE_WORKER = {
    "n_workers": 1,
    "processes": False,
    "protocol": "tcp",
    "host": "127.0.0.1",
    "dashboard_address": "127.0.0.1:0",
}
"""A cluster in this process."""


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def workers() -> list[psutil.Process]:
    """Return the worker processes of this one's cluster."""
    children = psutil.Process().children()
    return [child for child in children if any("spawn_main" in argument for argument in child.cmdline())]


def test_two_workers_write_what_one_process_writes_though_one_is_killed(
    folder: Path, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agentsynth.streaming.cluster import SCRATCH

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    left_by_another = tmp_path / "tmp" / f"{SCRATCH}x" / "dask-scratch-space"
    left_by_another.mkdir(parents=True)
    killed: list[int] = []

    def killing(job: Job, numbers: Sequence[int], advance: Callable[[int], None]) -> Footers:
        def and_kill(rows: int) -> None:
            advance(rows)
            if not killed:
                # A part is finished, and the workers are at the next ones.
                both = workers()
                assert len(both) == 2
                (scratch,) = (tmp_path / "tmp").glob(f"{SCRATCH}*")
                assert len(list(scratch.glob("dask-scratch-space/worker-*.dirlock"))) == 2
                assert all(
                    address.laddr.ip == "127.0.0.1"
                    for worker in both
                    for address in worker.net_connections("tcp")
                    if address.status == psutil.CONN_LISTEN
                )
                os.kill(both[0].pid, signal.SIGKILL)
                killed.append(both[0].pid)

        return runner(workers=2)(job, numbers, and_kill)

    written = write(tmp_path / "table", killing)
    assert killed
    assert (written.rows, written.parts, written.kept) == (300, 6, 0)
    assert contents(tmp_path / "table") == contents(folder)
    assert workers() == []
    assert list((tmp_path / "tmp").iterdir()) == []
    # A run that was killed when all parts were there.
    left_by_another.mkdir(parents=True)
    assert write(tmp_path / "table", runner(workers=2)).kept == 6
    assert list((tmp_path / "tmp").iterdir()) == []


def test_an_address_without_a_scheduler_is_refused(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agentsynth.streaming import cluster

    monkeypatch.setattr(cluster, "PATIENCE", 1)
    with pytest.raises(InputError, match=r"there is no Dask scheduler at tcp://127\.0\.0\.1:1"):
        write(tmp_path, runner(dask="tcp://127.0.0.1:1"))


def test_a_worker_that_dies_when_it_is_handed_the_model_or_told_to_forget_it_does_not_stop_the_others(
    folder: Path, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import Client, LocalCluster
    from distributed.comm.core import CommClosedError

    calls: list[str] = []
    register: Any = Client.register_plugin
    unregister: Any = Client.unregister_worker_plugin

    def registering(client: Client, plugin: Any) -> Any:
        found = register(client, plugin)
        calls.append("register")
        if len(calls) == 1:
            raise CommClosedError
        return found

    def unregistering(client: Client, name: str) -> None:
        unregister(client, name)
        calls.append("unregister")
        raise CommClosedError

    monkeypatch.setattr(Client, "register_plugin", registering)
    monkeypatch.setattr(Client, "unregister_worker_plugin", unregistering)
    with LocalCluster(**ONE_WORKER) as there:
        write(tmp_path / "table", runner(dask=there.scheduler_address))
    assert calls == ["register", "register", "unregister"]
    assert contents(tmp_path / "table") == contents(folder)


def test_workers_that_cannot_be_started_are_told(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from agentsynth.streaming import cluster

    def failing(**_: object) -> None:
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr(cluster, "LocalCluster", failing)
    with pytest.raises(AgentSynthError, match=r"2 workers could not be started \(Nanny failed to start\.\)"):
        write(tmp_path / "table", runner(workers=2))


def test_workers_of_other_versions_are_refused(write: Write, tmp_path: Path) -> None:
    from distributed import LocalCluster

    def elsewhere(job: Job, numbers: Sequence[int], advance: Callable[[int], None]) -> Footers:
        other = job.manifest.model_copy(update={"versions": {**job.manifest.versions, "numpy": "1.0"}})
        return runner(dask=there.scheduler_address)(replace(job, manifest=other), numbers, advance)

    with (
        LocalCluster(**ONE_WORKER) as there,
        pytest.raises(InputError, match=r"a worker has numpy .*, not 1\.0: install the same versions everywhere"),
    ):
        write(tmp_path, elsewhere)


def test_the_workers_of_a_scheduler_that_is_there_are_used(folder: Path, write: Write, tmp_path: Path) -> None:
    """Of threads: what `--dask` does beside, the other test shows with processes."""
    from distributed import LocalCluster

    with LocalCluster(**ONE_WORKER) as there:
        write(tmp_path / "table", runner(dask=there.scheduler_address))
    assert contents(tmp_path / "table") == contents(folder)

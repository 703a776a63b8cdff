"""One MLflow run a pipeline: each stage finds it by the keys of the stages before it, and adds its own record."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from agentsynth.processes import is_alive, myself
from agentsynth.tracking.packing import versions
from agentsynth.tracking.runs import Run
from agentsynth.tracking.store import Store, connect

PROCESS = "process"
"""Tag that says which process writes into a run."""
_EXPERIMENT = "dvc_experiment"


@dataclass(frozen=True)
class StageRecord:
    """What one stage has to say in the pipeline's run."""

    stage: str
    key: str
    """Digest of all that determines the stage's result, the stages before it left out."""
    write: Callable[[Run], None]


@contextmanager
def recorded(records: Sequence[StageRecord]) -> Iterator[Run]:
    """Open the pipeline's run, write the last of `records` into it, and yield it; it ends with the block.

    The pipeline's run is the newest whose tags bear the keys of all earlier stages, and for this stage the same key or
    none; in a DVC experiment, of those that it began itself, as others that run beside it may have the same policy. A
    first stage begins a run of its own. Where there is no such run (the store was deleted, the earlier stages came from
    DVC's cache, or the run already holds this stage with other parameters), a new one is begun and the earlier records
    are written again, so that each run is whole.
    """
    store = connect()
    end_abandoned(store)
    import mlflow  # not before `connect` has set what it reads on import

    *earlier, current = records
    run_id = _find(store, earlier, current) if earlier else None
    missing = [current] if run_id else records
    run_id = run_id or begin(store, {})
    with mlflow.start_run(run_id=run_id):
        run = Run(store.client, run_id)
        run.tag({PROCESS: myself()})
        for record in missing:
            record.write(run)
            run.tag({_tag(record): record.key, "dvc_stage": record.stage})
        yield run


def _find(store: Store, earlier: Sequence[StageRecord], current: StageRecord) -> str | None:
    """Return the id of the newest run that the earlier stages wrote and this stage may add to."""
    query = " and ".join(f"tags.{_tag(record)} = '{record.key}'" for record in earlier)
    runs = store.client.search_runs([store.experiment_id], query, order_by=["attributes.start_time DESC"])
    experiment = os.environ.get("DVC_EXP_NAME")
    for run in runs:
        tags = run.data.tags
        if tags.get(_tag(current), current.key) == current.key and tags.get(_EXPERIMENT) == experiment:
            return str(run.info.run_id)
    return None


def begin(store: Store, tags: Mapping[str, object]) -> str:
    """Begin a run that knows where it comes from (commit, DVC experiment, library versions), but no path here."""
    known = {**tags, **origin(), PROCESS: myself()}
    run = store.client.create_run(store.experiment_id, tags={key: str(value) for key, value in known.items() if value})
    return str(run.info.run_id)


def end_abandoned(store: Store) -> None:
    """End the runs that processes of this machine which were killed have left running."""
    for run in store.client.search_runs([store.experiment_id], "attributes.status = 'RUNNING'"):
        process = run.data.tags.get(PROCESS)
        if process is not None and not is_alive(process, time.time()):
            store.client.set_terminated(run.info.run_id, "KILLED")


def origin() -> dict[str, str | None]:
    """Return the tags that say where a run comes from: git commit, DVC experiment, versions of the libraries."""
    libraries = {"python": platform.python_version(), "agentsynth": version("agentsynth"), **versions()}
    from mlflow.utils.git_utils import get_git_commit

    return {
        "mlflow.source.name": "agentsynth",
        "mlflow.source.git.commit": get_git_commit(str(Path.cwd())),
        _EXPERIMENT: os.environ.get("DVC_EXP_NAME"),
        "versions": ", ".join(f"{name} {number}" for name, number in libraries.items()),
    }


def _tag(record: StageRecord) -> str:
    return f"{record.stage}_key"

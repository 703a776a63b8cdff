"""The MLflow store: everything under `mlruns/`, found by a plain `mlflow ui`, and movable with the project's folder."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "agentsynth"
STORE = Path("mlruns")
ARTIFACTS = STORE / "artifacts"
DATABASE = STORE / "mlflow.db"
LINK = Path("mlflow.db")

_QUIET = {
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Else a uv.lock in the folder, with the hosts it names, is copied into every model.
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_LOG_UV_FILES": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


_SHOWN = {"mlflow.experimentKind": "custom_model_development"}
"""Else `mlflow ui` takes the runs for evaluations of a language model."""


class Store(NamedTuple):
    """A client of the MLflow store, and the experiment that AgentSynth's runs belong to."""

    client: MlflowClient
    experiment_id: str


def connect() -> Store:
    """Point MLflow at the project's store, making it if need be.

    `MLFLOW_TRACKING_URI`, where set, is obeyed: a server, or any other store, is used as it is. Otherwise the store is
    an SQLite file in `mlruns/` of the project: the working directory, or, in a temporary workspace of `dvc exp run`,
    the repository it belongs to. The experiment is "agentsynth", or the one that `MLFLOW_EXPERIMENT_NAME` names.
    These are settings of the process, as everywhere in MLflow.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import mlflow

    logging.getLogger("alembic").setLevel(logging.WARNING)
    local, root = is_local(), project_root()
    if local:
        _make_folders(root)
        mlflow.set_tracking_uri(f"sqlite:///{root / DATABASE}")
        # MLflow writes its setting there; left alone it would pass for the user's.
        os.environ.pop("MLFLOW_TRACKING_URI", None)
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
    with alone("store") if local else nullcontext():
        if local and not (root / DATABASE).exists():
            _make_database(root)
        client = mlflow.MlflowClient()
        if client.get_experiment_by_name(name) is None:
            _create_experiment(client, name, root if local else None)
        return Store(client, str(mlflow.set_experiment(name).experiment_id))


def is_local() -> bool:
    """Return whether the store is the project's own: the user named no other."""
    return "MLFLOW_TRACKING_URI" not in os.environ


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Keep other processes of the project out of the block, of those of the same name.

    Two that make a fresh database at once would spoil it, and MLflow looks whether a thing is there before it makes it.
    """
    from filelock import FileLock

    folder = project_root() / STORE
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{what}.lock"):
        yield


def _make_database(root: Path) -> None:
    """Make the database beside its place and move it there: a process killed meanwhile leaves no half of one."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    making = root / DATABASE.with_suffix(".making")
    for left in making.parent.glob(f"{making.name}*"):  # also SQLite's journal
        left.unlink()
    store = SqlAlchemyStore(f"sqlite:///{making}", ARTIFACTS.as_posix())  # type: ignore[no-untyped-call]
    store.engine.dispose()
    making.replace(root / DATABASE)


def project_root() -> Path:
    """Return the project's folder: where this runs, or, in a temporary workspace of `dvc exp run`, whose it is."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd())


def _make_folders(root: Path) -> None:
    """Make `mlruns/`, the link to the database, and, in a temporary workspace, the link to the project's artifacts."""
    (root / ARTIFACTS).mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(root / LINK):
        _link(root / LINK, DATABASE)
    here = Path.cwd()
    if here.resolve() != root.resolve() and not (here / ARTIFACTS).exists():
        (here / STORE).mkdir(exist_ok=True)
        (here / ARTIFACTS).symlink_to(root / ARTIFACTS)


def _link(link: Path, target: Path) -> None:
    """Make the link by which a plain `mlflow ui` finds the database; say what to type where there are no links."""
    try:
        link.symlink_to(target)
    except OSError:
        command = f"mlflow ui --backend-store-uri sqlite:///{target.as_posix()}"
        logging.getLogger("agentsynth").warning("no symbolic links here: type `%s` to see the runs", command)


def _create_experiment(client: MlflowClient, name: str, root: Path | None) -> None:
    """Create the experiment; with a local store (`root` given), with relative artifact locations.

    MLflow makes any location absolute, so that a moved folder loses its artifacts (mlflow issue 3144); a relative one
    in the database is obeyed everywhere, and runs, models and versions inherit it. So it is written there.
    """
    from mlflow.exceptions import MlflowException

    try:
        identifier = client.create_experiment(name, ARTIFACTS.as_posix() if root else None, tags=_SHOWN)
    except MlflowException:
        if client.get_experiment_by_name(name) is None:
            raise
        return  # another process made it a moment ago
    if root is None:
        return
    connection = sqlite3.connect(root / DATABASE)
    with connection:
        connection.execute(
            "UPDATE experiments SET artifact_location = ? WHERE experiment_id IN (0, ?)",
            (ARTIFACTS.as_posix(), int(identifier)),
        )
    connection.close()

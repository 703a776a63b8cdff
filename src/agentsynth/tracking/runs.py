"""What AgentSynth writes into an MLflow run."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities import Metric

MOST_POINTS = 500
"""Points of a curve sent to MLflow; its server and page thin out longer ones anyway."""
# The most that a tracking server takes in one call.
_MOST_METRICS, _MOST_PARAMS, _LONGEST_NAME = 1000, 100, 250


class Run:
    """An open MLflow run, and what AgentSynth writes into one."""

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self.client = client
        self.id = run_id

    def name(self, name: str) -> None:
        """Rename the run."""
        self.client.update_run(self.id, name=name)

    def tag(self, tags: Mapping[str, object]) -> None:
        """Set tags; None is left out."""
        for key, value in tags.items():
            if value is not None:
                self.client.set_tag(self.id, key, value)

    def tags(self) -> dict[str, str]:
        """Return the run's tags."""
        return dict(self.client.get_run(self.id).data.tags)

    def params(self, params: Mapping[str, Any]) -> None:
        """Log parameters, flat: a nested mapping's names are joined by points; what is None or empty is left out."""
        from mlflow.entities import Param

        flat = [
            Param(metric_name(key), str(value)) for key, value in flatten(params).items() if value not in (None, [], ())
        ]
        for start in range(0, len(flat), _MOST_PARAMS):
            self.client.log_batch(self.id, params=flat[start : start + _MOST_PARAMS])

    def note(self, text: str) -> None:
        """Write the run's description, in Markdown."""
        self.tag({"mlflow.note.content": text})

    def metrics(self, metrics: Mapping[str, float], model_id: str | None = None) -> None:
        """Log single numbers, of the run and of a logged model where one is given; what is not finite is left out."""
        from mlflow.entities import Metric

        now = _now()
        finite = {key: float(value) for key, value in metrics.items() if np.isfinite(value)}
        self._send([Metric(metric_name(key), value, now, 0, model_id) for key, value in finite.items()])

    def curves(self, curves: Mapping[str, Sequence[float] | np.ndarray]) -> None:
        """Log series by episode, at most 500 evenly spaced points of each; what is not finite is left out."""
        from mlflow.entities import Metric

        now = _now()
        points = [
            Metric(metric_name(key), float(values[step]), now + step, step)
            for key, values in curves.items()
            for step in _steps(len(values))
            if np.isfinite(values[step])
        ]
        self._send(points)

    def files(self, paths: Iterable[Path], folder: str | None = None) -> None:
        """Store files with the run."""
        for path in paths:
            self.client.log_artifact(self.id, str(path), artifact_path=folder)

    def model(self, model_id: str) -> None:
        """Link the run with an MLflow model that another run logged, unless it is: MLflow takes no link twice."""
        from mlflow.entities import LoggedModelOutput

        outputs = self.client.get_run(self.id).outputs
        if outputs is not None and any(known.model_id == model_id for known in outputs.model_outputs):
            return
        self.client.log_outputs(self.id, [LoggedModelOutput(model_id, step=0)])

    def dataset(self, frame: pd.DataFrame, name: str, context: str) -> str:
        """Record a table's columns, size and digest (not its rows) as an MLflow dataset; return the digest."""
        import mlflow
        from mlflow.data.code_dataset_source import CodeDatasetSource
        from mlflow.data.pandas_dataset import from_pandas

        with warnings.catch_warnings():
            # MLflow's own: a hint on integer columns, and a keyword pandas 4 will want of it.
            warnings.filterwarnings("ignore", category=UserWarning, module="mlflow")
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            # A path as source would be taken for two kinds of source at once, with a warning.
            source = CodeDatasetSource(tags={"table": name})
            dataset = from_pandas(frame, source=source, name=name)
            mlflow.log_input(dataset, context=context)
        return str(dataset.digest)

    def _send(self, points: list[Metric]) -> None:
        for start in range(0, len(points), _MOST_METRICS):
            self.client.log_batch(self.id, metrics=points[start : start + _MOST_METRICS])


def _now() -> int:
    """Return the time in milliseconds, MLflow's unit."""
    return int(time.time() * 1000)


def _steps(length: int) -> list[int]:
    """Return at most `MOST_POINTS` evenly spaced positions in a series, first and last among them."""
    positions = np.linspace(0, length - 1, min(length, MOST_POINTS)).round().astype(int)
    return [int(position) for position in np.unique(positions)]


def metric_name(name: str) -> str:
    """Return `name` as MLflow takes it: other characters replaced, no parts that lead to other folders, not too long.

    >>> metric_name("similarity/price (EUR)"), metric_name("shape/../../net//gross")
    ('similarity/price _EUR_', 'shape/_/_/net/_/gross')
    """
    parts = re.sub(r"[^\w\-. /]", "_", name).split("/")
    return "/".join("_" if part in ("", ".", "..") else part for part in parts)[:_LONGEST_NAME]


def flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nested mapping as one of points-joined names; empty mappings are left out.

    >>> flatten({"seed": 0, "agent": {"noise": 0.1}})
    {'seed': 0, 'agent.noise': 0.1}
    """
    flat: dict[str, Any] = {}
    for key, item in value.items():
        flat |= flatten(item, f"{prefix}{key}.") if isinstance(item, Mapping) else {f"{prefix}{key}": item}
    return flat

"""What a registered model is made of: code, saved synthesiser, signature, environment; no pickle, no training rows."""

from __future__ import annotations

import platform
import shutil
import tempfile
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

_REQUIREMENTS = (
    "gymnasium",
    "mlflow",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "pyyaml",
    "scikit-learn",
    "scipy",
    "tqdm",
)


def log_model(folder: Path) -> str:
    """Log a saved synthesiser as an MLflow model of the open run and return the model's id.

    The package's code goes with it, so that it loads where AgentSynth is not installed.
    """
    import mlflow
    import pandas as pd

    package = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory() as temporary:
        # MLflow writes this file's absolute path into the model; a temporary one tells nothing of the user's machine.
        code = shutil.copy(package / "tracking" / "serving.py", temporary)
        logged = mlflow.pyfunc.log_model(
            name="policy",
            tags={"mlflow.source.name": "agentsynth"},  # else the path of the script that runs
            python_model=code,
            code_paths=[str(package)],
            artifacts={"model": str(folder)},
            signature=_signature(),
            conda_env=environment(),
            input_example=(pd.DataFrame({"rows": [5], "seed": [0]}), {"rows": 5}),
        )
    return str(logged.model_id)


def _signature() -> ModelSignature:
    """Return the signature of the served policy: see `agentsynth.tracking.serving.ServedPolicy`."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec

    inputs: list[ColSpec | TensorSpec] = [
        ColSpec("long", "rows", required=False),
        ColSpec("string", "scenario", required=False),
        ColSpec("long", "seed", required=False),
    ]
    params = [ParamSpec("rows", "long", None), ParamSpec("scenario", "string", None), ParamSpec("seed", "long", None)]
    return ModelSignature(inputs=Schema(inputs), params=ParamSchema(params))


def environment() -> dict[str, Any]:
    """Return the conda environment of the model: the versions it was made with.

    Given by hand, because MLflow's own guess starts a process and warns where there is no pip.
    """
    pins = [f"{name}=={installed(name)}" for name in _REQUIREMENTS]
    return {
        "name": "agentsynth",
        "channels": ["conda-forge"],
        "dependencies": [f"python={platform.python_version()}", "pip", {"pip": pins}],
    }

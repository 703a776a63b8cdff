"""What a registered model is made of: code, saved synthesiser, signature, environment; no pickle, no training rows."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Mapping
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

ROWS = 100
"""Rows of a table whose request does not say how many."""

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


def log_model(folder: Path, files: Mapping[str, Path]) -> str:
    """Log a saved synthesiser as an MLflow model of the open run and return the model's id.

    The package's code goes with it, so that it loads where AgentSynth is not installed. The signature comes from the
    type hints of `agentsynth.tracking.serving.ServedPolicy`, and from the defaults of the parameters given here.

    Args:
        folder: where `AgentSynth.save` put it.
        files: name -> further file that is kept with it, such as its card.
    """
    import mlflow

    package = Path(__file__).resolve().parents[1]
    defaults = {"rows": ROWS, "scenario": "", "seed": 0}
    with tempfile.TemporaryDirectory() as temporary:
        # MLflow writes this file's absolute path into the model; a temporary one tells nothing of the user's machine.
        code = shutil.copy(package / "tracking" / "serving.py", temporary)
        logged = mlflow.pyfunc.log_model(
            name="policy",
            tags={"mlflow.source.name": "agentsynth"},  # else the path of the script that runs
            python_model=code,
            code_paths=[str(package)],
            artifacts={"model": str(folder), **{name: str(path) for name, path in files.items()}},
            conda_env=environment(),
            input_example=([{"rows": 5, "seed": 1}], defaults),
        )
    return str(logged.model_id)


def versions() -> dict[str, str]:
    """Return the versions of the libraries that a model is made with and needs."""
    return {name: installed(name) for name in _REQUIREMENTS}


def environment() -> dict[str, Any]:
    """Return the conda environment of the model: the versions it was made with.

    Given by hand, because MLflow's own guess starts a process and warns where there is no pip.
    """
    pins = [f"{name}=={number}" for name, number in versions().items()]
    return {
        "name": "agentsynth",
        "channels": ["conda-forge"],
        "dependencies": [f"python={platform.python_version()}", "pip", {"pip": pins}],
    }

"""The files that stages hand to one another, relative to the project's folder; `dvc.yaml` names the same."""

from pathlib import Path

from agentsynth.errors import InputError

DATA = Path("data")
SCHEMA = DATA / "schema.json"
TRAIN = DATA / "train.parquet"
VALIDATION = DATA / "validation.parquet"
TEST = DATA / "test.parquet"
MODEL = DATA / "model"
HISTORY = DATA / "history.csv"
CHECKS = DATA / "checks.csv"
"""The episodes after which the policy was examined."""
SYNTHETIC = DATA / "synthetic.parquet"
"""For the next stage: a CSV file would lose types."""
SYNTHETIC_CSV = DATA / "synthetic.csv"
"""For people."""
TARGETS = DATA / "targets.json"
"""What became of the scenario; null without one."""
REPORT = DATA / "report.json"
REPORT_PAGE = DATA / "report.html"
"""For people: the report and the model, in a browser."""
POLICIES = DATA / "policies.csv"
METRICS = DATA / "metrics.json"
TUNING = DATA / "tuning"

FIGURES = Path("figures")
DATA_COMPARISON = FIGURES / "data_comparison.png"
TRAINING_PROGRESS = FIGURES / "training_progress.png"
LEARNED_RESPONSE = FIGURES / "learned_response.png"
Q_TABLES = FIGURES / "q_tables.png"
POLICY_COMPARISON = FIGURES / "policy_comparison.png"


def need(path: Path, stage: str) -> Path:
    """Return `path` if it is there.

    Raises:
        InputError: it is not; the message names the stage that makes it.
    """
    if not path.exists():
        raise InputError(f"there is no {path}: run `dvc repro {stage}` first, from the project's folder.")
    return path

"""Scores of a synthetic table against real rows that nothing was fitted on."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agentsynth.metrics.results import ColumnReport, PairReport, Report
from agentsynth.metrics.score import Score
from agentsynth.metrics.similarity import similarity, typed_similarity

if TYPE_CHECKING:
    from agentsynth.metrics.report import build_report

__all__ = [
    "ColumnReport",
    "PairReport",
    "Report",
    "Score",
    "build_report",
    "similarity",
    "typed_similarity",
]


def __getattr__(name: str) -> Any:
    """Import `build_report` when it is first asked for: a figure that needs one distance loads no scikit-learn."""
    if name != "build_report":
        raise AttributeError(f"module 'agentsynth.metrics' has no attribute {name!r}")
    return import_module("agentsynth.metrics.report").build_report

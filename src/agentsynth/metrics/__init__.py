"""Scores of a synthetic table against real rows that nothing was fitted on."""

from agentsynth.metrics.report import ColumnReport, PairReport, Report, build_report, similarity, typed_similarity
from agentsynth.metrics.score import Score

__all__ = [
    "ColumnReport",
    "PairReport",
    "Report",
    "Score",
    "build_report",
    "similarity",
    "typed_similarity",
]

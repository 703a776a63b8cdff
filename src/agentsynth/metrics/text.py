"""A report as tables for people to read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agentsynth.metrics.score import Score

if TYPE_CHECKING:
    from agentsynth.metrics.results import ColumnReport, Report

_MOST_COLUMNS, _MOST_PAIRS, _WIDEST = 30, 8, 28


def report_text(report: Report) -> str:
    """Return a report as text: the scores, the columns and the pairs, worst first."""
    return "\n\n".join(part for part in (_head(report), _scores(report), _columns(report), _pairs(report)) if part)


def _head(report: Report) -> str:
    rows = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in report.rows.items())
    return (
        f"Similarity to unseen rows {report.similarity:.3f} "
        f"(another real sample {report.similarity_ceiling:.3f}, shuffled columns {report.similarity_floor:.3f})\n"
        f"Rows: {rows}"
    )


def _scores(report: Report) -> str:
    lines = [
        (
            score.name,
            score_text(score.value),
            score_text(score.ceiling),
            score_text(score.floor),
            score.better,
            _meaning(score, report.target),
        )
        for score in report.scores.values()
    ]
    heads = ("score", "ours", "another real", "shuffled", "better", "meaning")
    notes = [f"  {score.name}: {score.note}" for score in report.scores.values() if score.note]
    return "\n".join([table(heads, lines, "<>>><<"), *(["Not computed:", *notes] if notes else [])])


def _meaning(score: Score, target: str | None) -> str:
    return f"{score.meaning} (target: {target})" if score.name == "utility" and target else score.meaning


def _columns(report: Report) -> str:
    lines = [
        (
            _cut(column.name),
            column.kind,
            score_text(column.shape),
            score_text(column.shape_ceiling),
            mean_text(column.real_mean, column),
            mean_text(column.synthetic_mean, column),
            spread_text(column.real_std, column),
            spread_text(column.synthetic_std, column),
            score_text(column.difference),
            percent_text(column.real_missing),
            percent_text(column.synthetic_missing),
            percent_text(column.valid),
        )
        for column in report.columns[:_MOST_COLUMNS]
    ]
    heads = (
        *("column", "kind", "shape", "another real", "mean real", "ours", "std real", "ours"),
        *("difference", "missing real", "ours", "valid"),
    )
    return _more("Columns, worst first", table(heads, lines, "<<" + ">" * 10), len(report.columns), _MOST_COLUMNS)


def _pairs(report: Report) -> str:
    if not report.pairs:
        return ""
    lines = [
        (f"{_cut(pair.first)} x {_cut(pair.second)}", score_text(pair.similarity), score_text(pair.ceiling))
        for pair in report.pairs[:_MOST_PAIRS]
    ]
    text = table(("pair", "similarity", "another real"), lines, "<>>")
    return _more("Pairs of columns, worst first", text, len(report.pairs), _MOST_PAIRS)


def _more(title: str, text: str, found: int, shown: int) -> str:
    return "\n".join([title, text, *([f"... and {found - shown} more"] if found > shown else [])])


def table(heads: Sequence[str], lines: Sequence[Sequence[str]], align: str) -> str:
    """Return lines of cells as text with aligned columns (`<` left, `>` right) under ruled heads."""
    widths = [max(len(line[i]) for line in [heads, *lines]) for i in range(len(heads))]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(line, align, widths, strict=True)).rstrip()
        for line in [heads, rule, *lines]
    )


def score_text(value: float | None) -> str:
    """Return a score, or a dash where it is undefined."""
    return "-" if value is None else f"{value:.3f}"


def percent_text(share: float) -> str:
    """Return a share as percent; what is not quite none or all does not look like it."""
    percent = f"{share:.1%}"
    return {"0.0%": "0%" if share == 0 else "<0.1%", "100.0%": "100%" if share == 1 else ">99.9%"}.get(percent, percent)


def mean_text(mean: float | None, column: ColumnReport) -> str:
    """Return a column's mean in the column's own terms: a number, or a moment."""
    if mean is None:
        return "-"
    if column.kind == "datetime":
        return f"{datetime(1970, 1, 1) + timedelta(seconds=mean):%Y-%m-%d %H:%M}"
    return f"{mean:.4g}" if abs(mean) < 1e4 or abs(mean) >= 1e9 else f"{mean:,.0f}"


def spread_text(std: float | None, column: ColumnReport) -> str:
    """Return a column's standard deviation in its own terms: a number, or a length of time."""
    if std is None or column.kind != "datetime":
        return mean_text(std, column) if std is not None else "-"
    return f"{std / 86_400:.1f} d" if std >= 86_400 else f"{std / 3_600:.1f} h"


def _cut(name: str) -> str:
    return name if len(name) <= _WIDEST else name[: _WIDEST - 3] + "..."

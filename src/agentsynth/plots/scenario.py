"""What a scenario asked for and what became of it, in one figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentsynth.plots import style
from agentsynth.scenarios.report import Moved, Reached, ScenarioReport
from agentsynth.scenarios.text import number, over

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH: Final = 9.5
_TARGET: Final = 0.62
"""Inches of a target's row."""
_MOVED: Final = 0.27
"""Inches of a movement's row."""
_MOST_TARGETS: Final = 16
_MOST_MOVED: Final = 16


@style.styled
def scenario_report(report: ScenarioReport, path: str | Path | None = None) -> Figure:
    """Draw where each target stood, was wanted and came to, and below what else moved, beside what chance does.

    Args:
        report: a table's, `AgentSynth.compose(...).report`.
        path: file to write the figure to, too.

    Returns:
        The figure.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    targets, movements = report.targets[:_MOST_TARGETS], report.furthest[:_MOST_MOVED]
    heights = [_TARGET] * len(targets) + [0.85 + _MOVED * max(len(movements), 1)]
    figure = style.new_figure(
        _WIDTH,
        sum(heights) + 0.25,
        f"Scenario {style.shorten(report.scenario, 60)}",
        _subtitle(report),
        _footnote(report),
    )
    axes = figure.subplots(len(heights), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for row, target in zip(axes, targets, strict=False):
        _draw_target(row, target)
    _draw_movements(axes[-1], movements, over(report))
    return style.finished(figure, path)


def _subtitle(report: ScenarioReport) -> str:
    met = len(report.targets) - len(report.missed)
    reached = f"{met} of {len(report.targets)} targets reached; " if report.targets else ""
    return f"{reached}{report.rows:,} rows of {report.drawn:,} drawn, effective size {report.effective:,.0f}"


def _footnote(report: ScenarioReport) -> str:
    more = len(report.targets) - _MOST_TARGETS
    left_out = report.columns_left_out + report.conditionals_left_out
    left_out += len(report.columns) + len(report.conditionals) - len(report.furthest[:_MOST_MOVED])
    said = [
        "Targets: ring, before; point, reached; line, wanted, with its tolerance." if report.targets else "",
        f"{more} more targets are not drawn." if more > 0 else "",
        "Distance of what no target names: root mean squared difference of cumulative shares (numbers, dates) or total "
        "variation (labels, calendar); grey: what 95 % of unguided tables of as many rows stay below.",
        f"{left_out} that moved less beyond chance are not drawn." if left_out else "",
    ]
    return " ".join(part for part in said if part)


def _draw_target(axes: Axes, target: Reached) -> None:
    """Draw a target on an axis of its own: before, wanted with its tolerance, reached."""
    colour = style.GREEN if target.met else style.VERMILLION
    axes.axvspan(target.wanted - target.tolerance, target.wanted + target.tolerance, color=style.PALE, zorder=0)
    axes.axvline(target.wanted, color=style.INK, linewidth=1.2)
    if not math.isnan(target.before):
        axes.plot([target.before], [0], "o", color="white", markeredgecolor=style.GREY, markersize=6.5, zorder=3)
    if not math.isnan(target.reached):
        axes.plot([target.reached], [0], "o", color=colour, markersize=7.5, zorder=4)
    ends = [value for value in (target.before, target.reached) if not math.isnan(value)]
    if len(ends) == 2 and abs(ends[1] - ends[0]) > 0.04 * (max(*ends, target.wanted) - min(*ends, target.wanted)):
        look = {"arrowstyle": "-|>", "color": colour, "shrinkA": 4, "shrinkB": 5, "linewidth": 1.2}
        axes.annotate("", (ends[1], 0), (ends[0], 0), arrowprops=look)
    _scale(axes, [*ends, target.wanted - target.tolerance, target.wanted + target.tolerance])
    axes.set_title(style.shorten(target.name, 56), fontsize=8.5, pad=3)
    axes.set_title(_numbers(target), fontsize=8, color=style.GREY, fontweight="normal", loc="right", pad=3)


def _scale(axes: Axes, values: Sequence[float]) -> None:
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or max(abs(high), 1.0)
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(-1, 1)
    axes.set_yticks([])
    style.few_ticks(axes.xaxis, 6)
    axes.xaxis.set_major_formatter(style.compact)
    style.quiet(axes, "none")
    axes.spines["left"].set_visible(False)


def _numbers(target: Reached) -> str:
    verdict = "reached" if target.met else "fell short at"
    return f"before {number(target.before)}, wanted {number(target.wanted)}, {verdict} {number(target.reached)}"


def _draw_movements(axes: Axes, movements: Sequence[Moved], where: str) -> None:
    """Draw how far each column moved over what rows, and how far chance alone would take it."""
    axes.set_title(f"What else moved{where}", pad=9)
    places = range(len(movements))
    axes.barh(places, [moved.noise for moved in movements], color=style.PALE, height=0.72)
    for place, moved in enumerate(movements):
        colour = style.VERMILLION if moved.excess > 0 else style.BLUE
        axes.plot([moved.distance], [place], "o", color=colour, markersize=6)
    axes.set_yticks(places, [_label(moved) for moved in movements])
    axes.set_ylim(max(len(movements), 1) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.margins(x=0.06)
    axes.set_xlabel("distance from the table unguided (grey: chance alone; points beyond it are red)")
    style.quiet(axes, "x")
    axes.spines["left"].set_visible(False)
    if not movements:
        axes.text(
            0.5, 0, "every column is named by a target", transform=axes.get_yaxis_transform(), ha="center", va="center"
        )


def _label(moved: Moved) -> str:
    given = f" given {style.shorten(moved.given, 22)}" if moved.given else ""
    return style.shorten(moved.name, 22) + given

"""What the agent answers to a gap."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from agentsynth.agent.greedy import pressures
from agentsynth.plots import style
from agentsynth.plots.learned import (
    LearnedTables,
    check_policy,
    first_factors,
    progress_label,
    visited_states,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_EXPLAINED: Final = (
    "Gap: goal minus the table so far, in units of sampling noise; right of 0 the column's values are too low or its "
    "wanted levels too rare. For goal_factor, which presses on numbers that a scenario wants, it is in half deviations "
    "that the next batch's mean would have to be off. Factor: the pressure on the next batch; 1 leaves things alone."
)


@style.styled
def learned_response(policy: LearnedTables, path: str | Path | None = None, *, max_factors: int = 12) -> Figure:
    """Draw, for every factor, the value that the policy takes at each gap.

    One line for each part of the episode; a hollow point is a state never visited in training, where the policy does
    what it does next to it. It never falls from left to right, and rises where the policy has learned to steer.

    Args:
        policy: the learned policy (`AgentSynth.policy_`).
        path: file to write the figure to, too.
        max_factors: factors at most, the first ones; the others are named in the footnote.

    Returns:
        The figure.

    Raises:
        InputError: the policy's parts do not fit together.
        MissingPackageError: matplotlib is not installed.
    """
    check_policy(policy)
    shown, left_out = first_factors(policy, max_factors)
    across = min(len(shown), 3 if len(shown) in (5, 6, 9) else 4)
    down = -(-len(shown) // across)
    subtitle = "Greedy factor by gap between goal and table"
    figure = style.new_figure(max(3.3 * across, 7), 2.7 * down, "Learned response", subtitle, _EXPLAINED + left_out)
    grid = figure.add_gridspec(down, across)
    for index in range(len(shown)):
        axes = figure.add_subplot(grid[divmod(index, across)])
        draw_response(axes, policy, index)
        axes.set_ylabel("factor" if index % across == 0 else "")
    colours, visited = progress_colours(np.shape(policy.tables)[2]), visited_states(policy)
    _legend(figure, colours, hollow=not visited[: len(shown)].all())
    return style.finished(figure, path)


def draw_response(axes: Axes, policy: LearnedTables, index: int) -> None:
    """Draw the panel of one factor of a policy whose parts fit together."""
    levels = np.asarray(policy.levels, dtype=float)
    one = slice(index, index + 1)
    (logs,) = pressures(np.asarray(policy.tables)[one], np.asarray(policy.visits)[one], levels)
    values, visited = np.exp(logs), visited_states(policy)[index]
    _draw_lines(axes, values, visited, progress_colours(values.shape[1]))
    axes.set_title(style.shorten(policy.table_names[index], 30))
    _gap_axis(axes, np.asarray(policy.gap_edges, dtype=float))
    style.factor_axis(axes, "y", levels)
    style.quiet(axes, "both")


def progress_colours(buckets: int) -> list[Any]:
    """Return one colour for each part of the episode, from early (dark) to late (bright)."""
    colours = style.matplotlib_module("matplotlib").colormaps["viridis"]
    return [colours(x) for x in np.linspace(0.1, 0.8, buckets)] if buckets > 1 else [style.BLUE]


def _draw_lines(
    axes: Axes, values: npt.NDArray[np.float64], visited: npt.NDArray[np.bool_], colours: list[Any]
) -> None:
    """Draw (gap buckets, progress buckets) factor values as one line a progress bucket, side by side."""
    gaps = np.arange(len(values))
    axes.axhline(1, color=style.GREY, linewidth=1)
    for part, colour in enumerate(colours):
        x = gaps + 0.14 * (part - (len(colours) - 1) / 2)
        axes.plot(x, values[:, part], color=colour, linewidth=1.3, alpha=0.8)
        for seen, fill in ((visited[:, part], colour), (~visited[:, part], "white")):
            axes.plot(x[seen], values[seen, part], "o", color=colour, markerfacecolor=fill, markersize=5)


def _gap_axis(axes: Axes, edges: npt.NDArray[np.float64]) -> None:
    """Label the bounds between gap buckets, which are drawn equally wide."""
    axes.set_xlim(-0.6, len(edges) + 0.6)
    axes.set_xticks(np.arange(len(edges)) + 0.5, [f"{edge:.3g}" for edge in edges])
    axes.set_xlabel("← table above goal   (gap)   below goal →")


def _legend(figure: Figure, colours: list[Any], *, hollow: bool) -> None:
    lines = style.matplotlib_module("matplotlib.lines")
    handles = [lines.Line2D([], [], color=colour, marker="o", markersize=5) for colour in colours]
    labels = [progress_label(part, len(colours)) for part in range(len(colours))]
    if len(colours) > 1:
        labels[0] = f"progress {labels[0]}"
    else:
        handles, labels = [], []
    if hollow:
        look: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 5, "markerfacecolor": "white"}
        handles.append(lines.Line2D([], [], color=style.GREY, **look))
        labels.append("never visited")
    if handles:
        figure.legend(handles, labels, loc="upper right", ncols=len(handles), columnspacing=1.2)

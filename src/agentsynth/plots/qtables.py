"""The learned Q-values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt

from agentsynth.plots import style
from agentsynth.plots.learned import (
    LearnedTables,
    advantages,
    check_policy,
    first_factors,
    greedy_levels,
    progress_label,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

_EXPLAINED: Final = (
    "Across: gap between goal and table, in units of sampling noise (of goal_factor: in half deviations that the next "
    "batch's mean would have to be off); upwards: the factor. Colour: Q-value less the mean of the levels tried in "
    "that state, orange better, violet worse; full colour at the value above the map. Grey: never tried. Dot: the "
    "greedy choice."
)
_SUBTITLE: Final = "What each factor level is worth, beside the others in the same state"
_STRONG: Final = 0.95  # share of the values that the scale of colours tells apart; the few beyond have its end colours


@style.styled
def q_tables(policy: LearnedTables, path: str | Path | None = None, *, max_factors: int = 12) -> Figure:
    """Draw the Q-tables as heat maps: a row for each factor, a column for each part of the episode.

    The colour is a level's advantage: its Q-value less the mean of the levels tried in the same state. The Q-values
    themselves differ far more from state to state (a wide gap can be narrowed, and pays) than within one.

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
    values, greedy = advantages(policy), greedy_levels(policy)
    width = max(2.4 * values.shape[2] + 1.2, 9)
    figure = style.new_figure(width, 1.6 * len(shown) + 0.6, "Q-tables", _SUBTITLE, _EXPLAINED + left_out)
    grid = figure.subplots(len(shown), 1, squeeze=False, sharex=True)[:, 0]
    for axes, name, table, choice in zip(grid, shown, values, greedy, strict=False):
        _draw_factor(axes, table, choice)
        axes.set_ylabel(style.shorten(name, 20), fontsize=9, fontweight="bold", color=style.INK)
        levels = [f"{level:.2g}" for level in policy.levels]
        axes.set_yticks(np.arange(len(levels)), levels)
        style.quiet(axes, "none")
        axes.tick_params(labelsize=7)
        axes.spines[:].set_visible(False)
    _label_parts(grid[0], values.shape[2], values.shape[1])
    _label_gaps(grid[-1], values.shape[2], np.asarray(policy.gap_edges, dtype=float))
    return style.finished(figure, path)


def _draw_factor(axes: Axes, table: Floats, greedy: npt.NDArray[np.intp]) -> None:
    """Draw one factor's table, (gap buckets, progress buckets, levels): the parts of the episode beside each other."""
    gaps, parts, levels = table.shape
    colours = style.matplotlib_module("matplotlib").colormaps["PuOr_r"].with_extremes(bad=style.PALE)
    for part in range(parts):
        start, reach = _start(part, gaps), _reach(table[:, part])
        look: dict[str, Any] = {"cmap": colours, "vmin": -reach, "vmax": reach, "origin": "lower", "aspect": "auto"}
        place = (start - 0.5, start + gaps - 0.5, -0.5, levels - 0.5)
        axes.imshow(np.ma.masked_invalid(table[:, part].T), extent=place, **look)
        dots: dict[str, Any] = {"color": "white", "markeredgecolor": "black", "markersize": 5}
        axes.plot(start + np.arange(gaps), greedy[:, part], "o", **dots)
        if reach > 0:
            _write_above(axes, place[1], f"±{reach:.2g}", "right")
    axes.set_xlim(-0.5, _start(parts - 1, gaps) + gaps - 0.5)


def _reach(values: Floats) -> float:
    """Return the size that nearly all values keep within; 0 of none."""
    known = np.abs(values[np.isfinite(values)])
    return float(np.quantile(known, _STRONG)) if len(known) else 0.0


def _write_above(axes: Axes, x: float, text: str, side: Literal["left", "right"]) -> None:
    look: dict[str, Any] = {"fontsize": 8.5} if side == "left" else {"fontsize": 7.5, "color": style.GREY}
    axes.text(x, 1.03, text, transform=axes.get_xaxis_transform(), ha=side, **look)


def _start(part: int, gaps: int) -> float:
    """Return where the heat map of a part of the episode begins: a bit apart from the one before."""
    return part * (gaps + 0.5)


def _label_parts(axes: Axes, parts: int, gaps: int) -> None:
    """Write above the first row which part of the episode a column is."""
    for part in range(parts if parts > 1 else 0):
        _write_above(axes, _start(part, gaps) - 0.5, f"progress {progress_label(part, parts)}", "left")


def _label_gaps(axes: Axes, parts: int, edges: Floats) -> None:
    """Label the bounds between the gap buckets of every part."""
    gaps = len(edges) + 1
    places = np.concatenate([_start(part, gaps) + np.arange(gaps - 1) + 0.5 for part in range(parts)])
    axes.set_xticks(places, [f"{edge:.3g}" for edge in edges] * parts)
    axes.set_xlabel("gap (noise units)")

"""The learned Q-values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from agentsynth.plots import style
from agentsynth.plots.learned import LearnedTables, advantages, check_policy, greedy_levels, progress_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

_EXPLAINED: Final = (
    "Across: gap between goal and table, in units of sampling noise; upwards: the factor. Colour: Q-value less the "
    "mean of the levels tried in that state; a row shares one scale. Grey: never tried. Dot: the greedy choice."
)
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
    shown = list(policy.factor_names)[:max_factors]
    left_out = ", ".join(style.shorten(name) for name in list(policy.factor_names)[max_factors:])
    small = f"{_EXPLAINED} Not shown: {left_out}." if left_out else _EXPLAINED
    values, greedy = advantages(policy), greedy_levels(policy)
    parts = values.shape[2]
    width = max(2.4 * parts + 1.2, 9)
    figure = style.new_figure(
        width,
        1.75 * len(shown) + 0.4,
        "Q-tables",
        "What each factor level is worth, beside the others in the same state",
        small,
    )
    grid = figure.subplots(len(shown), parts, squeeze=False, sharex=True, sharey=True)
    for row, name in enumerate(shown):
        _draw_row(figure, grid[row], values[row], greedy[row])
        grid[row, 0].set_ylabel(style.shorten(name, 22), fontsize=9, fontweight="bold", color=style.INK)
    for part in range(parts if parts > 1 else 0):
        grid[0, part].set_title(f"progress {progress_label(part, parts)}", fontsize=8.5, fontweight="normal")
    _label(grid, policy)
    return style.finished(figure, path)


def _draw_row(figure: Figure, row: Any, values: Floats, greedy: npt.NDArray[np.intp]) -> None:
    """Draw the table of one factor, (gap buckets, progress buckets, levels), on one scale of colours."""
    known = np.abs(values[np.isfinite(values)])
    reach = float(np.quantile(known, _STRONG)) if len(known) else 0.0
    colours = style.matplotlib_module("matplotlib").colormaps["PuOr_r"].with_extremes(bad=style.PALE)
    for part, axes in enumerate(row):
        table = np.ma.masked_invalid(values[:, part].T)
        image = axes.imshow(table, cmap=colours, vmin=-reach, vmax=reach, origin="lower", aspect="auto")
        look: dict[str, Any] = {"color": "white", "markeredgecolor": "black", "markersize": 5}
        axes.plot(np.arange(len(values)), greedy[:, part], "o", **look)
    if reach > 0:
        _colour_bar(figure, row, image)


def _colour_bar(figure: Figure, row: Any, image: Any) -> None:
    bar = figure.colorbar(image, ax=list(row), fraction=0.02, pad=0.01, extend="both", format=style.compact)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=7)
    style.few_ticks(bar.ax.yaxis, 4)


def _label(grid: Any, policy: LearnedTables) -> None:
    edges, levels = np.asarray(policy.gap_edges, dtype=float), np.asarray(policy.levels, dtype=float)
    for axes in grid.flat:
        axes.set_xticks(np.arange(len(edges)) + 0.5, [f"{edge:.3g}" for edge in edges])
        axes.set_yticks(np.arange(len(levels)), [f"{level:.2g}" for level in levels])
        style.quiet(axes, "none")
        axes.tick_params(labelsize=7)
        axes.spines[:].set_visible(False)
    for axes in grid[-1]:
        axes.set_xlabel("gap (noise units)")

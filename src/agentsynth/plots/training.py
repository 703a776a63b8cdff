"""How the agent learned, episode by episode."""

from __future__ import annotations

import math
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from agentsynth.agent.history import TrainingHistory
from agentsynth.errors import InputError
from agentsynth.plots import style
from agentsynth.plots.components import draw_components
from agentsynth.plots.episodes import finish, mean_of, smooth, window

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RIVAL_DASHES: Final = {"neutral": (0, (6, 2)), "random": (0, (1, 2))}
_MOST_FACTORS: Final = 16  # of the best action that are drawn
_LEAST_SPAN: Final = 0.02  # of the axis of held-out similarity


def training_progress_name(moment: datetime) -> str:
    """Return the file name of a training's figure.

    >>> training_progress_name(datetime(2025, 3, 1, 14, 5, 9))
    'training_progress_20250301_140509.png'
    """
    return f"training_progress_{moment:%Y%m%d_%H%M%S}.png"


@style.styled
def training_progress(history: TrainingHistory, path: str | Path | None = None) -> Figure:
    """Draw a training: returns, held-out similarity, exploration, similarity by component, and the best action.

    Returns of single episodes scatter, as each has a goal of its own: read the moving average, and the held-out
    similarity, which is that of a greedy episode to goals that stay the same. Of more than eight components the five
    worst are named; of more than sixteen factors, those furthest from neutral are drawn.

    Args:
        history: what `AgentSynth.fit` left in `history_`.
        path: file to write the figure to, too; `training_progress_name` makes a name.

    Returns:
        The figure.

    Raises:
        InputError: the history holds no episode.
        MissingPackageError: matplotlib is not installed.
    """
    if len(history) == 0:
        raise InputError("a training without episodes has nothing to draw; train at least one (agent.episodes).")
    action = strongest(history.best_action)
    lower = 0.8 + 0.24 * max(len(action), 8)
    figure = style.new_figure(12, 3.6 + lower, "Training progress", _subtitle(history), _footnote(history, action))
    evaluated = np.isfinite(history.held_out).any()
    # Sub-figures, as the long names on either side of one panel must not squeeze the others.
    columns = figure.add_gridspec(1, 2, width_ratios=(1, 1.05))
    right = columns[1].subgridspec(2, 1, height_ratios=(3.6, lower))
    heights = (2.6, 2.2, 1) if evaluated else (2.6, 1)
    left = figure.add_subfigure(columns[0]).subplots(len(heights), 1, height_ratios=heights)
    draw_returns(left[0], history)
    if evaluated:
        draw_held_out(left[1], history)
    draw_epsilon(left[-1], history)
    draw_components(figure.add_subfigure(right[0]).add_subplot(), history)
    draw_best_action(figure.add_subfigure(right[1]).add_subplot(), action)
    figure.legend(*left[0].get_legend_handles_labels(), loc="upper right", ncols=3)
    return style.finished(figure, path)


def _subtitle(history: TrainingHistory) -> str:
    episodes = "1 episode" if len(history) == 1 else f"{len(history):,} episodes"
    parts = [episodes, f"best policy after episode {history.best_episode}"]
    at_best = history.held_out[history.best_episode]
    return "; ".join([*parts, f"held-out similarity {at_best:.3f}"] if np.isfinite(at_best) else parts)


def _footnote(history: TrainingHistory, action: dict[str, float]) -> str:
    left_out = [style.shorten(name.removesuffix("_factor")) for name in history.best_action if name not in action]
    return f"Best action: not shown, as nearest to neutral: {', '.join(left_out)}." if left_out else ""


def draw_returns(axes: Axes, history: TrainingHistory) -> None:
    """Draw one return an episode as a dot, and their moving average as a line."""
    length, episodes = window(history), np.arange(len(history))
    axes.plot(episodes, history.returns, "o", color=style.SKY, markersize=3.5, alpha=0.7, label="episode")
    axes.plot(episodes, smooth(history.returns, length), color=style.BLUE, linewidth=2, label=mean_of(length))
    _mark_best(axes, history)
    finish(axes, history, "Return (sum of rewards)")


def draw_held_out(axes: Axes, history: TrainingHistory) -> None:
    """Draw the held-out similarity where the policy was examined, and the rivals' as lines across."""
    known = np.flatnonzero(np.isfinite(history.held_out))
    axes.plot(known, history.held_out[known], "D-", color=style.VERMILLION, markersize=5, linewidth=1.4)
    # Names at either end in turn, as the rivals' lines may nearly coincide.
    ends = cycle([(len(history) - 1, "right"), (0, "left")])
    for (name, similarity), (place, side) in zip(history.rivals.items(), ends, strict=False):
        axes.axhline(similarity, color=style.GREY, linewidth=1, linestyle=RIVAL_DASHES.get(name, "-"))
        axes.annotate(name, (place, similarity), ha=side, va="bottom", fontsize="small", color=style.GREY)
    _mark_best(axes, history)
    low, high = axes.get_ylim()
    if high - low < _LEAST_SPAN:
        # Else noise would fill the panel and look like learning.
        axes.set_ylim((low + high - _LEAST_SPAN) / 2, (low + high + _LEAST_SPAN) / 2)
    finish(axes, history, "Held-out goals: similarity of the greedy policy")


def draw_epsilon(axes: Axes, history: TrainingHistory) -> None:
    """Draw the share of exploring actions as a filled stair, one step an episode."""
    axes.stairs(history.epsilon, np.arange(len(history) + 1) - 0.5, fill=True, color=style.PALE)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1])
    finish(axes, history, "Epsilon (share of exploring actions)")
    axes.set_xlabel("episode")


def _mark_best(axes: Axes, history: TrainingHistory) -> None:
    axes.axvline(history.best_episode, color=style.GREY, linewidth=1, linestyle=(0, (2, 2)), label="best policy")


def strongest(action: dict[str, float]) -> dict[str, float]:
    """Return the factors furthest from neutral, in their order; all of them where they are few."""
    nearest_last = sorted(action, key=lambda name: -abs(math.log(action[name])) if action[name] > 0 else 0.0)
    kept = set(nearest_last[:_MOST_FACTORS])
    return {name: value for name, value in action.items() if name in kept}


def draw_best_action(axes: Axes, action: dict[str, float]) -> None:
    """Draw each factor as a bar that begins at the neutral 1, on a logarithmic axis."""
    places, values = np.arange(len(action)), np.array(list(action.values()), dtype=float)
    axes.barh(places, values - 1, left=1, height=0.6, color=style.GREEN)
    axes.axvline(1, color=style.GREY, linewidth=1)
    for place, value in zip(places, values, strict=True):
        side = 1 if value >= 1 else -1
        look: dict[str, Any] = {"va": "center", "ha": "left" if value >= 1 else "right", "fontsize": 8}
        axes.annotate(f"{value:.2f}", (value, place), (4 * side, 0), textcoords="offset points", **look)
    style.factor_axis(axes, "x", values)
    axes.set_yticks(places, [style.shorten(name.removesuffix("_factor")) for name in action])
    axes.set_ylim(len(action) - 0.4, -0.6)
    axes.set_title("Best action: factor by column (1 = neutral)")
    style.quiet(axes, "x")
    axes.spines["left"].set_visible(False)

"""How the agent learned, episode by episode."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import isotonic_regression

from agentsynth.agent.history import TrainingHistory
from agentsynth.errors import InputError
from agentsynth.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

_MOST_LINES: Final = 8  # components that get a colour and a name of their own
_WORST: Final = 5  # of more components, so many do
_COLOURS: Final = (
    style.BLUE,
    style.VERMILLION,
    style.GREEN,
    style.PURPLE,
    style.ORANGE,
    style.SKY,
    style.INK,
    "#8C8C8C",
)


def training_progress_name(moment: datetime) -> str:
    """Return the file name of a training's figure.

    >>> training_progress_name(datetime(2025, 3, 1, 14, 5, 9))
    'training_progress_20250301_140509.png'
    """
    return f"training_progress_{moment:%Y%m%d_%H%M%S}.png"


@style.styled
def training_progress(history: TrainingHistory, path: str | Path | None = None) -> Figure:
    """Draw a training: return, exploration, similarity in all and by component, and the best action.

    Returns of single episodes scatter, as each has a goal of its own: read the moving average, and the held-out
    similarity, which is that of a greedy episode to goals that stay the same. Of more than eight components the five
    worst are named, and their mean.

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
    lower = 0.8 + 0.24 * max(len(history.best_action), 8)
    figure = style.new_figure(12, 3.6 + lower, "Training progress", _subtitle(history))
    # Sub-figures, as the long names on either side of one panel must not squeeze the others.
    columns = figure.add_gridspec(1, 2, width_ratios=(1, 1.05))
    right = columns[1].subgridspec(2, 1, height_ratios=(3.6, lower))
    left = figure.add_subfigure(columns[0]).subplots(3, 1, height_ratios=(2.6, 1, 2.6))
    _draw_returns(left[0], history)
    _draw_epsilon(left[1], history)
    _draw_similarity(left[2], history)
    _draw_components(figure.add_subfigure(right[0]).add_subplot(), history)
    _draw_best_action(figure.add_subfigure(right[1]).add_subplot(), history.best_action)
    figure.legend(*left[2].get_legend_handles_labels(), loc="upper right", ncols=4)
    return style.finished(figure, path)


def _subtitle(history: TrainingHistory) -> str:
    episodes = "1 episode" if len(history) == 1 else f"{len(history):,} episodes"
    parts = [episodes, f"best policy after episode {history.best_episode}"]
    at_best = history.held_out[history.best_episode]
    return "; ".join([*parts, f"held-out similarity {at_best:.3f}"] if np.isfinite(at_best) else parts)


def _window(history: TrainingHistory) -> int:
    """Return how many episodes a moving average covers: a sixth of them, between 3 (where there are) and 50."""
    return min(int(np.clip(len(history) // 6, 3, 50)), len(history))


def _smooth(values: Floats, window: int) -> Floats:
    """Return the mean of each episode and those before it, (episodes,); of as many as there are at the beginning."""
    smooth: Floats = pd.Series(values).rolling(window, min_periods=1).mean().to_numpy()
    return smooth


def _draw_returns(axes: Axes, history: TrainingHistory) -> None:
    _draw_series(axes, history, history.returns)
    _finish(axes, history, "Return (sum of rewards)")


def _draw_epsilon(axes: Axes, history: TrainingHistory) -> None:
    axes.stairs(history.epsilon, np.arange(len(history) + 1) - 0.5, fill=True, color=style.PALE)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1])
    _finish(axes, history, "Epsilon (share of exploring actions)")


def _draw_similarity(axes: Axes, history: TrainingHistory) -> None:
    _draw_series(axes, history, history.similarity)
    known = np.flatnonzero(np.isfinite(history.held_out))
    if len(known):
        look: dict[str, Any] = {"color": style.VERMILLION, "markersize": 5, "linewidth": 1.2}
        axes.plot(known, history.held_out[known], "D-", label="held-out goals, greedy", **look)
    _finish(axes, history, "Similarity of the finished table to its goal")
    axes.set_xlabel("episode")


def _draw_series(axes: Axes, history: TrainingHistory, values: Floats) -> None:
    """Draw one value an episode as a dot, and their moving average as a line; mark the best episode."""
    window, episodes = _window(history), np.arange(len(history))
    axes.plot(episodes, values, "o", color=style.SKY, markersize=3.5, alpha=0.7, label="episode")
    axes.plot(episodes, _smooth(values, window), color=style.BLUE, linewidth=2, label=_mean_of(window))
    axes.axvline(history.best_episode, color=style.GREY, linewidth=1, linestyle=(0, (2, 2)), label="best policy")


def _mean_of(window: int) -> str:
    return f"mean of {window} episodes" if window > 1 else "mean of 1 episode"


# --- best action -------------------------------------------------------------------------------------------------


def _draw_best_action(axes: Axes, action: dict[str, float]) -> None:
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


# --- components --------------------------------------------------------------------------------------------------


def _draw_components(axes: Axes, history: TrainingHistory) -> None:
    """Draw the moving average of every component, named at its end; of many, the worst ones and the mean."""
    window, episodes = _window(history), np.arange(len(history))
    lines = {name: _smooth(values, window) for name, values in history.components.items()}
    worst_first = sorted(lines, key=lambda name: np.nan_to_num(lines[name][-1], nan=np.inf))
    named = worst_first if len(lines) <= _MOST_LINES else worst_first[:_WORST]
    marker = "o" if len(history) == 1 else None
    for name in worst_first[len(named) :]:
        axes.plot(episodes, lines[name], color=style.PALE, linewidth=1, marker=marker)
    for name, colour in zip(named, _COLOURS, strict=False):
        axes.plot(episodes, lines[name], color=colour, linewidth=1.6, marker=marker)
    ends = [(lines[name][-1], style.shorten(name, 20), c) for name, c in zip(named, _COLOURS, strict=False)]
    if len(named) < len(lines):
        mean = pd.DataFrame(lines).mean(axis=1).to_numpy()
        axes.plot(episodes, mean, color=style.INK, linewidth=2.2, linestyle=(0, (4, 1.5)), marker=marker)
        ends.append((mean[-1], f"mean of all {len(lines)}", style.INK))
    _finish(axes, history, f"Similarity by component ({_mean_of(window)})")
    axes.set_xlabel("episode")
    _name_ends(axes, len(history) - 1, sorted(end for end in ends if np.isfinite(end[0])))


def _name_ends(axes: Axes, last: int, ends: list[tuple[float, str, str]]) -> None:
    """Write names at the right of the panel, beside the ends of their lines, pushed apart where they would touch.

    Args:
        axes: the panel, its lines drawn.
        last: where the lines end.
        ends: (value there, name, colour) by rising value.
    """
    low, high = axes.get_ylim()
    places = _apart(np.array([value for value, _, _ in ends]), 0.06 * (high - low), low, high)
    shrink = {"shrinkA": 1, "shrinkB": 2}
    for place, (value, name, colour) in zip(places, ends, strict=True):
        axes.annotate(
            name,
            (last, value),
            (1.03, place),
            textcoords=axes.get_yaxis_transform(),
            va="center",
            fontsize=8,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 1.2, "relpos": (0, 0.5), **shrink},
        )


def _apart(places: Floats, gap: float, low: float, high: float) -> Floats:
    """Move rising places as little as keeps them `gap` apart (least squares), and all between `low` and `high`.

    >>> _apart(np.array([0.4, 0.5, 0.6]), 0.2, 0.0, 1.0).round(3).tolist()
    [0.3, 0.5, 0.7]
    >>> _apart(np.array([0.9, 1.0]), 0.2, 0.0, 1.0).round(3).tolist()
    [0.8, 1.0]
    """
    if len(places) == 0:
        return places
    steps = gap * np.arange(len(places))
    moved: Floats = isotonic_regression(places - steps).x + steps
    from_above: Floats = np.minimum(moved, high - steps[::-1])
    return np.asarray(np.maximum(from_above, low + steps))


def _finish(axes: Axes, history: TrainingHistory, title: str) -> None:
    axes.set_title(title)
    axes.set_xlim(-0.5, len(history) - 0.5)
    style.few_ticks(axes.xaxis, 8, whole=True)
    style.quiet(axes, "y")
    axes.spines["left"].set_visible(False)

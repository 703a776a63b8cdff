"""The panel of similarity by component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import isotonic_regression

from agentsynth.agent.history import TrainingHistory
from agentsynth.plots import style
from agentsynth.plots.episodes import Floats, finish, mean_of, smooth, window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LINES: Final = 8  # components that get a colour and a name of their own
_WORST: Final = 5  # of more components, so many do
_COLOURS: Final = (
    style.BLUE,
    style.VERMILLION,
    style.GREEN,
    style.PURPLE,
    style.ORANGE,
    style.SKY,
    "#8C8C8C",
    "#5C3A00",
)
_GAP: Final = 0.06  # between names, as a share of the panel's height


def draw_components(axes: Axes, history: TrainingHistory) -> None:
    """Draw the moving average of every component and of all together, named at its end.

    Of many components the worst ones at the end are named, the others are thin grey lines.
    """
    length, episodes = window(history), np.arange(len(history))
    lines = {name: smooth(values, length) for name, values in history.components.items()}
    worst_first = sorted(lines, key=lambda name: np.nan_to_num(lines[name][-1], nan=np.inf))
    named = worst_first if len(lines) <= _MOST_LINES else worst_first[:_WORST]
    marker = "o" if len(history) == 1 else None
    for name in worst_first[len(named) :]:
        axes.plot(episodes, lines[name], color=style.PALE, linewidth=1, marker=marker)
    for name, colour in zip(named, _COLOURS, strict=False):
        axes.plot(episodes, lines[name], color=colour, linewidth=1.6, marker=marker)
    together = smooth(history.similarity, length)
    axes.plot(episodes, together, color=style.INK, linewidth=2.2, linestyle=(0, (4, 1.5)), marker=marker)
    ends = [(lines[name][-1], style.shorten(name, 20), colour) for name, colour in zip(named, _COLOURS, strict=False)]
    ends.append((together[-1], "all together", style.INK))
    finish(axes, history, f"Similarity to the goal by component ({mean_of(length)})")
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
    places = _apart(np.array([value for value, _, _ in ends]), _GAP * (high - low), low, high)
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

"""What panels over the episodes of a training share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from agentsynth.agent.history import TrainingHistory
from agentsynth.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]


def window(history: TrainingHistory) -> int:
    """Return how many episodes a moving average covers.

    One round of the training's goals, where there is one: it then moves by learning alone. Else a sixth of the
    episodes, between 3 (where there are) and 50.
    """
    if 1 < history.goals <= len(history) // 2:
        return history.goals
    return min(int(np.clip(len(history) // 6, 3, 50)), len(history))


def smooth(values: Floats, length: int) -> Floats:
    """Return the mean of each episode and the `length` - 1 before it, (episodes,); NaN while there are too few.

    >>> smooth(np.array([1.0, 2, 6, 7]), 2).tolist()
    [nan, 1.5, 4.0, 6.5]
    """
    means: Floats = pd.Series(values).rolling(length).mean().to_numpy()
    return means


def mean_of(length: int) -> str:
    """Return what a moving average is called."""
    return f"mean of {length} episodes" if length > 1 else "mean of 1 episode"


def finish(axes: Axes, history: TrainingHistory, title: str) -> None:
    """Give a panel its title, and the axis of episodes that all panels share."""
    axes.set_title(title)
    axes.set_xlim(-0.5, len(history) - 0.5)
    style.few_ticks(axes.xaxis, 8, whole=True)
    style.quiet(axes, "y")
    axes.spines["left"].set_visible(False)

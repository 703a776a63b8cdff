"""What the panels of the data comparison share: one column, real against synthetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from agentsynth.plots import style
from agentsynth.plots.binning import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT: Final = 2.0
"""Inches of a panel that asks for nothing special."""

BARS: Final[tuple[dict[str, Any], ...]] = (
    {"facecolor": style.REAL_FILL, "edgecolor": style.REAL, "linewidth": 1.1},
    {"facecolor": style.SYNTHETIC_FILL, "edgecolor": style.SYNTHETIC, "linewidth": 1.1},
)
"""The look of the real table's bars, and of the synthetic one's."""


class Panel(NamedTuple):
    """A panel that is yet to be drawn."""

    title: str
    height: float
    """Inches that it needs."""
    draw: Callable[[Axes], None]
    """Draws into empty axes."""
    score: str = ""
    """A difference of its own, besides the column's."""


def draw_steps(axes: Axes, edges: Floats, real: Floats, synthetic: Floats) -> None:
    """Draw (bins,) shares over (bins + 1,) edges: the real ones filled, the synthetic ones as a line upon them."""
    axes.stairs(real, edges, fill=True, color=style.REAL_FILL)
    axes.stairs(real, edges, color=style.REAL, linewidth=1.1)
    axes.stairs(synthetic, edges, color=style.SYNTHETIC, linewidth=1.6)
    axes.set_xlim(edges[0], edges[-1])


def upright(axes: Axes, notes: list[str]) -> None:
    """Finish a panel whose shares rise from the bottom."""
    axes.set_ylim(bottom=0)
    style.few_ticks(axes.yaxis, 4)
    axes.yaxis.set_major_formatter(style.percent)
    style.quiet(axes, "y")
    axes.spines["left"].set_visible(False)
    write_notes(axes, notes)


def write_notes(axes: Axes, notes: list[str]) -> None:
    """Say below a panel what it cannot show."""
    axes.set_xlabel("\n".join(notes), fontsize=7.5, loc="left")


def missing_note(real: pd.Series[Any], synthetic: pd.Series[Any]) -> list[str]:
    """Say how much is missing, where anything is."""
    missing = float(real.isna().mean()), float(synthetic.isna().mean())
    return [both("missing", *missing)] if any(missing) else []


def beyond_note(real: float, synthetic: float) -> list[str]:
    """Say how much lies beyond the axis, where anything does, given the shares that lie within."""
    beyond = 1 - real, 1 - synthetic
    return [both("beyond the axis", *beyond)] if max(beyond) > 1e-9 else []


def both(what: str, real: float, synthetic: float) -> str:
    """Return the two tables' shares in words.

    >>> both("missing", 0.125, 0.0004)
    'missing: real 12 %, synthetic <0.1 %'
    """
    return f"{what}: real {_in_words(real)}, synthetic {_in_words(synthetic)}"


def _in_words(share: float) -> str:
    value = max(0.0, 100 * share)
    if 1e-7 < value < 0.1:
        return "<0.1 %"
    return f"{value:.1f} %" if 0.1 <= value < 9.95 else f"{value:.0f} %"


def mean_where(mask: np.typing.NDArray[np.bool_]) -> float:
    """Return the share of true values; 0 of none."""
    return float(mask.mean()) if len(mask) else 0.0

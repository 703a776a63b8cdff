"""From a column to its panels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from agentsynth.data.schema import Column
from agentsynth.metrics.values import kind_of
from agentsynth.plots import style
from agentsynth.plots.categorical import categorical_panel
from agentsynth.plots.datetimes import datetime_panels
from agentsynth.plots.numeric import numeric_panel
from agentsynth.plots.panel import HEIGHT, Panel, missing_note

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def column_panels(column: Column, real: pd.Series[Any], synthetic: pd.Series[Any]) -> list[Panel]:
    """Return the panels of a column: one, or two for a datetime with a time of day.

    Args:
        column: what the schema says of it.
        real: (n,) its values in a typed frame.
        synthetic: (m,) the same of the synthetic table.
    """
    notes = missing_note(real, synthetic)
    first, second = real.dropna(), synthetic.dropna()
    if first.empty and second.empty:
        return [Panel(column.name, HEIGHT, _draw_nothing)]
    if kind_of(real) == "datetime":
        return datetime_panels(column.name, first.to_numpy(), second.to_numpy(), notes)
    if kind_of(real) == "numeric":
        return [numeric_panel(column, first.to_numpy(), second.to_numpy(), notes)]
    return [categorical_panel(column, first.tolist(), second.tolist(), notes)]


def _draw_nothing(axes: Axes) -> None:
    axes.set_axis_off()
    text = "no values in either table"
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=style.GREY)

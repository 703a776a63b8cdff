"""The panels of a datetime column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentsynth.plots import style
from agentsynth.plots.binning import Floats, Moments, periods, shares
from agentsynth.plots.panel import HEIGHT, Panel, beyond_note, draw_steps, upright

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def datetime_panels(name: str, real: Moments, synthetic: Moments, notes: list[str]) -> list[Panel]:
    """Return a panel of shares by calendar period and, where there is a time of day, one of shares by hour.

    Args:
        name: the column's.
        real: (n,) moments, none missing.
        synthetic: (m,) the same of the synthetic table; one of the two may be empty.
        notes: what to say below the first panel.
    """
    edges, period = periods(real, synthetic)
    parts = [shares(x, edges) for x in (real, synthetic)]
    within = [float(part.sum()) if len(x) else 1.0 for part, x in zip(parts, (real, synthetic), strict=True)]
    notes = [f"share by {period}", *notes, *beyond_note(*within)]

    def draw(axes: Axes) -> None:
        dates = style.matplotlib_module("matplotlib.dates")
        draw_steps(axes, dates.date2num(edges), *parts)
        locator = dates.AutoDateLocator(minticks=3, maxticks=6)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
        upright(axes, notes)

    panels = [Panel(name, HEIGHT, draw)]
    return [*panels, _hour_panel(name, real, synthetic)] if _has_hours(real) else panels


def _has_hours(moments: Moments) -> bool:
    """Tell whether moments of more than one day differ in their time of day."""
    days = moments.astype("datetime64[D]")
    return len(np.unique(days)) > 1 and len(np.unique(moments - days)) > 1


def _hour_panel(name: str, real: Moments, synthetic: Moments) -> Panel:
    edges = np.arange(25.0)
    first, second = (shares(_hours(x), edges) for x in (real, synthetic))

    def draw(axes: Axes) -> None:
        draw_steps(axes, edges, first, second)
        axes.set_xticks(range(0, 25, 6), [f"{hour}:00" for hour in range(0, 25, 6)])
        upright(axes, ["share by hour of the day"])

    return Panel(f"{name}, hour", HEIGHT, draw, f"TV {np.abs(first - second).sum() / 2:.3f}")


def _hours(moments: Moments) -> Floats:
    """Return (n,) hours since midnight."""
    since: Floats = (moments - moments.astype("datetime64[D]")) / np.timedelta64(1, "h")
    return since

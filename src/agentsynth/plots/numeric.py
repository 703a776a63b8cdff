"""The panel of a numeric column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from agentsynth.data.schema import Column
from agentsynth.plots import style
from agentsynth.plots.binning import Floats, numeric_bins, shares, value_range
from agentsynth.plots.panel import BARS, HEIGHT, Panel, beyond_note, both, draw_steps, mean_where, upright

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FEW_VALUES: Final = 12  # numbers that repeat and are at most so many are drawn as bars, a pair each
_FEW_INTEGERS: Final = 24  # whole numbers within so wide a range, too
_MOST_CHARACTERS: Final = 36  # of the labels below a panel, before they are turned


def numeric_panel(column: Column, real: Floats, synthetic: Floats, notes: list[str]) -> Panel:
    """Return paired bars where a column takes few values, else histograms over common bins.

    Args:
        column: what the schema says of it.
        real: (n,) values, none missing.
        synthetic: (m,) the same of the synthetic table; one of the two may be empty.
        notes: what to say below the panel.
    """
    values = np.unique(np.concatenate([real, synthetic]))
    if len(values) <= min(_FEW_VALUES, (len(real) + len(synthetic)) / 2):
        return _bars_panel(column.name, real, synthetic, values, notes)
    low, high = value_range([x for x in (real, synthetic) if len(x)])
    if high - low <= _FEW_INTEGERS and np.all(values == np.round(values)):
        return _bars_panel(column.name, real, synthetic, np.arange(np.ceil(low), np.floor(high) + 1), notes)
    return _histogram_panel(column, real, synthetic, notes)


def _bars_panel(name: str, real: Floats, synthetic: Floats, values: Floats, notes: list[str]) -> Panel:
    parts = [np.array([mean_where(x == value) for value in values]) for x in (real, synthetic)]
    within = [float(part.sum()) if len(x) else 1.0 for part, x in zip(parts, (real, synthetic), strict=True)]
    notes = [*notes, *beyond_note(*within)]

    def draw(axes: Axes) -> None:
        few = len(values) <= _FEW_VALUES
        places = np.arange(len(values)) if few else values
        for part, shift, look in zip(parts, (-0.2, 0.2), BARS, strict=True):
            axes.bar(places + shift, part, 0.36, **look)
        if few:
            _label_places(axes, places, [style.compact(value) for value in values])
        else:
            style.few_ticks(axes.xaxis, 8, whole=True)
        upright(axes, notes)

    return Panel(name, HEIGHT, draw)


def _label_places(axes: Axes, places: Any, labels: list[str]) -> None:
    axes.set_xticks(places, labels)
    if sum(map(len, labels)) > _MOST_CHARACTERS:
        for label in axes.get_xticklabels():
            label.set(rotation=40, ha="right", rotation_mode="anchor")


def _histogram_panel(column: Column, real: Floats, synthetic: Floats, notes: list[str]) -> Panel:
    edges, log, atom = numeric_bins(real, synthetic, column.decimals)
    at_atom, parts, within = [], [], []
    for values in (real, synthetic):
        held = mean_where(values == atom)
        part = shares(values[values != atom], edges) * (1 - held)
        at_atom.append(held)
        parts.append(part)
        within.append(held + float(part.sum()) if len(values) else 1.0)
    if atom is not None:
        notes = [*notes, both(f"exactly {style.compact(atom)} (not drawn)", *at_atom)]
    notes = [*notes, *beyond_note(*within)]

    def draw(axes: Axes) -> None:
        draw_steps(axes, edges, *parts)
        if log:
            _log_axis(axes, edges)
        axes.xaxis.set_major_formatter(style.compact)
        upright(axes, notes)

    return Panel(column.name, HEIGHT, draw)


def _log_axis(axes: Axes, edges: Floats) -> None:
    ticker = style.matplotlib_module("matplotlib.ticker")
    decades = float(np.log10(edges[-1] / edges[0]))
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 3) if decades < 3 else (1,), numticks=8))
    axes.xaxis.set_minor_locator(ticker.NullLocator())

"""The panels of the data comparison: one column, real against synthetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from agentsynth.data.schema import Column
from agentsynth.plots import style
from agentsynth.plots.binning import Floats, numeric_bins, periods, shares, value_range

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FEW_VALUES: Final = 12  # numbers with at most so many different values are drawn as bars, one a value
_FEW_INTEGERS: Final = 30  # whole numbers within so wide a range, too
_MOST_LEVELS: Final = 12
_PLAIN_HEIGHT: Final = 2.0
BARS: Final[tuple[dict[str, Any], ...]] = (
    {"facecolor": style.REAL_FILL, "edgecolor": style.REAL, "linewidth": 1.1},
    {"facecolor": style.SYNTHETIC_FILL, "edgecolor": style.SYNTHETIC, "linewidth": 1.1},
)


class Panel(NamedTuple):
    """A panel that is yet to be drawn."""

    title: str
    height: float
    """Inches that it needs."""
    draw: Callable[[Axes], None]
    """Draws into empty axes."""


def column_panels(column: Column, real: pd.Series[Any], synthetic: pd.Series[Any]) -> list[Panel]:
    """Return the panels of a column: one, or two for a datetime with a time of day.

    Args:
        column: what the schema says of it.
        real: its values in a typed frame: float64, datetime64, or labels as objects.
        synthetic: the same of the synthetic table.
    """
    notes = _missing_note(real, synthetic)
    present = real.dropna(), synthetic.dropna()
    if not any(map(len, present)):
        return [Panel(column.name, _PLAIN_HEIGHT, lambda axes: _draw_nothing(axes, "no values in either table"))]
    if pd.api.types.is_datetime64_any_dtype(real.dtype):
        return _datetime_panels(column.name, *(part.to_numpy() for part in present), notes)
    if real.dtype == np.float64:
        return [_numeric_panel(column, *(part.to_numpy() for part in present), notes)]
    return [_categorical_panel(column.name, *(part.tolist() for part in present), notes)]


def _missing_note(real: pd.Series[Any], synthetic: pd.Series[Any]) -> list[str]:
    missing = [float(part.isna().mean()) if len(part) else 0.0 for part in (real, synthetic)]
    return [_both("missing", *missing)] if any(missing) else []


def _both(what: str, real: float, synthetic: float) -> str:
    return f"{what}: real {style.percent(real)}, synthetic {style.percent(synthetic)}"


# --- numbers -----------------------------------------------------------------------------------------------------


def _numeric_panel(column: Column, real: Floats, synthetic: Floats, notes: list[str]) -> Panel:
    values = np.unique(np.concatenate([real, synthetic]))
    if len(values) <= _FEW_VALUES:
        return _bars_panel(column.name, real, synthetic, values, notes)
    low, high = value_range([x for x in (real, synthetic) if len(x)])
    if high - low <= _FEW_INTEGERS and np.all(values == np.round(values)):
        return _bars_panel(column.name, real, synthetic, np.arange(np.ceil(low), np.floor(high) + 1), notes)
    return _histogram_panel(column, real, synthetic, notes)


def _bars_panel(name: str, real: Floats, synthetic: Floats, values: Floats, notes: list[str]) -> Panel:
    """Return a panel of paired upright bars, one pair a value."""
    parts = [np.array([np.mean(x == value) if len(x) else 0.0 for value in values]) for x in (real, synthetic)]
    notes = [*notes, *_beyond(parts, real, synthetic)]

    def draw(axes: Axes) -> None:
        few = len(values) <= _FEW_VALUES
        places = np.arange(len(values)) if few else values
        for part, shift, look in zip(parts, (-0.2, 0.2), BARS, strict=True):
            axes.bar(places + shift, part, 0.36, **look)
        if few:
            axes.set_xticks(places, [style.compact(value) for value in values])
        _finish(axes, notes)

    return Panel(name, _PLAIN_HEIGHT, draw)


def _beyond(parts: list[Floats], real: Any, synthetic: Any) -> list[str]:
    """Say how much lies beyond the axis, where anything does: what is missing from the shares drawn."""
    beyond = [max(0.0, 1 - float(part.sum())) * (len(x) > 0) for part, x in zip(parts, (real, synthetic), strict=True)]
    return [_both("beyond the axis", *beyond)] if max(beyond) > 1e-9 else []


def _histogram_panel(column: Column, real: Floats, synthetic: Floats, notes: list[str]) -> Panel:
    edges, log, atom = numeric_bins(real, synthetic, column.decimals)
    parts = [shares(x[x != atom], edges) * np.mean(x != atom) if len(x) else shares(x, edges) for x in (real, synthetic)]
    at_atom = [float(np.mean(x == atom)) if len(x) else 0.0 for x in (real, synthetic)]
    if atom is not None:
        notes = [*notes, _both(f"exactly {style.compact(atom)} (not drawn)", *at_atom)]
    notes = [*notes, *_beyond([np.append(*pair) for pair in zip(parts, at_atom, strict=True)], real, synthetic)]

    def draw(axes: Axes) -> None:
        _draw_steps(axes, edges, parts)
        if log:
            _log_axis(axes, edges)
        else:
            axes.xaxis.set_major_formatter(style.compact)
        _finish(axes, notes)

    return Panel(column.name, _PLAIN_HEIGHT, draw)


def _draw_steps(axes: Axes, edges: Any, parts: list[Floats]) -> None:
    """Draw two histograms over the same edges: the real one filled, the synthetic one as a line upon it."""
    axes.stairs(parts[0], edges, fill=True, color=style.REAL_FILL)
    axes.stairs(parts[0], edges, color=style.REAL, linewidth=1.1)
    axes.stairs(parts[1], edges, color=style.SYNTHETIC, linewidth=1.6)
    axes.set_xlim(edges[0], edges[-1])


def _log_axis(axes: Axes, edges: Floats) -> None:
    ticker = style.matplotlib_module("matplotlib.ticker")
    decades = float(np.log10(edges[-1] / edges[0]))
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 3) if decades < 3 else (1,), numticks=8))
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.xaxis.set_major_formatter(style.compact)


# --- categories --------------------------------------------------------------------------------------------------


def _categorical_panel(name: str, real: list[str], synthetic: list[str], notes: list[str]) -> Panel:
    labels, rows = _level_shares(real, synthetic)

    def draw(axes: Axes) -> None:
        places = np.arange(len(labels))
        for share, shift, look in zip(rows, (-0.2, 0.2), BARS, strict=True):
            axes.barh(places + shift, share, 0.36, **look)
        axes.set_yticks(places, labels)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.xaxis.set_major_formatter(style.percent)
        axes.xaxis.get_major_locator().set_params(nbins=4)
        style.quiet(axes, "x")
        axes.spines["bottom"].set_visible(False)
        _write_notes(axes, notes)

    return Panel(name, max(_PLAIN_HEIGHT, 0.7 + 0.24 * len(labels)), draw)


def _level_shares(real: list[str], synthetic: list[str]) -> tuple[list[str], list[Floats]]:
    """Return labels and both tables' shares by falling real share; what comes after the first 12 is one "other"."""
    counts = [Counter(real), Counter(synthetic)]
    levels = sorted({*real, *synthetic}, key=lambda level: (-counts[0][level], -counts[1][level], level))
    kept = levels if len(levels) <= _MOST_LEVELS + 1 else levels[:_MOST_LEVELS]
    rows = [np.array([count[level] for level in kept]) / max(count.total(), 1) for count in counts]
    labels = [style.shorten(level) for level in kept]
    if len(kept) < len(levels):
        rows = [np.append(row, (1 - row.sum()) * (count.total() > 0)) for row, count in zip(rows, counts, strict=True)]
        labels.append(f"other ({len(levels) - len(kept)} levels)")
    return labels, rows


# --- dates and times ---------------------------------------------------------------------------------------------


def _datetime_panels(name: str, real: Any, synthetic: Any, notes: list[str]) -> list[Panel]:
    edges, period = periods(real, synthetic)
    parts = [shares(x, edges) for x in (real, synthetic)]
    notes = [f"share by {period}", *notes, *_beyond(parts, real, synthetic)]

    def draw(axes: Axes) -> None:
        dates = style.matplotlib_module("matplotlib.dates")
        _draw_steps(axes, dates.date2num(edges), parts)
        locator = dates.AutoDateLocator(minticks=3, maxticks=6)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
        _finish(axes, notes)

    panels = [Panel(name, _PLAIN_HEIGHT, draw)]
    return [*panels, _hour_panel(name, real, synthetic)] if _has_hours(real) else panels


def _has_hours(moments: Any) -> bool:
    """Tell whether moments of more than one day differ in their time of day."""
    if len(moments) == 0:
        return False
    days = moments.astype("datetime64[D]")
    return len(np.unique(days)) > 1 and len(np.unique(moments - days)) > 1


def _hour_panel(name: str, real: Any, synthetic: Any) -> Panel:
    edges = np.arange(25.0)
    hours = [(x - x.astype("datetime64[D]")) / np.timedelta64(1, "h") for x in (real, synthetic)]
    parts = [shares(x, edges) for x in hours]

    def draw(axes: Axes) -> None:
        _draw_steps(axes, edges, parts)
        axes.set_xticks(range(0, 25, 6), [f"{hour}:00" for hour in range(0, 25, 6)])
        _finish(axes, ["share by hour of the day"])

    return Panel(f"{name}, hour", _PLAIN_HEIGHT, draw)


# --- what all share ----------------------------------------------------------------------------------------------


def _finish(axes: Axes, notes: list[str]) -> None:
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(style.percent)
    axes.yaxis.get_major_locator().set_params(nbins=4)
    style.quiet(axes, "y")
    axes.spines["left"].set_visible(False)
    _write_notes(axes, notes)


def _write_notes(axes: Axes, notes: list[str]) -> None:
    """Write what a panel cannot show below it."""
    axes.set_xlabel("\n".join(notes), fontsize=7.5, loc="left")


def _draw_nothing(axes: Axes, text: str) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=style.GREY)

"""Real against synthetic data, column by column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from agentsynth.data.schema import Schema
from agentsynth.data.typed import typed
from agentsynth.plots import style
from agentsynth.plots.panels import BARS, Panel, column_panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EXPLAINED: Final = (
    "Worst column first. KS: Kolmogorov-Smirnov distance (numbers, dates); TV: total variation distance (categories). "
    "0 = same distribution, 1 = nothing in common."
)


class _Compared(NamedTuple):
    """A column, how far its two distributions are apart, and its panels."""

    name: str
    difference: float
    score: str
    panels: list[Panel]


@style.styled
def data_comparison(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    schema: Schema,
    path: str | Path | None = None,
    *,
    max_panels: int = 16,
) -> Figure:
    """Draw the distribution of every column in the real and in the synthetic table, the worst column first.

    Numbers are drawn as histograms over common bins (heavy tails cut off and counted in words, very skewed columns on
    a logarithmic axis), or as paired bars where they take few values; categories as paired bars by falling real share
    (the first 12, and all others together); datetimes as shares by calendar period and, where they have a time of day,
    by hour. Missing values are left out of the bars and counted in words.

    Args:
        real: rows to compare with, best ones that the model has not seen.
        synthetic: rows of the same columns.
        schema: the table's schema; ids and constants are not compared.
        path: file to write the figure to, too.
        max_panels: panels at most; columns that find no place are named in the footnote.

    Returns:
        The figure; each panel's title bears the column's distribution difference.

    Raises:
        SchemaError: a table does not fit the schema.
        MissingPackageError: matplotlib is not installed.
    """
    tables = typed(real, schema), typed(synthetic, schema)
    columns = _worst_first(*tables, schema)
    shown = _that_fit(columns, max_panels)
    grid = [(column, panel) for column in shown for panel in column.panels]
    across, width = _grid_shape(len(grid))
    rows = [grid[i : i + across] for i in range(0, len(grid), across)] or [[]]
    heights = [max((panel.height for _, panel in row), default=1.0) for row in rows]
    subtitle = f"{len(real):,} real rows, {len(synthetic):,} synthetic rows"
    figure = style.new_figure(width, sum(heights), "Real and synthetic data", subtitle, _footnote(columns, shown))
    cells = figure.add_gridspec(len(rows), across, height_ratios=heights)
    for index, (column, panel) in enumerate(grid):
        axes = figure.add_subplot(cells[divmod(index, across)])
        panel.draw(axes)
        axes.set_title(style.shorten(panel.title, 30))
        if panel is column.panels[0]:
            axes.set_title(column.score, loc="right", fontsize=8.5, fontweight="normal", color=style.GREY)
    _legend(figure)
    return style.finished(figure, path)


def _worst_first(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> list[_Compared]:
    compared = []
    for column in schema.compared:
        pair = real[column.name], synthetic[column.name]
        difference = _difference(*pair)
        name = "TV" if pair[0].dtype == object else "KS"
        score = f"{name} {difference:.3f}" if np.isfinite(difference) else ""
        compared.append(_Compared(column.name, difference, score, column_panels(column, *pair)))
    return sorted(compared, key=lambda column: -np.nan_to_num(column.difference, nan=-1.0))


def _that_fit(columns: list[_Compared], most: int) -> list[_Compared]:
    """Return the first columns whose panels are not more than `most` together."""
    ends = np.cumsum([len(column.panels) for column in columns])
    return columns[: int(np.searchsorted(ends, most, side="right"))]


def _grid_shape(panels: int) -> tuple[int, float]:
    """Return panels a row and the figure's width in inches."""
    if panels <= 1:
        return 1, 6.0
    if panels <= 4:
        return 2, 9.0
    return (3, 12.0) if panels in (5, 6, 9) else (4, 14.0)


def _footnote(columns: list[_Compared], shown: list[_Compared]) -> str:
    left_out = [style.shorten(column.name) for column in columns[len(shown) :]]
    if not left_out:
        return _EXPLAINED
    return f"{_EXPLAINED} Not shown, as they differ least: {', '.join(left_out)}."


def _legend(figure: Figure) -> None:
    patches = style.matplotlib_module("matplotlib.patches")
    handles = [patches.Patch(**bar) for bar in BARS]
    figure.legend(handles, ["real", "synthetic"], loc="upper right", ncols=2, fontsize=10)


def _difference(real: pd.Series[Any], synthetic: pd.Series[Any]) -> float:
    """Return the KS distance (numbers, datetimes) or total variation distance (labels) of the values that are there.

    1 where only one of the two has values, NaN where none has.
    """
    first, second = real.dropna().to_numpy(), synthetic.dropna().to_numpy()
    if not (len(first) and len(second)):
        return 1.0 if len(first) or len(second) else float("nan")
    if real.dtype == object:
        shares = [pd.Series(part).value_counts(normalize=True) for part in (first, second)]
        return float(shares[0].sub(shares[1], fill_value=0).abs().sum() / 2)
    points = np.concatenate([first, second])
    below = [np.searchsorted(np.sort(part), points, side="right") / len(part) for part in (first, second)]
    return float(np.abs(below[0] - below[1]).max())

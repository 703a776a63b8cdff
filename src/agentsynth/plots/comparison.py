"""Real against synthetic data, column by column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from agentsynth.data.schema import Schema
from agentsynth.data.typed import typed
from agentsynth.metrics.marginals import distribution_difference
from agentsynth.metrics.similarity import require_rows
from agentsynth.metrics.values import compared, kind_of
from agentsynth.plots import style
from agentsynth.plots.columns import column_panels
from agentsynth.plots.panel import BARS, Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

_EXPLAINED: Final = (
    "Worst column first. KS: Kolmogorov-Smirnov distance (numbers, dates); TV: total variation distance (categories). "
    "0 = same distribution, 1 = nothing in common; missing values count, too."
)
_MOST_CHARACTERS: Final = {1: 40, 2: 34, 3: 30, 4: 24}  # of a panel's title, by panels a row


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
        InputError: a table has no rows, or there is no column to compare.
        SchemaError: a table does not fit the schema.
        MissingPackageError: matplotlib is not installed.
    """
    real, synthetic = (compared(typed(table, schema), schema) for table in (real, synthetic))
    require_rows(real=real, synthetic=synthetic)
    columns = _worst_first(real, synthetic, schema)
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
        title = axes.set_title(style.shorten(panel.title, _MOST_CHARACTERS[across]))
        _write_score(axes, title, column.score if panel is column.panels[0] else panel.score)
    _legend(figure)
    return style.finished(figure, path)


def _worst_first(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> list[_Compared]:
    columns = []
    for column in schema.compared:
        pair = real[column.name], synthetic[column.name]
        difference = distribution_difference(*pair)
        score = f"{'TV' if kind_of(pair[0]) == 'categorical' else 'KS'} {difference:.3f}"
        columns.append(_Compared(column.name, difference, score, column_panels(column, *pair)))
    return sorted(columns, key=lambda column: -column.difference)


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


def _write_score(axes: Axes, title: Text, score: str) -> None:
    """Write a score right of a panel's title, however long that is."""
    look: dict[str, Any] = {"fontsize": 8.5, "color": style.GREY, "va": "bottom"}
    axes.annotate(score, (1, 0), (7, 0), xycoords=title, textcoords="offset points", **look)


def _legend(figure: Figure) -> None:
    patches = style.matplotlib_module("matplotlib.patches")
    handles = [patches.Patch(**bar) for bar in BARS]
    figure.legend(handles, ["real", "synthetic"], loc="upper right", ncols=2, fontsize=10)

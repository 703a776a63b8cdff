"""The lives of a few entities: their rows along the time, real ones beside generated ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.schema import Schema
from agentsynth.data.typed import typed
from agentsynth.entities.plan import EntityPlan
from agentsynth.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS: Final = (style.BLUE, style.ORANGE, style.GREEN, style.VERMILLION, style.PURPLE, style.SKY)
_OTHER: Final = "(other)"
_LINE: Final = 0.24
"""Inches of an entity's line."""


@style.styled
def lives(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    plan: EntityPlan,
    schema: Schema,
    path: str | Path | None = None,
    *,
    entities: int = 14,
) -> Figure:
    """Draw the rows of a few real and of as many generated entities, a line each, coloured by a label.

    Of each table those are drawn that stand at even places among all, by their number of rows: chosen by nothing else.

    Args:
        real: real rows.
        synthetic: generated rows.
        plan: what the entities are.
        schema: of the tables.
        path: file to write the figure to, too.
        entities: how many of each table.

    Returns:
        The figure.

    Raises:
        SchemaError: a table does not fit the schema.
        MissingPackageError: matplotlib is not installed.
    """
    tables = [plan.arranged(typed(table, schema)) for table in (real, synthetic)]
    label = next((name for name in plan.others if schema[name].is_label), None)
    shown = [] if label is None else list(tables[0][0][label].value_counts().index[: len(_COLOURS)])
    what = "rows" if label is None else f"rows, by {style.shorten(label, 40)}"
    title = f"Lives of {style.shorten(plan.id, 40)}"
    figure = style.new_figure(9.5, _LINE * entities + 0.9, title, f"{entities} real and generated ones; {what}")
    both = figure.subplots(1, 2, sharex=plan.time is not None)
    for axes, (rows, entity), name in zip(both, tables, ("real", "generated"), strict=True):
        _draw(axes, rows, entity, _spread(entity, entities), plan.time, label, shown)
        axes.set_title(name)
    handles, names = both[0].get_legend_handles_labels()
    known = dict(zip(names, handles, strict=True))
    if label is not None:
        listed = [name for name in [*map(str, shown), _OTHER] if name in known]
        figure.legend([known[name] for name in listed], listed, loc="outside lower center", ncols=len(listed))
    return style.finished(figure, path)


def _spread(entity: NDArray[np.int64], count: int) -> list[int]:
    """Return entities at even places among all, by their number of rows."""
    order = np.argsort(np.bincount(entity), kind="stable")
    places = (np.arange(min(count, len(order))) + 0.5) / count * len(order)
    return [int(order[int(place)]) for place in places]


def _draw(
    axes: Axes,
    rows: pd.DataFrame,
    entity: NDArray[np.int64],
    chosen: list[int],
    time: str | None,
    label: str | None,
    shown: list[Any],
) -> None:
    """Draw the rows of the chosen entities, each on a line of its own."""
    for line, number in enumerate(chosen):
        own = rows[entity == number]
        moments = np.arange(len(own)) + 1 if time is None else own[time].to_numpy()
        axes.plot(moments[[0, -1]], [line, line], color=style.PALE, linewidth=1, zorder=1)
        values = [_OTHER] * len(own) if label is None else [v if v in shown else _OTHER for v in own[label]]
        for value in dict.fromkeys(values):
            colour = _COLOURS[shown.index(value)] if value in shown else style.GREY
            at = moments[np.array([other == value for other in values])]
            axes.scatter(at, np.full(len(at), line), s=18, color=colour, label=str(value), zorder=2, linewidths=0)
    axes.set_yticks([])
    axes.set_xlabel("row" if time is None else style.shorten(time, 40))
    style.quiet(axes, "x")
    if time is not None and rows[time].dtype.kind == "M":
        axes.tick_params(axis="x", rotation=30)

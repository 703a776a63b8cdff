"""A study: its history, what mattered, each parameter by itself, and the front between two objectives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from agentsynth.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from agentsynth.tuning.results import Tuning
    from agentsynth.tuning.trials import TrialRecord

_COLUMNS = 3


def draw(tuning: Tuning, folder: Path) -> list[Path]:
    """Draw the figures that the study has matter for, and return their files."""
    figures = {"history": history(tuning), "slices": slices(tuning)}
    if tuning.importance:
        figures["importance"] = importance(tuning)
    if tuning.front:
        figures["pareto"] = pareto(tuning)
    return [style.save_figure(figure, folder / f"{name}.png") for name, figure in figures.items()]


def _title(name: str) -> str:
    return name.replace("_", " ")


def _complete(tuning: Tuning) -> list[TrialRecord]:
    return [trial for trial in tuning.trials if trial.values]


def _marked(axes: Axes, tuning: Tuning, x: dict[int, Any], place: int = 0) -> None:
    """Mark the trial that the study began with, and the best."""
    marks = ((tuning.default, 10, style.BLUE, "begun with"), (tuning.best, 6, style.VERMILLION, "best"))
    for trial, size, colour, label in marks:
        axes.plot([x[trial.number]], [trial.values[place]], "o", markersize=size, color=colour, label=label, zorder=4)


@style.styled
def history(tuning: Tuning) -> Figure:
    """Draw the similarity of every complete trial, and the best so far; pruned trials as marks below."""
    complete = _complete(tuning)
    numbers = np.array([trial.number for trial in complete])
    values = np.array([trial.values[0] for trial in complete])
    others = [trial.number for trial in tuning.trials if not trial.values]
    subtitle = f"{len(complete)} complete trials, {len(others)} pruned or failed (marks at the bottom)"
    figure = style.new_figure(8, 3.4, f"History of the study: {_title(tuning.objectives[0])}", subtitle)
    axes = figure.subplots()
    axes.plot(numbers, values, "o", markersize=4, color=style.GREY, alpha=0.6, label="a trial")
    axes.step(numbers, np.maximum.accumulate(values), where="post", color=style.INK, linewidth=1.4, label="best so far")
    _marked(axes, tuning, {number: number for number in numbers})
    axes.plot(others, np.zeros(len(others)), "|", color=style.GREY, transform=axes.get_xaxis_transform(), markersize=9)
    axes.set_xlabel("trial")
    style.few_ticks(axes.xaxis, 10, whole=True)
    axes.legend(loc="lower right", ncols=4)
    axes.margins(y=0.2)
    style.quiet(axes, "y")
    return figure


@style.styled
def importance(tuning: Tuning) -> Figure:
    """Draw which parameters the similarity depends on."""
    names = list(tuning.importance)
    subtitle = f"fANOVA over {len(_complete(tuning))} trials; the shares add up to 100 %"
    figure = style.new_figure(8, 0.6 + 0.32 * len(names), "What mattered", subtitle)
    axes = figure.subplots()
    shares = list(tuning.importance.values())
    axes.barh(range(len(names)), shares, color=style.BLUE, height=0.6)
    for place, share in enumerate(shares):
        axes.annotate(style.percent(round(share, 2)), (share, place), (4, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(names)), [style.shorten(name, 40) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.xaxis.set_major_formatter(style.percent)
    axes.margins(x=0.12)
    style.quiet(axes, "x")
    axes.spines["left"].set_visible(False)
    return figure


@style.styled
def slices(tuning: Tuning) -> Figure:
    """Draw the similarity of the complete trials over each parameter by itself."""
    complete, names = _complete(tuning), list(tuning.began_with)
    rows = -(-len(names) // _COLUMNS)
    figure = style.new_figure(
        10,
        2.2 * rows,
        "Slices",
        f"{_title(tuning.objectives[0])} of the complete trials, later ones darker; blue: begun with, orange: best",
    )
    panels = figure.subplots(rows, _COLUMNS, sharey=True, squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        _slice(axes, tuning, complete, name)
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    return figure


def _slice(axes: Axes, tuning: Tuning, complete: list[TrialRecord], name: str) -> None:
    values = [trial.params[name] for trial in complete]
    labels = None if all(_is_number(value) for value in values) else sorted({str(value) for value in values})
    places: npt.NDArray[Any] = np.array(values if labels is None else [labels.index(str(value)) for value in values])
    numbers = np.array([trial.number for trial in complete])
    axes.scatter(places, [trial.values[0] for trial in complete], c=numbers, cmap="Greys", vmin=-len(numbers), s=14)
    _marked(axes, tuning, dict(zip(numbers.tolist(), places.tolist(), strict=True)))
    if labels is not None:
        axes.set_xticks(range(len(labels)), labels)
    elif name in tuning.logarithmic:
        axes.set_xscale("log")
        decades = range(int(np.floor(np.log10(places.min()))), int(np.ceil(np.log10(places.max()))) + 1)
        ticks = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
        axes.set_xticks(ticks, [style.compact(tick) for tick in ticks])
        axes.set_xticks([], minor=True)
        axes.set_xlim(places.min() * 0.8, places.max() * 1.25)
    axes.set_title(style.shorten(name.replace("environment.reward_weights.", "weight of "), 34), fontsize=8.5)
    axes.margins(x=0.08, y=0.12)
    style.quiet(axes, "both")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@style.styled
def pareto(tuning: Tuning) -> Figure:
    """Draw similarity against the second objective, and the trials that no other dominates."""
    complete = _complete(tuning)
    first, second = (_title(name) for name in tuning.objectives)
    subtitle = f"{len(complete)} complete trials; up and to the left is better"
    figure = style.new_figure(7, 4.2, "Similarity against privacy", subtitle)
    axes = figure.subplots()
    axes.plot(*_points(complete), "o", markersize=4, color=style.GREY, alpha=0.5, label="a trial")
    axes.step(*_points(tuning.front), "o-", where="pre", markersize=5, color=style.INK, label="Pareto front")
    _marked(axes, tuning, {trial.number: trial.values[1] for trial in complete})
    axes.set_xlabel(f"{second} (lower is more private)")
    axes.set_title(first)
    axes.legend(loc="best")
    axes.margins(0.1)
    style.quiet(axes, "both")
    return figure


def _points(trials: list[TrialRecord]) -> tuple[list[float], list[float]]:
    return [trial.values[1] for trial in trials], [trial.values[0] for trial in trials]

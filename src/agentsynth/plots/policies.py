"""Policies side by side, over several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from agentsynth.errors import InputError
from agentsynth.plots import style
from agentsynth.seeding import stream

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

_RESAMPLES: Final = 2000


@style.styled
def policy_comparison(
    frame: pd.DataFrame,
    path: str | Path | None = None,
    *,
    metrics: Sequence[str] = ("similarity",),
    lower_is_better: Sequence[str] = ("miss",),
    highlight: str = "q_learning",
    title: str = "Policies compared",
) -> Figure:
    """Draw every policy's mean score with its 95 % interval over seeds, the best policy first.

    Args:
        frame: one row a policy and seed: columns `policy`, `seed`, and the metrics, e.g. from
            `agentsynth.ablation.compare_policies`.
        path: file to write the figure to, too.
        metrics: the columns to draw, a panel each; the first one sorts the policies.
        lower_is_better: the metrics whose best value is the lowest; their panels say so.
        highlight: the policy to set apart by colour.
        title: the figure's first line.

    Returns:
        The figure.

    Raises:
        InputError: the frame lacks a column or has no rows.
        MissingPackageError: matplotlib is not installed.
    """
    _check(frame, metrics)
    means = frame.groupby("policy")[metrics[0]].mean()
    order = means.sort_values(ascending=metrics[0] in lower_is_better, kind="stable").index.tolist()
    seeds = frame["seed"].nunique()
    subtitle = f"Mean and 95 % bootstrap interval over {seeds} seeds" if seeds > 1 else "One seed: no interval"
    small = "Small points: single seeds."
    height = 0.9 + 0.36 * len(order)
    figure = style.new_figure(max(4.2 * len(metrics), 7.5), height, title, subtitle, small if seeds > 1 else "")
    for axes, metric in zip(figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0], metrics, strict=True):
        for place, policy in enumerate(order):
            values = frame.loc[frame["policy"] == policy, metric].dropna().to_numpy(dtype=float)
            _draw_policy(axes, place, values, style.VERMILLION if policy == highlight else style.BLUE)
        axes.set_title(style.shorten(metric) + (" (lower is better)" if metric in lower_is_better else ""))
        axes.set_yticks(range(len(order)), [style.shorten(policy) for policy in order])
        axes.set_ylim(len(order) - 0.5, -0.5)
        axes.margins(x=0.06)
        style.quiet(axes, "x")
        axes.spines["left"].set_visible(False)
    return style.finished(figure, path)


def _check(frame: pd.DataFrame, metrics: Sequence[str]) -> None:
    absent = [name for name in ("policy", "seed", *metrics) if name not in frame.columns]
    if absent:
        found = ", ".join(map(str, frame.columns))
        raise InputError(f"a policy comparison needs the columns {', '.join(absent)}; the frame has {found}.")
    if frame.empty or not metrics:
        raise InputError("a policy comparison needs at least one row and one metric; found none.")


def _draw_policy(axes: Axes, place: int, values: Floats, colour: str) -> None:
    """Draw single seeds, their mean, and its interval at a height of the panel."""
    if len(values) == 0:
        return
    axes.plot(values, np.full(len(values), place), "o", color=colour, markersize=3.5, alpha=0.3)
    low, high = bootstrap_interval(values)
    look: dict[str, Any] = {"color": colour, "linewidth": 2.2, "solid_capstyle": "round"}
    axes.plot([low, high], [place, place], **look)
    axes.plot([values.mean()], [place], "o", color=colour, markersize=7.5)
    axes.annotate(
        f"{values.mean():.3f}", (values.mean(), place), (0, 6), textcoords="offset points", ha="center", fontsize=8
    )


def bootstrap_interval(values: Floats, share: float = 0.95) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean of (n,) values; the same at every call.

    Efron & Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
    """
    draws = stream(0, "bootstrap").integers(len(values), size=(_RESAMPLES, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)

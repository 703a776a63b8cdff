"""The training of a page: curves by episode, best action, learned response, rivals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from agentsynth.agent.history import TrainingHistory
from agentsynth.agent.policies import QPolicy
from agentsynth.metrics.text import percent_text, score_text
from agentsynth.pages.figures import panel_svg
from agentsynth.plots import components, response, style, training
from agentsynth.plots.episodes import mean_of, window
from agentsynth.plots.learned import check_policy, first_factors, progress_label
from agentsynth.plots.policies import bootstrap_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FACTORS = 12
"""Factors whose learned response is drawn."""


@dataclass(frozen=True)
class Curve:
    """A picture of the training, and how to read it."""

    title: str
    caption: str
    svg: str


@dataclass(frozen=True)
class Learning:
    """What was learned, and how."""

    episodes: int
    best_episode: int
    curves: tuple[Curve, ...]
    action: Curve
    responses: tuple[Curve, ...]
    parts: tuple[tuple[str, str], ...]
    """(part of an episode, the CSS colour of its line) where the response has several."""
    left_out: tuple[str, ...]
    """Factors whose response is not drawn."""
    rivals: tuple[tuple[str, str], ...]
    """(policy, similarity to the held-out goals), the learned one first; empty: it was not examined."""
    policies: tuple[tuple[str, str, str], ...]
    """(policy, similarity, mean miss of the targets), each with its interval; empty: not compared."""
    seeds: int
    """Tables of each policy in that comparison."""


def learning(history: TrainingHistory, policy: QPolicy, compared: pd.DataFrame | None) -> Learning:
    """Return what a page shows of a training.

    Args:
        history: of at least one episode.
        policy: the learned policy.
        compared: what `agentsynth.ablation.compare_policies` returned, or None.

    Raises:
        InputError: the policy's parts do not fit together.
        MissingPackageError: matplotlib is not installed.
    """
    check_policy(policy)
    shown, _ = first_factors(policy, FACTORS)
    return Learning(
        len(history),
        history.best_episode,
        tuple(_curves(history)),
        _action(history),
        tuple(_response(policy, place) for place in range(len(shown))),
        tuple(_parts(policy)),
        policy.table_names[len(shown) :],
        tuple(_rivals(history)),
        () if compared is None else tuple(_policies(compared)),
        0 if compared is None else int(compared["seed"].nunique()),
    )


def _curves(history: TrainingHistory) -> list[Curve]:
    mean = mean_of(window(history))
    plain: list[tuple[str, str, Callable[[Axes, TrainingHistory], None], float]] = [
        (
            "Return",
            f"Sum of rewards. Dots: episodes, each with a goal of its own; line: {mean}; dashed: the policy kept.",
            training.draw_returns,
            2.2,
        ),
        (
            "Similarity by column",
            f"To the goal, at the end of an episode; {mean}.",
            components.draw_components,
            2.6,
        ),
        ("Epsilon", "Share of exploring actions.", training.draw_epsilon, 1.5),
    ]
    if np.isfinite(history.held_out).any():
        caption = "Similarity that the greedy policy reaches to goals kept out of training; grey: rivals."
        plain.insert(1, ("Held-out goals", caption, training.draw_held_out, 2.2))
    return [_curve(history, *entry) for entry in plain]


def _curve(
    history: TrainingHistory,
    title: str,
    caption: str,
    draw: Callable[[Axes, TrainingHistory], None],
    height: float,
) -> Curve:
    picture = panel_svg(lambda axes: draw(axes, history), f"training {title}", f"{title} by episode", height=height)
    return Curve(title, caption, picture)


def _action(history: TrainingHistory) -> Curve:
    action = training.strongest(history.best_action)
    words = ", ".join(f"{name.removesuffix('_factor')} {value:.2f}" for name, value in action.items())
    caption = "Factor by column; 1 leaves a column alone, above it the next batch is pressed upwards, below it down."
    rest = len(history.best_action) - len(action)
    if rest:
        caption += f" Not shown: {rest} factors nearer to 1."

    def draw(axes: Axes) -> None:
        training.draw_best_action(axes, action)

    picture = panel_svg(draw, "best action", f"Best action: {words}", height=0.7 + 0.24 * max(len(action), 2))
    return Curve("Best action", caption, picture)


def _response(policy: QPolicy, place: int) -> Curve:
    name = policy.table_names[place]
    colours = {colour: f"part-{part}" for part, colour in enumerate(_part_colours(policy))}

    def draw(axes: Axes) -> None:
        response.draw_response(axes, policy, place)

    label = f"Learned response of {name}: greedy factor by gap between goal and table"
    return Curve(name, "", panel_svg(draw, f"response {place}", label, width=2.9, height=2.0, colours=colours))


def _parts(policy: QPolicy) -> list[tuple[str, str]]:
    colours = _part_colours(policy)
    if len(colours) < 2:
        return []
    return [
        (progress_label(part, len(colours)), f"var(--part-{part}, {colour})") for part, colour in enumerate(colours)
    ]


def _part_colours(policy: QPolicy) -> list[str]:
    """Return the colour (`#rrggbb`) of each part of an episode."""
    to_hex = style.matplotlib_module("matplotlib.colors").to_hex
    return [to_hex(colour) for colour in response.progress_colours(policy.tables.shape[2])]


def _rivals(history: TrainingHistory) -> list[tuple[str, str]]:
    own = float(history.held_out[history.best_episode])
    if not np.isfinite(own):
        return []
    return [("learned", score_text(own)), *((name, score_text(value)) for name, value in history.rivals.items())]


def _policies(compared: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Return the policies, the best first: by the missed targets where there are any, else by similarity."""
    steered = compared["miss"].notna().any()
    means = compared.groupby("policy")["miss" if steered else "similarity"].mean()
    order: Sequence[str] = means.sort_values(ascending=bool(steered), kind="stable").index.tolist()
    rows = {name: compared[compared["policy"] == name] for name in order}
    return [
        (name, _with_interval(part["similarity"], score_text), _with_interval(part["miss"], percent_text))
        for name, part in rows.items()
    ]


def _with_interval(values: pd.Series[float], text: Callable[[float], str]) -> str:
    """Return a mean with its 95 % bootstrap interval over seeds, if there are several; empty: there is no value."""
    known = np.asarray(values.dropna(), dtype=np.float64)
    if not len(known):
        return ""
    if len(known) == 1:
        return text(float(known[0]))
    low, high = bootstrap_interval(known)
    return f"{text(float(known.mean()))} ({text(low)} to {text(high)})"

"""Does the agent learn? Training curves over seeds, beside a policy that never learns and one that does nothing.

For each seed the agent is trained on half of a fresh shop, three times, with the same pool, goals and episodes, so that
all differences are paired:

- learned: the defaults;
- random: epsilon stays 1, so that every action is random in every episode;
- neutral: epsilon is 0, and an agent that has tried nothing is neutral, so that no factor ever moves: selection alone.

An episode's return, which is the similarity of its finished table to the goal, depends on the goal; the curve is the
moving average over one round of goals. It may rise for a reason that is not learning: epsilon falls, and fewer actions
are random. So the proof is in the held-out checks, which play the greedy policy, without exploration, on goals that no
episode steers to (but for one of them, the table itself): they have to rise above the neutral policy, which is where
learning starts. The policy that is kept was chosen by these checks; therefore at last that policy on new goals and a
new pool, beside policies that learn nothing: `proportional` is a plain rule, the log-factor proportional to the gap.

    python benchmarks/learning.py --figure learning.png --out learning.csv
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from output import Floats, interval, machine, parser, positive, save, section, with_interval
from scoring import random_halves

from agentsynth import AgentSynth
from agentsynth.agent.composing import compose
from agentsynth.agent.history import TrainingHistory
from agentsynth.agent.policies import NeutralPolicy, Policy, ProportionalPolicy, RandomPolicy
from agentsynth.config import AgentConfig
from agentsynth.data.shop import simulate_shop
from agentsynth.model import training_environment
from agentsynth.plots import save_figure, style
from agentsynth.seeding import child_seed, stream

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOP_ROWS = 2000
VARIANTS: dict[str, dict[str, float]] = {
    "learned": {},
    "random": {"epsilon_start": 1.0, "epsilon_end": 1.0},
    "neutral": {"epsilon_start": 0.0, "epsilon_end": 0.0},
}
COLOURS = {"learned": style.VERMILLION, "random": style.GREY, "neutral": style.BLUE}


def run(seed: int, settings: Mapping[str, Any], new_goals: int) -> tuple[pd.DataFrame, dict[str, float]]:
    """Train all variants on one shop; return one row a variant and episode, and how policies do on new goals."""
    train, _ = random_halves(simulate_shop(SHOP_ROWS, seed=seed), seed)
    synths = {
        variant: AgentSynth({"agent": {**settings, **change}}, seed=seed).fit(train)
        for variant, change in VARIANTS.items()
    }
    curves = [_curve(synth.history_, synth.config.agent).assign(variant=name) for name, synth in synths.items()]
    return pd.concat(curves, ignore_index=True).assign(seed=seed), on_new_goals(synths["learned"], seed, new_goals)


def on_new_goals(synth: AgentSynth, seed: int, number: int) -> dict[str, float]:
    """Return policy -> mean similarity to the goal over goals and a pool that it was not trained on."""
    generator = synth.model_.generator
    env, sampler = training_environment(generator, synth.config, child_seed(seed, "benchmark.new pool"))
    rng, count = stream(seed, "benchmark.new goals"), len(env.factor_names)
    goals = [sampler.draw(rng) for _ in range(number)]
    policies: dict[str, Policy] = {
        "learned": synth.policy_.for_aims(env.aims),
        "neutral": NeutralPolicy(count),
        "proportional": ProportionalPolicy(count),
        "random": RandomPolicy(count, stream(seed, "benchmark.random")),
    }
    return {
        name: float(np.mean([compose(env, policy, goal, place).similarity for place, goal in enumerate(goals)]))
        for name, policy in policies.items()
    }


def _curve(history: TrainingHistory, config: AgentConfig) -> pd.DataFrame:
    """Return episode (from 1), the return, its mean over the last round of goals, and the held-out check."""
    frame = history.to_frame()[["episode", "return", "held_out"]]
    average = frame["return"].rolling(config.goals).mean()
    return frame.assign(episode=frame["episode"] + 1, average=average)


def by_seed(records: pd.DataFrame, variant: str, column: str) -> pd.DataFrame:
    """Return one variant's column, one row an episode (those where it is known) and one column a seed."""
    chosen = records[records["variant"] == variant]
    return chosen.pivot_table(index="episode", columns="seed", values=column)


def training_table(records: pd.DataFrame) -> pd.DataFrame:
    """Return the moving average after the first round of goals and at the end, each beside the rivals' own."""
    curves = {variant: by_seed(records, variant, "average") for variant in VARIANTS}
    learned = curves["learned"]
    moments = {"first round of goals": learned.index[0], "last round of goals": learned.index[-1]}
    rows = {
        name: {
            "to episode": str(episode),
            **{variant: with_interval(curve.loc[episode]) for variant, curve in curves.items()},
            **{
                f"learned - {rival}": with_interval(learned.loc[episode] - curves[rival].loc[episode], 4, signed=True)
                for rival in ("random", "neutral")
            },
        }
        for name, episode in moments.items()
    }
    return pd.DataFrame(rows).T.rename_axis("training")


def check_table(records: pd.DataFrame) -> pd.DataFrame:
    """Return the held-out checks of the greedy policy, and their lead over neutral and over the first check."""
    learned, neutral = (by_seed(records, variant, "held_out") for variant in ("learned", "neutral"))
    first = learned.iloc[0]
    rows = {
        episode: {
            "learned, greedy": with_interval(learned.loc[episode]),
            "neutral": with_interval(neutral.loc[episode]),
            "learned - neutral": with_interval(learned.loc[episode] - neutral.loc[episode], 4, signed=True),
            "seeds above neutral": f"{(learned.loc[episode] > neutral.loc[episode]).sum()} of {learned.shape[1]}",
            "since the first check": with_interval(learned.loc[episode] - first, 4, signed=True),
        }
        for episode in learned.index
    }
    rows["best"] = _best(learned, neutral, first)
    return pd.DataFrame(rows).T.rename_axis("check after episode")


def _best(learned: pd.DataFrame, neutral: pd.DataFrame, first: pd.Series[float]) -> dict[str, str]:
    """Return the line of the policy that is kept: the best of the checks, so its lead is flattering."""
    best, level = learned.max(), neutral.iloc[-1]
    return {
        "learned, greedy": with_interval(best),
        "neutral": with_interval(level),
        "learned - neutral": with_interval(best - level, 4, signed=True),
        "seeds above neutral": f"{(best > level).sum()} of {len(best)}",
        "since the first check": with_interval(best - first, 4, signed=True),
    }


def goal_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the policies on new goals, and the learned one's lead; `scores` has one row a seed, a column a policy."""
    rows = {
        policy: {
            "similarity": with_interval(scores[policy]),
            "learned - it": with_interval(scores["learned"] - scores[policy], 4, signed=True),
            "learned is ahead in": f"{(scores['learned'] > scores[policy]).sum()} of {len(scores)} seeds",
        }
        for policy in scores.columns.drop("learned")
    }
    learned = {"learned": {"similarity": with_interval(scores["learned"])}}
    return pd.DataFrame(learned | rows).T.fillna("").rename_axis("policy")


@style.styled
def draw(records: pd.DataFrame) -> Figure:
    """Draw what was gained over the neutral policy: in training on the left, in the held-out checks on the right."""
    seeds = records["seed"].nunique()
    subtitle = f"Similarity less that of the neutral policy; mean and 95 % interval over {seeds} seeds of the shop"
    figure = style.new_figure(11, 3.6, "Is the agent learning?", subtitle)
    left, right = figure.subplots(1, 2)
    for variant in ("random", "learned"):
        _band(left, _lead(records, variant, "average"), variant)
    _band(right, _lead(records, "learned", "held_out"), "learned")
    left.set_title("Training: mean of a round of goals, with exploration")
    right.set_title("Held-out checks: greedy, goals not trained on")
    for axes in (left, right):
        axes.axhline(0, color=COLOURS["neutral"], linewidth=1.4, label="neutral")
        axes.set_xlabel("episode")
        axes.legend(loc="upper left")
        axes.margins(y=0.25)
        style.quiet(axes, "y")
    return figure


def _lead(records: pd.DataFrame, variant: str, column: str) -> pd.DataFrame:
    return by_seed(records, variant, column) - by_seed(records, "neutral", column)


def _band(axes: Axes, curve: pd.DataFrame, variant: str) -> None:
    pairs = np.array([interval(row) for row in curve.to_numpy()])
    mean: Floats = pairs[:, 0]
    half: Floats = np.nan_to_num(pairs[:, 1])
    axes.plot(curve.index, mean, "o-", markersize=3, color=COLOURS[variant], label=variant)
    axes.fill_between(curve.index, mean - half, mean + half, color=COLOURS[variant], alpha=0.15, linewidth=0)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=positive, default=10, help="seeds 0, 1, ...: shop, split and training")
    options.add_argument("--episodes", type=positive, help="episodes of each training; the default is the default")
    options.add_argument("--new-goals", type=positive, default=20, help="goals that the policy was not trained on")
    options.add_argument("--figure", type=Path, help="file to draw the curves to: .png, .svg or .pdf")
    given = options.parse_args(argv)
    settings = {"episodes": given.episodes} if given.episodes else {}
    curves, scores = zip(*(run(seed, settings, given.new_goals) for seed in range(given.seeds)), strict=True)
    records = pd.concat(curves, ignore_index=True)
    save(records, given.out)
    print(f"The shop, {SHOP_ROWS // 2:,} rows, {given.seeds} seeds; mean ± 95 % t interval. {machine()}.")
    section("Training: return, mean over a round of goals", training_table(records))
    section("Held-out checks: similarity to goals that no episode steers to", check_table(records))
    section(f"{given.new_goals} new goals: similarity to the goal", goal_table(pd.DataFrame(scores)))
    if given.figure:
        save_figure(draw(records), given.figure)


if __name__ == "__main__":
    main()

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from agentsynth.errors import InputError
from agentsynth.plots import policy_comparison
from agentsynth.plots.policies import bootstrap_interval

MEANS = {"neutral": 0.6, "q_learning": 0.8, "random": 0.4}


def scores(seeds: int = 5) -> pd.DataFrame:
    steps = np.linspace(-0.02, 0.02, seeds) if seeds > 1 else [0.0]
    rows = [(policy, seed, mean + step) for policy, mean in MEANS.items() for seed, step in enumerate(steps)]
    return pd.DataFrame(rows, columns=["policy", "seed", "similarity"]).assign(miss=lambda f: 1 - f["similarity"])


def labels(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def test_best_policy_stands_at_the_top_with_its_mean() -> None:
    (axes,) = policy_comparison(scores()).axes
    assert labels(axes) == ["q_learning", "neutral", "random"]
    assert [text.get_text() for text in axes.texts] == ["0.800", "0.600", "0.400"]
    bottom, top = axes.get_ylim()
    assert bottom > top


def test_each_policy_has_seeds_interval_and_mean() -> None:
    (axes,) = policy_comparison(scores()).axes
    seeds, interval, mean = axes.lines[:3]
    assert len(np.asarray(seeds.get_xdata())) == 5
    low, high = np.asarray(interval.get_xdata())
    assert 0.78 < low < 0.8 < high < 0.82
    assert np.asarray(mean.get_xdata()) == pytest.approx([0.8])


def test_one_policy_is_set_apart() -> None:
    (axes,) = policy_comparison(scores(), highlight="random").axes
    colours = [to_hex(line.get_color()) for line in axes.lines[2::3]]
    assert colours[0] == colours[1] != colours[2]


def test_further_metrics_are_panels_in_the_order_of_the_first() -> None:
    figure = policy_comparison(scores(), metrics=["similarity", "miss"])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["similarity", "miss (lower is better)"]
    assert [text.get_text() for text in figure.axes[1].texts] == ["0.200", "0.400", "0.600"]


def test_where_lower_is_better_the_lowest_stands_at_the_top() -> None:
    frame = scores()
    assert labels(policy_comparison(frame, metrics=["miss"]).axes[0]) == ["q_learning", "neutral", "random"]
    figure = policy_comparison(frame, metrics=["similarity"], lower_is_better=["similarity"])
    assert labels(figure.axes[0]) == ["random", "neutral", "q_learning"]


def test_one_seed_is_said_to_have_no_interval(tmp_path: Path) -> None:
    figure = policy_comparison(scores(1), tmp_path / "x.png")
    assert figure.texts[1].get_text() == "One seed: no interval"


def test_a_metric_that_a_policy_lacks_leaves_its_row_empty() -> None:
    frame = scores()
    frame.loc[frame["policy"] == "random", "miss"] = np.nan
    figure = policy_comparison(frame, metrics=["similarity", "miss"])
    assert len(figure.axes[1].texts) == 2


def test_bootstrap_interval_is_repeatable_and_about_the_normal_one() -> None:
    values = np.random.default_rng(0).normal(0, 1, 400)
    low, high = bootstrap_interval(values)
    assert (low, high) == bootstrap_interval(values)
    assert high - low == pytest.approx(2 * 1.96 / 20, rel=0.15)
    assert bootstrap_interval(np.array([3.0])) == (3.0, 3.0)


def test_missing_columns_and_rows_are_named() -> None:
    with pytest.raises(InputError, match="needs the columns seed, detection; the frame has policy, similarity, miss"):
        policy_comparison(scores().drop(columns="seed"), metrics=["similarity", "detection"])
    with pytest.raises(InputError, match="at least one row"):
        policy_comparison(scores().head(0))

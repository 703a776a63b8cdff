from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle, StepPatch

from agentsynth.data.schema import Column
from agentsynth.plots.columns import column_panels
from agentsynth.plots.panel import BARS, Panel

RNG = np.random.default_rng(0)


def labels(values: Sequence[str | None]) -> pd.Series[Any]:
    return pd.Series(values, dtype=object)


def drawn(panel: Panel) -> Axes:
    axes = Figure().add_subplot()
    panel.draw(axes)
    return axes


def bars(axes: Axes) -> list[Rectangle]:
    """Return the bars, first all real ones, then all synthetic ones."""
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def heights(axes: Axes) -> list[float]:
    return [bar.get_height() for bar in bars(axes)]


def widths(axes: Axes) -> list[float]:
    return [bar.get_width() for bar in bars(axes)]


def steps(axes: Axes) -> list[StepPatch]:
    """Return the filled real histogram, its outline, and the synthetic outline."""
    return [patch for patch in axes.patches if isinstance(patch, StepPatch)]


def shares(step: StepPatch) -> np.typing.NDArray[np.float64]:
    return np.asarray(step.get_data()[0])


def notes(axes: Axes) -> list[str]:
    return axes.get_xlabel().splitlines()


def ticks(axes: Axes, which: str = "x") -> list[str]:
    return [label.get_text() for label in (axes.get_xticklabels() if which == "x" else axes.get_yticklabels())]


def test_few_numbers_become_paired_bars(column: Callable[..., Column]) -> None:
    real, synthetic = pd.Series([1.0, 1, 1, 5]), pd.Series([1.0, 5, 5, 9])
    axes = drawn(column_panels(column(), real, synthetic)[0])
    assert ticks(axes) == ["1", "5", "9"]
    assert heights(axes) == [0.75, 0.25, 0, 0.25, 0.5, 0.25]


def test_real_bars_stand_left_of_synthetic_ones_in_other_colours(column: Callable[..., Column]) -> None:
    axes = drawn(column_panels(column(), pd.Series([1.0, 1, 2]), pd.Series([1.0, 2, 2]))[0])
    assert [round(bar.get_x() + bar.get_width() / 2, 6) for bar in bars(axes)] == [-0.2, 0.8, 0.2, 1.2]
    assert len({p.get_facecolor() for p in axes.patches}) == 2


def test_long_labels_are_turned(column: Callable[..., Column]) -> None:
    values = pd.Series(np.repeat(np.arange(8) + 0.123, 4))
    axes = drawn(column_panels(column(), values, values)[0])
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {40}


def test_whole_numbers_stand_at_their_place_and_their_tail_is_counted(column: Callable[..., Column]) -> None:
    values = pd.Series(np.r_[np.tile(np.arange(1.0, 21), 50), 10_000.0])
    axes = drawn(column_panels(column(), values, values)[0])
    assert len(axes.patches) == 2 * 20
    assert notes(axes) == ["beyond the axis: real <0.1 %, synthetic <0.1 %"]


def test_others_that_would_dwarf_the_rest_are_told_in_words(column: Callable[..., Column]) -> None:
    real = labels([f"name {i:03}" for i in range(100)])
    axes = drawn(column_panels(column("categorical"), real, real)[0])
    assert len(bars(axes)) == 2 * 12
    assert notes(axes) == ["other (88 levels): real 88 %, synthetic 88 %"]


def test_many_numbers_become_a_filled_and_an_unfilled_histogram(column: Callable[..., Column]) -> None:
    axes = drawn(column_panels(column(), pd.Series(RNG.normal(0, 1, 300)), pd.Series(RNG.normal(0, 1, 200)))[0])
    fill, real, synthetic = steps(axes)
    assert (fill.get_fill(), real.get_fill(), synthetic.get_fill()) == (True, False, False)
    for step in (real, synthetic):
        assert shares(step).sum() == pytest.approx(1, abs=0.02)
    assert notes(axes) == []


def test_a_value_too_frequent_to_draw_is_told_in_words(column: Callable[..., Column]) -> None:
    positive = RNG.lognormal(5, 0.5, 50)
    real, synthetic = pd.Series(np.r_[np.zeros(150), positive]), pd.Series(np.r_[np.zeros(50), positive])
    axes = drawn(column_panels(column(), real, synthetic)[0])
    assert "exactly 0 (not drawn): real 75 %, synthetic 50 %" in notes(axes)
    assert shares(steps(axes)[1]).sum() == pytest.approx(0.25, abs=0.01)
    assert shares(steps(axes)[2]).sum() == pytest.approx(0.5, abs=0.02)


def test_a_skewed_column_has_a_logarithmic_axis(column: Callable[..., Column]) -> None:
    values = pd.Series(RNG.lognormal(0, 2, 300))
    assert drawn(column_panels(column(), values, values)[0]).get_xscale() == "log"


def test_missing_values_are_told_and_not_drawn(column: Callable[..., Column]) -> None:
    real, synthetic = pd.Series([1.0, 2, 2, np.nan]), pd.Series([1.0, 1, 2, 2])
    axes = drawn(column_panels(column(), real, synthetic)[0])
    assert notes(axes) == ["missing: real 25 %, synthetic 0 %"]
    assert [round(height, 3) for height in heights(axes)] == [0.333, 0.667, 0.5, 0.5]


def test_categories_fall_by_their_real_share(column: Callable[..., Column]) -> None:
    axes = drawn(column_panels(column("categorical"), labels(["b", "b", "a", "c"]), labels(["c", "c", "c", "d"]))[0])
    assert ticks(axes, "y") == ["b", "c", "a", "d"]
    assert widths(axes) == [0.5, 0.25, 0.25, 0, 0, 0.75, 0, 0.25]
    bottom, top = axes.get_ylim()
    assert bottom > top  # the first one stands at the top


def test_ordered_categories_keep_their_order(column: Callable[..., Column]) -> None:
    ordered = column("categorical", ordered=True, levels=("low", "middle", "high"))
    axes = drawn(column_panels(ordered, labels(["high", "high", "low"]), labels(["middle", "low", "new"]))[0])
    assert ticks(axes, "y") == ["low", "middle", "high", "new"]


def test_beyond_twelve_levels_are_one_other(column: Callable[..., Column]) -> None:
    real = labels([f"level {i:02}" for i in range(40) for _ in range(40 - i)])
    axes = drawn(column_panels(column("categorical"), real, labels(["level 00"] * 3 + ["level 39"]))[0])
    names = ticks(axes, "y")
    assert names[:2] == ["level 00", "level 01"]
    assert names[12:] == ["other (28 levels)"]
    assert sum(widths(axes)[:13]) == pytest.approx(1)
    assert widths(axes)[13:] == [0.75, *[0] * 11, 0.25]


def test_a_thirteenth_level_is_shown_rather_than_called_other(column: Callable[..., Column]) -> None:
    real = labels([f"level {i:02}" for i in range(13)])
    assert ticks(drawn(column_panels(column("categorical"), real, real)[0]), "y")[12] == "level 12"


def test_many_levels_make_a_panel_higher(column: Callable[..., Column]) -> None:
    two, twelve = (labels([f"level {i}" for i in range(count)]) for count in (2, 12))
    heights = [column_panels(column("categorical"), x, x)[0].height for x in (two, twelve)]
    assert heights[1] > heights[0]


def test_long_levels_are_shortened(column: Callable[..., Column]) -> None:
    long = labels(["Strongly agree that the service was good"])
    assert ticks(drawn(column_panels(column("categorical"), long, long)[0]), "y") == ["Strongly a…was good"]


def dates(count: int, freq: str) -> pd.Series[Any]:
    return pd.Series(pd.date_range("2024-01-01", periods=count, freq=freq)).astype("datetime64[us]")


def test_dates_have_one_panel_by_period(column: Callable[..., Column]) -> None:
    panels = column_panels(column("datetime"), dates(700, "D"), dates(300, "D"))
    assert [panel.title for panel in panels] == ["x"]
    axes = drawn(panels[0])
    assert notes(axes) == ["share by month"]
    assert shares(steps(axes)[1]).sum() == pytest.approx(1)


def test_times_of_day_have_a_second_panel_with_a_score_of_its_own(column: Callable[..., Column]) -> None:
    morning = dates(48, "D") + pd.Timedelta(hours=9)
    both = pd.concat([morning, morning + pd.Timedelta(hours=11)])
    panels = column_panels(column("datetime"), both, both - pd.Timedelta(hours=2))
    assert [(panel.title, panel.score) for panel in panels] == [("x", ""), ("x, hour", "TV 1.000")]
    axes = drawn(panels[1])
    real, synthetic = map(shares, steps(axes)[1:])
    assert np.flatnonzero(real).tolist() == [9, 20]
    assert np.flatnonzero(synthetic).tolist() == [7, 18]


def test_always_the_same_time_of_day_or_a_single_day_has_no_second_panel(column: Callable[..., Column]) -> None:
    for values in (dates(48, "D") + pd.Timedelta(hours=9), dates(20, "h")):
        assert len(column_panels(column("datetime"), values, values)) == 1


@pytest.mark.parametrize("kind", ["numeric", "categorical", "datetime"])
@pytest.mark.parametrize("empty", ["real", "synthetic", "both"])
def test_a_column_missing_throughout_is_drawn(column: Callable[..., Column], kind: Any, empty: str) -> None:
    full: pd.Series[Any]
    none: pd.Series[Any]
    if kind == "numeric":
        full, none = pd.Series(RNG.normal(0, 1, 40)), pd.Series(np.full(40, np.nan))
    elif kind == "datetime":
        full, none = dates(40, "7h"), pd.Series([pd.NaT] * 40, dtype="datetime64[us]")
    else:
        full, none = labels(["a", "b"] * 20), labels([None] * 40)
    real = none if empty in ("real", "both") else full
    synthetic = none if empty in ("synthetic", "both") else full
    axes = drawn(column_panels(column(kind), real, synthetic)[0])
    if empty == "both":
        assert [text.get_text() for text in axes.texts] == ["no values in either table"]
    else:
        gone, there = ("100 %", "0 %") if empty == "real" else ("0 %", "100 %")
        assert notes(axes)[-1] == f"missing: real {gone}, synthetic {there}"


def test_bars_of_the_two_tables_look_different() -> None:
    assert BARS[0]["facecolor"] != BARS[1]["facecolor"]

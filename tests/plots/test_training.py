from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from agentsynth.agent.history import TrainingHistory
from agentsynth.errors import InputError
from agentsynth.plots import training_progress, training_progress_name

History = Callable[..., TrainingHistory]


def panel(figure: Figure, title: str) -> Axes:
    found = [axes for axes in figure.axes if axes.get_title(loc="left").startswith(title)]
    assert len(found) == 1, [axes.get_title(loc="left") for axes in figure.axes]
    return found[0]


def names(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_name_bears_the_moment() -> None:
    assert training_progress_name(datetime(2025, 12, 3, 4, 5, 6)) == "training_progress_20251203_040506.png"


def test_returns_are_dots_with_their_trailing_mean(make_history: History) -> None:
    history = make_history(30)
    dots, mean, best = panel(training_progress(history), "Return").lines
    np.testing.assert_array_equal(dots.get_ydata(), history.returns)
    assert np.asarray(mean.get_ydata())[-1] == pytest.approx(history.returns[-5:].mean())
    assert np.isnan(np.asarray(mean.get_ydata())[:4]).all()
    assert best.get_xdata() == [29, 29]


def test_epsilon_is_drawn_in_full(make_history: History) -> None:
    history = make_history(30)
    axes = panel(training_progress(history), "Epsilon")
    np.testing.assert_array_equal(axes.patches[0].get_data().values, history.epsilon)  # type: ignore[attr-defined]
    assert axes.get_ylim() == (0, 1)


def test_held_out_points_stand_where_they_were_measured(make_history: History) -> None:
    line = panel(training_progress(make_history(30)), "Held-out").lines[0]
    assert np.asarray(line.get_xdata()).tolist() == [4, 9, 14, 19, 24, 29]


def test_a_moving_average_covers_one_round_of_the_goals(make_history: History) -> None:
    history = TrainingHistory.from_json({**make_history(30).to_json(), "goals": 10})
    mean = np.asarray(panel(training_progress(history), "Return").lines[1].get_ydata())
    assert np.isfinite(mean).sum() == 21
    assert mean[-1] == pytest.approx(history.returns[-10:].mean())


def test_rivals_are_lines_beside_the_held_out_points(make_history: History) -> None:
    history = TrainingHistory.from_json({**make_history(30).to_json(), "rivals": {"neutral": 0.9, "random": 0.89}})
    axes = panel(training_progress(history), "Held-out")
    assert names(axes) == ["neutral", "random"]
    assert [line.get_ydata() for line in axes.lines[1:3]] == [[0.9, 0.9], [0.89, 0.89]]


def test_the_axis_of_held_out_similarity_does_not_magnify_noise(make_history: History) -> None:
    low, high = panel(training_progress(make_history(30)), "Held-out").get_ylim()
    assert high - low >= 0.02
    assert low < 0.95 < high


def test_the_legend_names_what_there_is(make_history: History) -> None:
    figure = training_progress(make_history(30))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["episode", "mean of 5 episodes", "best policy"]


def test_without_held_out_values_none_are_spoken_of(make_history: History) -> None:
    fields = {**make_history(6).to_json(), "held_out": [None] * 6}
    figure = training_progress(TrainingHistory.from_json(fields))
    assert not any("Held-out" in axes.get_title(loc="left") for axes in figure.axes)
    assert "held-out" not in figure.texts[1].get_text()


def test_the_subtitle_tells_the_outcome(make_history: History) -> None:
    subtitle = training_progress(make_history(30)).texts[1].get_text()
    assert subtitle == "30 episodes; best policy after episode 29; held-out similarity 0.950"


def test_few_components_are_all_named(make_history: History) -> None:
    axes = panel(training_progress(make_history(30, components=8)), "Similarity to")
    assert sorted(names(axes)) == ["all together", *(f"component_{i}" for i in range(8))]
    assert len({line.get_color() for line in axes.lines}) == 9


def test_of_many_components_the_worst_are_named(make_history: History) -> None:
    history = make_history(30, components=20)
    axes = panel(training_progress(history), "Similarity to")
    assert sorted(names(axes)) == ["all together", *(f"component_{i}" for i in range(5))]
    assert len(axes.lines) == 21
    assert np.asarray(axes.lines[-1].get_ydata())[-1] == pytest.approx(history.similarity[-5:].mean())


def test_names_at_the_ends_do_not_touch(make_history: History) -> None:
    history = make_history(30, components=8)
    same = dict.fromkeys(history.components, history.similarity)
    fields = {**history.to_json(), "components": {name: values.tolist() for name, values in same.items()}}
    figure = training_progress(TrainingHistory.from_json(fields))
    figure.draw_without_rendering()
    # Of the words alone: an annotation's own extent includes its line.
    extents = [Text.get_window_extent(text) for text in panel(figure, "Similarity to").texts]
    boxes = sorted((extent.y0, extent.y1) for extent in extents)
    gaps = [low - high for (_, high), (low, _) in pairwise(boxes)]
    assert min(gaps) > -2.0  # pixels; the boxes include the leading between lines


def test_best_action_bars_begin_at_one_on_a_logarithmic_axis(make_history: History) -> None:
    axes = panel(training_progress(make_history()), "Best action")
    ends = [bar.get_x() + bar.get_width() for bar in axes.patches]  # type: ignore[attr-defined]
    assert ends == pytest.approx([1.26, 0.5, 1.0])
    assert {bar.get_x() for bar in axes.patches} == {1.0}  # type: ignore[attr-defined]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["price", "seasonal", "quantity"]
    assert names(axes) == ["1.26", "0.50", "1.00"]
    assert axes.get_xscale() == "log"


def test_of_many_factors_the_ones_nearest_to_neutral_are_left_to_the_footnote(make_history: History) -> None:
    action = {f"column {i}_factor": 2 ** ((-1) ** i * i / 20) for i in range(20)}
    figure = training_progress(TrainingHistory.from_json({**make_history(3).to_json(), "best_action": action}))
    shown = [label.get_text() for label in panel(figure, "Best action").get_yticklabels()]
    assert shown == [f"column {i}" for i in range(4, 20)]
    assert figure.texts[2].get_text().endswith("column 0, column 1, column 2, column 3.")


def test_a_component_never_known_is_left_out(make_history: History) -> None:
    fields = {**make_history(4, components=1).to_json()}
    fields["components"] = {"known": [0.5] * 4, "unknown": [None] * 4}
    axes = panel(training_progress(TrainingHistory.from_json(fields)), "Similarity to")
    assert sorted(names(axes)) == ["all together", "known"]


@pytest.mark.parametrize("episodes", [1, 2, 400])
def test_short_and_long_trainings_are_drawn(make_history: History, tmp_path: Path, episodes: int) -> None:
    figure = training_progress(make_history(episodes), tmp_path / "x.png")
    low, high = panel(figure, "Return").get_xlim()
    assert (low, high) == (-0.5, episodes - 0.5)
    ticks = [tick for tick in panel(figure, "Return").get_xticks() if low <= tick <= high]
    assert ticks
    assert all(tick == int(tick) for tick in ticks)


def test_no_components_and_no_factors_are_no_obstacle(make_history: History) -> None:
    fields = {**make_history(5).to_json(), "components": {}, "best_action": {}}
    assert len(training_progress(TrainingHistory.from_json(fields)).axes) == 5


def test_no_episodes_are_refused(make_history: History) -> None:
    empty = {**make_history(1).to_json(), "returns": [], "epsilon": [], "similarity": [], "held_out": []}
    with pytest.raises(InputError, match="without episodes"):
        training_progress(TrainingHistory.from_json({**empty, "components": {}, "best_episode": 0}))

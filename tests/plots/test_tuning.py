"""Figures of a study, drawn from trials made up for them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agentsynth.plots import tuning as figures
from agentsynth.tuning.results import Tuning
from agentsynth.tuning.trials import TrialRecord

BEGAN = datetime(2025, 1, 2)  # as Optuna gives it


def trial(number: int, rate: float, critic: bool, values: tuple[float, ...]) -> TrialRecord:
    params = {"agent.learning_rate": rate, "environment.critic": critic}
    state, ended = ("complete" if values else "pruned"), BEGAN + timedelta(seconds=1)
    return TrialRecord(number, state, params, values, {}, (), "", "", BEGAN, ended, number == 0)


@pytest.fixture
def tuning() -> Tuning:
    trials = [
        trial(0, 0.1, True, (0.5, 0.2)),
        trial(1, 0.01, False, (0.6, 0.1)),
        trial(2, 0.3, True, ()),
        trial(3, 0.5, False, (0.7, 0.3)),
    ]
    importance = {"agent.learning_rate": 0.8, "environment.critic": 0.2}
    front, began = [trials[3], trials[1]], dict(trials[0].params)
    objectives = ["validation_similarity", "excess_nearness"]
    return Tuning(
        trials, trials[1], trials[0], front, importance, began, objectives, frozenset({"agent.learning_rate"})
    )


def test_history_shows_the_best_so_far_and_marks_what_did_not_end(tuning: Tuning) -> None:
    (axes,) = figures.history(tuning).axes
    lines = {line.get_label(): line for line in axes.lines}
    np.testing.assert_allclose(np.asarray(lines["best so far"].get_ydata()), [0.5, 0.6, 0.7])
    np.testing.assert_allclose(np.asarray(lines["begun with"].get_data()).ravel(), [0, 0.5])
    np.testing.assert_allclose(np.asarray(lines["best"].get_data()).ravel(), [1, 0.6])
    assert [2] in [list(np.asarray(line.get_xdata())) for line in axes.lines]


def test_slices_have_a_panel_for_each_parameter_by_its_scale(tuning: Tuning) -> None:
    rate, critic, hidden = figures.slices(tuning).axes
    assert (rate.get_title(loc="left"), rate.get_xscale()) == ("agent.learning_rate", "log")
    assert [label.get_text() for label in critic.get_xticklabels()] == ["False", "True"]
    assert not hidden.get_visible()


def test_importance_is_in_order(tuning: Tuning) -> None:
    (axes,) = figures.importance(tuning).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["agent.learning_rate", "environment.critic"]
    assert [text.get_text() for text in axes.texts] == ["80 %", "20 %"]


def test_front_is_drawn_in_both_objectives(tuning: Tuning) -> None:
    (axes,) = figures.pareto(tuning).axes
    (front,) = [line for line in axes.lines if line.get_label() == "Pareto front"]
    np.testing.assert_allclose(np.asarray(front.get_data()), [[0.3, 0.1], [0.7, 0.6]])


def test_figures_are_written_as_far_as_there_is_something_to_show(tuning: Tuning, tmp_path: Path) -> None:
    files = figures.draw(tuning, tmp_path)
    assert {file.name for file in files} == {"history.png", "slices.png", "importance.png", "pareto.png"}
    assert all(file.stat().st_size > 5_000 for file in files)

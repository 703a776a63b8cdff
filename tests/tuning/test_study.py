"""The study: resumable, never worse than what it began with, bound to what its trials have in common."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import optuna
import pytest

from agentsynth.config import Config
from agentsynth.errors import ConfigError, InputError
from agentsynth.tuning.results import _front, found, words
from agentsynth.tuning.scores import Report
from agentsynth.tuning.study import Setting, open_study, run_study
from agentsynth.tuning.trials import AGAIN, TRIED, WORKER, TrialRecord, finished, give_back, take_back

Run = Callable[..., optuna.Study]
Make = Callable[..., Setting]


def tried(study: optuna.Study) -> list[tuple[dict[str, Any], tuple[float, ...], str]]:
    return [(dict(trial.params), trial.values, trial.state) for trial in finished(study)]


def test_first_trial_is_the_present_parameters_and_the_value_is_the_mean_over_seeds(run: Run, setting: Make) -> None:
    tuning = found(run(1), setting(1))
    assert tuning.best.params == {"agent.learning_rate": 0.1, "agent.discount": 0.5}
    # seeds 3 and 4 at a learning rate of 0.1: 1 - 0.04 + 0.0035
    assert list(tuning.best.values) == pytest.approx([0.9635])
    assert [value for (value,) in tuning.best.scores] == pytest.approx([0.963, 0.964])
    assert tuning.is_default
    assert "no trial did better" in "\n".join(words(tuning))


def test_best_is_at_least_the_first_and_what_matters_is_said(run: Run, setting: Make) -> None:
    tuning = found(run(20, pruning=False), setting(20, pruning=False))
    assert tuning.best.values > tuning.default.values
    assert tuning.frame()["validation_similarity"].max() == tuning.best.values[0]
    assert abs(float(tuning.best.params["agent.learning_rate"]) - 0.3) < 0.1
    assert next(iter(tuning.importance)) == "agent.learning_rate"
    assert all(len(f"{value:.10g}".lstrip("0.")) <= 5 for value in tuning.best.params.values())


def test_what_is_written_is_what_was_tried(run: Run) -> None:
    seen: list[float] = []

    def score(config: Config, seed: int, report: Report) -> tuple[float, ...]:  # noqa: ARG001
        seen.append(config.agent.learning_rate)
        return (0.5,)

    study = run(4, score)
    assert [trial.params["agent.learning_rate"] for trial in finished(study) for _ in range(2)] == seen


def test_stopped_and_resumed_is_the_study_in_one_go(run: Run, tmp_path: Path) -> None:
    whole = run(20, storage=str(tmp_path / "whole.log"))
    for trials in (1, 8, 20):
        parts = run(trials)
    assert tried(whole) == tried(parts)


def test_finished_study_is_not_run_again(run: Run) -> None:
    first = tried(run(3))
    assert tried(run(2)) == first


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_interrupted_trial_is_tried_again_with_its_values(run: Run, tmp_path: Path, error: type[BaseException]) -> None:
    calls: list[float] = []

    def interrupted(config: Config, seed: int, report: Report) -> tuple[float, ...]:  # noqa: ARG001
        calls.append(config.agent.learning_rate)
        raise error

    run(3)
    with pytest.raises(error):
        run(6, interrupted)
    whole = run(6, storage=str(tmp_path / "whole.log"))
    resumed = run(6)
    assert tried(resumed) == tried(whole)
    assert calls == [finished(resumed)[3].params["agent.learning_rate"]]


def test_trial_of_a_dead_process_is_taken_back_once(run: Run, setting: Make) -> None:
    study = run(2)
    lost = study.ask()
    lost.suggest_float("agent.discount", 0.0, 0.95)
    lost.set_user_attr(TRIED, lost.params)
    lost.set_user_attr(WORKER, "elsewhere/1/0.00")
    take_back(study)
    assert study.get_trials()[2].state.name == "RUNNING"  # on another machine, and it began a moment ago
    lost.set_user_attr(WORKER, open_process())
    take_back(study)
    take_back(study)
    states = [trial.state.name for trial in study.get_trials()]
    assert states == ["COMPLETE", "COMPLETE", "FAIL", "WAITING"]
    run_study(study, _zero, setting(3))
    assert study.get_trials()[3].params["agent.discount"] == lost.params["agent.discount"]


def test_trial_whose_process_died_while_its_values_were_drawn_is_drawn_again(run: Run, tmp_path: Path) -> None:
    study = run(3)
    lost = study.ask()
    lost.suggest_float("agent.discount", 0.0, 0.95)
    lost.set_user_attr(WORKER, open_process())
    assert tried(run(6)) == tried(run(6, storage=str(tmp_path / "whole.log")))
    assert not any(AGAIN in trial.user_attrs for trial in study.get_trials())


def test_first_trial_whose_process_died_while_its_values_were_set_has_them_again(setting: Make) -> None:
    study = open_study(setting(1))
    lost = study.ask()
    lost.suggest_float("agent.discount", 0.0, 0.95)
    lost.set_user_attr(WORKER, open_process())
    run_study(study, _zero, setting(1))
    (ended,) = finished(study)
    assert (ended.base, dict(ended.params)) == (True, setting(1).base_values)


def test_trial_that_was_taken_back_from_a_living_process_is_left_to_the_other(setting: Make) -> None:
    chosen = setting(2, seeds=1)
    study = open_study(chosen)

    def robbed(config: Config, seed: int, report: Report) -> tuple[float, ...]:
        for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            if not finished(study) and trial.number == 0:
                give_back(study, trial)
        return parabola_of(config, seed, report)

    run_study(study, robbed, chosen)
    assert [trial.state.name for trial in study.get_trials()] == ["FAIL", "COMPLETE", "COMPLETE"]
    assert found(study, chosen).default.number == 1


def open_process() -> str:
    """Return the name of a process of this machine that is gone: this one's id, but another beginning."""
    return f"{platform.node()}/{os.getpid()}/1.00"


def _zero(config: Config, seed: int, report: Report) -> tuple[float, ...]:  # noqa: ARG001
    return (0.0,)


def test_hopeless_trials_are_pruned_by_their_learning_curve(run: Run) -> None:
    trials = finished(run(15, seeds=1))
    assert all(trial.state == "complete" for trial in trials[:5])
    pruned = [trial for trial in trials if trial.state == "pruned"]
    assert pruned
    # Warm-up ends after half of the curve, and its last point comes too late to save anything.
    assert all(3 < len(trial.curve) < 6 and not trial.values for trial in pruned)
    best = max(trial.values[0] for trial in trials if trial.values)
    assert all(trial.curve[3] < best for trial in pruned)


def test_without_pruning_all_trials_end(run: Run) -> None:
    assert {trial.state for trial in finished(run(15, seeds=1, pruning=False))} == {"complete"}


def test_trial_that_its_parameters_make_impossible_fails_and_the_study_goes_on(run: Run, setting: Make) -> None:
    def picky(config: Config, seed: int, report: Report) -> tuple[float, ...]:
        if config.agent.learning_rate > 0.1:
            raise InputError("too fast")
        return parabola_of(config, seed, report)

    study = run(12, picky)
    states = {trial.state for trial in finished(study)}
    assert states == {"complete", "fail"}
    assert len(finished(study)) == 12
    tuning = found(study, setting(12))
    assert set(tuning.frame()["error"]) == {"", "too fast"}


def parabola_of(config: Config, seed: int, report: Report) -> tuple[float, ...]:  # noqa: ARG001
    return (1 - (config.agent.learning_rate - 0.3) ** 2,)


def test_study_whose_first_trial_is_impossible_says_so_and_can_be_run_again(run: Run, setting: Make) -> None:
    def never(config: Config, seed: int, report: Report) -> tuple[float, ...]:  # noqa: ARG001
        raise InputError("no such thing")

    with pytest.raises(InputError, match="no such thing"):
        run(3, never)
    with pytest.raises(InputError, match="no complete trial yet"):
        found(open_study(setting(3)), setting(3))
    assert found(run(3), setting(3)).default.base


def test_no_trial_is_begun_after_the_deadline(setting: Make) -> None:
    study = open_study(setting(5))
    run_study(study, parabola_of, setting(5), deadline=0.0)
    assert finished(study) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"identity": "something else"}, "data"),
        ({"base": Config.of({"agent": {"episodes": 4}})}, "parameters"),
        ({"seeds": 3}, "aim"),
        ({"scenario": "x"}, "aim"),
        ({"space": {"agent": {"discount": {"low": 0.1, "high": 0.9}}}}, "places to look at"),
    ],
)
def test_study_refuses_what_cannot_be_compared(run: Run, change: dict[str, Any], what: str) -> None:
    run(1)
    with pytest.raises(ConfigError, match=rf"other .*{what}.*Name another study \(tune\.study"):
        run(2, **change)


def test_study_goes_on_after_its_best_parameters_were_applied(run: Run, setting: Make) -> None:
    run(2)
    applied = Config.of({"agent": {"learning_rate": 0.25, "discount": 0.25}})
    study = run(4, base=applied)
    tuning = found(study, setting(4, base=applied))
    assert tuning.began_with == {"agent.learning_rate": 0.1, "agent.discount": 0.5}
    assert list(tuning.default.values) == pytest.approx([0.9635])


def test_two_objectives_have_a_front_and_the_best_is_no_less_private(run: Run, setting: Make) -> None:
    def both(config: Config, seed: int, report: Report) -> tuple[float, ...]:  # noqa: ARG001
        report(0.0)
        return config.agent.learning_rate, max(config.agent.learning_rate - 0.05, 0.0)

    tuning = found(run(20, both, privacy=True), setting(20, privacy=True))
    values = [trial.values for trial in tuning.front]
    assert values == sorted(values, reverse=True)
    assert all(one[1] > two[1] for one, two in pairwise(values))
    dominated = [
        trial for trial in tuning.trials if any(v[0] > trial.values[0] and v[1] < trial.values[1] for v in values)
    ]
    assert dominated == []
    assert tuning.best.values[1] <= tuning.default.values[1]
    assert tuning.importance["agent.learning_rate"] > 0.5
    assert "Pareto front:" in words(tuning)


def test_front_leaves_out_what_is_dominated() -> None:
    blank = TrialRecord(0, "complete", {}, (), {}, (), "", "", None, None)
    values = [(0.9, 0.3), (0.8, 0.1), (0.8, 0.2), (0.7, 0.1), (0.95, 0.3), (0.6, 0.0)]
    trials = [replace(blank, number=number, values=pair) for number, pair in enumerate(values)]
    assert [trial.values for trial in _front(trials)] == [(0.95, 0.3), (0.8, 0.1), (0.6, 0.0)]


@pytest.mark.parametrize("form", ["sqlite:///{}/new/optuna.db", "journal:{}/new/j.log", "{}/new/j.log"])
def test_local_storage_makes_its_folder(run: Run, tmp_path: Path, form: str) -> None:
    assert len(finished(run(2, storage=form.format(tmp_path)))) == 2


@pytest.mark.parametrize("url", ["nothing://here", "sqlite:////proc/nowhere/x.db", "postgresql://localhost:1/none"])
def test_unusable_storage_is_named(run: Run, url: str) -> None:
    with pytest.raises(ConfigError, match=r"cannot open tune\.storage"):
        run(1, storage=url)

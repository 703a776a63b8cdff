"""The study: resumable, never worse than what it began with, bound to its data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agentsynth.config import Config, TuneParams
from agentsynth.errors import ConfigError
from agentsynth.tuning import Tuning, finished_trials, flat_values, open_study, run_study, search_space, with_values

BASE = Config.model_validate({"environment": {"reward_weights": {"price": 1.0, "unit.price": 2.0, "off": 0.0}}})


def score(config: Config, seed: int) -> float:
    """Best at a learning rate of 0.3; seeds shift it."""
    return 1 - (config.agent.learning_rate - 0.3) ** 2 + 0.001 * seed


def tune(storage: Path | str, trials: int, **more: Any) -> Tuning:
    params = TuneParams(trials=trials, seeds=2, storage=str(storage), study="s")
    study = open_study(BASE, params, seed=3, identity=more.pop("identity", "data"))
    return run_study(study, more.pop("score", score), BASE, params, seed=3, **more)


def test_first_trial_is_the_base_and_the_value_is_the_mean_over_seeds(tmp_path: Path) -> None:
    found = tune(tmp_path / "journal.log", 1)
    assert found.best == {name: flat_values(BASE)[name] for name in search_space(BASE)}
    # seeds 3 and 4 at a learning rate of 0.1: 1 - 0.04 + 0.0035
    assert found.value == pytest.approx(0.9635)
    assert found.default_value == found.value


def test_best_is_at_least_the_base(tmp_path: Path) -> None:
    found = tune(tmp_path / "journal.log", 10)
    assert found.value > found.default_value
    assert found.trials["value"].max() == found.value
    assert abs(found.best["agent.learning_rate"] - 0.3) < 0.2


def test_stopped_and_resumed_is_the_study_in_one_go(tmp_path: Path) -> None:
    whole = tune(tmp_path / "whole.log", 9)
    for trials in (1, 4, 9):
        parts = tune(tmp_path / "parts.log", trials)
    assert whole.trials.equals(parts.trials)


def test_finished_study_is_not_run_again(tmp_path: Path) -> None:
    told: list[int] = []
    first = tune(tmp_path / "journal.log", 3, on_trial=lambda number, *_: told.append(number))
    again = tune(tmp_path / "journal.log", 2, on_trial=lambda number, *_: told.append(number))
    assert told == [0, 1, 2]
    assert first.best == again.best


def test_interrupted_trial_is_made_up_for(tmp_path: Path) -> None:
    def interrupted(*_: object) -> float:
        raise KeyboardInterrupt

    tune(tmp_path / "journal.log", 2)
    with pytest.raises(KeyboardInterrupt):
        tune(tmp_path / "journal.log", 4, score=interrupted)
    found = tune(tmp_path / "journal.log", 4)
    assert (found.trials["state"] == "complete").sum() == 4


def test_hopeless_trials_are_pruned(tmp_path: Path) -> None:
    seen: list[tuple[str, float | None]] = []
    tune(tmp_path / "journal.log", 25, on_trial=lambda _n, _p, value, state: seen.append((state, value)))
    assert {state for state, _ in seen} == {"complete", "pruned"}


def test_study_refuses_other_data(tmp_path: Path) -> None:
    tune(tmp_path / "journal.log", 1)
    with pytest.raises(ConfigError, match=r"other data.*Name another study in tune\.study"):
        tune(tmp_path / "journal.log", 2, identity="something else")


def test_sqlite_storage_makes_its_folder(tmp_path: Path) -> None:
    assert len(tune(f"sqlite:///{tmp_path}/new/optuna.db", 2).trials) == 2


def test_unusable_storage_is_named() -> None:
    with pytest.raises(ConfigError, match=r"cannot open tune\.storage 'nothing://here'"):
        tune("nothing://here", 1)


def test_weights_of_zero_stay_off() -> None:
    assert "environment.reward_weights.off" not in search_space(BASE)
    assert "environment.reward_weights.unit.price" in search_space(BASE)


def test_ranges_hold_the_base_value() -> None:
    base = Config.model_validate({"agent": {"learning_rate": 0.9, "epsilon_decay": 0.5}})
    space = search_space(base)
    assert space["agent.learning_rate"].high == 0.9
    assert space["agent.epsilon_decay"].low == 0.5


def test_with_values_and_nested_are_inverse_views() -> None:
    values = {"agent.discount": 0.25, "environment.reward_weights.unit.price": 3.0}
    changed = with_values(BASE, values)
    assert changed.agent.discount == 0.25
    assert changed.environment.reward_weights == {"price": 1.0, "unit.price": 3.0, "off": 0.0}
    found = Tuning(values, 0.0, 0.0, np.nan)  # type: ignore[arg-type]  # the trials do not matter here
    assert Config.model_validate(found.nested()).agent.discount == 0.25


def test_with_values_refuses_what_is_out_of_range() -> None:
    with pytest.raises(ConfigError, match=r"agent\.discount"):
        with_values(BASE, {"agent.discount": 2.0})


def test_finished_counts_complete_and_pruned_only(tmp_path: Path) -> None:
    params = TuneParams(trials=1, storage=str(tmp_path / "journal.log"), study="s")
    study = open_study(BASE, params, identity="data")
    assert finished_trials(study) == 0
    study.ask()
    assert finished_trials(study) == 0

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agentsynth.config import AgentConfig, Config, EnvironmentConfig, GeneratorConfig
from agentsynth.errors import ConfigError
from agentsynth.params import Params


def write(folder: Path, text: str) -> Path:
    path = folder / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_defaults_are_those_of_the_design() -> None:
    config = Config.of(None)
    assert (config.agent.episodes, config.environment.steps) == (30, 100)
    assert config == Config.of({})


def test_plain_values_are_read_and_the_rest_stays() -> None:
    config = Config.of({"agent": {"episodes": 5}, "environment": {"reward_weights": {"price": 2}}})
    assert config.agent.episodes == 5
    assert config.agent.learning_rate == AgentConfig().learning_rate
    assert config.environment.reward_weights == {"price": 2.0}


def test_a_config_is_taken_as_it_is_and_of_all_parameters_the_part_that_is_meant() -> None:
    config = Config()
    assert Config.of(config) is config
    params = Params(agent=AgentConfig(episodes=5), seed=3)
    for part in (params.config, Config.of(params)):
        assert type(part) is Config
        assert part == Config(agent=AgentConfig(episodes=5))


def test_parameters_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Config().agent.episodes = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"agent": {"episode": 3}}, r"config holds .*\n  agent\.episode: there is no such parameter \(found 3\)"),
        ({"agent": {"episodes": 0}}, r"agent\.episodes: Input should be greater than or equal to 1 \(found 0\)"),
        ({"agent": {"episodes": "many"}}, r"agent\.episodes: .* valid integer.* \(found 'many'\)"),
        ({"agent": {"discount": 1}}, r"agent\.discount: Input should be less than 1"),
        ({"agent": {"epsilon_decay": 0}}, r"agent\.epsilon_decay: Input should be greater than 0"),
        ({"generator": {"min_leaf": 0}}, r"generator\.min_leaf"),
        ({"environment": {"oversample": 0.5}}, r"environment\.oversample"),
        ({"environment": {"reward_weights": {"price": -1}}}, r"environment\.reward_weights\.price"),
        ({"agents": {}}, "agents: there is no such parameter"),
        ("fast", r"\(top level\): .*\(found 'fast'\)"),
        ([1], r"\(top level\)"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config.of(value)


def test_all_wrong_parameters_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        Config.of({"agent": {"episodes": 0, "noise": 5}, "generator": {"trees": 0}})
    for name in ("agent.episodes", "agent.noise", "generator.trees"):
        assert name in str(error.value)


def test_long_values_are_shortened_in_messages() -> None:
    with pytest.raises(ConfigError, match=r"\.\.\.\)$") as error:
        Config.of({"agent": {"episodes": "x" * 500}})
    assert len(str(error.value)) < 300


def test_the_projects_own_params_are_valid_and_state_the_defaults() -> None:
    params = Params.load(Path(__file__).parents[2] / "params.yaml")
    assert params.generator == GeneratorConfig()
    assert params.agent == AgentConfig()
    weights = params.environment.reward_weights
    assert set(weights.values()) == {1.0}
    assert params.environment == EnvironmentConfig(reward_weights=weights)


def test_params_are_read_from_a_file(tmp_path: Path) -> None:
    params = Params.load(write(tmp_path, "seed: 7\nagent: {episodes: 4}\nscenarios:\n  rush: {where: price > 3}\n"))
    assert (params.seed, params.agent.episodes) == (7, 4)
    assert params.config.scenarios == {"rush": {"where": "price > 3"}}


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    assert Params.load(write(tmp_path, "")) == Params()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: [", "params.yaml is not valid YAML"),
        ("seeds: 3", r"params.yaml holds parameters .*\n  seeds: there is no such parameter"),
        ("seed: -1", "seed: Input should be greater than or equal to 0"),
        ("split: {method: time}", "split by time needs a column: set split.column"),
        ("split: {train: 0}", r"split\.train: Input should be greater than 0"),
        ("- 1", r"\(top level\)"),
    ],
)
def test_files_that_cannot_be_used_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Params.load(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*params\.yaml: No such file.*run from the project's folder"):
        Params.load(tmp_path / "params.yaml")

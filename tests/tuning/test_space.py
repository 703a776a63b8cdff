"""Where a study looks: read from plain values, checked against the configuration."""

from __future__ import annotations

from typing import Any

import pytest

from agentsynth.config import Config
from agentsynth.data.inference import infer_schema
from agentsynth.data.shop import simulate_shop
from agentsynth.env.similarity import KINDS
from agentsynth.errors import ConfigError
from agentsynth.params import Params, TuneParams
from agentsynth.tuning.space import Choices, Range, rounded, search_space, value_of, with_values, without_idle

WEIGHTS = "environment.reward_weights"
BASE = Config.of({"environment": {"reward_weights": {"price": 1.0, "unit.price": 2.0, "off": 0.0}}})


def test_default_space_is_the_agents_and_every_reward_weight() -> None:
    space = search_space(Config(), TuneParams().space, ["numeric", "pairs"])
    assert space["agent.learning_rate"] == Range(0.01, 0.6, log=True)
    assert {"agent.epsilon_decay", "agent.discount", "agent.own_share", "environment.oversample"} < set(space)
    weights = [name for name in space if name.startswith("environment.reward_weights.")]
    assert weights == ["environment.reward_weights.numeric", "environment.reward_weights.pairs"]


def test_weights_that_are_given_are_looked_for_and_weights_of_zero_stay_off() -> None:
    space = search_space(BASE, TuneParams().space)
    assert "environment.reward_weights.unit.price" in space
    assert "environment.reward_weights.off" not in space


def test_weight_of_a_column_may_be_looked_for_even_if_it_is_called_low() -> None:
    only = search_space(BASE, {"environment": {"reward_weights": {"low": {"low": 1, "high": 3}}}})
    assert only == {"environment.reward_weights.low": Range(1, 3)}


@pytest.mark.parametrize(
    ("columns", "weights", "left_out"),
    [
        (["price", "category"], {}, ["datetime", "derived"]),
        (["price", "category", "timestamp", "quantity", "total_revenue"], {}, []),
        (["price"], {}, ["categorical", "datetime", "derived", "pairs"]),
        (["price", "category"], {"price": 2.0}, ["numeric", "datetime", "derived"]),  # it has a weight of its own
    ],
)
def test_weights_of_what_a_table_has_not_are_left_out(
    columns: list[str], weights: dict[str, float], left_out: list[str]
) -> None:
    base = Config.of({"environment": {"reward_weights": weights}})
    wanted = search_space(base, TuneParams().space, [*KINDS, "pairs"])
    space, idle = without_idle(wanted, base, infer_schema(simulate_shop(80, seed=0)[columns]))
    assert idle == [f"environment.reward_weights.{name}" for name in left_out]
    assert list(space) == [name for name in wanted if name not in idle]


def test_pairs_that_are_not_steered_are_left_out_unless_they_are_looked_for() -> None:
    schema = infer_schema(simulate_shop(80, seed=0))
    base = Config.of({"environment": {"pairs": 0}})
    one = {"low": 0.25, "high": 4.0}
    for more, left_out in (({}, [f"{WEIGHTS}.pairs"]), ({"pairs": {"low": 0, "high": 40}}, [])):
        wanted = search_space(base, {"environment": {"reward_weights": {"pairs": one, "numeric": one}, **more}})
        assert without_idle(wanted, base, schema)[1] == left_out


def test_space_of_nothing_but_absent_kinds_is_refused() -> None:
    wanted = {"environment": {"reward_weights": {"datetime": {"low": 0.5, "high": 2.0}}}}
    schema = infer_schema(simulate_shop(80, seed=0)[["price", "category"]])
    with pytest.raises(ConfigError, match=r"nothing to look for, .* environment.reward_weights.datetime"):
        without_idle(search_space(Config(), wanted), Config(), schema)


def test_ranges_hold_the_present_value() -> None:
    space = search_space(Config.of({"agent": {"learning_rate": 0.9, "epsilon_decay": 0.5}}), TuneParams().space)
    assert space["agent.learning_rate"] == Range(0.01, 0.9, log=True)
    assert space["agent.epsilon_decay"] == Range(0.5, 0.99)


def test_whole_numbers_and_choices() -> None:
    wanted = {
        "generator": {"min_leaf": {"low": 4, "high": 64}},
        "environment": {"critic": {"choices": [False]}, "bins": {"choices": [8, 32]}},
    }
    space = search_space(Config(), wanted)
    assert space["generator.min_leaf"] == Range(4, 64, whole=True)
    assert space["environment.critic"] == Choices((True, False))
    assert space["environment.bins"] == Choices((16, 8, 32))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({}, "tune.space is empty"),
        ({"agent": {"speed": {"low": 0, "high": 1}}}, "there is no parameter 'agent.speed'; there are generator.trees"),
        ({"seed": {"low": 0, "high": 1}}, "there is no parameter 'seed'"),
        ({"agent": {"discount": {"low": 0.9, "high": 0.1}}}, "low must be below high; found low 0.9, high 0.1"),
        ({"agent": {"discount": {"low": 0.5, "high": 2}}}, "tune.space.agent.discount holds 2, (?s:.*) less than 1"),
        ({"agent": {"discount": {"low": 0.5}}}, "discount.high: expected a number; found None"),
        ({"agent": {"discount": {"low": "a", "high": 1}}}, "discount.low: expected a number; found 'a'"),
        ({"agent": {"discount": {"low": 0, "high": 0.9, "log": True}}}, "must be above 0; found 0"),
        ({"agent": {"discount": {"low": 0, "high": 0.9, "step": 2}}}, "expected {low, high, log}"),
        ({"agent": {"discount": {"low": 0, "high": 0.9, "choices": [0]}}}, "expected {low, high, log}"),
        ({"agent": {"discount": 0.5}}, r"tune.space.agent.discount: expected {low, high} or .*; found 0.5"),
        ({"environment": {"critic": {"low": 0, "high": 1}}}, "critic is True, no number"),
        ({"environment": {"factors": {"choices": [None]}}}, "no single number or choice"),
        ({"environment": {"bins": {"choices": []}}}, "expected a list of values"),
        ({"environment": {"bins": {"choices": [1]}}}, "holds 1, (?s:.*) greater than or equal to 2"),
    ],
)
def test_what_cannot_be_looked_for_is_named(wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        search_space(Config(), wanted)


def test_values_are_put_at_their_places() -> None:
    changed = with_values(BASE, {"agent.discount": 0.25, "environment.reward_weights.unit.price": 3.0})
    assert changed.agent.discount == 0.25
    assert changed.environment.reward_weights == {"price": 1.0, "unit.price": 3.0, "off": 0.0}
    assert value_of(changed, "environment.reward_weights.numeric") == 1.0
    with pytest.raises(ConfigError, match=r"agent\.discount"):
        with_values(BASE, {"agent.discount": 2.0})


def test_numbers_are_rounded_within_their_range() -> None:
    assert rounded(0.123456, Range(0.12351, 1.0)) == 0.12351
    assert rounded(123456.0, Range(0.0, 1e9)) == 123500.0
    assert rounded(16, Range(4, 64, whole=True)) == 16


def test_spaces_of_the_parameter_file_can_be_used() -> None:
    for wanted in (Params().tune.space, Params().tune.privacy_space):
        assert search_space(Config(), wanted, ["numeric"])

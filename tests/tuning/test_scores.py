"""What trials are judged by: the same models as `AgentSynth` fits, judged by rows and goals they have not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agentsynth.config import Config, EntityConfig
from agentsynth.data.inference import infer_schema
from agentsynth.data.shop import simulate_shop
from agentsynth.data.typed import typed
from agentsynth.errors import ConfigError, ScenarioError
from agentsynth.metrics.privacy import nearer_to_training
from agentsynth.metrics.similarity import similarity, typed_similarity
from agentsynth.metrics.values import compared
from agentsynth.params import TuneParams
from agentsynth.synth import AgentSynth
from agentsynth.tuning.scores import CHECKPOINTS, GoalsScore, RowsScore, Tables, Trainer, score_of
from agentsynth.tuning.space import with_values

SMALL = Config.of(
    {
        "generator": {"trees": 2},
        "environment": {"rows": 40, "steps": 4, "pairs": 6},
        "agent": {"episodes": 7, "goals": 2},
        "scenarios": {
            "regular": {"where": "user_type = regular"},
            "dearer": {"targets": {"price": {"mean": "+20%"}}},
            "nobody": {"where": "price > 1000000"},
        },
    }
)


@pytest.fixture(scope="module")
def trainer(tables: Tables) -> Trainer:
    return Trainer(tables.train, tables.schema)


def test_rows_are_judged_as_the_facade_would_make_them(tables: Tables, trainer: Trainer) -> None:
    curve: list[float] = []
    (value,) = RowsScore(trainer, tables.validation, tables=2)(SMALL, 5, curve.append)
    synth = AgentSynth(SMALL, seed=5).fit(tables.train, schema=tables.schema)
    made = [synth.generate(len(tables.validation), seed=seed) for seed in (5, 6)]
    expected = np.mean([similarity(tables.validation, table, tables.schema) for table in made])
    assert value == pytest.approx(expected)
    assert len(curve) == CHECKPOINTS
    assert all(0.5 < point < 1 for point in curve)


def test_entities_are_judged_by_what_is_told_of_each() -> None:
    config = SMALL.model_copy(update={"entities": EntityConfig(column="user_id")})
    orders = simulate_shop(600, seed=2, habits=True).groupby("user_id").head(6)
    first = orders["user_id"].isin(orders["user_id"].unique()[::2])
    train, unseen = (frame.reset_index(drop=True) for frame in (orders[first], orders[~first]))
    schema = infer_schema(train, {"user_id": {"kind": "id"}})
    curve: list[float] = []
    score = RowsScore(Trainer(train, schema), unseen, tables=1, privacy=True)
    value, excess = score(config, 5, curve.append)
    synth = AgentSynth(config, seed=5).fit(train, schema=schema)
    generator = synth.model_.generator
    made = synth.generate(entities=unseen["user_id"].nunique(), seed=5)
    known, real, ours = (
        compared(generator.units(typed(frame, schema)), generator.schema) for frame in (train, unseen, made)
    )
    assert value == pytest.approx(typed_similarity(real, ours))
    assert 0.5 < value < 1
    assert len(curve) == CHECKPOINTS
    names = [column.name for column in generator.schema.modelled]
    nearer = nearer_to_training(known[names], real[names], ours[names], 5)
    assert excess == pytest.approx(max(nearer - 0.5, 0))


def test_privacy_is_the_excess_over_half(tables: Tables, trainer: Trainer) -> None:
    _, excess = RowsScore(trainer, tables.validation, tables=1, privacy=True)(SMALL, 5, lambda _: None)
    synth = AgentSynth(SMALL, seed=5).fit(tables.train, schema=tables.schema)
    names = [column.name for column in tables.schema.modelled]
    frames = (tables.train, tables.validation, synth.generate(len(tables.validation), seed=5))
    train, unseen, made = (compared(typed(frame, tables.schema), tables.schema)[names] for frame in frames)
    assert excess == pytest.approx(max(nearer_to_training(train, unseen, made, 5) - 0.5, 0))


def test_scenario_is_judged_by_unseen_rows_that_meet_it(tables: Tables, trainer: Trainer) -> None:
    regular = RowsScore(trainer, tables.validation, "regular", tables=1)
    (value,) = regular(SMALL, 0, lambda _: None)
    inside = tables.validation[tables.validation["user_type"] == "regular"].reset_index(drop=True)
    synth = AgentSynth(SMALL, seed=0).fit(tables.train, schema=tables.schema)
    made = synth.generate(len(inside), "regular", seed=0)
    assert value == pytest.approx(similarity(inside, made, tables.schema))


def test_scenario_with_targets_draws_unseen_rows_that_meet_them(tables: Tables, trainer: Trainer) -> None:
    dearer = RowsScore(trainer, tables.validation, "dearer", tables=1)
    (value,) = dearer(SMALL, 0, lambda _: None)
    assert 0.5 < value < 1
    assert dearer._known
    reference, rows = dearer._known
    assert rows == len(tables.validation)
    assert reference["price"].mean() == pytest.approx(1.2 * tables.validation["price"].mean(), rel=0.01)


@pytest.mark.parametrize(
    ("scenario", "error", "message"),
    [
        ("nobody", ScenarioError, r"'nobody': 0 of the 100 unseen rows meet 'price > 1000000'"),
        ("absent", ConfigError, r"tune\.scenario is 'absent', but `scenarios` knows: regular, dearer, nobody"),
    ],
)
def test_scenario_that_cannot_be_judged_is_named(
    tables: Tables, trainer: Trainer, scenario: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        RowsScore(trainer, tables.validation, scenario)(SMALL, 0, lambda _: None)


def test_goals_tell_agents_apart_and_not_their_reward_weights(trainer: Trainer) -> None:
    score, curve = GoalsScore(trainer), []  # type: tuple[GoalsScore, list[float]]
    (value,) = score(SMALL, 0, curve.append)
    assert (value,) == score(SMALL, 0, lambda _: None)
    assert len(curve) == CHECKPOINTS
    other_goals = GoalsScore(trainer, "others")(SMALL, 0, lambda _: None)
    assert other_goals != (value,)
    # An agent that never tries anything stays neutral: then neither its parameters nor the weights matter.
    still = {"agent.epsilon_start": 0.0, "agent.epsilon_end": 0.0}
    first = score(with_values(SMALL, still), 0, lambda _: None)
    second = {**still, "agent.learning_rate": 0.9, "agent.push": 0.1, "environment.reward_weights.numeric": 3.0}
    assert first == score(with_values(SMALL, second), 0, lambda _: None)
    fewest = score(with_values(SMALL, {**still, "environment.oversample": 1.0}), 0, lambda _: None)
    assert first > fewest  # by 0.1, with any versions; ten times as many as now gain less than seeds differ


@pytest.mark.parametrize(
    "change",
    [
        {"environment": {"rows": 20, "steps": 3, "oversample": 2, "pool_factor": 3, "selection": False}},
        {"environment": {"rows": 40, "steps": 4, "reward_weights": {"numeric": 2.0}}},
        {"environment": {"rows": 40, "steps": 4, "factors": {"price_factor": "price"}}},
        {"refinement": {"exchanges": 1, "pool_factor": 5}},
    ],
)
def test_generators_that_trials_share_are_those_they_would_fit(tables: Tables, change: dict[str, Any]) -> None:
    plain = Config.of({"generator": {"trees": 2}})
    changed = Config.of({"generator": {"trees": 2}, **change})
    shared, own = Trainer(tables.train, tables.schema), Trainer(tables.train, tables.schema)
    assert shared.generator(plain, 0) is shared.generator(changed, 0)
    fresh = own.generator(changed, 0)
    for one, two in ((shared.generator(changed, 0), fresh),):
        np.testing.assert_array_equal(one.real, two.real)
        rng = (np.random.default_rng(0), np.random.default_rng(0))
        np.testing.assert_array_equal(one.trees.draw(50, rng[0]), two.trees.draw(50, rng[1]))
    assert shared.generator(plain, 1) is not shared.generator(plain, 0)


@pytest.mark.parametrize(
    ("params", "places", "message"),
    [
        ({"score": "goals", "privacy": True}, [], "neither tune.privacy nor tune.scenario"),
        ({"score": "goals", "scenario": "x"}, [], "neither tune.privacy nor tune.scenario"),
        ({"score": "goals"}, ["environment.bins", "agent.noise"], "cells that environment.bins would change"),
    ],
)
def test_what_does_not_go_together_is_refused(
    tables: Tables, trainer: Trainer, params: dict[str, Any], places: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        score_of(TuneParams(**params), trainer, tables.validation, places)

"""Tables of entities: drawn, steered, saved; rules hold on every row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.typed import typed
from agentsynth.entities.generator import EntityGenerator
from agentsynth.entities.plan import EntityPlan
from agentsynth.entities.scores import Lives
from agentsynth.errors import InputError, ScenarioError
from agentsynth.synth import AgentSynth


@pytest.fixture(scope="module")
def table(synth: AgentSynth) -> pd.DataFrame:
    return synth.generate(500, seed=1)


def test_as_many_rows_as_are_wanted_in_the_form_of_the_table(table: pd.DataFrame, orders: pd.DataFrame) -> None:
    assert len(table) == 500
    assert table.dtypes.to_dict() == orders.dtypes.to_dict()
    assert table["timestamp"].is_monotonic_increasing
    assert table["timestamp"].between(orders["timestamp"].min(), orders["timestamp"].max()).all()
    assert (table["total_revenue"] == (table["price"] * table["quantity"]).round(2)).all()
    assert table["user_id"].str.fullmatch(r"U\d{5}").all()


def test_attributes_stay_the_same_and_users_come_back(table: pd.DataFrame) -> None:
    users = table.groupby("user_id")
    assert set(users["user_type"].nunique()) == {1}
    assert 3 < users.size().mean() < 20
    assert (users.size() == 1).any()


def test_as_many_entities_as_are_wanted(synth: AgentSynth) -> None:
    assert synth.generate(entities=37, seed=3)["user_id"].nunique() == 37


def test_lives_are_nearer_to_real_ones_than_rows_drawn_one_by_one(
    synth: AgentSynth, orders: pd.DataFrame, generator: EntityGenerator
) -> None:
    apart = AgentSynth({**synth.config.model_dump(), "entities": {}}, seed=0).fit(orders)
    tables = synth.generate(900, seed=5), apart.generate(900, seed=5)
    repeats = [_repeats(made, generator.plan, synth) for made in (orders, *tables)]
    assert abs(repeats[1] - repeats[0]) < 0.1
    assert repeats[2] < repeats[0] - 0.15


def _repeats(table: pd.DataFrame, plan: EntityPlan, synth: AgentSynth) -> float:
    lives = Lives.of(table, plan, synth.schema_)
    after = np.flatnonzero(lives.follows)
    category = lives.rows["category"].to_numpy()
    return float((category[after] == category[after - 1]).mean())


def test_orders_follow_the_flow_of_the_shop(generator: EntityGenerator) -> None:
    timing = generator.sequences.when
    assert timing is not None
    assert timing.flow is not None
    # A day late in the year takes more of the shop's own time than one in its middle.
    passed = np.diff(timing.flow.ends)
    assert passed[-len(passed) // 6 :].mean() > 1.3 * passed[len(passed) // 3 : len(passed) // 2].mean()


def test_saved_and_loaded_it_makes_the_same_table(synth: AgentSynth, tmp_path: Path) -> None:
    synth.save(tmp_path / "model.zip")
    loaded = AgentSynth.load(tmp_path / "model.zip")
    pd.testing.assert_frame_equal(loaded.generate(80, seed=4), synth.generate(80, seed=4))
    assert not loaded.generate(80, seed=5).equals(synth.generate(80, seed=4))


def test_factors_press_on_what_entities_are_like(synth: AgentSynth) -> None:
    names = synth.policy_.factor_names
    assert {
        "rows_factor",
        "timestamp_gap_factor",
        "timestamp_gap_spread_factor",
        "category_repeats_factor",
        "user_type_factor",
    } <= set(names)


@pytest.mark.parametrize("policy", ["free", "neutral", "random", "proportional", "raking"])
def test_every_policy_makes_whole_entities(synth: AgentSynth, policy: str) -> None:
    made = synth.generate(entities=20, seed=2, policy=policy)
    assert made["user_id"].nunique() == 20
    assert set(made.groupby("user_id")["user_type"].nunique()) == {1}


def test_a_scenario_may_speak_of_entities(synth: AgentSynth) -> None:
    twice = synth.compose(entities=150, seed=1, scenario={"targets": {"rows": {"share": {"1": "+100%"}}}})
    (target,) = twice.targets
    assert target.wanted == pytest.approx(2 * target.before)
    once = twice.table["user_id"].value_counts() == 1
    assert once.mean() == pytest.approx(target.wanted, abs=0.02)
    back = {"where": "user_type = premium", "targets": {"timestamp_gap": {"mean": 9}}}
    often = synth.compose(entities=60, seed=1, scenario=back)
    assert set(often.table["user_type"]) == {"premium"}
    assert often.targets[0].reached == pytest.approx(9, rel=0.1)


def test_a_scenario_may_speak_of_their_rows(synth: AgentSynth) -> None:
    scenario = {
        "targets": {"category": {"share": {"Books": 0.3}}, "total_revenue": {"mean": "+15%", "total": "+20%"}},
        "shares": {"timestamp.hour in 17..20 and quantity > 1": 0.2},
    }
    composed = synth.compose(entities=150, seed=1, scenario=scenario)
    table = composed.table
    assert (table["category"] == "Books").mean() == pytest.approx(0.3, abs=0.015)
    evening = table["timestamp"].dt.hour.between(17, 20) & (table["quantity"] > 1)
    assert evening.mean() == pytest.approx(0.2, abs=0.015)
    books, mean, total, share = composed.targets
    assert books.reached == pytest.approx((table["category"] == "Books").mean())
    assert mean.reached == pytest.approx(table["total_revenue"].mean())
    assert total.reached == pytest.approx(table["total_revenue"].sum())
    assert share.reached == pytest.approx(evening.mean())


def test_prices_of_entities_are_scaled(synth: AgentSynth) -> None:
    plain = synth.generate(entities=30, seed=6, policy="neutral")
    dear = synth.generate(entities=30, seed=6, policy="neutral", scenario={"scale": {"price": 2}})
    assert dear["price"].median() > 1.3 * plain["price"].median()
    assert (dear["total_revenue"] == (dear["price"] * dear["quantity"]).round(2)).all()


def test_slice_of_a_real_table_has_whole_entities(synth: AgentSynth, orders: pd.DataFrame) -> None:
    found = synth.slice(orders, {"where": "rows > 10"})
    assert 0 < len(found) < len(orders)
    assert (found["user_id"].value_counts() > 10).all()


def test_a_condition_on_rows_chooses_whole_entities_that_have_such_a_row(
    synth: AgentSynth, orders: pd.DataFrame
) -> None:
    where = ["category = Books and quantity > 1", "rows > 3"]
    found = synth.slice(orders, {"where": where})
    sizes = orders["user_id"].value_counts()
    readers = orders[(orders["category"] == "Books") & (orders["quantity"] > 1)]["user_id"]
    wanted = set(readers) & set(sizes.index[sizes > 3])
    assert 0 < len(wanted) < len(sizes)
    pd.testing.assert_frame_equal(found, orders[orders["user_id"].isin(wanted)].reset_index(drop=True))
    made = synth.compose(entities=40, seed=3, scenario={"where": where, "targets": {"rows": {"mean": "+10%"}}})
    books = (made.table["category"] == "Books") & (made.table["quantity"] > 1)
    assert set(made.table["user_id"][books]) == set(made.table["user_id"])
    assert (made.table["category"] != "Books").any()
    assert made.table["user_id"].value_counts().min() > 3
    assert made.targets[0].reached == pytest.approx(made.targets[0].wanted, rel=0.1)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"scenario": {"targets": {"price": {"median": 20}}}}, "of the rows of entities means, totals"),
        ({"scenario": {"targets": {"prize": {"mean": 20}}}}, "names 'prize'; the table has user_type, rows"),
        ({"scenario": {"where": "category = Book"}}, "column 'category' has no 'Book'"),
        ({"scenario": {"where": "categorie = Books"}}, "names 'categorie'"),
    ],
)
def test_what_entities_cannot_be_steered_to_is_refused(synth: AgentSynth, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        synth.generate(entities=20, **asked)


def test_entities_are_no_rows(synth: AgentSynth, shop_synth: AgentSynth) -> None:
    with pytest.raises(InputError, match="in place of rows"):
        synth.generate(10, entities=10)
    with pytest.raises(InputError, match=r"fitted with entities\.column"):
        shop_synth.generate(entities=10)
    with pytest.raises(InputError, match="entities must be a whole number from 1 on; found 0"):
        synth.generate(entities=0)


def test_too_few_entities_are_named(orders: pd.DataFrame) -> None:
    few = orders[orders["user_id"].isin(orders["user_id"].unique()[:6])]
    with pytest.raises(InputError, match=r"6 entities in 'user_id'.*at least 10"):
        AgentSynth({"entities": {"column": "user_id"}}).fit(few)


def test_no_training_entity_is_in_the_model_or_told_from_it(
    synth: AgentSynth, orders: pd.DataFrame, generator: EntityGenerator, tmp_path: Path
) -> None:
    synth.save(tmp_path / "model")
    written = b"".join(path.read_bytes() for path in (tmp_path / "model").iterdir())
    assert not any(user.encode() in written for user in orders["user_id"].unique()[:40])
    made = synth.generate(400, seed=8)
    known = typed(made, synth.schema_)
    units = generator.units(known)
    codes = generator.trees.codec.encode(units, lenient=True)
    copied = generator.detail.novelty.of(generator.trees.codec.parts, codes)[:, 1] == 1
    assert copied[(units["rows"] > 2).to_numpy()].mean() < 0.02

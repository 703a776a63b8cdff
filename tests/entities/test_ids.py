"""Ids within entities and around them: the orders of a user, the branch of a user."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.inference import infer_schema
from agentsynth.data.schema import Column
from agentsynth.data.typed import typed
from agentsynth.entities.generator import EntityGenerator
from agentsynth.entities.groups import grouped, is_group
from agentsynth.entities.id_scores import groups_apart, nested_apart
from agentsynth.entities.nested import (
    NestedId,
    agreed,
    at_once,
    begun,
    continued,
    is_nested,
    numbered,
    over_the_table,
    rows_so_far,
)
from agentsynth.entities.plan import EntityPlan
from agentsynth.entities.saved import sequences_arrays, sequences_of, sequences_to_json
from agentsynth.request import Request
from agentsynth.streaming.writing import here, write_table_in_parts
from agentsynth.synth import AgentSynth

from .conftest import SMALL

IDS = {"branch_id": {"kind": "id"}}
"""With eight branches, the column would be taken for labels."""
ENTITY = np.array([0, 0, 0, 0, 1, 1])
ORDERS = pd.DataFrame({"order": ["a", "a", "b", "c", "d", "d"]})


def baskets(users: int = 60, seed: int = 3) -> pd.DataFrame:
    """Users of branches, with orders of one to three lines at one moment, and with one payment each."""
    rng = np.random.default_rng(seed)
    order = np.repeat(np.arange(users), rng.integers(1, 6, size=users))
    branch = rng.integers(8, size=users)
    moment = np.datetime64("2024-03-01T08:00:00") + rng.integers(0, 10**7, size=len(order)).astype("timedelta64[s]")
    paid = np.array(["card", "cash", "bill"])[rng.integers(3, size=len(order))]
    line = np.repeat(np.arange(len(order)), rng.choice([1, 2, 3], size=len(order), p=[0.4, 0.4, 0.2]))
    frame = pd.DataFrame(
        {
            "order_id": line,
            "user_id": np.char.add("U", order.astype(str))[line],
            "branch_id": np.char.add("B", branch.astype(str))[order[line]],
            "moment": moment[line],
            "payment": paid[line],
            "product": np.array(["tea", "milk", "bread", "jam"])[rng.integers(4, size=len(line))],
            "price": rng.gamma(4.0, 2.0, size=len(line)).round(2),
        }
    ).sort_values("moment", kind="stable", ignore_index=True)
    return frame.assign(order_id=[f"O{10000 + number}" for number in pd.factorize(frame["order_id"])[0]])


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    return baskets()


@pytest.fixture(scope="module")
def fitted(lines: pd.DataFrame) -> AgentSynth:
    """Fitted; tests leave it as it is."""
    return AgentSynth(SMALL, seed=0).fit(lines, schema=infer_schema(lines, IDS))


def test_nested_ids_are_counted_in_each_entity() -> None:
    rows = numbered(ORDERS, ENTITY, ["order"])
    assert rows["order"].tolist() == [1, 1, 2, 3, 1, 1]
    assert begun(ORDERS["order"], ENTITY).tolist() == [True, False, True, True, True, False]
    assert rows_so_far(rows["order"].to_numpy(), ENTITY).tolist() == [1, 2, 1, 1, 1, 2]
    assert over_the_table(rows["order"].to_numpy(), ENTITY).tolist() == [0, 0, 1, 2, 3, 3]


@pytest.mark.parametrize(
    ("ids", "nested"),
    [
        (["a", "a", "b", "c", "d", "d"], True),
        (["a", "a", "b", "c", "c", "d"], False),  # c is of two entities
        (["a", "b", "a", "c", "d", "d"], False),  # a comes back
        (["a", "a", "a", "a", "d", "d"], False),  # one an entity: it is another name of these
        (["a", "b", "c", "d", "e", "f"], False),  # one a row
        (["a", "a", "b", None, "d", "d"], False),
    ],
)
def test_an_id_is_nested_whose_rows_follow_one_another_in_one_entity(
    ids: list[str | None], nested: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentsynth.entities.nested.FEWEST_REPEATS", 2)
    assert is_nested(pd.Series(ids), ENTITY) == nested


def test_an_id_is_around_entities_that_share_it() -> None:
    entity = np.repeat(np.arange(40), 3)
    assert is_group(pd.Series(entity // 4), entity)
    assert not is_group(pd.Series(entity), entity)  # one an entity
    assert not is_group(pd.Series(np.arange(120) // 4), entity)  # changes within some
    assert not is_group(pd.Series(entity // 4).where(entity != 7), entity)


def test_what_is_constant_within_an_id_is_copied_but_for_bounds_it_would_break() -> None:
    rng = np.random.default_rng(0)
    order = np.repeat(np.arange(50), 2)
    rows = pd.DataFrame(
        {"order": order, "basket": order // 2, "sent": order * 3.0, "come": order * 3.0 + rng.random(100)}
    )
    sent = Column(name="sent", kind="numeric", dtype="float64")
    come = Column(name="come", kind="numeric", dtype="float64", above=("sent",))
    column = Column(name="order", kind="id", dtype="int64")
    assert NestedId.of(rows, column, [sent], ["order", "basket"]) == NestedId("order", ("sent",), ("basket",))
    assert NestedId.of(rows, column, [sent, come], ["order"]) == NestedId("order")
    both = rows.assign(come=rows["sent"] + 1)
    assert NestedId.of(both, column, [sent, come], ["order"]).constant == ("sent", "come")


def test_rows_of_an_id_that_goes_on_have_what_the_row_before_has() -> None:
    nested = [NestedId("visit", ("day", "ward")), NestedId("test", ("kind",), ("visit",))]
    last = pd.DataFrame({"visit": [2.0, 1.0], "test": [5.0, 1.0], "ward": ["A", "B"], "kind": ["x", "y"]})
    drawn = agreed(
        nested,
        pd.DataFrame(
            {"visit (begins)": [0.0, 1.0], "test (begins)": [1.0, 0.0], "ward": ["C", "C"], "kind": ["z", "z"]}
        ),
    )
    assert drawn["test (begins)"].tolist() == [1.0, 1.0]  # a new visit has new tests
    assert at_once(nested, "day", drawn).tolist() == [True, False]
    rows = continued(nested, last.assign(day=1), drawn.assign(day=2))
    assert (rows["visit"].tolist(), rows["test"].tolist()) == ([2.0, 2.0], [6.0, 2.0])
    assert (rows["ward"].tolist(), rows["kind"].tolist(), rows["day"].tolist()) == (["A", "C"], ["z", "z"], [1, 2])


def test_ids_of_a_table_are_found(fitted: AgentSynth) -> None:
    generator = fitted.model_.generator
    assert isinstance(generator, EntityGenerator)
    plan = generator.plan
    assert (plan.id, plan.time) == ("user_id", "moment")
    assert plan.nested == (NestedId("order_id", ("payment", "moment")),)
    (branch,) = plan.groups
    assert branch.name == "branch_id"
    assert branch.id_form is not None
    assert sum(size * share for size, share in branch.id_form.rows_per_id) == pytest.approx(60 / 8)  # users a branch
    assert EntityPlan.from_json(plan.to_json()) == plan


def test_orders_and_branches_hold_in_generated_tables(fitted: AgentSynth, lines: pd.DataFrame) -> None:
    table = fitted.generate(entities=200, seed=1)
    orders, users = table.groupby("order_id"), table.groupby("user_id")
    for name in ("user_id", "moment", "payment"):
        assert orders[name].nunique().eq(1).all(), name
    assert orders["product"].nunique().gt(1).any()
    assert users["branch_id"].nunique().eq(1).all()
    assert table["order_id"].str.fullmatch(r"O\d{5}").all()
    sizes = orders.size().value_counts(normalize=True)
    real = lines.groupby("order_id").size().value_counts(normalize=True)
    assert (sizes - real).abs().max() < 0.1
    assert 3 < len(users) / table["branch_id"].nunique() < 15


def test_a_loaded_model_makes_the_same_ids(fitted: AgentSynth, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model.zip")
    again = AgentSynth.load(tmp_path / "model.zip")
    assert again.generate(120, seed=4).equals(fitted.generate(120, seed=4))


def test_a_model_of_numbers_that_cannot_be_squared_is_refused(fitted: AgentSynth) -> None:
    generator = fitted.model_.generator
    assert isinstance(generator, EntityGenerator)
    value, arrays = sequences_to_json(generator.sequences), sequences_arrays(generator.sequences)
    sequences_of(value, arrays, generator.table, fitted.config.generator)
    arrays = {name: array * 1e80 if name.endswith(".values") else array for name, array in arrays.items()}
    with pytest.raises(ValueError, match="numbers of entities are up to"):
        sequences_of(value, arrays, generator.table, fitted.config.generator)


def test_a_scenario_speaks_of_the_rows_of_an_id(fitted: AgentSynth) -> None:
    free = fitted.generate(entities=150, seed=2)
    composed = fitted.compose(entities=150, scenario={"targets": {"order_id_rows": {"mean": "+25%"}}}, seed=2)
    assert composed.targets[0].met

    def rows_an_order(table: pd.DataFrame) -> float:
        return float((table.groupby("user_id").size() / table.groupby("user_id")["order_id"].nunique()).mean())

    assert rows_an_order(composed.table) > 1.1 * rows_an_order(free)


def test_parts_of_a_table_share_no_ids(fitted: AgentSynth, tmp_path: Path) -> None:
    sizes = fitted.model_.generator.sizes
    request = Request(300, 1, policy="free", partition_rows=100, exact=True, sizes=sizes)
    write_table_in_parts(fitted.model_, fitted.config, request, 1, str(tmp_path / "parts"), here)
    parts = [pd.read_parquet(path) for path in sorted((tmp_path / "parts").glob("part-*"))]
    assert len(parts) > 2
    for name in ("user_id", "order_id", "branch_id"):
        found = pd.concat([pd.Series(part[name].unique()) for part in parts])
        assert found.is_unique, name


def test_scores_tell_how_many_rows_and_entities_ids_have(lines: pd.DataFrame) -> None:
    schema = infer_schema(lines, IDS)
    nested, entity = [NestedId("order_id")], np.array([0, 0, 0, 1])
    plain = pd.DataFrame({"order_id": [1.0, 1.0, 2.0, 1.0]})  # orders of 2, 1 and 1 rows
    other = pd.DataFrame({"order_id": [1.0, 1.0, 1.0, 1.0]})  # of 3 and 1
    assert nested_apart((plain, entity), (plain, entity), nested) == 0.0
    assert nested_apart((plain, entity), (other, entity), nested) == pytest.approx(0.5)
    assert np.isnan(nested_apart((plain, entity), (other, entity), []))
    users = np.arange(4)
    pairs, ones = (pd.DataFrame({"branch_id": ids}) for ids in (["a", "a", "b", "b"], ["a", "b", "c", "d"]))
    assert groups_apart((pairs, users), (ones, users), [schema["branch_id"]]) == 1.0
    assert np.isnan(groups_apart((pairs, users), (ones, users), []))


def test_entities_are_dealt_out_to_groups_by_their_attributes() -> None:
    frame = baskets()
    schema = infer_schema(frame, IDS)
    rows = typed(frame, schema).sort_values("user_id", kind="stable", ignore_index=True)
    entity = np.asarray(pd.factorize(rows["user_id"])[0], dtype=np.int64)
    form = schema["branch_id"].id_form
    assert form is not None
    column = schema["branch_id"].model_copy(
        update={"id_form": form.model_copy(update={"rows_per_id": ((10, 1.0),), "constant_within": ()})}
    )
    found = grouped(rows, entity, [column], np.random.default_rng(0))["branch_id"]
    heads = pd.Series(found).groupby(entity).agg(["nunique", "first"])
    assert heads["nunique"].eq(1).all()
    assert heads["first"].value_counts().tolist() == [10] * 6

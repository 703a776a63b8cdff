"""What the entities of a table are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agentsynth.config import EntityConfig
from agentsynth.data.inference import infer_schema
from agentsynth.data.typed import typed
from agentsynth.entities.plan import EntityPlan, entity_of, overrides_of
from agentsynth.errors import SchemaError


def plan_of(frame: pd.DataFrame, column: str, time: str | None = None) -> EntityPlan:
    config = EntityConfig(column=column, time=time)
    schema = infer_schema(frame, overrides_of(config, {}))
    return EntityPlan.of(typed(frame, schema), schema, config)


def panel(workers: int = 40, years: int = 5) -> pd.DataFrame:
    """Workers over years: a sex that stays, a year and an age that count, a wage that changes."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(workers), years)
    year = np.tile(np.arange(2000, 2000 + years), workers)
    return pd.DataFrame(
        {
            "worker": who + 100,
            "sex": np.array(["f", "m"])[rng.integers(2, size=workers)][who],
            "year": year,
            "age": rng.integers(20, 60, size=workers)[who] + year - 2000,
            "wage": rng.normal(20, 5, size=len(who)).round(2),
        }
    )


def test_a_panel_has_attributes_a_time_and_numbers_that_drift() -> None:
    plan = plan_of(panel(), "worker")
    assert (plan.id, plan.attributes, plan.time) == ("worker", ("sex",), "year")  # all share the year, not the age
    assert (plan.others, plan.drifting) == (("age", "wage"), ("age",))


def test_the_shop_goes_by_its_timestamp(orders: pd.DataFrame) -> None:
    plan = plan_of(orders, "auto")
    assert (plan.id, plan.attributes, plan.time) == ("user_id", ("user_type",), "timestamp")
    assert plan.others == ("category", "price", "quantity")
    assert plan.drifting == ()


def test_time_can_be_given_and_without_one_the_order_of_the_table_stands() -> None:
    frame = panel()
    assert plan_of(frame, "worker", "age").time == "age"
    assert plan_of(frame.drop(columns=["year", "age"]), "worker").time is None


def test_plan_survives_json_and_is_refused_for_another_table(orders: pd.DataFrame) -> None:
    plan = plan_of(panel(), "worker")
    assert EntityPlan.from_json(plan.to_json()) == plan
    with pytest.raises((SchemaError, ValueError)):
        plan.check(infer_schema(orders))


def test_rows_stand_by_entity_and_time(visits: pd.DataFrame) -> None:
    plan = EntityPlan("who", ("sex",), "day", ("state", "weight"))
    rows, entity = plan.arranged(visits)
    assert entity.tolist() == [0, 0, 0, 1]
    assert rows["weight"].tolist() == [60.0, 62.0, 61.0, 80.0]


@pytest.mark.parametrize(
    ("frame", "column", "time", "said"),
    [
        (panel().drop(columns="worker"), "auto", None, "no id column with several rows an id, so it has no entities"),
        (panel(), "wages", None, "an override names column 'wages', which the table does not have"),
        (
            panel(200, 1),
            "worker",
            None,
            "'worker', which is no id column with several rows an id; those there are: none",
        ),
        (panel(), "worker", "sex", "entities.time is 'sex'.*there are age, wage, year"),
        (panel()[["worker", "sex"]], "worker", None, "no column changes over the rows of 'worker'"),
    ],
)
def test_what_names_no_entities_is_refused(frame: pd.DataFrame, column: str, time: str | None, said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        plan_of(frame, column, time)


def test_rows_without_an_id_are_named() -> None:
    frame = pd.DataFrame({"who": ["a", None, "a"]})
    with pytest.raises(SchemaError, match=r"'who' names the entities, and 1 rows have none \(the first is row 2\)"):
        entity_of(frame, "who")


def test_an_attribute_does_not_follow_from_a_number_that_only_repeats_with_the_entity() -> None:
    rng = np.random.default_rng(1)
    who = np.repeat(np.arange(60), 6)
    frame = pd.DataFrame(
        {
            "patient": [f"P{number:03d}" for number in who],
            "age": rng.normal(50, 9, size=60).round(3)[who],
            "sex": np.array(["f", "m"])[rng.integers(2, size=60)][who],
            "dose": rng.normal(size=360).round(2),
        }
    )
    assert infer_schema(frame)["sex"].kind == "categorical"
    assert infer_schema(frame)["age"].kind == "numeric"


def test_numbers_that_cannot_be_squared_are_refused() -> None:
    frame = panel()
    with pytest.raises(SchemaError, match=r"column 'wage' has numbers up to .*e\+1.*at the most: divide them"):
        plan_of(frame.assign(wage=frame["wage"] * 1e150), "worker")
    assert "wage" in plan_of(frame.assign(wage=frame["wage"] * 1e60), "worker").others

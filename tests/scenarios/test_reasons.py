from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.schema import Column, Schema
from agentsynth.scenarios.constraints import Constraint
from agentsynth.scenarios.grammar import Scenario
from agentsynth.scenarios.planning import plan
from agentsynth.scenarios.reasons import PLANS, Reasons, nobody, too_coarse
from agentsynth.scenarios.report import Reached
from agentsynth.scenarios.table import Table
from agentsynth.scenarios.targets import constraints_of

FRAME = pd.DataFrame(
    {
        "kind": pd.Series(["a", "b"] * 100, dtype=object),
        # Those of kind a cost 0 to 99, those of kind b 100 to 199.
        "price": np.arange(200.0) // 2 + 100.0 * (np.arange(200) % 2),
        "size": np.tile(np.arange(10.0), 20),
    }
)
SCHEMA = Schema(
    columns=(
        Column(name="kind", kind="categorical", dtype="str", levels=("a", "b", "c")),
        Column(name="price", kind="numeric", dtype="float64"),
        Column(name="size", kind="numeric", dtype="float64"),
    )
)
EQUAL = np.full(200, 1 / 200)


def stated(scenario: dict[str, Any], rows: int = 50) -> list[Constraint]:
    return constraints_of(Scenario.of(scenario), Table(FRAME, SCHEMA, rows, EQUAL))


def explained(scenario: dict[str, Any], rows: int = 50, kept: int = 200) -> list[str]:
    """Return the reasons of goals that all fell short."""
    constraints = stated(scenario, rows)
    weights = plan(constraints, EQUAL).weights
    missed = [Reached(goal.name, 0.0, goal.wanted, np.nan, goal.tolerance) for goal in constraints]
    return [goal.reason for goal in Reasons(constraints, EQUAL, weights, rows, 200, kept).of(missed)]


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ({"targets": {"price": {"mean": 300}}}, "the largest value of the 200 rows drawn is 199, and a mean of 300"),
        ({"targets": {"price": {"mean": -5}}}, "the smallest value of the 200 rows drawn is 0, and a mean of -5"),
        ({"targets": {"price": {"total": 20_000}}}, "with the largest value .* in every row it would come to 9950"),
        ({"targets": {"price": {"median": 500}}}, "none of the 200 rows drawn lies above 500"),
        ({"targets": {"price": {"quantile": {0.1: -1}}}}, "none of the 200 rows drawn lies below -1"),
        ({"targets": {"kind": {"share": {"c": 0.5}}}}, "none of the 200 rows drawn is of that kind"),
        ({"shares": {"kind = a and price > 100": 0.1}}, "none of the 200 rows drawn is of that kind"),
        ({"shares": {"price >= 0": 0.5}}, "all of the 200 rows drawn that it looks at are of that kind"),
        ({"targets": {"size where price > 100 and kind = b": {"mean": 8}}}, ""),
        ({"targets": {"kind where price > 900": {"share": {"a": 0.5}}}}, "none of the 200 rows drawn meets its"),
    ],
)
def test_goals_beyond_every_row_are_told_so(scenario: dict[str, Any], reason: str) -> None:
    (constraint,) = stated(scenario)
    found = nobody(constraint, 200)
    assert re.search(reason, found), found
    assert bool(found) == bool(reason)


def test_of_a_slice_only_its_rows_count() -> None:
    (constraint,) = stated({"targets": {"price": {"mean": 300}}})
    assert "the 200 rows drawn that meet `where`" in nobody(constraint, 9000)


@pytest.mark.parametrize(("rows", "nearest"), [(7, "0.5714"), (1, "0"), (50, ""), (8, "")])
def test_few_rows_have_few_shares(rows: int, nearest: str) -> None:
    (constraint,) = stated({"targets": {"kind": {"share": {"a": 0.5}}}}, rows)
    found = too_coarse(constraint, rows)
    assert found == (
        f"shares of {rows} rows are multiples of 1/{rows}: the nearest to 0.5 is {nearest}" if nearest else ""
    )


def test_few_rows_do_not_excuse_a_mean() -> None:
    (constraint,) = stated({"targets": {"price": {"mean": 50}}}, 7)
    assert too_coarse(constraint, 7) == ""


def test_goals_that_contradict_each_other_are_named() -> None:
    # Those of kind b cost 100 at least: with nine tenths of them a mean of 20 cannot be.
    # The plan meets the nearer one of the two, and the other is told to contradict it.
    first, second = explained({"targets": {"kind": {"share": {"b": 0.9}}, "price": {"mean": 20}}})
    assert first.startswith(
        "the rows drawn allow it (weighted, they come to 0.9), but the table composed of 50 of them"
    )
    assert second.startswith("it can be reached alone, but not together with kind b share 0.9 (weighted towards both")


def test_a_goal_does_not_contradict_one_that_nobody_meets() -> None:
    scenario = {"targets": {"kind": {"share": {"c": 0.5}}, "size": {"mean": 5}}}
    impossible, possible = stated(scenario)
    missed = [Reached(goal.name, 0.0, goal.wanted, 4.5, goal.tolerance) for goal in (impossible, possible)]
    first, second = Reasons([impossible, possible], EQUAL, EQUAL, 50, 200, 200).of(missed)
    assert first.reason == "none of the 200 rows drawn is of that kind"
    assert second.reason == (
        "it can be reached alone, but was planned together with what is itself out of reach: kind c share"
    )


def test_three_goals_that_hold_in_pairs_only_are_told_so() -> None:
    # Two of x, y, z at most are 1 in a row: so two shares of 0.8 can be, and three cannot.
    rows = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]]
    frame = pd.DataFrame(rows, columns=list("xyz"), dtype=float)
    schema = Schema(columns=tuple(Column(name=name, kind="numeric", dtype="float64") for name in "xyz"))
    scenario = Scenario.of({"shares": {f"{name} = 1": 0.8 for name in "xyz"}})
    base = np.full(len(frame), 1 / len(frame))
    constraints = constraints_of(scenario, Table(frame, schema, 50, base))
    missed = [Reached(goal.name, 0.0, goal.wanted, 0.66, goal.tolerance) for goal in constraints]
    found = Reasons(constraints, base, plan(constraints, base).weights, 50, 200, 200).of(missed)
    assert all("with each other goal, but not with all of them at once" in goal.reason for goal in found), found


def test_a_plan_that_holds_is_not_to_blame() -> None:
    scenario = {"targets": {"price": {"mean": 110}}}
    assert explained(scenario) == [
        "the rows drawn allow it (weighted, they come to 110), but the table composed of 50 of them did not get there"
    ]
    assert explained(scenario, kept=20) == [
        "too few rows fit: of the 200 drawn about 20 can be taken in the proportions that the goals need, "
        "and 50 are wanted"
    ]


def test_what_is_met_needs_no_reason_and_no_plan() -> None:
    constraints = stated({"targets": {"price": {"mean": 100}, "kind": {"share": {"a": 0.5}}}})
    met = [Reached(goal.name, goal.wanted, goal.wanted, goal.wanted, goal.tolerance) for goal in constraints]
    reasons = Reasons(constraints, EQUAL, EQUAL, 50, 200, 200)
    assert reasons.of(met) == tuple(met)
    assert not reasons._plans


def test_reasons_are_looked_for_in_bounded_time() -> None:
    """Of many goals that cannot all be, no more plans are made than allowed, and the reason says so."""
    means = {f"size where kind = {kind} and price >= {low}": {"mean": 9} for kind in "ab" for low in range(8)}
    constraints = stated({"targets": means | {"size": {"mean": 1}}})
    missed = [Reached(goal.name, 0.0, goal.wanted, 5.0, goal.tolerance) for goal in constraints]
    reasons = Reasons(constraints, EQUAL, EQUAL, 50, 200, 200)
    found = reasons.of(missed)
    assert len(reasons._plans) == PLANS
    assert all(goal.reason for goal in found)
    assert found[-2].reason.startswith("it is at odds with other goals; with which ones was not found")

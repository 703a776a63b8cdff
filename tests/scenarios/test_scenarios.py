from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.schema import Column, Schema
from agentsynth.errors import ScenarioError
from agentsynth.scenarios.grammar import Scenario
from agentsynth.scenarios.meeting import meeting
from agentsynth.scenarios.meeting import stated as stated_over

FRAME = pd.DataFrame(
    {
        "price": [10.0, 20.0, 30.0, 40.0, np.nan],
        "category": pd.Series(["a", "a", "b", "b", None], dtype=object),
        "flag": pd.Series(["True", "False", "False", "False", "True"], dtype=object),
        "at": np.array(
            ["2025-01-01 17:00", "2025-01-01 18:00", "2025-02-01", "2025-02-02", "NaT"], dtype="datetime64[us]"
        ),
    }
)
SCHEMA = Schema(
    columns=(
        Column(name="price", kind="numeric", dtype="float64"),
        Column(name="category", kind="categorical", dtype="str"),
        Column(name="flag", kind="categorical", dtype="bool"),
        Column(name="at", kind="datetime", dtype="datetime64[us]", step="hour"),
    )
)


def stated(targets: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Return name -> wanted number, and the number that the frame has."""
    constraints = stated_over(Scenario.of({"targets": targets}), FRAME, SCHEMA)
    return {
        constraint.name: (round(constraint.wanted, 6), round(constraint.read(FRAME), 6)) for constraint in constraints
    }


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ({"price": {"mean": 28}}, {"price mean": (28, 25)}),
        ({"price": {"mean": "+20%"}}, {"price mean": (30, 25)}),
        ({"price": {"mean": " - 20 % "}}, {"price mean": (20, 25)}),
        # The standard deviation of 10, 20, 30, 40 is sqrt(125); the mean is asked to stay.
        ({"price": {"std": 5}}, {"price mean": (25, 25), "price std": (5, 11.18034)}),
        ({"price": {"mean": 20, "std": "+100%"}}, {"price mean": (20, 25), "price std": (22.36068, 11.18034)}),
        ({"price": {"median": 20}}, {"price quantile 0.5": (20, 25)}),
        ({"price": {"quantile": {0.25: "+10%"}}}, {"price quantile 0.25": (19.25, 17.5)}),
        (
            {"price": {"share": {"10..20": 0.7, 40: 0.1}}},
            {"price 10..20 share": (0.7, 0.4), "price 40 share": (0.1, 0.2)},
        ),
        ({"category": {"share": {"a": 0.9}}}, {"category a share": (0.9, 0.4)}),
        ({"flag": {"share": {True: 0.9}}}, {"flag True share": (0.9, 0.4)}),
        ({"at.hour": {"share": {"17-20": 0.6}}}, {"at.hour 17-20 share": (0.6, 0.4)}),
        ({"at.month": {"share": {2: 0.6}}}, {"at.month 2 share": (0.6, 0.4)}),
        ({"at": {"share": {"2025-02": 0.6}}}, {"at 2025-02 share": (0.6, 0.4)}),
    ],
)
def test_targets_say_what_is_wanted_and_read_what_is_there(
    targets: dict[str, Any], expected: dict[str, tuple[float, float]]
) -> None:
    assert stated(targets) == expected


def test_several_targets_are_met_at_once() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"price": rng.lognormal(3, 0.5, 4000), "category": rng.choice(list("ab"), 4000).astype(object)}
    )
    frame.loc[:200, "price"] = np.nan
    targets = {"price": {"mean": "+15%", "std": "-10%"}, "category": {"share": {"a": 0.7}}}
    constraints = stated_over(Scenario.of({"targets": targets}), frame, SCHEMA)
    weights = meeting(constraints, len(frame))
    known = frame["price"].notna()
    share, price = weights[known] / weights[known].sum(), frame["price"][known]
    mean = share @ price
    now, spread = price.mean(), price.std(ddof=0)
    assert mean == pytest.approx(1.15 * now, rel=0.005)
    assert np.sqrt(share @ (price - mean) ** 2) == pytest.approx(0.9 * spread, rel=0.01)
    assert weights @ (frame["category"] == "a") == pytest.approx(0.7, abs=0.005)
    # Missing prices about keep their share: they neither help nor harm.
    assert weights[~known].sum() == pytest.approx(201 / 4000, abs=0.01)


def test_a_quantile_is_met_through_the_share_below_it() -> None:
    frame = pd.DataFrame({"price": np.linspace(0, 100, 1001)})
    scenario = Scenario.of({"targets": {"price": {"median": 30, "quantile": {0.9: 60}}}})
    weights = meeting(stated_over(scenario, frame, SCHEMA), len(frame))
    assert weights @ (frame["price"] <= 30) == pytest.approx(0.5, abs=0.005)
    assert weights @ (frame["price"] <= 60) == pytest.approx(0.9, abs=0.005)


def test_without_targets_rows_weigh_alike() -> None:
    scenario = Scenario.of({"where": "price > 10"})
    assert meeting(stated_over(scenario, FRAME, SCHEMA), 5).tolist() == [0.2] * 5


def test_conditions_of_a_list_must_all_hold() -> None:
    assert Scenario.of({}).slice(FRAME, SCHEMA).tolist() == [True] * 5
    assert Scenario.of({"where": "price > 10"}).slice(FRAME, SCHEMA).tolist() == [False, True, True, True, False]
    both = Scenario.of({"where": ["price > 10", "category = a"]})
    assert both.slice(FRAME, SCHEMA).tolist() == [False, True, False, False, False]


def test_a_statistic_of_no_values_is_nan() -> None:
    (constraint,) = stated_over(Scenario.of({"targets": {"price": {"mean": 20}}}), FRAME, SCHEMA)
    assert np.isnan(constraint.read(FRAME.iloc[[4]]))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"wheer": "price > 1"},
            r"scenario 'mine': wheer: Extra inputs .* has where, targets, .*; a target has share, mean",
        ),
        ({"targets": {"price": {"avg": 3}}}, "scenario 'mine': targets.price.avg: Extra inputs"),
        ({"targets": {"price": 3}}, "scenario 'mine': targets.price: Input should be"),
        ({"targets": {"price": {"mean": float("inf")}}}, "targets.price.mean"),
        ({"targets": {"price": {"share": {"10-20": float("nan")}}}}, "targets.price.share"),
        ({"where": 5}, "scenario 'mine': where"),
        (["price > 1"], "scenario 'mine': expected a mapping of where, targets, .*; found list"),
        ("price > 1", "found str"),
    ],
)
def test_what_is_no_scenario_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        Scenario.of(value, "mine")


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ({"prise": {"mean": 3}}, "a scenario names 'prise'; the table has price, category, flag, at"),
        ({"price": {"mean": "20%"}}, r"price mean: '20%' is neither a number nor a change such as '\+20%'"),
        ({"price": {"mean": "dear"}}, "'dear' is neither a number nor a change"),
        ({"category": {"mean": 3}}, "column 'category' holds labels; it has no mean"),
        ({"category": {"share": {"c": 0.5}}}, "column 'category' has no 'c'; it has a, b"),
        ({"category": {"share": {"a": 0.7, "b": 0.5}}}, r"the shares of 'category' add up to 1\.2; at most 1"),
        ({"category": {"share": {"a": 1.5}}}, r"the share of category = a must lie between 0 and 1; found 1\.5"),
        ({"category": {"share": {"a": -0.5}}}, r"the share of category = a must lie between 0 and 1; found -0\.5"),
        ({"price": {"share": {"10-20": 1.5}}}, r"the share of price = 10-20 must lie between 0 and 1; found 1\.5"),
        ({"price": {"share": {"cheap": 0.5}}}, "'price' holds numbers, and 'cheap' is not one"),
        ({"price": {"quantile": {1.5: 3}}}, r"price: the level of a quantile lies between 0 and 1; found 1\.5"),
        ({"at.hour": {"share": {"evening": 0.5}}}, r"'at' holds numbers \(0 to 23\), and 'evening' is not one"),
    ],
)
def test_targets_that_do_not_fit_the_table_are_refused(targets: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        stated(targets)


def test_a_column_without_values_cannot_be_steered() -> None:
    frame = FRAME.assign(price=np.nan)
    with pytest.raises(ScenarioError, match="'price' has no values to steer"):
        stated_over(Scenario.of({"targets": {"price": {"mean": 3}}}), frame, SCHEMA)


@pytest.mark.parametrize("name", ["rush.yaml", "rush.json"])
def test_a_scenario_is_read_from_a_file_and_called_by_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text('{"where": "price > 10", "targets": {"category": {"share": {"a": 0.5}}}}', encoding="utf-8")
    scenario = Scenario.load(path)
    assert (scenario.name, scenario.where, scenario.targets["category"].share) == ("rush", "price > 10", {"a": 0.5})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot read .*rush.yaml: No such file"),
        ("- a\n- b", "rush.yaml holds no scenario: expected `where`, `targets` or another"),
        ("where: [", "rush.yaml is not valid YAML or JSON"),
        ("", "rush.yaml holds no scenario"),
        ("when: now", "scenario 'rush': when: Extra inputs"),
    ],
)
def test_files_that_are_no_scenario_are_refused(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "rush.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=message):
        Scenario.load(path)


def test_a_scenario_of_a_scenario_is_itself() -> None:
    scenario = Scenario(name="rush")
    assert Scenario.of(scenario) is scenario

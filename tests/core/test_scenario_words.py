"""The words `fixed`, `temperature` and `scale` of a scenario, alone and together, on a table with rules."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentsynth import request
from agentsynth.errors import ScenarioError
from agentsynth.generation import Composed
from agentsynth.synth import AgentSynth

SMALL = {"environment": {"rows": 80, "steps": 8, "pairs": 20}, "agent": {"episodes": 2, "goals": 2}}
WORDS: dict[str, dict[str, Any]] = {
    "fixed": {"fixed": {"branch": "B", "pieces": 2}},
    "temperature": {"temperature": 2.0},
    "scale": {"scale": {"price": "+10%", "cost": "+10%"}},
    "where": {"where": "date.month in 2..9"},
    "targets": {"targets": {"price": {"mean": "+15%"}}},
}


def sales(rows: int = 600) -> pd.DataFrame:
    """Return sales: the city follows from the branch, the cost is never above the price, the total is exact."""
    rng = np.random.default_rng(0)
    branch = rng.choice(3, rows, p=[0.6, 0.3, 0.1])
    pieces = 1 + rng.poisson(np.array([1.0, 3.0, 6.0])[branch])
    price = np.round(np.array([20.0, 40.0, 80.0])[branch] * rng.lognormal(0, 0.4, rows), 2)
    return pd.DataFrame(
        {
            "branch": np.array(["A", "B", "C"])[branch],
            "city": np.array(["Yangon", "Mandalay", "Naypyitaw"])[branch],
            "cost": np.round(price * rng.uniform(0.5, 1, rows), 2),
            "price": price,
            "pieces": pieces,
            "total": np.round(price * pieces, 2),
            "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 366, rows), unit="D"),
        }
    )


@pytest.fixture(scope="module")
def synth() -> AgentSynth:
    return AgentSynth(SMALL, seed=0).fit(sales())


def check(table: pd.DataFrame, scenario: dict[str, Any]) -> None:
    """Check that each rule of the table holds on every row, and each word that is said."""
    real = sales()
    assert (table["city"] == table["branch"].map(dict(zip(real["branch"], real["city"], strict=True)))).all()
    assert (table["cost"] <= table["price"]).all()
    np.testing.assert_array_equal(table["total"], np.round(table["price"] * table["pieces"], 2))
    assert table.dtypes.astype(str).to_dict() == real.dtypes.astype(str).to_dict()
    for name, value in scenario.get("fixed", {}).items():
        assert (table[name] == value).all()
    if "where" in scenario:
        assert table["date"].dt.month.between(2, 9).all()


@pytest.mark.parametrize("names", [*combinations(WORDS, 1), *combinations(WORDS, 2), tuple(WORDS)], ids="+".join)
def test_every_word_goes_with_every_other(synth: AgentSynth, names: tuple[str, ...]) -> None:
    scenario = {word: value for name in names for word, value in WORDS[name].items()}
    composed: Composed = synth.compose(60, scenario, seed=1)
    assert len(composed.table) == 60
    check(composed.table, scenario)
    pd.testing.assert_frame_equal(composed.table, synth.generate(60, scenario, seed=1))
    if "targets" in names:
        (target,) = composed.targets
        assert target.wanted == pytest.approx(1.15 * target.before)
        assert target.reached == pytest.approx(composed.table["price"].mean())
        assert target.reached == pytest.approx(target.wanted, rel=0.1)


def test_fixed_columns_take_the_others_with_them(synth: AgentSynth) -> None:
    real = sales()
    dear = synth.generate(200, {"fixed": {"branch": "C"}}, seed=1)
    assert dear["price"].mean() == pytest.approx(real["price"][real["branch"] == "C"].mean(), rel=0.15)
    assert set(dear["city"]) == {"Naypyitaw"}
    # They are judged by the real rows that have the values.
    unseen = synth.slice(real, {"fixed": {"branch": "C", "pieces": 6}, "where": "price > 50"})
    expected = real[(real["branch"] == "C") & (real["pieces"] == 6) & (real["price"] > 50)]
    pd.testing.assert_frame_equal(unseen, expected.reset_index(drop=True))


@pytest.mark.parametrize(
    "fixed",
    [
        {"branch": "A", "pieces": 13},
        {"branch": "C", "price": float(sales()["price"].min())},
        {"cost": float(sales()["cost"].max())},
    ],
)
def test_values_that_never_met_give_rows_all_the_same(synth: AgentSynth, fixed: dict[str, Any]) -> None:
    real = sales()
    assert np.logical_and.reduce([real[name] == value for name, value in fixed.items()]).sum() <= 1
    check(synth.generate(60, {"fixed": fixed}, seed=2), {"fixed": fixed})


def test_heat_makes_rare_combinations_frequent_and_cold_makes_them_rarer(synth: AgentSynth) -> None:
    def share_of_the_rarest_branch(temperature: float) -> float:
        tables = [synth.generate(150, {"temperature": temperature}, seed) for seed in range(5)]
        for table in tables:
            check(table, {})
        return float(np.mean([(table["branch"] == "C").mean() for table in tables]))

    cold, plain, hot = (share_of_the_rarest_branch(temperature) for temperature in (0.5, 1.0, 3.0))
    assert cold < 0.7 * plain < plain < hot / 1.5


def test_scaling_leaves_the_mix_of_rows_and_targets_mean_scaled_values(synth: AgentSynth) -> None:
    plain = synth.compose(150, {"temperature": 1.0}, seed=4).table
    dearer = synth.compose(150, {"scale": {"price": 2, "cost": 2}}, seed=4).table
    pd.testing.assert_frame_equal(
        dearer[["branch", "city", "pieces", "date"]], plain[["branch", "city", "pieces", "date"]]
    )
    np.testing.assert_allclose(dearer["price"], 2 * plain["price"])
    target = synth.compose(100, {"scale": {"price": 2}, "targets": {"price": {"mean": "+0%"}}}, seed=4).targets[0]
    assert target.wanted == pytest.approx(2 * sales()["price"].mean(), rel=0.02)


def test_scaling_that_breaks_an_inequality_is_refused(synth: AgentSynth) -> None:
    with pytest.raises(ScenarioError, match=r"puts 'price' below 'cost' on .* scale both"):
        synth.generate(50, {"scale": {"cost": "+50%"}})


def test_every_piece_of_a_long_table_starts_from_the_same_numbers(
    synth: AgentSynth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "LARGEST", 40)
    (target,) = synth.compose(120, {"targets": {"price": {"median": "+20%"}}}, seed=1).targets
    assert target.before == pytest.approx(sales()["price"].median(), rel=0.1)
    assert target.wanted == pytest.approx(1.2 * target.before, rel=0.001)
    assert target.reached == pytest.approx(target.wanted, rel=0.12)


def test_changes_start_from_the_numbers_of_the_real_table(synth: AgentSynth) -> None:
    targets = {"price": {"mean": "+0%"}, "branch": {"share": {"C": "+0%"}}, "total": {"mean": "+0%"}}
    real = sales()
    expected = [real["price"].mean(), (real["branch"] == "C").mean(), real["total"].mean()]
    found = [target.before for target in synth.compose(400, {"targets": targets}, seed=3).targets]
    np.testing.assert_allclose(found, expected, rtol=0.02)

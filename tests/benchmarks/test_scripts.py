"""Every benchmark runs with tiny sizes, prints its tables, and writes every single figure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

Run = Callable[..., str]
pytestmark = pytest.mark.slow


def test_real_tables_compares_the_policies_and_can_print_its_results_again(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    arguments = [
        "--tables",
        "CPS1985",
        "--max-rows",
        120,
        "--seeds",
        1,
        "--policies",
        "raking",
        "--draws",
        1,
        "--out",
        out,
    ]
    printed = run("real_tables.py", *arguments)
    results = pd.read_csv(out)
    assert list(results["policy"]) == ["free", "raking", "q_learning", "real"]
    privacy = ["exact_copies", "nearer_to_training", "membership_inference"]
    scores = results[["similarity", "shape", "pairs", "detection", *privacy]]
    assert ((scores >= 0) & (scores <= 1)).to_numpy().all()
    np.testing.assert_allclose(results["similarity"], (results["shape"] + results["pairs"]) / 2)
    assert "steered beats free" in printed
    assert run("real_tables.py", "--read", out) == printed


def test_shadow_attack_prints_its_results_and_can_print_them_again(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "attack.csv"
    arguments = ["--tables", "CPS1985", "--models", 8, "--max-rows", 60, "--sources", "copies", "shuffled"]
    printed = run("shadow_attack.py", *arguments, "--out", out)
    results = pd.read_csv(out)
    assert set(results["source"]) == {"copies", "shuffled"}
    assert set(results["rows"]) == {30}
    figures = results[["auc", "found"]].to_numpy()
    assert ((figures >= 0) & (figures <= 1)).all()
    copies = results[(results["source"] == "copies") & (results["attack"] == "nearest")]
    assert (copies["auc"] == 1).all()
    assert "| CPS1985, copies | 30 | 1.000 ± 0.000 |" in printed
    assert "outlying - rest" in printed
    assert run("shadow_attack.py", "--read", out) == printed


def test_training_cost_prints_the_ratio_to_the_row_by_row_loop(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "cost.json"
    printed = run("training_cost.py", "--repeats", 1, "--episodes", 8, "--rows", 200, "--out", out)
    (measured,) = json.loads(out.read_text())
    assert 0 < measured["episodes"] <= measured["training"]
    assert measured["loop of 200 rows"] > measured["loop of 5 rows"] > measured["empty step"] > 0
    assert "building the 500 rows of the table we compose in each step, costs" in printed
    assert "building the 200 rows of the toy's own table in each step, costs" in printed


def test_policies_are_compared_on_scenarios(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "policies.csv"
    arguments = [
        "--seeds",
        1,
        "--draws",
        1,
        "--rows",
        60,
        "--policies",
        "free",
        "neutral",
        "--scenarios",
        "mimic",
        "price +20 %",
    ]
    printed = run("policies.py", *arguments, "--out", out)
    results = pd.read_csv(out)
    assert set(results["policy"]) == {"free", "neutral", "q_learning", "real"}
    assert results["similarity"].between(0.5, 1).all()
    assert results["miss"].isna().equals(results["scenario"] == "mimic")
    assert "Where a rival is better than q_learning" in printed


def test_learning_draws_what_was_gained(run: Run, tmp_path: Path) -> None:
    out, figure = tmp_path / "learning.csv", tmp_path / "learning.png"
    printed = run("learning.py", "--seeds", 1, "--episodes", 10, "--new-goals", 2, "--out", out, "--figure", figure)
    results = pd.read_csv(out)
    assert len(results) == 3 * 10
    neutral = results[results["variant"] == "neutral"].groupby("seed")["held_out"]
    # An agent that never explores stays neutral: all its checks are the same.
    assert (neutral.max() == neutral.min()).all()
    assert figure.stat().st_size > 10_000
    assert "2 new goals" in printed


def test_tuned_defaults_compare_on_test_rows(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "tuned.csv"
    sizes = ["--tables", "CPS1985", "--others", "Titanic", "--max-rows", 80, "--episodes", 2, "--test-seeds", 1]
    more = ["--trials", 2, "--workers", 1, "--storage", f"journal:{tmp_path}/study.log", "--out", out]
    printed = run("tuned_defaults.py", *sizes, *more)
    results = pd.read_csv(out)
    assert len(results) == 2 * 2 * 2  # tables, scores, configurations
    assert results["value"].between(0.5, 1).all()
    assert "2 trials (2 complete); best is trial" in printed
    assert "| Titanic |" in printed
    assert "other tables: rows: not told apart from the defaults" in printed  # one table has no interval


def test_sizes_are_measured_one_by_one(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "sizes.csv"
    printed = run("sizes.py", "--sizes", "30x4", "200x3x40", "--episodes", 1, "--out", out)
    results = pd.read_csv(out).set_index("size")
    assert list(results.index) == ["30x4", "200x3x40"]
    assert (results[["read", "schema", "fit", "generate"]] > 0).to_numpy().all()
    assert (results["schema"] < results["fit"]).all()
    assert (results["peak MB"] >= results["before"]).all()
    assert "| size | read | schema | fit | generate | peak MB | before |" in printed


def test_streaming_measures_rates_partitions_memory_and_goals(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "streaming.csv"
    small = [
        "--rows",
        6000,
        "--steered",
        60,
        "--repeats",
        1,
        "--partitions",
        1,
        2,
        "--partition-rows",
        5100,
        "--workers",
    ]
    printed = run("streaming.py", *small, "--seconds", 1, "--goal-rows", 60, "--goal-partitions", 2, "--out", out)
    results = pd.read_csv(out)
    rates = results[results["rate"].notna()].set_index("rate")["rows per CPU s"]
    assert list(rates.index) == ["uniforms", "drawn", "free", "mimic", "black_friday", "written", "streamed"]
    assert (rates > 0).all()
    counted = results[results["partitions"].notna()]
    assert counted["done"].tolist() == [5100, 10200]
    assert counted["bytes per row"].between(5, 100).all()
    assert "| rows written |" in printed
    assert "| category Electronics share | 0.50 |" in printed


@pytest.mark.parametrize("wrong", ["30", "30x0", "5x2x9", "axb"])
def test_a_wrong_size_is_refused(run: Run, wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("sizes.py", "--sizes", wrong)
    assert "expected ROWSxCOLUMNS" in (error := capsys.readouterr().err) or "need as many rows" in error


@pytest.mark.parametrize("wrong", [["--out", "results.txt"], ["--seeds", "0"], ["--tables", "absent"]])
def test_a_wrong_option_is_refused_before_anything_runs(
    run: Run, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run("real_tables.py", *wrong)
    assert wrong[1] in capsys.readouterr().err


@pytest.mark.parametrize("models", [6, 9])
def test_a_shadow_attack_needs_four_pairs_of_models(run: Run, models: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("shadow_attack.py", "--models", models)
    assert f"an even number from 8 on; found {models}" in capsys.readouterr().err


@pytest.mark.slow
def test_scenarios_are_steered_to_under_every_policy(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "scenarios.csv"
    printed = run("scenarios.py", "--tables", "CPS1985", "--seeds", 1, "--rows", 60, "--kinds", "gini", "--out", out)
    results = pd.read_csv(out)
    goals = results[results["part"].notna() & (results["selection"] != "training")]
    assert set(goals["kind"]) == {"gini"}
    assert set(goals["part"]) == {0.2, 0.5, 1.0}
    rules = {"balancing", "raking", "neutral", "random", "plain rule", "needed, gain 0.5", "needed, gain 1"}
    assert set(goals["policy"]) == {*rules, "q_learning", "q_learning, no noise"}
    means = goals.groupby("policy")["miss"].mean()
    assert means["q_learning"] < means[["neutral", "random", "balancing"]].min()
    assert "Infeasible goals: numbers that fell short, seconds" in printed


def test_entities_are_judged_beside_floor_and_ceiling(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "entities.csv"
    sizes = ["--seeds", 1, "--episodes", 1, "--max-entities", 60]
    costs = ["--cost-rows", 100, "--part-rows", 400, "--shop-rows", 100]
    printed = run("entities.py", "--tables", "LaborSupply", *sizes, *costs, "--out", out)
    results = pd.read_csv(out)
    assert list(results["source"].dropna()) == ["q_learning", "free", "one by one", "real"]
    told = results.set_index("source")["detection_entities"]
    assert float(told["q_learning"]) < float(told["one by one"])
    assert "TabularARGN is left out: no --rival-python." in printed
    assert "LaborSupply: 30 unseen entities, 1 seeds" in printed
    assert "q_learning rows/s" in printed
    parts = results[results["table"] == "parts"]
    assert parts[["policy", "workers"]].to_numpy().tolist() == [["free", 0], ["free", 2], ["q_learning", 0]]
    assert (parts["rows"] == 400).all()
    assert "| rows | workers | policy | wall |" in printed
    assert run("entities.py", "--read", out).split("\n\n", 1)[1] == printed.split("\n\n", 1)[1]

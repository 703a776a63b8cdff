"""The parts of the benchmarks, on figures that can be worked out by hand."""

from __future__ import annotations

import doctest
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.inference import infer_schema
from agentsynth.data.shop import simulate_shop


def _records() -> pd.DataFrame:
    """Two tables, three seeds; steered wins by 0.01, 0.02, 0.03 in table a, and loses in table b."""
    rows = [
        {"table": table, "seed": seed, "policy": policy, "similarity": 0.9 + gain, "detection": 0.6 - gain}
        for table, sign in (("a", 1), ("b", -1))
        for seed in range(3)
        for policy, gain in (("free", 0.0), ("q_learning", sign * 0.01 * (seed + 1)))
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("part", ["real_tables"], indirect=True)
def test_differences_are_paired_by_seed(part: ModuleType) -> None:
    found = part.differences(_records(), "similarity")
    np.testing.assert_allclose(found.to_numpy(), [[0.01, 0.02, 0.03], [-0.01, -0.02, -0.03]])


@pytest.mark.parametrize("part", ["real_tables"], indirect=True)
def test_a_verdict_needs_both_scores_and_clear_intervals(part: ModuleType) -> None:
    found = part.verdicts(_records())["steered beats free"]
    # 0.02 +- 4.303 * 0.01 / sqrt(3) = 0.0248: three seeds cannot exclude 0.
    assert found.to_dict() == {"a": "on average; an interval holds 0", "b": "no"}


@pytest.mark.parametrize("part", ["scoring"], indirect=True)
def test_halves_are_disjoint_whole_and_decided_by_the_seed(part: ModuleType) -> None:
    frame = pd.DataFrame({"x": range(11)})
    first, second = part.random_halves(frame, seed=3)
    assert sorted([*first["x"], *second["x"]]) == list(range(11))
    assert len(first) == 5
    pd.testing.assert_frame_equal(first, part.random_halves(frame, seed=3)[0])
    assert not first.equals(part.random_halves(frame, seed=4)[0])


@pytest.mark.parametrize("part", ["scoring"], indirect=True)
def test_the_judge_knows_training_rows_as_copies_and_unseen_rows_as_perfect(part: ModuleType) -> None:
    train, test = simulate_shop(150, seed=1), simulate_shop(150, seed=2)
    judge = part.Judge.of(train, test, infer_schema(train), 0)
    assert judge.synthetic(train)["exact_copies"] == 1
    assert judge.synthetic(train)["nearer_to_training"] == 1
    assert judge.synthetic(train)["membership_inference"] == 1
    assert judge.synthetic(test)["similarity"] == pytest.approx(1)
    assert judge.another_real_sample()["exact_copies"] == 0


@pytest.mark.parametrize("part", ["row_loop"], indirect=True)
def test_the_row_loop_builds_a_shop_and_finds_a_better_action(part: ModuleType) -> None:
    table = simulate_shop(300, seed=0)
    loop = part.RowLoop(table, 40, np.random.default_rng(0))
    made = loop.build(np.ones(4))
    assert list(made.columns) == list(table.columns)
    assert len(made) == 40
    assert loop.reward(table) == pytest.approx(1)
    action, reward = part.train(loop, 5)
    assert action.shape == (4,)
    assert 0 < reward <= 1


@pytest.mark.parametrize("part", ["sizes"], indirect=True)
def test_a_table_has_the_size_asked_for_and_every_level(part: ModuleType) -> None:
    size = part.Size.of("90x7x40")
    table = part.table(size, seed=0)
    assert table.shape == (90, 8)
    assert table["product"].nunique() == 40
    assert infer_schema(table)["product"].kind == "categorical"
    pd.testing.assert_frame_equal(table, part.table(size, seed=0))
    assert str(size) == "90x7x40"
    assert str(part.Size.of("90x7")) == "90x7"


@pytest.mark.parametrize("part", ["output"], indirect=True)
def test_results_are_written_as_strict_json_and_csv(part: ModuleType, tmp_path: Path) -> None:
    frame = pd.DataFrame({"policy": ["free", "neutral"], "miss": [0.5, np.nan]})
    part.save(frame, tmp_path / "a.json")
    part.save(frame, tmp_path / "a.csv")
    text = (tmp_path / "a.json").read_text()
    assert json.loads(text) == [{"policy": "free", "miss": 0.5}, {"policy": "neutral", "miss": None}]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "a.csv"), frame, check_dtype=False)


@pytest.mark.parametrize("part", ["output", "load_questions"], indirect=True)
def test_the_examples_hold(part: ModuleType) -> None:
    assert doctest.testmod(part).failed == 0

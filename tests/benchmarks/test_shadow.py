"""The shadow-model attack: its parts by hand, and that it finds what leaks and nothing else."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.inference import infer_schema
from agentsynth.data.schema import Schema
from agentsynth.data.shop import simulate_shop
from agentsynth.metrics.baselines import shuffled_columns
from agentsynth.metrics.learner import roc_auc


def auc(odds: np.ndarray) -> float:
    """AUC of odds (2, ...): of members, and of the others."""
    return roc_auc(np.repeat([True, False], odds[0].size), odds.ravel())


def people() -> pd.DataFrame:
    return pd.DataFrame({"pay": [10.0, 20.0, 30.0, np.nan], "job": pd.Series(["a", "a", "b", None], dtype=object)})


@pytest.mark.parametrize("part", ["clues"], indirect=True)
def test_clues_by_hand(part: ModuleType) -> None:
    attacker = part.Attacker.of(people(), seed=0)
    table = pd.DataFrame({"pay": [10.0, 10.0, 20.0], "job": pd.Series(["a", "b", "a"], dtype=object)})
    found = attacker.clues(table)
    assert found.shape == (4, 14)
    values, absent, rare, pairs, outside = found[:, part.FAMILIES["exact values"]].T
    # Pay 10 stands in 2 synthetic rows, 20 in one; job a in 2, b in one; neither a missing pay nor a missing job.
    log2, log3 = np.log(2), np.log(3)
    assert values == pytest.approx([log3, (log2 + log3) / 2, log2 / 2, 0])
    assert absent.tolist() == [0, 0, -1, -2]
    # A value counts by how few records have it: job a is shared by two.
    assert rare.tolist() == [1.5, 1.5, 1, 0]
    assert pairs == pytest.approx([log2, log2, 0, 0])
    # 30 is more than any synthetic pay; a missing one is neither more nor less.
    assert outside.tolist() == [0, 0, -1, 0]
    # The first record equals a synthetic row; its distance to the third is |1/6 - 1/2|, of 2 columns.
    nearness = found[0, part.FAMILIES["distances"]]
    assert nearness[0] == pytest.approx(-np.log(part.NEAR))
    assert nearness[1] == pytest.approx(-np.log(1 / 6 + part.NEAR))


@pytest.mark.parametrize("part", ["clues"], indirect=True)
def test_outlyingness_by_hand(part: ModuleType) -> None:
    # Ranks 1/6, 1/2, 5/6 and missing (1/2, aside by 1/2); another job adds 1.
    assert part.Attacker.of(people(), 0).outlyingness() == pytest.approx([1 / 3, 1 / 3, 4 / 3, 3 / 2])


@pytest.mark.parametrize("part", ["clues"], indirect=True)
def test_matches_by_hand(part: ModuleType) -> None:
    known, made = np.array([[0, 1], [2, 2], [-1, 3]]), np.array([[0, 1], [0, 1], [2, 1], [-1, 3]])
    assert part._matches(known, made).tolist() == [2, 0, 1]
    assert part._matches(known[:, :1], made[:, :1]).tolist() == [2, 1, 1]


@pytest.mark.parametrize("part", ["likelihood"], indirect=True)
def test_sides_by_hand(part: ModuleType) -> None:
    values = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    members = np.array([[True, False, True], [False, True, False]])
    assert part.sides(values, members).tolist() == [[[1, 5, 3]], [[4, 2, 6]]]
    assert part.sides(values[..., None], members)[..., 0].tolist() == [[[1, 5, 3]], [[4, 2, 6]]]


@pytest.mark.parametrize("part", ["likelihood"], indirect=True)
def test_the_attack_reaches_what_theory_allows(part: ModuleType) -> None:
    noise = np.random.default_rng(0).normal(size=(2, 12, 400, 1))
    shift = np.zeros((2, 1, 1, 1))
    shift[0] = 1
    # Two normal clues one standard deviation apart: AUC = Phi(1 / sqrt 2) = 0.760.
    assert auc(part.attack(noise + shift)) == pytest.approx(0.760, abs=0.02)
    # Up for half of the records and down for the others: the clue itself says nothing, its record's history does.
    signs = np.where(np.arange(400) < 200, 1.0, -1.0)[:, None]
    assert auc(noise + 2 * shift * signs) == pytest.approx(0.5, abs=0.02)
    assert auc(part.attack(noise + 2 * shift * signs)) == pytest.approx(0.921, abs=0.03)


@pytest.mark.parametrize("part", ["likelihood"], indirect=True)
def test_the_attack_finds_nothing_where_there_is_nothing(part: ModuleType) -> None:
    found = [auc(part.attack(np.random.default_rng(seed).normal(size=(2, 6, 300, 5)))) for seed in range(4)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.015)
    # A clue that never varies is none.
    assert auc(part.attack(np.ones((2, 4, 10, 2)))) == 0.5


@pytest.mark.parametrize("part", ["shadow_attack"], indirect=True)
def test_halves_complement_each_other(part: ModuleType) -> None:
    members = part.halves(7, 6, np.random.default_rng(0))
    assert members.shape == (6, 7)
    assert members.sum(axis=1).tolist() == [3, 4] * 3
    assert (members[::2] ^ members[1::2]).all()
    assert not (members[0] == members[2]).all()


@pytest.mark.parametrize("part", ["shadow_attack"], indirect=True)
def test_each_source_makes_a_table_as_long_as_what_it_learned_from(part: ModuleType) -> None:
    train = simulate_shop(60, seed=1)
    config = {"agent": {"episodes": 1}, "environment": {"rows": 30, "steps": 5}}
    sources = ("shuffled", "free", "independent", "q_learning", "copies")
    made = part.generator(sources, config)(train, infer_schema(train), 3)
    assert set(made) == set(sources)
    assert {len(table) for table in made.values()} == {60}
    pd.testing.assert_frame_equal(made["copies"].sort_index(), train)
    assert not made["free"].equals(made["q_learning"])
    # Shuffled columns hold each value once, independent ones some twice and others never: 1 - 1/e of them.
    assert sorted(made["shuffled"]["price"]) == sorted(train["price"])
    assert set(made["independent"]["price"]) < set(train["price"])
    assert made["independent"]["price"].nunique() / train["price"].nunique() == pytest.approx(0.63, abs=0.12)


@pytest.mark.parametrize("part", ["shadow_attack"], indirect=True)
def test_what_leaks_is_found_and_what_does_not_is_not(part: ModuleType) -> None:
    def generate(train: pd.DataFrame, schema: Schema, seed: int) -> dict[str, pd.DataFrame]:
        assert [column.name for column in schema] == list(train.columns)
        noisy = train.assign(
            price=(train["price"] * np.random.default_rng(seed).uniform(0.99, 1.01, len(train))).round(2)
        )
        return {
            "noisy": noisy,
            "shuffled": shuffled_columns(train, seed),
            "blind": simulate_shop(len(train), seed=seed),
        }

    table = simulate_shop(160, seed=1).drop(columns="total_revenue")
    records = pd.DataFrame(part.run(table, generate, models=8, seed=0))

    def mean(source: str, attack: str) -> float:
        asked = (records["source"] == source) & (records["attack"] == attack) & (records["group"] == "all")
        return float(records.loc[asked, "auc"].mean())

    for attack in ("nearest", "shadow"):
        assert mean("noisy", attack) > 0.97
        assert mean("blind", attack) == pytest.approx(0.5, abs=0.05)
    # Shuffled columns: no row is near a training row, but single values are theirs.
    assert mean("shuffled", "nearest") < 0.6
    assert mean("shuffled", "shadow") > 0.9
    for source in ("noisy", "blind", "shuffled"):
        assert mean(source, "chance") == pytest.approx(0.5, abs=0.05)
    assert {"all", "outlying 5%", "the rest"} <= set(records["group"])
    assert set(records["rows"]) == {80}


@pytest.mark.parametrize("part", ["shadow_attack"], indirect=True)
def test_groups_by_hand(part: ModuleType) -> None:
    # 40 rows: the last two are twins; 12 rows have a label of at most 5 rows; row 3 is the farthest.
    labels = ["a"] * 20 + ["b"] * 5 + ["c"] * 4 + ["d"] * 3 + [None] * 8
    records = pd.DataFrame({"x": [*range(39), 38], "label": pd.Series(labels, dtype=object)})
    far = np.zeros(40)
    far[[3, 7]] = 2, 1
    groups = part.row_groups(records, far)
    assert list(groups) == ["all", "outlying 5%", "the rest", "rare label"]
    assert np.flatnonzero(~groups["all"]).tolist() == [38, 39]
    assert np.flatnonzero(groups["outlying 5%"]).tolist() == [3, 7]
    assert (groups["outlying 5%"] ^ groups["the rest"]).tolist() == groups["all"].tolist()
    assert np.flatnonzero(groups["rare label"]).tolist() == list(range(20, 32))
    assert "rare label" not in part.row_groups(records[["x"]], far)


@pytest.mark.parametrize("part", ["shadow_attack"], indirect=True)
def test_rows_that_are_not_asked_about_do_not_count(part: ModuleType) -> None:
    clues = np.zeros((8, 40, 14))
    members = part.halves(40, 8, np.random.default_rng(0))
    clues[members] = 1.0
    clues[:, 30:] = np.random.default_rng(1).normal(size=(8, 10, 14))
    lines = pd.DataFrame(part.judged(clues, members, {"all": np.arange(40) < 30}, seed=0))
    assert (lines.loc[lines["attack"] != "chance", ["auc", "found"]] == 1).to_numpy().all()

"""The contest between challenger and champion: on rows that neither learned from."""

from __future__ import annotations

import pandas as pd
import pytest

from agentsynth.data.shop import simulate_shop
from agentsynth.errors import InputError, SchemaError
from agentsynth.scoring import known_rows
from agentsynth.stages import contest as module
from agentsynth.stages.contest import TABLES, contest, own_scores
from agentsynth.synth import AgentSynth

SMALL = {"agent": {"episodes": 2}, "environment": {"rows": 60, "steps": 6}, "generator": {"trees": 2}}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return simulate_shop(300, seed=5)


@pytest.fixture(scope="module")
def challenger(table: pd.DataFrame) -> AgentSynth:
    return AgentSynth(SMALL, seed=1).fit(table[:200].reset_index(drop=True))


@pytest.fixture(scope="module")
def champion(table: pd.DataFrame) -> AgentSynth:
    """Of another split: it has seen 60 of the last 100 rows."""
    return AgentSynth(SMALL, seed=2).fit(pd.concat([table[:100], table[240:]], ignore_index=True))


def test_a_model_knows_the_rows_it_learned_from(table: pd.DataFrame, challenger: AgentSynth) -> None:
    known = known_rows(challenger, table)
    assert known[:200].all()
    assert not known[200:].any()


def test_rows_that_one_of_the_two_learned_from_do_not_judge(
    table: pd.DataFrame, challenger: AgentSynth, champion: AgentSynth
) -> None:
    test = table[200:].reset_index(drop=True)
    scores = contest(challenger, own_scores(challenger, test), champion, test)
    assert scores.rows == 40
    fair = test[:40]
    assert list(scores.challenger) == own_scores(challenger, fair)
    assert list(scores.champion) == own_scores(champion, fair)
    assert len(scores.champion) == TABLES


def test_policy_of_the_same_rows_is_judged_by_all_and_the_challenger_scored_once(
    table: pd.DataFrame, challenger: AgentSynth, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = AgentSynth(SMALL, seed=3).fit(table[:200].reset_index(drop=True))
    test = table[200:].reset_index(drop=True)
    own = own_scores(challenger, test)
    monkeypatch.setattr(module, "own_scores", None)  # not called again
    scores = contest(challenger, own, other, test)
    assert scores.rows == 100
    assert scores.challenger is own


def test_too_few_rows_are_no_contest(table: pd.DataFrame, challenger: AgentSynth, champion: AgentSynth) -> None:
    test = table[220:].reset_index(drop=True)
    with pytest.raises(InputError, match="it learned from all but 19 of the 79 test rows"):
        contest(challenger, [], champion, test[1:])


def test_champion_of_another_table_is_no_rival(table: pd.DataFrame, challenger: AgentSynth) -> None:
    other = AgentSynth(SMALL, seed=2).fit(table[:200].drop(columns="price"))
    with pytest.raises(SchemaError, match="price"):
        contest(challenger, [], other, table[200:].reset_index(drop=True))

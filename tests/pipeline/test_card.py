"""The model card: what it says, and that no value of the table is in it."""

from __future__ import annotations

import pandas as pd
import pytest

from agentsynth.metrics.report import Report, build_report
from agentsynth.stages.card import model_card, score_table
from agentsynth.synth import AgentSynth


@pytest.fixture(scope="module")
def report(shop: pd.DataFrame, synth: AgentSynth) -> Report:
    made = synth.generate(100, seed=1)
    return build_report(shop[:200], shop[200:], made, synth.schema_, max_rows=60)


@pytest.fixture(scope="module")
def card(report: Report, synth: AgentSynth) -> str:
    return model_card(synth, report, "Mimic, judged by 100 unseen rows.", {"table": "shop", "seed": 1}, "agentsynth")


def test_it_tells_what_was_learned_from_scores_privacy_limits_and_use(
    card: str, report: Report, synth: AgentSynth
) -> None:
    heads = [line for line in card.splitlines() if line.startswith("#")]
    assert heads == [
        *("# agentsynth: shop", "## What it learned from", "## Scores", "## Privacy", "## Limits", "## Use"),
    ]
    assert "- rows: 200\n- columns: 7\n- table: shop\n" in card
    assert "| `total_revenue` | derived | 0.0% |" in card
    assert f"| similarity | {report.similarity:.3f} | {report.similarity_ceiling:.3f} |" in card
    assert f"| nearer_to_training | {report.scores['nearer_to_training'].value:.3f} |" in card
    assert f"`{report.columns[0].name}` {report.columns[0].shape:.3f}" in card
    assert 'load_model("models:/agentsynth@champion")' in card
    assert "Scenarios: `evening_rush`, " in card
    assert all(f"`{name}`, " in card for name in synth.config.scenarios)
    assert ", or one as JSON text." in card


def test_it_holds_no_value_of_the_table(card: str, shop: pd.DataFrame) -> None:
    for column in ("user_id", "user_type", "category", "timestamp"):
        assert not [value for value in shop[column].astype(str).unique() if value in card.replace("premium_users", "")]
    assert str(shop["price"].max()) not in card


def test_score_without_a_value_says_why(report: Report) -> None:
    unknown = report.scores["utility"].model_copy(update={"value": None, "note": "nothing | to predict"})
    text = score_table(report.model_copy(update={"scores": {**report.scores, "utility": unknown}}))
    assert "| utility | - |" in text
    assert r"nothing \| to predict |" in text

"""Models saved by earlier versions: each format that was ever written loads, or is refused with what to do.

`saved/format-N.zip` is a model of format N. Where a change makes a new format, `python tests/core/test_formats.py`
writes its model; where this test fails without a new format, models that people have saved do not load any more.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from agentsynth.data.shop import simulate_shop
from agentsynth.errors import ModelFormatError
from agentsynth.serialization import FORMAT, OLDEST_FORMAT
from agentsynth.synth import AgentSynth

SAVED = Path(__file__).parent / "saved"
CONFIG = {
    "agent": {"episodes": 2},
    "environment": {"rows": 40, "steps": 4},
    "generator": {"trees": 1},
    "scenarios": {"evening_rush": {"where": "timestamp.hour in 17..20"}},
}


def model_of(number: int) -> Path:
    return SAVED / f"format-{number}.zip"


def write() -> None:
    AgentSynth(CONFIG, seed=1).fit(simulate_shop(60, seed=5)).save(model_of(FORMAT))


@pytest.mark.parametrize("number", range(OLDEST_FORMAT, FORMAT + 1))
def test_model_of_a_format_that_is_read_was_kept_and_loads(number: int) -> None:
    synth = AgentSynth.load(model_of(number))
    shop = simulate_shop(60, seed=5)
    table = synth.generate(30, "evening_rush", seed=1)
    assert table.dtypes.to_dict() == shop.dtypes.to_dict()
    assert set(table["category"]) <= set(shop["category"])
    assert table["timestamp"].dt.hour.between(17, 20).all()
    assert (synth.seed, len(synth.history_), synth.config.agent.episodes) == (1, 2, 2)


def test_entities_of_a_format_without_their_rhythm_load_and_are_saved_anew(tmp_path: Path) -> None:
    """Up to format 5 nothing tells how evenly the rows of an entity come, nor do gaps follow the flow of rows."""
    old = AgentSynth.load(SAVED / "format-5-entities.zip")
    table = old.generate(entities=9, seed=1)
    assert table["user_id"].nunique() == 9
    assert "timestamp_gap_spread_factor" not in old.policy_.factor_names
    old.save(tmp_path / "anew.zip")
    assert AgentSynth.load(tmp_path / "anew.zip").generate(entities=9, seed=1).equals(table)


def test_entities_of_a_format_without_other_ids_load() -> None:
    """Up to format 6 other ids were made anew from the finished rows, whichever entity these belong to."""
    old = AgentSynth.load(SAVED / "format-6-entities.zip")
    table = old.generate(entities=9, seed=1)
    assert table["user_id"].nunique() == 9
    assert (table.groupby("order_id")["user_id"].nunique() == 1).all()


@pytest.mark.parametrize("number", range(1, OLDEST_FORMAT))
def test_model_of_an_older_format_is_refused_with_what_to_do(number: int) -> None:
    with pytest.raises(ModelFormatError) as caught:
        AgentSynth.load(model_of(number))
    said = str(caught.value)
    assert f"format-{number}.zip has format {number} (written by agentsynth 0.1.0)" in said
    assert (
        f"reads formats {OLDEST_FORMAT} to {FORMAT}. Fit the table again with this version, or load the model with"
        in said
    )
    assert "`agentsynth fit TABLE --out MODEL`; in the pipeline `dvc repro -f train`" in said


if __name__ == "__main__":
    write()

"""The packaged rival for tables with entities: how it is handed a table, and run where it is installed or is not."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from agentsynth.data.inference import infer_schema
from agentsynth.data.schema import Schema
from agentsynth.entities.plan import EntityPlan

PLAN = EntityPlan("who", ("group",), "year", ("x",))
ENGINE = '''
import pandas as pd

class TabularARGN:
    """Gives the rows of the first entity to each new one, and its attributes too."""

    def __init__(self, ctx_data=None, tgt_context_key=None, tgt_encoding_types=None, **rest):
        self.key, self.encodings = tgt_context_key, tgt_encoding_types

    def fit(self, rows):
        self.rows = rows
        return self

    def sample(self, n_samples=None, ctx_data=None):
        if self.key is None:
            return pd.concat([self.rows.iloc[:1]] * n_samples)
        assert self.encodings == {"year": "TABULAR_DATETIME_RELATIVE"}
        first = self.rows[self.rows[self.key] == self.rows[self.key].iloc[0]].drop(columns=self.key)
        return first.merge(ctx_data[[self.key]], how="cross")

def set_random_state(seed):
    assert seed > 0
'''


@pytest.fixture
def table() -> pd.DataFrame:
    """Return rows of two entities, in no order."""
    return pd.DataFrame(
        {
            "who": [1, 2, 1, 2, 1],
            "group": [7, 8, 7, 8, 7],
            "year": [1982, 1981, 1980, 1980, 1981],
            "x": [0.3, 0.5, 0.1, 0.4, 0.2],
        }
    )


@pytest.fixture
def schema(table: pd.DataFrame) -> Schema:
    """Return its schema."""
    return infer_schema(table, {"who": {"kind": "id"}, "group": {"kind": "categorical"}, "x": {"kind": "numeric"}})


@pytest.mark.parametrize("part", ["sequences"], indirect=True)
def test_rows_are_handed_over_in_order_with_dates_and_given_back(
    part: ModuleType, table: pd.DataFrame, schema: Schema
) -> None:
    rows = part.handed_over(table, PLAN, schema)
    assert rows["x"].tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert rows["group"].tolist() == ["7", "7", "7", "8", "8"]
    assert rows["year"].diff().dt.days.tolist()[1:3] == [1, 1]
    assert part.given_back(rows, PLAN, schema)["year"].tolist() == [1980, 1981, 1982, 1980, 1981]


@pytest.mark.slow
@pytest.mark.parametrize("part", ["sequences"], indirect=True)
def test_it_is_run_by_an_interpreter_that_has_it(
    part: ModuleType, table: pd.DataFrame, schema: Schema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival = part.Rival(Path(sys.executable), minutes=1)
    # Before an installed one, should there be any.
    package = tmp_path / "mostlyai"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    missing = rival.run(table, PLAN, schema, 3, seed=0)
    assert missing == part.Outcome("failed", note="ModuleNotFoundError: No module named 'mostlyai.engine'")
    (package / "engine.py").write_text(ENGINE, encoding="utf-8")
    outcome = rival.run(table, PLAN, schema, 3, seed=0)
    assert outcome.status == "ok", outcome.note
    assert list(outcome.rows.columns) == list(table.columns)
    made = outcome.rows.groupby("who", sort=False)
    assert made.ngroups == 3
    assert all(rows["year"].sort_values().tolist() == [1980, 1981, 1982] for _, rows in made)
    assert outcome.rows["group"].eq("7").all()

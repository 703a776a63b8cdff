"""A shop whose users have habits, and what is learned of them; a tiny table to count in."""

from __future__ import annotations

import pandas as pd
import pytest

from agentsynth.data.inference import infer_schema
from agentsynth.data.schema import Schema
from agentsynth.data.shop import simulate_shop
from agentsynth.entities.generator import EntityGenerator
from agentsynth.synth import AgentSynth

SMALL = {
    "generator": {"trees": 4},
    "environment": {"rows": 60, "steps": 12, "pairs": 12},
    "agent": {"episodes": 6, "goals": 3},
    "entities": {"column": "user_id"},
}


@pytest.fixture(scope="session")
def orders() -> pd.DataFrame:
    return simulate_shop(900, seed=2, habits=True)


@pytest.fixture(scope="session")
def synth(orders: pd.DataFrame) -> AgentSynth:
    """Fitted; tests leave it as it is."""
    return AgentSynth(SMALL, seed=0).fit(orders)


@pytest.fixture(scope="session")
def generator(synth: AgentSynth) -> EntityGenerator:
    found = synth.model_.generator
    assert isinstance(found, EntityGenerator)
    return found


@pytest.fixture
def visits() -> pd.DataFrame:
    """Two patients: A on days 1, 4 and 10, B on day 2 only; not in order."""
    return pd.DataFrame(
        {
            "who": ["A", "B", "A", "A"],
            "sex": ["f", "m", "f", "f"],
            "day": pd.to_datetime(["2024-01-04", "2024-01-02", "2024-01-01", "2024-01-10"]),
            "weight": [62.0, 80.0, 60.0, 61.0],
            "state": ["ill", "well", "ill", "well"],
        }
    )


@pytest.fixture
def visits_schema(visits: pd.DataFrame) -> Schema:
    kinds = {"who": "id", "sex": "categorical", "day": "datetime", "weight": "numeric", "state": "categorical"}
    return infer_schema(visits, {name: {"kind": kind} for name, kind in kinds.items()})

"""A small shop and what is learned from it, once per session."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import settings

from agentsynth.config import Config
from agentsynth.data.schema import Schema
from agentsynth.data.shop import simulate_shop
from agentsynth.env.environment import SyntheticDataEnvironment
from agentsynth.model import Generator, training_environment
from agentsynth.synth import AgentSynth

SMALL = {
    "environment": {"rows": 120, "steps": 24, "pairs": 12},
    "agent": {"episodes": 8, "goals": 3},
    "scenarios": {
        "evening": {"where": "timestamp.hour in 17..20"},
        "dear": {"targets": {"price": {"mean": "+20%"}}},
    },
}


settings.register_profile("patient", deadline=None)
settings.load_profile("patient")  # how long an example takes says more about what else a machine does

LONGEST = ("pipeline", "docs", "benchmarks", "cli")
"""Folders of tests that begin first, where several processes share the tests: else the last one runs alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (item.path.parent.name not in LONGEST, item.path.name != "test_walkthrough.py"))


@pytest.fixture(scope="session")
def small_config() -> Config:
    return Config.of(SMALL)


@pytest.fixture(scope="session")
def shop_table() -> pd.DataFrame:
    return simulate_shop(600, seed=1)


@pytest.fixture(scope="session")
def shop_synth(shop_table: pd.DataFrame, small_config: Config) -> AgentSynth:
    """Fitted; tests leave it as it is."""
    return AgentSynth(small_config, seed=0).fit(shop_table)


@pytest.fixture(scope="session")
def shop_generator(shop_synth: AgentSynth) -> Generator:
    return shop_synth.model_.generator


@pytest.fixture(scope="session")
def shop_schema(shop_synth: AgentSynth) -> Schema:
    return shop_synth.schema_


@pytest.fixture
def shop_env(shop_generator: Generator, small_config: Config) -> SyntheticDataEnvironment:
    """An environment of its own for each test; every reset draws a pushed goal."""
    return training_environment(shop_generator, small_config, seed=5, aims=0)[0]

"""A study with a score one can compute by hand, and the tables of a small shop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

from agentsynth.config import Config
from agentsynth.data.inference import infer_schema
from agentsynth.data.shop import simulate_shop
from agentsynth.params import TuneParams
from agentsynth.tuning.scores import Report, Score, Tables
from agentsynth.tuning.space import search_space
from agentsynth.tuning.study import Setting, open_study, run_study

SPACE = {
    "agent": {"learning_rate": {"low": 0.01, "high": 0.6, "log": True}, "discount": {"low": 0.0, "high": 0.95}},
}
SMALL = Config.of(
    {
        "generator": {"trees": 2},
        "environment": {"rows": 40, "steps": 4, "pairs": 6},
        "agent": {"episodes": 7, "goals": 2},
        "scenarios": {
            "premium": {"where": "user_type = premium"},
            "dearer": {"targets": {"price": {"mean": "+20%"}}},
            "nobody": {"where": "price > 1000000"},
        },
    }
)


def parabola(config: Config, seed: int, report: Report) -> tuple[float, ...]:
    """Best at a learning rate of 0.3; seeds shift it; the curve is flat."""
    value = 1 - (config.agent.learning_rate - 0.3) ** 2 + 0.001 * seed
    for _ in range(6):
        report(value)
    return (value,)


@pytest.fixture
def setting(tmp_path: Path) -> Callable[..., Setting]:
    """A study in a journal file of the test's folder; options go to section `tune`, but for base and identity."""

    def setting(trials: int = 1, *, base: Config | None = None, identity: str = "data", **tune: Any) -> Setting:
        space = tune.pop("space", SPACE)
        params = TuneParams(**{"trials": trials, "seeds": 2, "storage": str(tmp_path / "journal.log"), **tune})
        base = base or Config()
        return Setting("s", base, params, search_space(base, space), 3, identity)

    return setting


@pytest.fixture
def run(setting: Callable[..., Setting]) -> Callable[..., optuna.Study]:
    """Open the study and run it to so many trials."""

    def run(trials: int, score: Score = parabola, **options: Any) -> optuna.Study:
        chosen = setting(trials, **options)
        study = open_study(chosen)
        run_study(study, score, chosen)
        return study

    return run


@pytest.fixture(scope="session")
def tables() -> Tables:
    shop = simulate_shop(260, seed=2)
    schema = infer_schema(shop)
    return Tables(shop.iloc[:160], shop.iloc[160:].reset_index(drop=True), schema)

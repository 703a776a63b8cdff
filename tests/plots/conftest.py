from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentsynth.agent.history import TrainingHistory
from agentsynth.agent.policies import QPolicy
from agentsynth.data.schema import Column, Kind, Schema

KINDS: dict[str, Kind] = {"price": "numeric", "quantity": "numeric", "category": "categorical", "moment": "datetime"}


@pytest.fixture
def shop_schema() -> Schema:
    columns = [Column(name="id", kind="id", dtype="int64")]
    columns += [Column(name=name, kind=kind, dtype="object") for name, kind in KINDS.items()]
    return Schema(columns=tuple(columns))


@pytest.fixture
def make_shop() -> Callable[..., pd.DataFrame]:
    def make(rows: int = 300, seed: int = 0, price: float = 1.0) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        seconds = rng.integers(0, 365 * 86_400, rows).astype("timedelta64[s]")
        return pd.DataFrame(
            {
                "id": np.arange(rows),
                "price": rng.normal(50, 10, rows) * price,
                "quantity": rng.integers(1, 6, rows),
                "category": rng.choice(["Books", "Toys", "Games"], rows, p=[0.5, 0.3, 0.2]),
                "moment": np.datetime64("2024-01-01", "us") + seconds,
            }
        )

    return make


@pytest.fixture
def make_history() -> Callable[..., TrainingHistory]:
    def make(episodes: int = 30, components: int = 4) -> TrainingHistory:
        rng = np.random.default_rng(0)
        epsilon = np.power(0.9, np.arange(episodes, dtype=np.float64))
        similarity = 0.97 - 0.2 * epsilon
        held_out = np.full(episodes, np.nan)
        held_out[episodes - 1 :: -5] = 0.95
        # component_0 ends lowest, component_1 next, ...
        parts = {f"component_{i}": similarity - 0.1 + 0.01 * i for i in range(components)}
        return TrainingHistory(
            returns=similarity + rng.normal(0, 0.01, episodes),
            epsilon=epsilon,
            similarity=similarity,
            held_out=held_out,
            components=parts,
            best_action={"price_factor": 1.26, "seasonal_factor": 0.5, "quantity_factor": 1.0},
            best_episode=episodes - 1,
        )

    return make


@pytest.fixture
def policy() -> QPolicy:
    """A policy that has learned the sensible thing: the wider the gap, the higher the factor.

    The first gap bucket of the first factor was never visited.
    """
    names, levels = ("price_factor", "quantity_factor"), np.geomspace(0.5, 2, 7)
    edges = np.array([-3.0, -1.5, -0.5, 0.5, 1.5, 3.0])
    shape = (len(names) + 1, len(edges) + 1, 4, len(levels))
    blank = QPolicy(names, np.zeros(shape), np.zeros(shape, dtype=np.int64), levels, edges)
    return _sensible(blank)


def _sensible(blank: QPolicy) -> QPolicy:
    _, gaps, _, levels = blank.tables.shape
    wanted = np.round(np.linspace(0, levels - 1, gaps))
    distance = np.abs(np.arange(levels) - wanted[:, None])
    blank.tables[:] = 5.0 - distance[None, :, None, :]
    blank.visits[:] = 3
    blank.visits[0, 0] = 0
    return blank


@pytest.fixture
def column() -> Callable[..., Column]:
    def make(kind: Kind = "numeric", **fields: Any) -> Column:
        return Column(**{"name": "x", "kind": kind, "dtype": "object", **fields})

    return make

"""The environment under its Gymnasium id, `AgentSynth/Compose-v0`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from agentsynth.config import Config
    from agentsynth.env.environment import SyntheticDataEnvironment
    from agentsynth.env.vector import SyntheticDataVectorEnvironment

ENV_ID = "AgentSynth/Compose-v0"


def register() -> None:
    """Make `ENV_ID` known to Gymnasium, unless it is."""
    import gymnasium

    if ENV_ID not in gymnasium.registry:
        place = "agentsynth.env.registration"
        gymnasium.register(
            id=ENV_ID,
            entry_point=f"{place}:make_environment",
            vector_entry_point=f"{place}:make_vector_environment",
        )


def make_environment(
    table: pd.DataFrame | str | Path | None = None, config: Config | Mapping[str, Any] | None = None, seed: int = 0
) -> SyntheticDataEnvironment:
    """Fit a base generator on a table and return the environment that composes from it; every reset draws a goal.

    Args:
        table: DataFrame, or path of a CSV or Parquet file; None: the simulated shop, 1,000 rows.
        config: parameters.
        seed: decides the fit and the pool; `reset(seed=...)` decides the rest.

    >>> import gymnasium
    >>> env = gymnasium.make("agentsynth.env:AgentSynth/Compose-v0")
    >>> env.unwrapped.factors.names
    ('price_factor', 'quantity_factor', 'category_factor', 'seasonal_factor')
    """
    from agentsynth.config import Config
    from agentsynth.data.inference import infer_schema
    from agentsynth.data.reading import read_table
    from agentsynth.data.shop import simulate_shop
    from agentsynth.data.typed import typed
    from agentsynth.fitting import fit_any
    from agentsynth.model import training_environment
    from agentsynth.seeding import child_seed

    settings = Config.of(config)
    if table is None:
        table = simulate_shop(1000, seed=seed)
    frame = read_table(table) if isinstance(table, str | Path) else table
    schema = infer_schema(frame)
    generator = fit_any(typed(frame, schema), schema, settings, child_seed(seed, "fit"))
    environment, _ = training_environment(generator, settings, child_seed(seed, "agent"), aims=0)
    return environment


def make_vector_environment(
    num_envs: int = 1,
    table: pd.DataFrame | str | Path | None = None,
    config: Config | Mapping[str, Any] | None = None,
    seed: int = 0,
) -> SyntheticDataVectorEnvironment:
    """Fit once, as `make_environment` does, and return the environment that composes `num_envs` tables side by side.

    >>> import gymnasium
    >>> envs = gymnasium.make_vec(
    ...     "agentsynth.env:AgentSynth/Compose-v0", num_envs=3, vectorization_mode="vector_entry_point"
    ... )
    >>> observations, infos = envs.reset(seed=0)
    >>> observations, rewards, terminated, truncated, infos = envs.step(envs.action_space.sample())
    >>> rewards.shape
    (3,)
    """
    from agentsynth.env.vector import SyntheticDataVectorEnvironment

    return SyntheticDataVectorEnvironment(make_environment(table, config, seed), num_envs)

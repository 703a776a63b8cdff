"""Fitting whatever generator a table asks for: of rows, or of entities with their rows."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from agentsynth.config import Config
from agentsynth.data.schema import Schema
from agentsynth.entities.generator import fit_entity_generator
from agentsynth.model import Generator, fit_generator


def fit_any(
    frame: pd.DataFrame, schema: Schema, config: Config, seed: int, advance: Callable[[], None] = lambda: None
) -> Generator:
    """Fit a generator on a typed frame: of entities where `config.entities` names their column, else of rows.

    Raises:
        SchemaError: the column does not name entities.
        InputError: there are too few of them.
    """
    fit = fit_generator if config.entities.column is None else fit_entity_generator
    return fit(frame, schema, config, seed, advance)

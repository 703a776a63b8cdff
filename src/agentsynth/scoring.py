"""The held-out score: how like unseen rows a fitted synthesiser's tables are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from agentsynth.data.schema import Schema
    from agentsynth.synth import AgentSynth


def held_out_similarity(
    synth: AgentSynth, unseen: pd.DataFrame, schema: Schema, *, seed: int = 0, tables: int = 3
) -> float:
    """Return the mean similarity, 0 to 1, between `unseen` and `tables` mimicking tables of as many rows.

    Args:
        synth: a fitted synthesiser.
        unseen: (rows, columns) real rows that it was not fitted on.
        schema: of `unseen`.
        seed: of the first table; each further table adds 1. Synthesisers scored with one seed are comparable.
        tables: how many tables are averaged.

    Raises:
        SchemaError: what `synth` makes does not fit the schema: it learned from another table.
    """
    from agentsynth.metrics.report import similarity

    made = (synth.generate(len(unseen), seed=seed + number) for number in range(tables))
    return float(np.mean([similarity(unseen, table, schema) for table in made]))

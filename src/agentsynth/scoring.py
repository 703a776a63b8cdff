"""The held-out score: how like unseen rows a fitted synthesiser's tables are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from agentsynth.data.schema import Schema
    from agentsynth.synth import AgentSynth


def held_out_similarities(
    synth: AgentSynth, unseen: pd.DataFrame, schema: Schema, *, seed: int, tables: int
) -> list[float]:
    """Return the similarity, 0 to 1, between `unseen` and each of `tables` mimicking tables of as many rows.

    Args:
        synth: a fitted synthesiser.
        unseen: (rows, columns) real rows that it was not fitted on.
        schema: of `unseen`.
        seed: of the first table; each further table adds 1. Synthesisers scored with one seed are comparable.
        tables: how many.

    Raises:
        SchemaError: what `synth` makes does not fit the schema: it learned from another table.
    """
    from agentsynth.metrics.similarity import similarity

    made = (synth.generate(len(unseen), seed=seed + number) for number in range(tables))
    return [similarity(unseen, table, schema) for table in made]


def known_rows(synth: AgentSynth, table: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which rows (rows,) of a table equal a row that `synth` learned from, ids and derived columns left out.

    A model holds no training rows, but remembers a hash of each (`agentsynth.env.novelty`); fewer than one row in a
    hundred is taken for a known one by chance.

    Raises:
        SchemaError: the table does not fit the schema of `synth`: it learned from another table.
    """
    from agentsynth.data.typed import typed

    generator = synth.model_.generator
    codec = generator.trees.codec
    frame = typed(table, synth.schema_)
    codes = codec.encode(generator.units(frame), lenient=True)
    return generator.rows_of(frame, generator.detail.novelty.of(codec.parts, codes)[:, 1] == 1)

"""The held-out distribution similarity: the one figure that tuning and champions are chosen by.

Name: similarity. Goal: high. Range: 0 to 1. The mean of shape and pairs (shape alone in a table of one column): 1 =
single columns and pairs of columns are as in the real rows, 0 = nothing is shared. Linear time in rows.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from agentsynth.data.schema import Schema
from agentsynth.data.typed import typed
from agentsynth.errors import InputError
from agentsynth.metrics.pairs import pair_similarities
from agentsynth.metrics.shape import shapes
from agentsynth.metrics.values import compared


def similarity(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> float:
    """Return the similarity of two tables, as they were read, in [0, 1].

    Raises:
        InputError: a table is empty, or the schema has no column to compare.
        SchemaError: a table does not fit the schema.
    """
    return typed_similarity(compared(typed(real, schema), schema), compared(typed(synthetic, schema), schema))


def typed_similarity(real: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Return the similarity of two typed frames (their compared columns only), in [0, 1].

    Raises:
        InputError: a frame is empty, or has no column.
    """
    require_rows(real=real, synthetic=synthetic)
    columns, pairs = shapes(real, synthetic), pair_similarities(real, synthetic)
    parts = [list(columns.values()), list(pairs.values())]
    return float(np.mean([np.mean(part) for part in parts if part]))


def require_rows(**frames: pd.DataFrame) -> None:
    """Refuse tables that nothing can be compared in.

    Raises:
        InputError: a table is empty, or has no column to compare.
    """
    for name, frame in frames.items():
        if not len(frame):
            raise InputError(f"the {name} table has no rows: scores need at least one.")
        if not len(frame.columns):
            raise InputError(
                "there is no column to compare: all are ids or constants. If that is wrong, override their kinds."
            )

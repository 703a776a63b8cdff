"""Scores of the other ids of a table with entities: those within entities, and those around them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.schema import Column
from agentsynth.data.stretches import Stretches
from agentsynth.entities.nested import NestedId, over_the_table
from agentsynth.metrics.marginals import kolmogorov_smirnov

Integers = NDArray[np.int64]
Rows = tuple[pd.DataFrame, Integers]
"""Typed rows by entity, in which nested ids are counted, and the number (rows,) of each row's entity."""


def nested_apart(ours: Rows, theirs: Rows, nested: Sequence[NestedId]) -> float:
    """Return the distance of the numbers of rows that nested ids have, the mean over these; NaN: there are none."""
    found = [kolmogorov_smirnov(_rows_of(*theirs, one.name), _rows_of(*ours, one.name)) for one in nested]
    return float(np.mean(found)) if found else float("nan")


def groups_apart(ours: Rows, theirs: Rows, groups: Sequence[Column]) -> float:
    """Return the distance of the numbers of entities that ids around them have, the mean over these; NaN: none."""
    found = [kolmogorov_smirnov(_entities_of(*theirs, one.name), _entities_of(*ours, one.name)) for one in groups]
    return float(np.mean(found)) if found else float("nan")


def _rows_of(rows: pd.DataFrame, entity: Integers, name: str) -> NDArray[np.float64]:
    sizes = Stretches.of(over_the_table(rows[name].to_numpy(np.float64), entity)).sizes
    return sizes.astype(np.float64)


def _entities_of(rows: pd.DataFrame, entity: Integers, name: str) -> NDArray[np.float64]:
    counts = rows[name].iloc[Stretches.of(entity).starts].value_counts()
    return counts.to_numpy().astype(np.float64)

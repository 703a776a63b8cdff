"""How many entities make so many rows, and a table of exactly so many."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SPARE = 1.05
"""Entities made beyond the number that has the wanted rows on average."""


def entities_for(rows: int, rows_per_entity: float, attempt: int = 0) -> int:
    """Return how many entities to make for a table of `rows` rows; a further attempt makes half as many more.

    >>> [entities_for(100, 4.0, attempt) for attempt in (0, 1)]
    [27, 40]
    """
    return math.ceil(SPARE * rows / rows_per_entity * 1.5**attempt)


def exactly(rows: int, ids: pd.Series[Any], rng: np.random.Generator) -> NDArray[np.bool_] | None:
    """Choose entities at random that have `rows` rows together; one of them loses its last rows where none fits.

    Args:
        rows: wanted rows.
        ids: (n,) the entity of each row of the table.
        rng: chooses.

    Returns:
        Whether each row (n,) is taken; None: there are fewer than `rows`.
    """
    if len(ids) < rows:
        return None
    entity = pd.factorize(ids)[0]
    sizes = np.bincount(entity)
    order = rng.permutation(len(sizes))
    whole = np.cumsum(sizes[order]) <= rows
    taken, rest = order[whole], order[~whole]
    lacking = rows - int(sizes[taken].sum())
    fitting = rest[sizes[rest] == lacking] if lacking else rest[:0]
    chosen: NDArray[np.bool_] = np.isin(entity, [*taken, *fitting[:1]])
    if lacking and not len(fitting):
        # The first one that did not fit has more rows than are lacking.
        chosen[np.flatnonzero(entity == rest[0])[:lacking]] = True
    return chosen

"""Rows that belong to entities: a condition that is about rows chooses the entities that have such a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.schema import Schema
from agentsynth.scenarios.conditions import is_named, names_of, rows_where


def is_about_rows(names: Iterable[str], entities: Schema, rows: Schema) -> bool:
    """Tell whether some of the names are columns of the rows of entities, and not of the entities."""
    return any(is_named(name, rows) for name in names if not is_named(name, entities))


@dataclass(frozen=True)
class OwnedRows:
    """The rows of entities.

    Attributes:
        frame: (rows) typed frame with derived columns.
        schema: of it, with the labels of every column.
        owner: (rows,) the number of each row's entity, from 0 on.
    """

    frame: pd.DataFrame
    schema: Schema
    owner: NDArray[np.int64]

    def is_meant(self, condition: str, entities: Schema) -> bool:
        """Tell whether a condition is about rows, and not about entities, whose schema is given."""
        return is_about_rows(names_of(condition), entities, self.schema)

    def owners(self, condition: str, entities: int) -> NDArray[np.bool_]:
        """Return which of so many entities have a row that meets a condition, (entities,).

        Raises:
            ScenarioError: it cannot be read, or names what the rows do not have.
        """
        met = rows_where(condition, self.frame, self.schema)
        found: NDArray[np.bool_] = np.bincount(self.owner[met], minlength=entities) > 0
        return found

"""Entities: what stays the same over all rows that share an id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from agentsynth.data.schema import Column

MOST_CHANCE = 1e-3
"""A column is believed to be constant within an id where chance would make it look so less often than this."""


def constant_within(frame: pd.DataFrame, column: Column, columns: Sequence[Column]) -> tuple[str, ...]:
    """Return the columns that keep one value over all rows of each id.

    Looked at are categorical columns, and id columns with fewer ids (an order belongs to one user).

    Args:
        frame: (n, p) table.
        column: the id column.
        columns: all columns of the table.
    """
    ids = frame[column.name]
    owners = [other for other in columns if _may_own(frame, column, other)]
    return tuple(sorted(other.name for other in owners if is_constant_within(ids, frame[other.name])))


def _may_own(frame: pd.DataFrame, column: Column, other: Column) -> bool:
    if other.name == column.name:
        return False
    if other.kind == "id":
        return frame[other.name].nunique() < frame[column.name].nunique() and other.missing == 0
    return other.kind == "categorical"


def is_constant_within(ids: pd.Series[Any], values: pd.Series[Any]) -> bool:
    """Tell whether each id has one value, and that is not for lack of repeated ids or of variety."""
    named = ids.notna().to_numpy()
    entity = pd.factorize(ids[named])[0]
    value = pd.factorize(values[named], use_na_sentinel=False)[0]
    entities = entity.max(initial=-1) + 1
    pairs = pd.DataFrame({"entity": entity, "value": value}).drop_duplicates()
    if len(pairs) != entities:
        return False
    shares = np.bincount(value) / max(len(value), 1)
    repeats = len(entity) - entities
    return bool(np.sum(shares**2) ** repeats < MOST_CHANCE)

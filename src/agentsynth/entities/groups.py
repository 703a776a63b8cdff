"""Ids around entities: the school of a pupil, the household of a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.entities import is_constant_within
from agentsynth.data.idforms import rows_per_id
from agentsynth.data.ids import make_ids
from agentsynth.data.schema import Column
from agentsynth.data.stretches import Stretches

Integers = NDArray[np.int64]


def is_group(ids: pd.Series[Any], entity: Integers) -> bool:
    """Tell whether ids (rows,) are the same over all rows of an entity (rows,), and shared by several entities."""
    several = ids.nunique() < int(entity.max(initial=-1)) + 1
    return several and not ids.isna().any() and is_constant_within(pd.Series(entity), ids.reset_index(drop=True))


def by_entity(columns: Sequence[Column], rows: pd.DataFrame, entity: Integers, settled: Sequence[str]) -> list[Column]:
    """Return id columns whose form counts entities and not rows, and that are constant within what is settled.

    Args:
        columns: id columns around entities.
        rows: typed frame by entity.
        entity: (rows,) the number of each row's entity.
        settled: columns that an entity has one value of.
    """
    heads = rows.iloc[Stretches.of(entity).starts]
    known, found = {*settled, *(column.name for column in columns)}, []
    for column in columns:
        assert column.id_form is not None  # noqa: S101  # for the type checker
        within = tuple(name for name in column.id_form.constant_within if name in known)
        told = {"rows_per_id": rows_per_id(heads[column.name]), "constant_within": within}
        found.append(column.model_copy(update={"id_form": column.id_form.model_copy(update=told)}))
    return found


def grouped(
    rows: pd.DataFrame, entity: Integers, columns: Sequence[Column], rng: np.random.Generator
) -> dict[str, Integers]:
    """Return for each id column around entities which id (rows,), from 0 on, each row gets.

    Args:
        rows: typed frame by entity.
        entity: (rows,) the number of each row's entity.
        columns: whose form counts entities.
        rng: decides which entities share an id.
    """
    if not columns:
        return {}
    heads = rows.iloc[Stretches.of(entity).starts].reset_index(drop=True)
    made = make_ids(heads, columns, rng)
    return {name: np.asarray(pd.factorize(ids)[0], dtype=np.int64)[entity] for name, ids in made.items()}

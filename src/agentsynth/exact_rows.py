"""Parts of exactly so many rows, also of entities, which have as many rows as they have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from agentsynth.entities.pool import EntityPool
from agentsynth.entities.sizing import Sizes, entities_for, exactly
from agentsynth.env.pool import Pool
from agentsynth.partitions import Partition, Piece


def rows_in(pool: Pool) -> int:
    """Return how many rows of the table a pool has: those of its entities, where it is one of entities."""
    return len(pool.rows) if isinstance(pool, EntityPool) else len(pool)


def pieces_for_rows(partition: Partition, sizes: Sizes, made: Sequence[Pool]) -> Iterator[Piece]:
    """Yield pieces of entities until those made have the rows of a partition.

    A scenario's entities may have more rows than others, or fewer: how many more are to be made is told by those made.

    Args:
        partition: its rows are wanted.
        sizes: how many rows entities have.
        made: what was made of the pieces so far; it grows by each.
    """
    place = 0
    while (lacking := partition.rows - sum(map(rows_in, made))) > 0:
        mean = sum(map(rows_in, made)) / sum(map(len, made)) if made else sizes.mean
        more = replace(partition, rows=entities_for(lacking, mean))
        for piece in more.pieces:
            if sum(map(rows_in, made)) >= partition.rows:
                break
            yield Piece(piece.rows, partition.seed_of(partition.seed, place))
            place += 1


def cut_to(pool: Pool, rows: int, rng: np.random.Generator) -> Pool:
    """Return entities of a pool, chosen at random, that have exactly so many rows; see `exactly`."""
    if not isinstance(pool, EntityPool):
        raise TypeError("these are no entities")
    return pool.shortened(exactly(rows, pool.sizes, rng))

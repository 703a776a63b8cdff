"""Partitions: a long table is made in parts that know nothing of each other, each from a seed of its own.

So it does not matter in what order, how many at a time or on which machine they are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from agentsynth.seeding import child_seed

PARTITION_ROWS = 100_000
"""Most rows of a partition: enough to make a file worth opening, few enough for any machine."""


@dataclass(frozen=True)
class Piece:
    """Rows that are composed together: how many, and the seed that decides them."""

    rows: int
    seed: int


@dataclass(frozen=True)
class Partition:
    """A run of a table's rows that is made, finished and written by itself.

    Attributes:
        number: which one, from 0.
        count: partitions of the whole table.
        before: rows of the partitions before it.
        rows: its own.
        seed: seed of the table's first piece; see `seed_of`.
        piece_rows: most rows of a piece.
    """

    number: int
    count: int
    before: int
    rows: int
    seed: int
    piece_rows: int

    @property
    def pieces(self) -> Iterator[Piece]:
        """The pieces that it is composed of, in order."""
        count = -(-self.rows // self.piece_rows)
        for place in range(count):
            first, end = self.rows * place // count, self.rows * (place + 1) // count
            yield Piece(end - first, self.seed_of(self.seed, place))

    def seed_of(self, seed: int, place: int = 0) -> int:
        """Return the seed of something in this partition, given that of the table's first such thing.

        Partition and place stand above the 32 bits of `seed`: no two of a table are the same, however many there are.
        """
        return seed + (self.number << 32) + (place << 64)


@dataclass(frozen=True)
class Partitions(Sequence[Partition]):
    """All partitions of a table, about equally long; they follow from rows and seed alone.

    Attributes:
        rows: of the table.
        seed: of the table.
        piece_rows: most rows of a piece.
        most: most rows of a partition.
        step: of which rows of a partition are a multiple, but for the last one; then they may be that many more.

    >>> [partition.rows for partition in Partitions(250_000, seed=0, piece_rows=5_000)]
    [83333, 83333, 83334]
    """

    rows: int
    seed: int
    piece_rows: int
    most: int = PARTITION_ROWS
    step: int = 1

    def __len__(self) -> int:
        return min(-(-self.rows // self.most), max(1, self.rows // self.step))

    @overload
    def __getitem__(self, number: int) -> Partition: ...
    @overload
    def __getitem__(self, number: slice) -> list[Partition]: ...
    def __getitem__(self, number: int | slice) -> Partition | list[Partition]:
        count = len(self)
        if isinstance(number, slice):
            return [self[place] for place in range(*number.indices(count))]
        if not 0 <= number < count:
            raise IndexError(f"there are {count} partitions, from 0 on; no {number}.")
        first, end = self._end(number), self._end(number + 1)
        return Partition(number, count, first, end - first, child_seed(self.seed, "piece.0"), self.piece_rows)

    def _end(self, partitions: int) -> int:
        """Return the rows of so many first partitions."""
        count = len(self)
        return self.rows if partitions == count else self.rows * partitions // count // self.step * self.step

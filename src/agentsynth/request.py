"""What is asked of a model: how many rows or entities, of what scenario; and the pieces that this is made in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from agentsynth.entities.sizing import Sizes
from agentsynth.env.pool import Pool
from agentsynth.errors import ConfigError
from agentsynth.exact_rows import pieces_for_rows
from agentsynth.partitions import PARTITION_ROWS, Partition, Partitions, Piece
from agentsynth.task import Asked

POLICIES = ("q_learning", "neutral", "random", "proportional", "raking", "free")
"""`free` takes rows as they come from the base generator; `raking` draws them by weights found on the whole pool."""
LARGEST = 5_000
"""Rows composed at a time; longer tables are composed in pieces, in bounded memory, and those in partitions."""
DRAWN = 20_000
"""Rows drawn at a time where all of them are taken."""


@dataclass(frozen=True)
class Request:
    """What is to be generated; with a model it decides every row.

    Attributes:
        rows: rows wanted; that many are made. Of entities: how many of them, unless `exact`.
        seed: decides everything random.
        asked: the scenario to steer to, and more; as it is: mimic the table.
        policy: one of `POLICIES`.
        partition_rows: most rows of a partition.
        sizes: how many rows entities have; None: not known, or there are none.
        exact: whether so many rows of entities are wanted, and not so many entities.

    Raises:
        ConfigError: no such policy.
    """

    rows: int
    seed: int
    asked: Asked = field(default_factory=Asked)
    policy: str = "q_learning"
    partition_rows: int = PARTITION_ROWS
    sizes: Sizes | None = None
    exact: bool = False

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise ConfigError(f"no policy {self.policy!r}; there are {', '.join(POLICIES)}.")
        total = self.sizes.entities(self.rows) if self.sizes and self.exact else self.rows
        object.__setattr__(self, "asked", replace(self.asked, total=total, exact=self.rows if self.exact else None))

    @property
    def partitions(self) -> Partitions:
        """The partitions of the table: of rows, or of entities."""
        most, step = self.partition_rows, 1
        if self.sizes is not None:
            most, step = (most, self.sizes.step) if self.exact else (max(1, int(most / self.sizes.mean)), 1)
        return Partitions(self.rows, self.seed, DRAWN if self.plain else self._together, most, step)

    def pieces(self, partition: Partition, made: Sequence[Pool] = ()) -> Iterator[Piece]:
        """Yield the pieces of a partition, given what was made of those so far."""
        if self.sizes is None or not self.exact:
            return partition.pieces
        return pieces_for_rows(partition, self.sizes, made)

    @property
    def _together(self) -> int:
        """Most rows, or entities, that are composed together."""
        return LARGEST if self.sizes is None else min(LARGEST, self.sizes.together)

    @property
    def unit(self) -> Literal["rows", "entities"]:
        """What `rows` counts."""
        return "rows" if self.sizes is None or self.exact else "entities"

    @property
    def plain(self) -> bool:
        """Whether rows are taken as they are drawn, as many as are wanted.

        A table of one piece takes them from a pool as any policy does, so that it stays what it was for its seed.
        """
        return self.policy == "free" and self.asked.scenario is None and self.asked.total > self._together

    def starting_from(self, now: Mapping[str, float]) -> Request:
        """Return the same with the numbers that changes such as `+20%` start from, where they are not known yet."""
        return replace(self, asked=replace(self.asked, now=self.asked.now or now))

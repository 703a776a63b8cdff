"""Scores of a synthetic table on rows that nothing was fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from agentsynth.data.schema import Schema
from agentsynth.data.typed import typed
from agentsynth.metrics.detection import detection
from agentsynth.metrics.membership import membership_inference
from agentsynth.metrics.pairs import pair_similarities
from agentsynth.metrics.privacy import exact_copies, nearer_to_training
from agentsynth.metrics.shape import shapes
from agentsynth.metrics.values import compared
from agentsynth.seeding import stream

SCORES = ("similarity", "shape", "pairs", "detection", "exact_copies", "nearer_to_training", "membership_inference")


def random_halves(frame: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a random half of the rows to learn from, and the other half to judge by."""
    order = stream(seed, "benchmark.split").permutation(len(frame))
    middle = len(frame) // 2
    first, second = (frame.iloc[np.sort(part)].reset_index(drop=True) for part in (order[:middle], order[middle:]))
    return first, second


@dataclass(frozen=True)
class Judge:
    """Scores tables against the unseen rows of one split.

    Attributes:
        schema: what the columns are.
        train, test: typed frames of the compared columns: the rows learned from, and the unseen ones.
        seed: of folds and samples; the same for all tables judged, so that differences are paired.
    """

    schema: Schema
    train: pd.DataFrame
    test: pd.DataFrame
    seed: int

    @classmethod
    def of(cls, train: pd.DataFrame, test: pd.DataFrame, schema: Schema, seed: int) -> Judge:
        """Return the judge for tables as they were read."""
        known, unseen = (compared(typed(frame, schema), schema) for frame in (train, test))
        return cls(schema, known, unseen, seed)

    def synthetic(self, table: pd.DataFrame) -> dict[str, float]:
        """Return every score of a generated table."""
        made = compared(typed(table, self.schema), self.schema)
        modelled = [column.name for column in self.schema.modelled]
        train, test, rows = self.train[modelled], self.test[modelled], made[modelled]
        return {
            **self._likeness(made),
            "exact_copies": exact_copies(train, rows),
            "nearer_to_training": nearer_to_training(train, test, rows, self.seed),
            "membership_inference": membership_inference(train, test, rows, self.seed),
        }

    def another_real_sample(self) -> dict[str, float]:
        """Return the scores of real rows: the training rows' likeness, and how often an unseen row equals one of them.

        Other unseen rows would be as near to the one half as to the other, and an attack on them could not tell the
        halves apart: 0.5 by symmetry, not measured.
        """
        modelled = [column.name for column in self.schema.modelled]
        copies = exact_copies(self.train[modelled], self.test[modelled])
        fair = {"nearer_to_training": 0.5, "membership_inference": 0.5}
        return {**self._likeness(self.train), "exact_copies": copies, **fair}

    def _likeness(self, frame: pd.DataFrame) -> dict[str, float]:
        shape = float(np.mean(list(shapes(self.test, frame).values())))
        pairs = float(np.mean(list(pair_similarities(self.test, frame).values())))
        auc = detection(self.test, frame, self.seed)
        return {"similarity": (shape + pairs) / 2, "shape": shape, "pairs": pairs, "detection": auc}

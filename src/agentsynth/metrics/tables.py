"""The tables that a report is made from."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from agentsynth.data.schema import Schema
from agentsynth.data.typed import typed
from agentsynth.errors import InputError
from agentsynth.metrics.baselines import halves, sample, shuffled_columns
from agentsynth.metrics.similarity import require_rows

LARGEST = 1e30
"""Numbers beyond have squares and gradients that do not fit the floats that scores are computed in."""


@dataclass(frozen=True)
class Tables:
    """The typed frames that scores look at."""

    train: pd.DataFrame
    test: pd.DataFrame
    synthetic: pd.DataFrame
    another: pd.DataFrame
    """Another real sample: the training rows, at most as many as synthetic ones."""
    shuffled: pd.DataFrame
    """The same with every column shuffled."""
    other_real: pd.DataFrame | None
    train_known: bool
    """False: `train` is half of the unseen rows, standing in."""

    @classmethod
    def of(
        cls,
        train: pd.DataFrame | None,
        test: pd.DataFrame,
        synthetic: pd.DataFrame,
        schema: Schema,
        seed: int,
        other_real: pd.DataFrame | None,
    ) -> Tables:
        """Bring the tables into their typed form; see `build_report`.

        Raises:
            InputError: a table has no rows, or numbers beyond `LARGEST`.
        """
        if train is None:
            first, second = halves(typed(test, schema), seed)
        else:
            first, second = typed(train, schema), typed(test, schema)
        made = typed(synthetic, schema)
        for what, frame in (("real", first), ("unseen", second), ("synthetic", made)):
            _require_computable(frame, what)
        names = [column.name for column in schema.compared]
        require_rows(train=first[names], test=second[names], synthetic=made[names])
        another = sample(first, len(made), seed, "another")
        further = typed(other_real, schema) if other_real is not None and len(other_real) else None
        shuffled = shuffled_columns(another, seed)
        return cls(first, second, made, another, shuffled, further, train_known=train is not None)

    def rows(self) -> dict[str, int]:
        """Return the number of rows of each table."""
        count = {"train": len(self.train), "test": len(self.test), "synthetic": len(self.synthetic)}
        return count if self.other_real is None else {**count, "other_real": len(self.other_real)}


def _require_computable(frame: pd.DataFrame, what: str) -> None:
    """Raise InputError where a typed frame holds numbers that scores cannot be computed of."""
    numbers = frame.select_dtypes("float64").abs().max()
    beyond = [str(name) for name, most in numbers.items() if most > LARGEST]
    if beyond:
        raise InputError(
            f"column {beyond[0]!r} of the {what} table holds numbers beyond {LARGEST:.0e}, which cannot be judged: "
            "count in a larger unit, or leave the column out (--drop)."
        )

"""Numbers that drift: of which the change from row to row is drawn, and not the number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from agentsynth.data.schema import Schema
from agentsynth.entities.layout import change
from agentsynth.entities.plan import EntityPlan


@dataclass(frozen=True)
class Drifts:
    """The numbers that drift.

    Attributes:
        decimals: number -> digits after its point; None: not rounded.
        least, most: number -> its smallest and largest training value, which no row goes beyond.
    """

    decimals: dict[str, int | None]
    least: dict[str, float]
    most: dict[str, float]

    @classmethod
    def of(cls, plan: EntityPlan, schema: Schema, rows: pd.DataFrame) -> Drifts:
        """Read the numbers of the training rows."""
        numbers = {name: rows[name].to_numpy(np.float64) for name in plan.drifting}
        return cls(
            {name: schema[name].decimals for name in numbers},
            {name: float(values.min()) for name, values in numbers.items()},
            {name: float(values.max()) for name, values in numbers.items()},
        )

    def taken(self, last: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
        """Return rows (steps) with changes since the rows before in place of the numbers."""
        changes = {name: _rounded(after[name] - last[name], digits) for name, digits in self.decimals.items()}
        return after.assign(**changes).rename(columns={name: change(name) for name in changes})

    def added(self, last: pd.DataFrame, drawn: pd.DataFrame) -> pd.DataFrame:
        """Return drawn rows (entities) with the numbers that their changes make of the rows before."""
        numbers = {
            name: _rounded(last[name] + drawn[change(name)], digits).clip(self.least[name], self.most[name])
            for name, digits in self.decimals.items()
        }
        return drawn.assign(**numbers)


def _rounded(values: pd.Series[float], digits: int | None) -> pd.Series[float]:
    return values if digits is None else values.round(digits)

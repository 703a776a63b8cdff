"""The clock of entities: how long after one row the next one comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.base.calendar import DATE_UNITS, MICROSECONDS, join_datetime, split_datetime
from agentsynth.data.schema import Column

Floats = NDArray[np.float64]
SAME = -1.0
"""Gap of a row at the very moment of the row before, where there is a time of day: as the lines of a basket are."""
FINEST = 9
"""Digits after the point beyond which a number is not rounded for good: as float64 it hardly has them."""


@dataclass(frozen=True)
class Clock:
    """Tells how far apart moments are, and what comes so long after one.

    A gap is a difference of numbers, or of dates in years, months or days; a time of day is drawn beside it.

    Attributes:
        column: the time.
        last: the last moment of the training rows: a number, or a date in its unit; infinite: not known.
    """

    column: Column
    last: float = np.inf

    @classmethod
    def of(cls, column: Column, frame: pd.DataFrame) -> Clock:
        """Return the clock of a column of the training rows (typed)."""
        return cls(column, float(cls(column).split(frame[column.name])[0].max()))

    @property
    def unit(self) -> str:
        """In what a datetime's gap is counted: year, month or day."""
        return str(self.column.step) if self.column.step in DATE_UNITS else "day"

    @property
    def step(self) -> str:
        """In what its time of day is counted; empty: there is none."""
        return str(self.column.step) if self.column.is_datetime and self.column.step in MICROSECONDS else ""

    @property
    def none(self) -> float:
        """The gap of a row at the very time of the row before."""
        return SAME if self.step else 0.0

    @property
    def grain(self) -> float:
        """How long the shortest gap is that can be told: one unit, or one of a number's last digit; 0: none is."""
        if self.column.is_datetime:
            return 1.0
        digits = self.column.decimals
        return 0.0 if digits is None or digits > FINEST else 10.0**-digits

    def split(self, series: pd.Series[Any]) -> tuple[Floats, Floats]:
        """Return moments (rows,) as numbers or dates, and their times of day (NaN where there are none)."""
        if not self.column.is_datetime:
            return series.to_numpy(np.float64), np.full(len(series), np.nan)
        return split_datetime(series, self.unit, self.step)

    def numbers(self, series: pd.Series[Any]) -> Floats:
        """Return moments (rows,) as numbers whose differences are times: in days, the time of day a part of them.

        Dates without a time of day are in their unit, and numbers in their own.
        """
        if not self.step:
            return self.split(series)[0]
        found: Floats = (series.to_numpy("datetime64[us]") - np.datetime64(0, "us")) / np.timedelta64(1, "D")
        return found

    def gaps(self, before: pd.Series[Any], after: pd.Series[Any]) -> tuple[Floats, Floats]:
        """Return how long (rows,) after the one moment the other one is, and its time of day."""
        (start, _), (end, time) = self.split(before), self.split(after)
        same = (before.to_numpy() == after.to_numpy()) & bool(self.step)
        return np.where(same, SAME, end - start), time

    def beyond(self, before: pd.Series[Any], gaps: Floats) -> NDArray[np.bool_]:
        """Tell which moments (rows,), so long after others, would lie after all training moments."""
        found: NDArray[np.bool_] = self.split(before)[0] + gaps > self.last
        return found

    def after(self, before: pd.Series[Any], gaps: Floats, times: Floats, rng: np.random.Generator) -> NDArray[Any]:
        """Return the moments (rows,) so long after others.

        One that would lie after all training moments lies anywhere between the one before and the last of them: at the
        very end they would heap up.
        """
        start, time = self.split(before)
        end = start + np.maximum(gaps, 0.0)
        anywhere = start + rng.random(len(start)) * np.maximum(self.last - start, 0.0)
        end = np.where(end > self.last, anywhere, end)
        if not self.column.is_datetime:
            return end if self.column.decimals is None else np.round(end, self.column.decimals)
        clock = np.where(gaps == SAME, time, times) if self.step else None
        return join_datetime(np.floor(end), self.unit, clock, self.step)

"""Targets for the numbers of a column: mean, total, deviation, quantiles, correlation, ratio, inequality."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from agentsynth.errors import ScenarioError
from agentsynth.scenarios.conditions import Subject
from agentsynth.scenarios.constraints import Constraint, Moments, correlation, deviation, ratio, ratio_of_ratios
from agentsynth.scenarios.grammar import Change, Target
from agentsynth.scenarios.measured import Measured, gini, top_share
from agentsynth.scenarios.table import ABSOLUTE, Floats, Table


@dataclass(frozen=True)
class Statistics:
    """Statistics of a subject's numbers, over the rows that `inside` marks."""

    subject: Subject
    text: str
    inside: Callable[[pd.DataFrame], Floats]
    table: Table

    def known(self, frame: pd.DataFrame) -> tuple[Floats, Floats]:
        """Return the numbers (rows,), 0 where there is none, and the marks of the rows that count."""
        numbers = self.subject.numbers(frame)
        marks = self.inside(frame) * ~np.isnan(numbers)
        return np.where(marks > 0, numbers, 0.0), marks

    def checked(self) -> tuple[Floats, Floats]:
        """Return what `known` does for the pool.

        Raises:
            ScenarioError: there is no number at all.
        """
        numbers, marks = self.known(self.table.frame)
        if not marks.any():
            raise ScenarioError(f"{self.text!r} has no values to steer.")
        return numbers, marks

    def mean(self, value: Change, _: Target) -> Iterator[Constraint]:
        """Yield the constraint that the mean has a value."""
        self.checked()
        yield self.table.moments(f"{self.text} mean", value, lambda frame: list(self.known(frame)), ratio)

    def total(self, value: Change, _: Target) -> Iterator[Constraint]:
        """Yield the constraint that the sum over the wanted rows has a value."""
        self.checked()
        whole = lambda frame: [self.known(frame)[0]]  # noqa: E731  # as short as its siblings
        yield self.table.moments(
            f"{self.text} total", value, whole, lambda means: float(means[0]), scale=self.table.rows
        )

    def std(self, value: Change, target: Target) -> Iterator[Constraint]:
        """Yield the constraint that the deviation has a value; the mean stays where no other is wanted."""
        numbers, marks = self.checked()
        middle = float(numbers @ marks / marks.sum())

        def features(frame: pd.DataFrame) -> list[Floats]:
            numbers, marks = self.known(frame)
            centred = (numbers - middle) * marks
            return [centred, centred**2, marks]

        if target.mean is None:
            yield from self.mean("+0%", target)
        yield self.table.moments(f"{self.text} std", value, features, deviation)

    def median(self, value: Change, _: Target) -> Iterator[Constraint]:
        """Yield the constraint that the median has a value."""
        yield self.quantile(0.5, value)

    def quantile(self, level: float, value: Change) -> Constraint:
        """Return the constraint that a quantile has a value, steered through the share of rows below it."""
        if not 0 < level < 1:
            raise ScenarioError(f"{self.text}: the level of a quantile lies between 0 and 1; found {level:g}.")
        self.table.check_measurable(self.text)
        name = f"{self.text} quantile {level:g}"

        def read(frame: pd.DataFrame) -> float:
            numbers, marks = self.known(frame)
            return float(np.quantile(numbers[marks > 0], level)) if marks.any() else float("nan")

        numbers, _ = self.checked()
        now = Measured(name, 0.0, 0.0, read, 0.0, 0.0, lambda rows: read(self.table.frame.iloc[rows]), numbers)
        wanted = self.table.changed(now, value)

        def below(frame: pd.DataFrame) -> list[Floats]:
            numbers, marks = self.known(frame)
            # A row that has the very value counts half: below it as well as above.
            return [np.mean([numbers < wanted, numbers <= wanted], axis=0) * marks, marks]

        share = np.column_stack(below(self.table.frame))
        tolerance = self.table.tolerance(wanted, bounded=False)
        return Moments(name, wanted, tolerance, read, level, ABSOLUTE, share, ratio)

    def correlation(self, other: str, value: Change) -> Constraint:
        """Return the constraint that two columns have a correlation (Pearson's)."""
        if not isinstance(value, str) and not -1 <= value <= 1:
            raise ScenarioError(f"{self.text}: a correlation lies between -1 and 1; found {value:g}.")
        second = Statistics(Subject.of(other, self.table.schema), other, self.inside, self.table)
        middles, spreads = zip(*(_scale(*numbers.checked()) for numbers in (self, second)), strict=True)

        def features(frame: pd.DataFrame) -> list[Floats]:
            (x, first_marks), (y, second_marks) = self.known(frame), second.known(frame)
            marks = first_marks * second_marks
            x, y = ((x - middles[0]) / spreads[0]) * marks, ((y - middles[1]) / spreads[1]) * marks
            return [x, y, x**2, y**2, x * y, marks]

        name = f"{self.text} correlation with {other}"
        return self.table.moments(name, value, features, correlation, bounded=True)

    def ratio(self, groups: str, value: Change) -> Constraint:
        """Return the constraint that the mean of one group is so many times that of another."""
        first, slash, second = groups.partition(" / ")
        if not slash:
            raise ScenarioError(
                f"{self.text}: a ratio is between two groups, such as 'user_type = premium / user_type = guest'; "
                f"found {groups!r}."
            )
        marks = [self.table.where(part) for part in (first, second)]

        def features(frame: pd.DataFrame) -> list[Floats]:
            numbers, known = self.known(frame)
            groups = [known * mark(frame) for mark in marks]
            return [column for group in groups for column in (numbers * group, group)]

        self.checked()
        return self.table.moments(f"{self.text} ratio {groups}", value, features, ratio_of_ratios)

    def gini(self, value: Change, _: Target) -> Iterator[Constraint]:
        """Yield the constraint that the Gini coefficient has a value."""
        yield self._spread("gini", value, gini)

    def top_share(self, part: float, value: Change) -> Constraint:
        """Return the constraint that the largest part of the numbers has a share of the total."""
        if not 0 < part < 1:
            raise ScenarioError(f"{self.text}: the part of top_share lies between 0 and 1; found {part:g}.")
        return self._spread(f"top_share {part:g}", value, lambda numbers: top_share(numbers, part))

    def _spread(self, name: str, value: Change, statistic: Callable[[Floats], float]) -> Constraint:
        numbers, marks = self.checked()
        if (numbers[marks > 0] < 0).any():
            raise ScenarioError(f"{self.text}: {name} needs numbers from 0 on; some are negative.")

        def read(frame: pd.DataFrame) -> float:
            numbers, marks = self.known(frame)
            return statistic(numbers[marks > 0])

        # Without a frame for every measurement.
        known = np.where(marks > 0, numbers, np.nan)
        measure = lambda rows: statistic(known[rows])  # noqa: E731  # as short as its siblings
        return self.table.measured(f"{self.text} {name}", value, measure, read, bounded=True)


def _scale(numbers: Floats, marks: Floats) -> tuple[float, float]:
    """Return mean and standard deviation of the marked numbers; a deviation of 0 counts as 1."""
    known = numbers[marks > 0]
    return float(known.mean()), float(known.std()) or 1.0

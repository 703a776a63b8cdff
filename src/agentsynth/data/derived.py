"""Derived columns: finding formulas that hold on every row.

A formula counts only if it gives the target's value on every row, after rounding to the target's decimals, and is
missing exactly where the target is; if it was put to the test on enough rows; and if no column is, in the end, computed
from itself. What may be computed from what is screened on a few rows first, so that wide tables stay cheap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data import sums
from agentsynth.data.coefficients import factors
from agentsynth.data.formulas import combine, compute
from agentsynth.data.moments import Inputs, calendar_parts, durations, present_rows, shifts
from agentsynth.data.products import MOST_COLUMNS, proportional, screen_rows
from agentsynth.data.schema import Column, Formula, Operation, Schema

Floats: TypeAlias = NDArray[np.float64]

INFORMATIVE_ROWS = 10
"""Rows on which each input must differ from its commonest value."""
DISTINCT_TARGETS = 5
"""Fewest distinct values of a target: fewer are hit by accident."""
DISTINCT_PARTS = 3
"""The same for parts of a datetime, of which there are not many to be hit."""
MOST_MASKS = 50
"""Patterns of missing values whose columns linear relations are looked for among."""
TOTAL = 1.2
"""Amplification (see there) of independent parts in their total, with room for parts that are not."""
TOTAL_FIRST = 0.5
"""What the amplification is taken times for a total of parts, none negative: a part computed from it might be."""
MOST_AMPLIFICATION = 4.0
"""Linear formulas that amplify noise more than this would make nonsense of synthetic numbers."""
FLOAT_NOISE = 1e-9
"""Relative difference that counts as none where the target is not rounded."""
FLOAT32_NOISE = 1e-6
"""The same where the target comes in single precision."""


def find_formulas(frame: pd.DataFrame, schema: Schema, settled: Collection[str] = ()) -> dict[str, Formula]:
    """Find the columns that follow exactly from others.

    Looked for, in this order: parts of a datetime (year, month, hour, ...); multiples of another column; products of
    two; sums of parts and means; products of three; ratios; other linear combinations (differences, rescaled copies);
    datetimes a duration after another; durations. Where a relation could be solved for several columns, a product is
    derived from its factors, a total or mean from its parts, else the column that noise in the others moves least, the
    last of the table among equals. In tables of more than 40, 400, 1,000 numeric columns, combinations of three, two,
    any number of columns are not looked for.

    Args:
        frame: (n, p) typed frame.
        schema: its columns; numeric and datetime ones take part, and derived ones as inputs.
        settled: columns that must not become derived.

    Returns:
        column -> its formula; no column depends on itself.
    """
    search = _Search(frame, {column.name: column for column in schema}, set(settled))
    # Of huge and tiny numbers, some formulas that are tried are infinite: they do not hold, and that is all.
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        search.calendar()
        search.proportional("product", 1)
        search.proportional("product", 2)
        search.linear(TOTAL)
        search.proportional("product", 3)
        search.proportional("ratio", 2)
        search.linear(MOST_AMPLIFICATION)
        search.times()
    return search.found


@dataclass
class _Search:
    """A search over one table: what was found so far, and what may still be derived."""

    frame: pd.DataFrame
    columns: dict[str, Column]
    settled: set[str]
    found: dict[str, Formula] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.given = {name: column.formula for name, column in self.columns.items() if column.formula is not None}
        self.numeric = [name for name, column in self.columns.items() if column.is_numeric]
        self.datetimes = [name for name, column in self.columns.items() if column.is_datetime]
        both = [*self.numeric, *self.datetimes]
        self.values: dict[str, NDArray[Any]] = {
            **{name: self.frame[name].to_numpy(dtype=np.float64) for name in self.numeric},
            **{name: self.frame[name].to_numpy(dtype="datetime64[us]") for name in self.datetimes},
        }
        self.missing = {name: self.frame[name].isna().to_numpy() for name in both}
        self.incomplete = {name for name in both if self.missing[name].any()}
        counts = {name: self.frame[name].value_counts() for name in both}
        self.distinct = {name: len(count) for name, count in counts.items()}
        self.varied = {name for name, count in counts.items() if count.iloc[1:].sum() >= INFORMATIVE_ROWS}

    def targets(self, names: Iterable[str], distinct: int = DISTINCT_TARGETS) -> list[str]:
        """Return the columns that may still become derived, the last of the table first."""
        unsettled = [name for name in names if name not in self.found and name not in self.settled]
        return [name for name in reversed(unsettled) if self.distinct[name] >= distinct and name not in self.given]

    def inputs(self, target: str, names: Iterable[str]) -> list[str]:
        """Return the columns that `target` may be computed from."""
        known = [name for name in names if name != target and name in self.varied and self._covers(target, name)]
        return [name for name in known if not self._depends(name, target)]

    def _covers(self, target: str, name: str) -> bool:
        """Tell whether `target` is missing wherever `name` is."""
        return name not in self.incomplete or not np.any(self.missing[name] & ~self.missing[target])

    def _depends(self, name: str, target: str) -> bool:
        """Tell whether `name` is computed, directly or not, from `target`."""
        formula = self.found.get(name) or self.given.get(name)
        return formula is not None and any(x == target or self._depends(x, target) for x in formula.inputs)

    def unit(self, name: str) -> float:
        """Return one in the last decimal of a column; 0 where it is not rounded."""
        decimals = self.columns[name].decimals
        return 0.0 if decimals is None else float(10.0**-decimals)

    def accept(self, target: str, formulas: Iterable[Formula]) -> bool:
        """Keep the first of the formulas that gives the target on every row."""
        for formula in formulas:
            if self.holds(target, formula):
                self.found[target] = formula
                return True
        return False

    def holds(self, target: str, formula: Formula) -> bool:
        """Tell whether a formula gives the target's value on every row, and is missing where the target is."""
        column = self.columns[target].model_copy(update={"formula": formula})
        computed, given = compute(column, self.frame), self.frame[target]
        if not np.array_equal(computed.isna(), given.isna()):
            return False
        here, there = computed.dropna().to_numpy(), given.dropna().to_numpy()
        if column.decimals is not None or formula.operation == "shift":
            return np.array_equal(here, there)
        noise = FLOAT32_NOISE if "32" in column.dtype else FLOAT_NOISE
        return bool(np.all(np.abs(here - there) <= noise * np.abs(there).max(initial=0)))

    def calendar(self) -> None:
        """Look for numbers that are a part of a datetime."""
        for target in self.targets(self.numeric, DISTINCT_PARTS) if self.datetimes else ():
            self.accept(target, calendar_parts(self._own(target), self._starts(target)))

    def proportional(self, operation: Operation, inputs: int) -> None:
        """Look for targets that are a constant times a product of so many inputs, or times a ratio."""
        for target in self.targets(self.numeric) if len(self.numeric) <= MOST_COLUMNS[inputs] else ():
            names = self.inputs(target, self.numeric)
            self.accept(target, self._proportional_formulas(target, names, operation, inputs))

    def _proportional_formulas(
        self, target: str, names: list[str], operation: Operation, inputs: int
    ) -> Iterator[Formula]:
        present = np.flatnonzero(~self.missing[target])
        if not names or len(present) < INFORMATIVE_ROWS:
            return
        values, unit = self.values[target][present], self.unit(target)
        rows = screen_rows(values, unit)
        screen = np.column_stack([self.values[name][present[rows]] for name in names])
        for places in proportional(values[rows], screen, unit, operation, inputs):
            formula = Formula(operation=operation, inputs=tuple(names[place] for place in places))
            combined = combine(formula, [self.values[name][present] for name in formula.inputs])
            if np.isfinite(combined).all():
                for factor, mode in factors(values, combined, unit):
                    yield formula.model_copy(update={"coefficients": (factor,), "rounding": mode})

    def linear(self, most: float) -> None:
        """Look for linear relations that amplify noise by `most` at most."""
        for relation in self.relations:
            self._accept_linear(relation, most)

    @cached_property
    def relations(self) -> list[dict[str, Floats]]:
        """Sets of linearly dependent columns: column -> (rows,) numbers on some rows where all are there."""
        found: list[dict[str, Floats]] = []
        if len(self.numeric) > sums.MOST_COLUMNS:
            return found
        for missing in _commonest([self.missing[name] for name in self.targets(self.numeric)]):
            rows = np.flatnonzero(~missing)
            if len(rows) < INFORMATIVE_ROWS:
                continue
            others, last = self._covered(missing)
            names = others + last
            if len(names) < 2:
                continue
            rows = rows[sums.spread_rows(len(rows))]
            screen = np.column_stack([self.values[name][rows] for name in names])
            units = np.array([self.unit(name) for name in names])
            sets = sums.dependent(screen, units, len(last))
            found += [{names[place]: screen[:, place] for place in members} for members in sets]
        return found

    def _covered(self, missing: NDArray[np.bool_]) -> tuple[list[str], list[str]]:
        """Return the numeric columns with fewer missing values than `missing`, and those with exactly these."""
        names = [name for name in self.numeric if name in self.varied]
        exactly = [name for name in names if np.array_equal(self.missing[name], missing)]
        fewer = [name for name in names if name not in exactly and not np.any(self.missing[name] & ~missing)]
        return fewer, exactly

    def _accept_linear(self, screen: dict[str, Floats], most: float) -> None:
        """Accept a relation among the columns of the screen, solved for the one that noise is amplified least for."""
        ways = [
            way for target in self.targets(self.numeric) if target in screen for way in self._solved(target, screen)
        ]
        for noise, target, formulas in sorted(ways, key=lambda way: way[0]):
            if noise <= most and self.accept(target, formulas):
                return

    def _solved(self, target: str, screen: dict[str, Floats]) -> Iterator[tuple[float, str, list[Formula]]]:
        """Yield the amplification, the target and the formulas of a relation solved for a target, if that can be."""
        names = [name for name in self.numeric if name in screen and name != target]
        if self.inputs(target, names) != names:
            return
        inputs = np.column_stack([screen[name] for name in names])
        formulas = list(sums.linear_formulas(screen[target], inputs, names, self.unit(target)))
        if formulas:
            noise = sums.amplification(formulas[0], screen[target], inputs)
            preference = TOTAL_FIRST if sums.is_total(formulas[0], inputs) else 1.0
            yield round(noise * preference, 1), target, formulas

    def times(self) -> None:
        """Look for datetimes that lie a duration after another, and for durations."""
        for target in self.targets(self.datetimes):
            step = self.columns[target].step or "microsecond"
            numbers = self._screen(target, self.inputs(target, self.numeric))
            self.accept(target, shifts(self._own(target), step, self._starts(target), numbers))
        for target in self.targets(self.numeric) if len(self.datetimes) > 1 else ():
            self.accept(target, durations(self._own(target), self.unit(target), self._starts(target)))

    def _own(self, target: str) -> NDArray[Any]:
        """Return a target's values on the rows of its screen."""
        return self._screen(target, [target]).values[:, 0]

    def _starts(self, target: str) -> Inputs:
        """Return the datetimes that a target may be computed from, on the rows of its screen."""
        return self._screen(target, self.inputs(target, self.datetimes))

    def _screen(self, target: str, names: list[str]) -> Inputs:
        rows = present_rows(self.missing[target])
        return Inputs(names, np.array([self.values[name][rows] for name in names]).reshape(len(names), len(rows)).T)


def _commonest(masks: list[NDArray[np.bool_]]) -> list[NDArray[np.bool_]]:
    """Return the different masks, the commonest first, but not endlessly many."""
    counts = Counter(mask.tobytes() for mask in masks)
    return [np.frombuffer(mask, dtype=np.bool_) for mask, _ in counts.most_common(MOST_MASKS)]

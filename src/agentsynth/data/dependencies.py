"""Functional dependencies: finding the columns whose value follows from that of one other column.

A city that follows from its branch, a number of years from a degree, an age band from an age. A dependency counts only
if it holds on every row (missing being a value of its own), and if chance would not make it look so: where rows share a
value of the determinant, how likely are they to agree on the other column all the same? And where the determinant has
an order, and each value of the other column fills one stretch of it: how likely is that?
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.dates import STEPS
from agentsynth.data.formulas import determinant
from agentsynth.data.lookup import first_rows, learn_table
from agentsynth.data.schema import Column, Formula, Schema, Unit
from agentsynth.errors import SchemaError

Codes: TypeAlias = NDArray[np.intp]

SCREEN_ROWS = 2000
"""Rows that every pair of columns is tried on first."""
MOST_CHANCE = 1e-9
"""A dependency is believed where chance would make it look so less often than this."""
LEAST_REPEATS = 20
"""Rows that must share their determinant's value with an earlier one."""
ROWS_PER_LABEL, ROWS_PER_NUMBER = 2, 5
"""Rows for each value of the determinant, on average; numbers that are no codes repeat less."""
KEYS_PER_STEP = 4
"""Values of an ordered determinant for each stretch of it that has one value of the other column, on average."""
OTHER_ROWS = 10
"""Rows on which a column must differ from its commonest value."""
DATE_PARTS: tuple[Unit, ...] = get_args(Unit)
PARTS_OF: dict[str, str] = {"quarter": "month", "weekday": "day"}
"""Part of a datetime that is no step of the calendar -> the step that it takes to know it."""


@dataclass(frozen=True)
class _Determinant:
    """What another column may follow from: a column, or a part of a datetime."""

    formula: Formula
    keys: pd.Series[Any]
    place: int
    codes: Codes
    """(n,) place of each row's value among the sorted ones; the missing one is the last."""

    @property
    def column(self) -> str:
        return self.formula.inputs[0]

    @property
    def ordered(self) -> bool:
        return self.keys.dtype != object

    @cached_property
    def repeats(self) -> bool:
        """Whether its values repeat enough to tell by the rows that share one; dates do not count, as all are codes."""
        rows, values = len(self.codes), len(self.sizes)
        least = ROWS_PER_NUMBER if self.ordered else ROWS_PER_LABEL
        is_date = self.ordered and self.keys.dtype != np.float64
        return not is_date and rows - values >= LEAST_REPEATS and rows >= least * values

    @cached_property
    def sizes(self) -> Codes:
        """Rows with each value, (values,)."""
        return np.bincount(self.codes)

    def at(self, rows: Codes) -> _Determinant:
        """Return the determinant as some rows have it."""
        codes = np.asarray(np.unique(self.codes[rows], return_inverse=True)[1], dtype=np.intp)
        return _Determinant(self.formula, self.keys.iloc[rows], self.place, codes)

    @property
    def preference(self) -> tuple[bool, bool, int, int]:
        """What is taken of several determinants: labels first, columns before their parts, then the coarsest one."""
        return self.ordered, self.formula.unit is not None, len(self.sizes), self.place


def find_lookups(frame: pd.DataFrame, schema: Schema, settled: Collection[str] = ()) -> dict[str, Formula]:
    """Find the columns whose value follows from that of one other column, or from a part of a datetime.

    Where two columns follow from each other, numbers are derived from labels, else the later column of the table from
    the earlier one. Of several determinants the one of the fewest values is taken (a state follows from the city, and
    not from the street).

    Args:
        frame: (n, p) typed frame.
        schema: its columns; labels, numbers and datetimes take part, derived ones as determinants only.
        settled: columns that must not become derived.

    Returns:
        column -> its formula; no column depends on itself.
    """
    ids = [_codes(frame[column.name]) for column in schema.of_kind("id") if not frame[column.name].is_unique]
    search = _Search(frame, {column.name: column for column in schema.compared}, ids)
    found: dict[str, Formula] = {}
    for target in search.targets(settled):
        formula = next(search.formulas(target, found), None)
        if formula is not None:
            found[target] = formula
    return found


@dataclass
class _Search:
    """A search over one table."""

    frame: pd.DataFrame
    columns: Mapping[str, Column]
    ids: Sequence[Codes]
    """(n,) the entity of each row, for each id column whose ids have several."""

    def __post_init__(self) -> None:
        coded = {name: _codes(self.frame[name]) for name in self.columns}
        self.codes = {name: codes for name, codes in coded.items() if _varies(codes)}
        self.names = list(self.codes)
        self.determinants = list(self._all_determinants())
        self.screened = list(self._screened())

    def _all_determinants(self) -> Iterator[_Determinant]:
        for place, name in enumerate(self.names):
            for unit in (None, *_parts(self.columns[name])):
                formula = Formula(operation="lookup", inputs=(name,), unit=unit)
                keys = determinant(formula, self.frame)
                codes = self.codes[name] if unit is None else _codes(keys)
                if _varies(codes):
                    yield _Determinant(formula, keys, place, codes)

    def _screened(self) -> Iterator[NDArray[np.bool_]]:
        """Yield, for each determinant, which columns may follow from it, by their levels and by some rows."""
        if not self.names:
            return
        rows = np.unique(np.linspace(0, len(self.frame) - 1, SCREEN_ROWS).astype(np.intp))
        screen = np.column_stack([self.codes[name][rows] for name in self.names])
        levels = np.array([self.codes[name].max() + 1 for name in self.names])
        seen = np.array([len(np.unique(column)) for column in screen.T])
        for known in self.determinants:
            few = levels * (1 if known.repeats else KEYS_PER_STEP) <= len(known.sizes)
            few[few] = _may_hold(known, known.codes[rows], screen[:, few], seen[few])
            yield few

    def targets(self, settled: Collection[str]) -> list[str]:
        """Return the columns that may become derived: numbers, datetimes, labels; of each the last one first."""
        free = [name for name in reversed(self.names) if name not in settled and self.columns[name].kind != "derived"]
        return sorted(free, key=lambda name: ("numeric", "datetime", "categorical").index(self.columns[name].kind))

    def formulas(self, target: str, found: Mapping[str, Formula]) -> Iterator[Formula]:
        """Yield the lookups that give `target`, the preferred one first."""
        place = self.names.index(target)
        screened = [known for known, may in zip(self.determinants, self.screened, strict=True) if may[place]]
        for known in sorted(screened, key=lambda known: known.preference):
            if self._depends(known.column, target, found) or not self._holds(known, self.codes[target]):
                continue
            values = self.frame[target]
            table = learn_table(known.keys, values, target, known.column)
            yield known.formula.model_copy(update={"table": table, "result": result_of(values)})

    def _holds(self, known: _Determinant, values: Codes) -> bool:
        """Tell whether the values (n,) follow from a determinant on every row, and not by accident.

        Where both stay the same over all rows of an entity, each entity tells of them once: what a patient of 53 is in
        all of her visits does not follow from being 53.
        """
        if not _is_constant(known.codes, values):
            return False
        for entity in self.ids:
            if _is_constant(entity, known.codes) and _is_constant(entity, values):
                rows = np.unique(entity, return_index=True)[1]
                known, values = known.at(rows), np.asarray(np.unique(values[rows], return_inverse=True)[1])
                break
        return (known.repeats and _agree(known.sizes, values)) or (known.ordered and _in_stretches(known, values))

    def _depends(self, name: str, target: str, found: Mapping[str, Formula]) -> bool:
        """Tell whether `name` is `target`, or computed from it."""
        formula = found.get(name) or self.columns[name].formula
        return name == target or (
            formula is not None and any(self._depends(x, target, found) for x in formula.inputs if x in self.columns)
        )


def _parts(column: Column) -> list[Unit]:
    """Return the parts that the values of a datetime column have: a date has no hour."""
    if not column.is_datetime:
        return []
    steps = STEPS[: STEPS.index(column.step or "microsecond") + 1]
    return [unit for unit in DATE_PARTS if PARTS_OF.get(unit, unit) in steps]


def _codes(series: pd.Series[Any]) -> Codes:
    return np.asarray(pd.factorize(series, sort=True, use_na_sentinel=False)[0], dtype=np.intp)


def _varies(codes: Codes) -> bool:
    return len(codes) - int(np.bincount(codes).max()) >= OTHER_ROWS


def _may_hold(known: _Determinant, key: Codes, values: Codes, levels: Codes) -> NDArray[np.bool_]:
    """Tell which columns of `values` (rows, p), each of `levels` (p,) values, may follow from a `key` (rows,)."""
    order = np.argsort(key, kind="stable")
    changes = values[order[1:]] != values[order[:-1]]
    same = key[order[1:]] == key[order[:-1]]
    pure = ~np.asarray(changes[same].any(axis=0))
    if known.repeats:
        return pure
    return np.asarray(pure & (changes.sum(axis=0) + 1 == levels))


def _is_constant(groups: Codes, values: Codes) -> bool:
    """Tell whether the rows (n,) of each group have one value."""
    return np.array_equal(values, values[first_rows(groups)][groups])


def _agree(sizes: Codes, values: Codes) -> bool:
    """Tell whether groups of rows of these sizes would hardly agree on their values if those were dealt out."""
    from scipy.special import logsumexp

    shares = np.log(np.bincount(values) / len(values))
    log_chance = 0.0
    for size, groups in zip(*np.unique(sizes[sizes > 1], return_counts=True), strict=True):
        log_chance += groups * float(logsumexp(size * shares))
        if log_chance < np.log(MOST_CHANCE):
            return True
    return False


def _in_stretches(known: _Determinant, values: Codes) -> bool:
    """Tell whether each value fills one stretch of an ordered determinant, missing keys last, and not by chance."""
    from scipy.special import gammaln

    by_key = values[first_rows(known.codes)]
    runs = int(np.count_nonzero(by_key[1:] != by_key[:-1])) + 1
    counts = np.bincount(values)
    if runs != len(counts) or len(by_key) < KEYS_PER_STEP * runs:
        return False
    # Of all orders in which the values may stand, so many have each value in one stretch.
    log_chance = gammaln(runs + 1) + gammaln(counts + 1).sum() - gammaln(len(values) + 1)
    return bool(log_chance < np.log(MOST_CHANCE))


def result_of(values: pd.Series[Any]) -> str:
    """Return what a typed column (n,) holds, as a lookup's `result` names it."""
    if values.dtype == object:
        return "label"
    return "number" if values.dtype == np.float64 else "datetime"


def with_tables(schema: Schema, frame: pd.DataFrame) -> Schema:
    """Return a schema whose lookups that have no table got one, learned from a typed frame.

    Raises:
        SchemaError: the rows contradict a lookup, or what it looks up is an id or a constant.
    """
    return Schema(columns=tuple(_with_table(column, schema, frame) for column in schema))


def _with_table(column: Column, schema: Schema, frame: pd.DataFrame) -> Column:
    formula = column.formula
    if formula is None or formula.operation != "lookup" or formula.table:
        return column
    given = schema[formula.inputs[0]]
    if given.kind in ("id", "constant") or (formula.unit and not given.is_datetime):
        raise SchemaError(
            f"column {column.name!r} shall follow from {'the ' + formula.unit + ' of ' if formula.unit else ''}"
            f"{given.name!r}, which is {given.kind}: name a column of labels, numbers or datetimes."
        )
    table = learn_table(determinant(formula, frame), frame[column.name], column.name, given.name)
    return column.model_copy(update={"formula": formula.model_copy(update={"table": table})})

"""What else moved: the columns that no target names, by themselves and given those that one names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.schema import Schema
from agentsynth.env.cells import PAIR_BINS
from agentsynth.env.margins import CALENDAR_CELLS, Margin, coarsen, numbers_of
from agentsynth.scenarios.conditions import ASPECTS, Subject, is_named, names_of
from agentsynth.scenarios.grammar import Scenario
from agentsynth.scenarios.report import Moved, Spread
from agentsynth.scenarios.targets import split_target

Floats = NDArray[np.float64]
Indices = NDArray[np.int32]
DRAWS = 100
"""Unguided tables whose distance is looked at, for each movement."""
NOISE = 0.95
"""Share of them that stay below what is called noise."""


@dataclass(frozen=True)
class Rows:
    """A table, or a weighted pool that stands for one: a typed frame, and the weights (rows,), which sum to 1."""

    frame: pd.DataFrame
    weights: Floats

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Rows:
        """Return a table's rows, which weigh alike."""
        return cls(frame, np.full(len(frame), 1.0 / len(frame)))


def movements(
    before: Rows,
    after: Rows,
    margins: Sequence[Margin],
    steered: Sequence[Margin],
    rng: np.random.Generator,
    scaled: Rows | None = None,
) -> tuple[list[Moved], list[Moved]]:
    """Return how columns moved that are not steered, by themselves, and given each steered one.

    Args:
        before: what an unguided table is a sample of.
        after: the steered table.
        margins: of all columns.
        steered: those that a target names.
        rng: draws the unguided tables.
        scaled: `before` with its values as the steered table has them, for what is given another column; None: they
            are no others.
    """
    like = scaled or before
    named = {(margin.column, margin.aspect) for margin in steered}
    untouched = [margin for margin in margins if (margin.column, margin.aspect) not in named]
    columns = [_by_itself(before, after, margin, rng) for margin in untouched]
    coarse = {margin: coarsen(margin, like.frame, PAIR_BINS) for margin in {*untouched, *steered}}
    codes = {margin: (margin.codes(like.frame), margin.codes(after.frame)) for margin in set(coarse.values())}
    pairs = [(given, margin) for given in steered for margin in untouched if given.column != margin.column]
    conditionals = [_given(like, after, coarse[margin], coarse[given], codes, rng) for given, margin in pairs]
    return columns, conditionals


def steered_margins(scenario: Scenario, schema: Schema, margins: Sequence[Margin]) -> list[Margin]:
    """Return the margins of what a scenario's targets name, as far as they are columns of the table."""
    found: dict[tuple[str, str], Margin] = {}
    for subject in _subjects(scenario, schema):
        aspect = _aspect(subject)
        fitting = (margin for margin in margins if (margin.column, margin.aspect) == (subject.column.name, aspect))
        # A calendar aspect that no histogram is kept of needs no table to be cut by.
        made = Margin(subject.column.name, aspect) if aspect in CALENDAR_CELLS else None
        margin = next(fitting, made)
        if margin is not None:
            found[margin.column, margin.aspect] = margin
    return list(found.values())


def _subjects(scenario: Scenario, schema: Schema) -> Iterator[Subject]:
    """Yield what a scenario is about, of that which the schema has: targets for the rows of entities are not in it."""
    return (Subject.of(name, schema) for name in _names(scenario, schema) if is_named(name, schema))


def _names(scenario: Scenario, schema: Schema) -> Iterator[str]:
    for text, target in scenario.targets.items():
        name, condition = split_target(text, schema)
        yield name
        conditions = [condition] if condition else []
        conditions += [part for groups in target.ratio for part in groups.split(" / ", 1)]
        yield from (named for part in conditions for named in names_of(part))
        yield from target.correlation
    yield from (name for text in scenario.shares for name in names_of(text))
    yield from (*scenario.fixed, *scenario.scale)


def _aspect(subject: Subject) -> str:
    """Return the aspect of the margin that shows a subject."""
    if subject.aspect in ASPECTS:
        return subject.aspect
    return "label" if subject.is_label else "date" if subject.column.is_datetime else "value"


def _by_itself(before: Rows, after: Rows, margin: Margin, rng: np.random.Generator) -> Moved:
    shares, found = (_shares(margin.codes(rows.frame), rows.weights, margin.size) for rows in (before, after))
    count = len(after.frame)
    chance = _distances(rng.multinomial(count, shares, size=DRAWS) / count - shares, margin.ordered)
    return Moved(
        name=margin.name,
        given="",
        cells=cell_names(margin),
        dated=margin.aspect == "date",
        before=_spread(before, margin, shares),
        after=_spread(after, margin, found),
        distance=float(_distances(found - shares, margin.ordered)),
        noise=float(np.quantile(chance, NOISE)),
    )


def _given(
    before: Rows,
    after: Rows,
    margin: Margin,
    given: Margin,
    codes: dict[Margin, tuple[Indices, Indices]],
    rng: np.random.Generator,
) -> Moved:
    joint, found = (
        _shares(first * margin.size + second, rows.weights, given.size * margin.size).reshape(given.size, margin.size)
        for rows, first, second in zip((before, after), codes[given], codes[margin], strict=True)
    )
    # A cell that an unguided table has no row in has nothing to be compared with.
    both = (joint.sum(axis=1) > 0) & (found.sum(axis=1) > 0)
    sizes = found[both].sum(axis=1)
    expected, there = (shares[both] / shares[both].sum(axis=1, keepdims=True) for shares in (joint, found))
    mix = sizes / sizes.sum()
    counts = np.rint(sizes * len(after.frame)).astype(np.int64)
    chance = rng.multinomial(counts, expected, size=(DRAWS, len(counts))) / counts[:, None] - expected
    ratio = np.zeros(given.size)
    ratio[both] = mix / joint[both].sum(axis=1)
    as_steered = Rows(before.frame, before.weights * ratio[codes[given][0]])
    kept = Rows(after.frame, after.weights * both[codes[given][1]] / sizes.sum())
    return Moved(
        name=margin.name,
        given=given.name,
        cells=cell_names(margin),
        dated=margin.aspect == "date",
        before=_spread(as_steered, margin, mix @ expected),
        after=_spread(kept, margin, mix @ there),
        distance=float(mix @ _distances(there - expected, margin.ordered)),
        noise=float(np.quantile(_distances(chance, margin.ordered) @ mix, NOISE)),
    )


def _shares(codes: Indices, weights: Floats, size: int) -> Floats:
    """Return the share (size,) that rows have in each cell, given their cells and weights (rows,)."""
    counted = np.bincount(codes, weights, minlength=size).astype(np.float64)
    return np.asarray(counted / counted.sum(), dtype=np.float64)


def _distances(gaps: Floats, ordered: bool) -> Floats:
    """Return the distance (...,) that gaps (..., cells) between shares make, as `agentsynth.env.similarity` has it."""
    if ordered:
        found: Floats = np.sqrt(np.mean(np.cumsum(gaps, axis=-1) ** 2, axis=-1))
    else:
        found = 0.5 * np.abs(gaps).sum(axis=-1)
    return found


def _spread(rows: Rows, margin: Margin, shares: Floats) -> Spread:
    """Return shares with, of numbers and datetimes, mean and standard deviation of those that are not missing."""
    plain = tuple(float(share) for share in shares)
    if not margin.ordered:
        return Spread(plain)
    numbers = numbers_of(rows.frame[margin.column], margin.aspect)
    weights = np.where(np.isnan(numbers), 0.0, rows.weights)
    if not weights.sum() > 0:
        return Spread(plain)
    weights, numbers = weights / weights.sum(), np.nan_to_num(numbers)
    mean = float(weights @ numbers)
    return Spread(plain, mean, float(np.sqrt(weights @ (numbers - mean) ** 2)))


def cell_names(margin: Margin) -> tuple[str, ...]:
    """Return what each cell of a margin holds; the last one is for what is missing.

    >>> cell_names(Margin("price", "value", edges=(5.0, 10.0)))
    ('< 5', '5 to < 10', '>= 10', 'missing')
    """
    if margin.aspect == "label":
        return (*margin.labels, "missing")
    if margin.aspect in CALENDAR_CELLS:
        return (*(str(number) for number in CALENDAR_CELLS[margin.aspect]), "missing")
    ends = [_end(edge, margin.aspect) for edge in margin.edges]
    if not ends:
        return ("all", "missing")
    between = (f"{low} to < {high}" for low, high in pairwise(ends))
    return (f"< {ends[0]}", *between, f">= {ends[-1]}", "missing")


def _end(edge: float, aspect: str) -> str:
    """Return an edge as text; a date with its time where it has one."""
    if aspect != "date":
        return f"{edge:.6g}"
    moment = np.datetime64(round(edge * 86_400), "s")
    return str(moment.astype("datetime64[D]") if edge == int(edge) else moment)

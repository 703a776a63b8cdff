"""What a model read from a file must fulfil before it is used: files may be damaged, or made to do harm."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentsynth.base.calendar import DATE_UNITS, MICROSECONDS
from agentsynth.base.forest import Forest
from agentsynth.base.part_model import PartModel
from agentsynth.base.parts import Part
from agentsynth.base.trees import SequentialTrees
from agentsynth.base.trend import LARGEST_RESIDUAL, LARGEST_WEIGHT, Trend, width_of
from agentsynth.data.bounds import bounds_first
from agentsynth.data.schema import Schema
from agentsynth.env.composer import HIGHEST_FACTOR, LOWEST_FACTOR
from agentsynth.env.margins import CALENDAR_CELLS, Margin
from agentsynth.model import Model

STAGE = r"(?:first\.|begun\.|when\.|what\.)?"
FORMS = (
    (
        rf"(?:{STAGE}trees\.\d+|(?:second_)?critic)\.(?:roots|feature|left|right)|{STAGE}trees\.\d+\.(?:start|size|codes)",
        "int32",
        1,
    ),
    (rf"(?:{STAGE}trees\.\d+|(?:second_)?critic)\.threshold", "float32", 1),
    (rf"{STAGE}part\.\d+\.counts|novelty\.bins", "int64", 1),
    (rf"{STAGE}part\.\d+\.values|real|detail\.real|novelty\.edges|policy\.(?:levels|gap_edges)|flow", "float64", 1),
    (rf"{STAGE}trees\.\d+\.trend", "float64", 1),
    (r"novelty\.parts", "bool", 2),
    (r"novelty\.shifts", "int64", 2),
    (r"novelty\.known", "uint8", 2),
    (r"novelty\.whole|manifest\.sha256", "uint8", 1),
    (r"policy\.tables", "float64", 4),
    (r"policy\.visits", "int64", 4),
)
"""Names of arrays, and the dtype and dimensions that these have."""
MOST_ROWS = 2**31
MOST_DECIMALS = 300
ROUNDING = 1e-9


def check_arrays(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Raise ValueError where an array is of another dtype or dimension than those of its name, or not finite."""
    for name, array in arrays.items():
        form = next(((dtype, dims) for names, dtype, dims in FORMS if re.fullmatch(names, name)), None)
        if form is not None and (str(array.dtype), array.ndim) != form:
            raise ValueError(f"array {name} is {array.dtype} of {array.ndim} dimensions, not {form[0]} of {form[1]}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"array {name} holds numbers that are not finite")


def check_model(model: Model) -> None:
    """Check that the parts of a model fit each other.

    Raises:
        ValueError: they do not; some are missing, or of another model.
        SchemaError: columns are above others that they cannot be above.
    """
    bounds_first(model.generator.table.modelled)
    apart = [name for name, fit in _fits(model) if not fit]
    if apart:
        raise ValueError(f"{'; '.join(apart)} do not fit each other")


def _fits(model: Model) -> Iterable[tuple[str, bool]]:
    """Yield what must be true of a model; what comes later takes what came before for granted."""
    generator, policy = model.generator, model.policy
    detail, cells, schema = generator.detail, generator.cells, generator.schema
    parts, novelty = generator.trees.codec.parts, detail.novelty
    yield from _parts_fit(parts, schema)
    for trees in generator.drawing:
        yield from _trees_fit(trees)
    widest = sum(part.width for part in parts)
    critics = [forest for forest in (cells.critic, detail.second_critic) if forest is not None]
    yield "critics and their nodes", all(_is_walkable(forest, widest) for forest in critics)
    margins = [
        *cells.margins,
        *detail.cells.margins,
        *(m for pair in (*cells.pairs, *detail.cells.pairs) for m in pair),
    ]
    yield "cells and schema", all(_is_cut(margin, schema) for margin in margins)
    yield "cells and shares", len(generator.real) == cells.sizes.sum() and _are_shares(generator.real)
    fine = len(detail.real) == detail.sizes.sum() and _are_shares(detail.real)
    yield "fine cells and shares", fine and 0 < detail.rows < MOST_ROWS
    views = len(novelty.bins)
    yield (
        "novelty and parts",
        novelty.parts.shape == novelty.shifts.shape == (views, len(parts)) and len(novelty.known) == views,
    )
    bits = [len(novelty.whole), novelty.known.shape[1]]
    yield "novelty and its bits", all(n > 0 and n & (n - 1) == 0 for n in bits) and _ascends(novelty.edges)
    states = (len(policy.factor_names) + 1, len(policy.gap_edges) + 1, policy.tables.shape[2], len(policy.levels))
    yield "factors and values", policy.tables.shape == policy.visits.shape == states and min(states) > 0
    yield "factors and levels", _are_factors(policy.levels) and _parts_gaps(policy.gap_edges)


def _parts_fit(parts: list[Part], schema: Schema) -> Iterable[tuple[str, bool]]:
    yield "schema and parts", {part.column for part in parts} == {column.name for column in schema.modelled}
    yield "values and counts", all(len(part.values) == len(part.counts) for part in parts)
    yield "parts and their values", all(_is_sound(part, schema) for part in parts)
    yield "dates and times", _dates_stand_before_times(parts)


def _trees_fit(trees: SequentialTrees) -> Iterable[tuple[str, bool]]:
    parts = trees.codec.parts
    yield from _parts_fit(parts, trees.codec.schema)
    drawn = sorted([*trees.order, *trees.known]) == list(range(len(parts)))
    yield "parts and order", drawn and _times_follow(trees.order, parts)
    yield "trees and leaves", all(len(m.forest.feature) == len(m.start) == len(m.size) for m in trees.models)
    widest = sum(part.width for part in parts)
    yield "trees and their nodes", all(_is_walkable(m.forest, widest) for m in trees.models)
    pairs = list(zip(trees.order, trees.models, strict=True))
    yield "parts and trends", _trends_fit(trees)
    yield "leaves and codes", all(_holds_codes(fitted, parts[index]) for index, fitted in pairs)


def _trends_fit(trees: SequentialTrees) -> bool:
    """Whether every trend is that of a number, with a weight for each column of the parts drawn before it."""
    parts, before = trees.codec.parts, [trees.codec.parts[index] for index in trees.known]
    for index, fitted in zip(trees.order, trees.models, strict=True):
        if fitted.trend is not None and not _is_trend(fitted.trend, parts[index], before):
            return False
        before.append(parts[index])
    return True


def _is_trend(trend: Trend, part: Part, before: list[Part]) -> bool:
    weights = trend.weights
    fits = part.role == "number" and len(part.values) > 1 and weights.shape == (1 + width_of(before),)
    return fits and bool((np.abs(weights) < LARGEST_WEIGHT).all())


def _is_sound(part: Part, schema: Schema) -> bool:
    """Whether a part is of a kind that its column has, its values in order, each with training rows."""
    column = schema[part.column]
    roles = ["label"] if column.is_label else ["date", "time"] if column.is_datetime else ["number"]
    role = part.role in roles or (part.role == "number" and part.excess and bool(column.above))
    units = {"date": set(DATE_UNITS), "time": set(MICROSECONDS)}.get(part.role, {""})
    decimals = part.decimals is None or abs(part.decimals) <= MOST_DECIMALS
    ordered = _ascends(part.values) if part.ordered else len(part.values) == len(set(part.values)) > 0
    positive = bool((part.counts > 0).all())
    return role and part.unit in units and decimals and ordered and positive


def _dates_stand_before_times(parts: list[Part]) -> bool:
    before = zip([None, *parts], parts, strict=False)
    return all(
        date is not None and (date.role, date.column) == ("date", part.column)
        for date, part in before
        if part.role == "time"
    )


def _times_follow(order: list[int], parts: list[Part]) -> bool:
    """Whether times of day are drawn after their dates."""
    return all(order.index(index - 1) < order.index(index) for index in order if parts[index].role == "time")


def _is_walkable(forest: Forest, widest: int) -> bool:
    return forest.is_sound and int(forest.feature.max()) < widest


def _holds_codes(fitted: PartModel, part: Part) -> bool:
    """Whether every leaf holds codes of values that the part has."""
    lowest = -1 if part.ordered else 0
    beyond = max(len(part.values), lowest + 1) if fitted.trend is None else LARGEST_RESIDUAL + 1
    return fitted.is_sound and lowest <= int(fitted.codes.min()) and int(fitted.codes.max()) < beyond


def _is_cut(margin: Margin, schema: Schema) -> bool:
    """Whether a margin is of an aspect that its column has, cut at finite numbers in order."""
    column = schema[margin.column]
    aspects = ["label"] if column.is_label else ["date", *CALENDAR_CELLS] if column.is_datetime else ["value"]
    labels = all(isinstance(label, str) for label in margin.labels)
    return (
        labels
        and column in schema.compared
        and margin.aspect in aspects
        and _ascends(np.array(margin.edges, dtype=np.float64))
    )


def _are_factors(levels: NDArray[np.float64]) -> bool:
    """Whether levels are factors that the environment takes, in order."""
    within = levels[0] >= LOWEST_FACTOR - ROUNDING and levels[-1] <= HIGHEST_FACTOR + ROUNDING
    return _ascends(levels) and bool(within)


def _parts_gaps(edges: NDArray[np.float64]) -> bool:
    """Whether edges, in order, part gaps into those below, about and above nothing."""
    return len(edges) > 1 and _ascends(edges) and bool(edges[0] < 0 < edges[-1])


def _are_shares(values: NDArray[np.float64]) -> bool:
    return bool((values >= 0).all() and (values <= 1 + ROUNDING).all())


def _ascends(values: NDArray[Any]) -> bool:
    return bool(np.isfinite(values).all() and (np.diff(values) > 0).all())

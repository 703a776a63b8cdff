"""Goals for any table, as far as its rows can go: what the benchmark of scenarios steers to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq

from agentsynth.data.schema import Schema
from agentsynth.env.weights import fair_size
from agentsynth.scenarios.constraints import Constraint
from agentsynth.scenarios.grammar import Scenario
from agentsynth.scenarios.measured import as_meant
from agentsynth.scenarios.planning import clipped
from agentsynth.scenarios.table import Table
from agentsynth.scenarios.targets import constraints_of

Floats = NDArray[np.float64]
PARTS = (0.2, 0.5, 1.0)
"""How far a goal lies, as a part of what is feasible."""
STRONGEST = 3.0
"""Steepest tilt of the pool, in log-weight for one deviation of a row's influence."""


@dataclass(frozen=True)
class Columns:
    """What goals are stated over: two numbers, and a label with its two most frequent levels."""

    first: str
    second: str
    label: str
    levels: tuple[str, str]

    @classmethod
    def of(cls, frame: pd.DataFrame, schema: Schema) -> Columns:
        """Choose the numbers with most different values, and the first label of 2 to 12 levels."""
        modelled = [column for column in schema.modelled if column.kind == "numeric"]
        numbers = sorted(modelled, key=lambda column: -frame[column.name].nunique())
        positive = [column.name for column in numbers if (frame[column.name].dropna() >= 0).all()]
        labels = [
            column.name for column in schema.modelled if column.is_label and 2 <= frame[column.name].nunique() <= 12
        ]
        levels = frame[labels[0]].value_counts().index[:2]
        return cls(positive[0], next(c.name for c in numbers if c.name != positive[0]), labels[0], tuple(levels))


def kinds(columns: Columns) -> dict[str, dict[str, Any]]:
    """Return the kinds of goals: name -> scenario whose numbers are stated as no change."""
    first, second, label = columns.first, columns.second, columns.label
    one, other = (f"'{label}' = '{level}'" for level in columns.levels)
    share = {label: {"share": {columns.levels[0]: "+0%"}}}
    return {
        "mean": {"targets": {first: {"mean": "+0%"}}},
        "share": {"targets": share},
        "two means, a share": {"targets": {first: {"mean": "+0%"}, second: {"mean": "+0%"}, **share}},
        "median": {"targets": {first: {"median": "+0%"}}},
        "correlation": {"targets": {first: {"correlation": {second: "+0%"}}}},
        "ratio of groups": {"targets": {first: {"ratio": {f"{one} / {other}": "+0%"}}}},
        "mean, correlation": {"targets": {first: {"mean": "+0%", "correlation": {second: "+0%"}}}},
        "gini": {"targets": {first: {"gini": "+0%"}}},
        "top tenth": {"targets": {first: {"top_share": {0.1: "+0%"}}}},
        "user's function": {"functions": {"concentration": "+0%"}},
        "detection score": {"functions": {"detection": "+0%"}},
    }


LINEAR = ("mean", "share", "two means, a share", "median")
BLACK_BOX = ("gini", "top tenth", "user's function", "detection score")


def functions(columns: Columns, real: pd.DataFrame) -> dict[str, Callable[[pd.DataFrame], float]]:
    """Return the black boxes: how a number is concentrated on the groups of a label, and a detection score."""

    def concentration(table: pd.DataFrame) -> float:
        totals = table.groupby(columns.label, observed=True)[columns.first].sum().to_numpy()
        shares = totals / totals.sum()
        return float(np.square(shares).sum())

    return {"concentration": concentration, "detection": detector(columns, real)}


def detector(columns: Columns, real: pd.DataFrame) -> Callable[[pd.DataFrame], float]:
    """Return what tells how well a table is told from real rows: the AUC of a quadratic discriminant of two numbers."""
    names = [columns.first, columns.second]
    known = real[names].dropna().to_numpy()
    middle, spread = known.mean(axis=0), known.std(axis=0)

    def detection(table: pd.DataFrame) -> float:
        rows = (table[names].dropna().to_numpy() - middle) / spread
        both = np.vstack([rows, (known - middle) / spread])
        is_made = np.arange(len(both)) < len(rows)
        features = np.column_stack([both, both**2, both[:, 0] * both[:, 1], np.ones(len(both))])
        target = np.where(is_made, 1 / len(rows), -1 / len(known))
        scores = features @ np.linalg.lstsq(features, target, rcond=None)[0]
        ranks = scores.argsort().argsort() + 1.0
        return float((ranks[is_made].mean() - (len(rows) + 1) / 2) / len(known))

    return detection


def stated(kind: dict[str, Any], table: Table, fewest: int, sign: int) -> dict[float, dict[str, Any]]:
    """Return a kind of goal with numbers: part of what is feasible -> scenario, from what the table's rows have.

    Feasible is how far rows can be tilted towards the goal so that `fewest` of them can still be kept.
    """
    constraints = constraints_of(Scenario.of(kind), table)
    directions = [_standard(constraint, table.weights) * sign**place for place, constraint in enumerate(constraints)]
    weights = _tilted(np.sum(directions, axis=0), sign, table.weights, fewest)
    ends = [
        (as_meant(constraint, table.frame, table.weights), as_meant(constraint, table.frame, weights))
        for constraint in constraints
    ]
    return {part: _filled(kind, iter([now + part * (far - now) for now, far in ends])) for part in PARTS}


def _standard(constraint: Constraint, weights: Floats) -> Floats:
    influence = clipped(constraint.influence(weights))
    standard: Floats = influence / (influence.std() or 1.0)
    return standard


def _tilted(direction: Floats, sign: int, base: Floats, fewest: int) -> Floats:
    def tilt(strength: float) -> Floats:
        weights: Floats = base * np.exp(sign * strength * (direction - direction.mean()))
        weights /= weights.sum()
        return weights

    def spare(strength: float) -> float:
        return fair_size(tilt(strength)) - fewest

    return tilt(STRONGEST if spare(STRONGEST) > 0 else brentq(spare, 0.0, STRONGEST, xtol=1e-3))


def _filled(value: dict[str, Any], numbers: Iterator[float]) -> dict[str, Any]:
    """Return plain values with the numbers in place of every `+0%`, in order."""
    return {
        key: _filled(inner, numbers) if isinstance(inner, dict) else next(numbers) if inner == "+0%" else inner
        for key, inner in value.items()
    }

"""Why a goal fell short: found by looking at the rows that were drawn, and by planning goals alone and in pairs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from agentsynth.scenarios.constraints import Constraint, Floats, Moments, ratio
from agentsynth.scenarios.planning import misses, plan
from agentsynth.scenarios.report import Reached

LOOKED = 20_000
"""Most rows that goals are planned over in search of a reason."""
PLANS, MEASURED_PLANS = 16, 6
"""Most plans that are made in search of reasons; the second where a number is measured by a function."""
_QUANTILE = re.compile(r" quantile [\d.]+$")


@dataclass
class Reasons:
    """Tells why goals fell short; what it says was found by checking, in bounded time.

    Args:
        constraints: over all rows that were drawn and meet the scenario's `where`.
        base: (rows,) weights that plans start from.
        weights: (rows,) as all goals together were planned.
        rows: of the table composed.
        drawn: rows that were drawn in all.
        kept: rows that can be taken in the proportions of the plan.
    """

    constraints: Sequence[Constraint]
    base: Floats
    weights: Floats
    rows: int
    drawn: int
    kept: int
    _plans: dict[tuple[int, ...], Floats] = field(default_factory=dict)
    _given_up: bool = False

    def of(self, targets: Sequence[Reached]) -> tuple[Reached, ...]:
        """Return the targets, those that fell short with the reason; they stand in the order of the constraints."""
        return tuple(
            target if target.met else replace(target, reason=self._why(place)) for place, target in enumerate(targets)
        )

    def _why(self, place: int) -> str:
        constraint = self.constraints[place]
        return (
            nobody(constraint, self.drawn)
            or too_coarse(constraint, self.rows)
            or self._in_composing(constraint)
            or self._alone(place)
            or self._together(place)
        )

    def _in_composing(self, constraint: Constraint) -> str:
        """Return what kept the table from a goal that its plan reaches; empty: the plan does not reach it."""
        if not _holds(constraint, self.weights):
            return ""
        if self.kept < self.rows:
            return (
                f"too few rows fit: of the {self.drawn:,} drawn about {self.kept:,} can be taken in the proportions "
                f"that the goals need, and {self.rows:,} are wanted"
            )
        return (
            f"the rows drawn allow it (weighted, they come to {_number(constraint, self.weights)}), but the table "
            f"composed of {self.rows:,} of them did not get there"
        )

    def _alone(self, place: int) -> str:
        """Return how near a goal comes without the others; empty: it is reached, or was not looked at any more."""
        constraint, found = self._some[place], self._plan(place)
        if found is None or _holds(constraint, found):
            return ""
        return (
            f"no weights of {self._rows} were found that reach it, other goals or not: towards it alone they come to "
            f"{_number(constraint, found)}"
        )

    def _together(self, place: int) -> str:
        """Return which other goals keep a goal from being reached that can be."""
        others = [other for other in range(len(self.constraints)) if other != place]
        possible = [other for other in others if self._possible(other)]
        against = [text for text in (self._against(place, other) for other in possible) if text]
        if against:
            return "it can be reached alone, but not together with " + ", nor with ".join(against)
        if self._given_up:
            return "it is at odds with other goals; with which ones was not found, as there are too many to try"
        if len(possible) < len(others):
            names = ", ".join(self.constraints[other].name for other in others if other not in possible)
            return f"it can be reached alone, but was planned together with what is itself out of reach: {names}"
        return (
            "it can be reached alone and with each other goal, but not with all of them at once: weighting the rows "
            f"drawn towards all came to {_number(self.constraints[place], self.weights)}"
        )

    def _possible(self, place: int) -> bool:
        """Whether a goal is reached where the others do not matter, or was not looked at any more."""
        if nobody(self.constraints[place], self.drawn):
            return False
        found = self._plan(place)
        return found is None or _holds(self._some[place], found)

    def _against(self, place: int, other: int) -> str:
        """Return another goal with which a goal cannot be reached, and how near they come; empty: it can."""
        found = self._plan(place, other)
        if found is None:
            return ""
        theirs = self._some[other]
        goal = f"{theirs.name} {theirs.wanted:.4g} (weighted towards both, {self._rows} came to"
        for constraint, where in ((self._some[place], ""), (theirs, " there")):
            if not _holds(constraint, found):
                return f"{goal} {_number(constraint, found)}{where})"
        return ""

    @property
    def _rows(self) -> str:
        """What plans are made over, in words."""
        return "the rows drawn" if len(self.base) <= LOOKED else f"{LOOKED:,} of the rows drawn"

    @cached_property
    def _some(self) -> Sequence[Constraint]:
        """The constraints over as many rows as plans are made over; rows come in random order."""
        if len(self.base) <= LOOKED:
            return self.constraints
        return [constraint.take(np.arange(LOOKED)) for constraint in self.constraints]

    def _plan(self, *places: int) -> Floats | None:
        """Return the weights (rows,) that some goals alone are planned to; None: too many were planned."""
        key = tuple(sorted(places))
        if key not in self._plans:
            most = MEASURED_PLANS if any(goal.probed for goal in self.constraints) else PLANS
            if len(self._plans) >= most:
                self._given_up = True
                return None
            base = self.base[:LOOKED] / self.base[:LOOKED].sum()
            self._plans[key] = plan([self._some[place] for place in key], base).weights
        return self._plans[key]


def nobody(constraint: Constraint, drawn: int) -> str:
    """Return that a goal lies beyond all rows that it is stated over; empty: it does not, or that cannot be told."""
    ends = _ends(constraint)
    if ends is None or ends[0] - constraint.unit <= constraint.aim <= ends[1] + constraint.unit:
        return ""
    assert isinstance(constraint, Moments)  # noqa: S101  # for the type checker
    count, above = len(constraint.features), constraint.aim > ends[1]
    rows = f"the {count:,} rows drawn" + (" that meet `where`" if count < drawn else "")
    if np.isnan(ends[0]):
        return f"none of {rows} meets its condition"
    if _QUANTILE.search(constraint.name):
        return f"none of {rows} lies {'below' if above else 'above'} {constraint.wanted:.4g}"
    if _is_share(constraint):
        return f"none of {rows} is of that kind" if above else f"all of {rows} that it looks at are of that kind"
    end = f"{'largest' if above else 'smallest'} value of {rows}"
    if constraint.combine is ratio:
        return f"the {end} is {ends[above]:.4g}, and a mean of {constraint.wanted:.4g} lies beyond it"
    return f"with the {end} in every row it would come to {ends[above]:.4g}"


def too_coarse(constraint: Constraint, rows: int) -> str:
    """Return that so few rows cannot have a share; empty: they can, or that cannot be told."""
    if not isinstance(constraint, Moments) or not _is_share(constraint) or not (constraint.features[:, 1] == 1).all():
        return ""
    nearest = round(constraint.wanted * rows) / rows
    if abs(nearest - constraint.wanted) <= constraint.tolerance:
        return ""
    return f"shares of {rows} rows are multiples of 1/{rows}: the nearest to {constraint.wanted:.4g} is {nearest:.4g}"


def _ends(constraint: Constraint) -> tuple[float, float] | None:
    """Return the least and the largest number that any mix of the rows has; NaN: none has one; None: unknown.

    A ratio of means lies between the ratios of single rows.
    """
    if not isinstance(constraint, Moments):
        return None
    features = constraint.features
    if constraint.combine is ratio:
        counting = features[features[:, 1] > 0]
        if not len(counting):
            return float("nan"), float("nan")
        values = counting[:, 0] / counting[:, 1]
        return float(values.min()), float(values.max())
    if features.shape[1] == 1:
        low, high = sorted(float(constraint.combine(end(axis=0))) for end in (features.min, features.max))
        return low, high
    return None


def _is_share(constraint: Moments) -> bool:
    """Whether the number is the share of rows of some kind among those that it looks at."""
    marks = np.unique(constraint.features)
    return constraint.combine is ratio and not _QUANTILE.search(constraint.name) and bool(np.isin(marks, (0, 1)).all())


def _holds(constraint: Constraint, weights: Floats) -> bool:
    return bool(abs(misses([constraint], weights)[0]) <= 1.0)


def _number(constraint: Constraint, weights: Floats) -> str:
    """Return in words what the rows have under `weights`."""
    value = constraint.value(weights)
    if _QUANTILE.search(constraint.name):
        return f"{value:.4g} of the rows below {constraint.wanted:.4g}, where {constraint.aim:.4g} are needed"
    return "none" if np.isnan(value) else f"{value:.4g}"

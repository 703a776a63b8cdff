"""Planning: the weights of a pool's rows under which its constraints hold, as far as they can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agentsynth.env.aims import FURTHEST
from agentsynth.env.weights import effective_size
from agentsynth.scenarios.balancing import balance
from agentsynth.scenarios.constraints import Constraint, Floats

ROUNDS = 8
"""Most times that the constraints are taken for linear ones, each time around the weights found before."""
PROBINGS = 2
"""Rounds in which measured constraints are probed, which takes hundreds of measurements."""
STEPS = (1.0, 0.5, 0.25, 0.1)
"""Parts of a step that are tried."""
FEWEST = 0.02
"""Share of the rows that the weights are worth at least."""
LEFT, OUT = 3, 3.0
"""Last rounds in which what is out of reach is left: so many times further off than the nearest constraint."""
CLOSE = 0.05
"""Share of its tolerance within which a constraint holds in the plan."""


@dataclass(frozen=True)
class Plan:
    """Weights of a pool's rows.

    Attributes:
        weights: (rows,) they sum to 1.
        influences: (rows, constraints) how much each row moves each constraint, under about these weights.
    """

    weights: Floats
    influences: Floats

    def aims(self, constraints: Sequence[Constraint]) -> list[float]:
        """Return what to aim at (constraints,): what is wanted, or where that is out of reach what the weights have.

        A goal alone is aimed at however far it is; beside others it would draw the table away from them.
        """
        wanted = [constraint.aim for constraint in constraints]
        if len(wanted) < 2:
            return wanted
        short = np.abs(misses(constraints, self.weights)) > 1
        return [c.value(self.weights) if far else aim for c, far, aim in zip(constraints, short, wanted, strict=True)]


def plan(constraints: Sequence[Constraint], base: Floats) -> Plan:
    """Return the weights nearest to `base` that meet the constraints as well as they can be met.

    Each round replaces the constraints by their linear approximation at the weights found so far (their influence
    functions) and solves that by entropy balancing (Gauss-Newton); one round does where all are linear. A step that
    would leave the weight to a handful of rows is shortened; the best weights seen are returned. So a goal that cannot
    be reached is approached, and keeps no other from being reached.

    Args:
        constraints: over the same pool.
        base: (rows,) weights to stay near to; they sum to 1.
    """
    influences = np.zeros((len(base), len(constraints)))
    weights = best = base
    least = np.inf
    for number in range(ROUNDS + 1):
        missing = misses(constraints, weights)
        # Of numbers far off, some more or less does not matter: they must not outvote those that can be reached.
        total = float(np.log1p(np.abs(missing)).sum())
        if total < least:
            best, least = weights, total
        near = np.abs(missing).max(initial=0.0) <= CLOSE
        if (near and number) or number == ROUNDS:
            break
        for place, constraint in enumerate(constraints):
            if number < PROBINGS or not constraint.probed:
                influences[:, place] = clipped(constraint.influence(weights))
        gaps = missing * [constraint.unit for constraint in constraints]
        out = np.abs(missing) > max(1.0, OUT * np.abs(missing).min(initial=np.inf))
        if number >= ROUNDS - LEFT and out.any():
            # What is out of reach is left about where it is, and the others close what they can from there.
            weights = _stepped(influences[:, ~out], gaps[~out], weights, weights)
        else:
            weights = _stepped(influences, gaps, weights, base)
    return Plan(best, influences)


def _stepped(influences: Floats, gaps: Floats, weights: Floats, base: Floats) -> Floats:
    """Return weights under which the linear numbers are nearer by `gaps`, or by what leaves enough rows."""
    reach = FURTHEST * influences.std(axis=0)
    now, gaps = weights @ influences, np.clip(gaps, -reach, reach)
    fewest = min(FEWEST * len(base), effective_size(base) / 2)
    for part in STEPS:
        found = balance(influences, now + part * gaps, base)
        if effective_size(found) >= fewest:
            return found
    return weights


def clipped(influence: Floats) -> Floats:
    """Return the influence (rows,) of rows, none further than `FURTHEST` deviations: none outweighs the others.

    Rounds make up for what a clipped direction does not say.
    """
    middle, furthest = influence.mean(), FURTHEST * influence.std()
    return np.clip(influence, middle - furthest, middle + furthest)


def misses(constraints: Sequence[Constraint], weights: Floats) -> Floats:
    """Return by how many tolerances (constraints,) the pool under `weights` falls short of each constraint.

    A number that the pool does not have at all is as far off as it is wanted.
    """
    values = np.array([constraint.value(weights) for constraint in constraints])
    aims = np.array([constraint.aim for constraint in constraints])
    units = np.array([constraint.unit for constraint in constraints])
    found: Floats = np.where(np.isnan(values), aims, aims - values) / units
    return found

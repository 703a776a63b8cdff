"""Wasserstein distance: how far must synthetic rows be moved to become unseen real ones?

Name: wasserstein. Goal: low. Range: 0 upwards; the number of columns, where every value is a whole range off. 0 = the
same rows in the same shares; the ceiling is the figure of another real sample, which is far from 0 on a small or wide
table: rows are few, and far from each other. The exact Wasserstein-1 distance of whole rows, relations and all: the
mean distance over the best pairing of the rows (`minmax` says which distance), found by linear assignment or a linear
program, not approximated.
Source: Villani, "Optimal Transport" (2009), p. 93; on scaled rows as in the evaluation of Jolicoeur-Martineau, Fatras
& Kachman, "Generating and imputing tabular data via diffusion and flow-based gradient-boosted trees", AISTATS 2024.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment, linprog
from scipy.sparse import coo_array, vstack

from agentsynth.metrics.baselines import sample
from agentsynth.metrics.minmax import distances
from agentsynth.metrics.score import CannotScoreError, Definition
from agentsynth.metrics.values import Floats

DEFINITION = Definition("wasserstein", "lower", "mean way from their rows to unseen real rows, best paired; 0 = none")

_LARGEST_ASSIGNMENT = 4000
"""Rows of a pairing that takes seconds; it grows with their cube."""


def wasserstein(
    real: pd.DataFrame, synthetic: pd.DataFrame, reference: pd.DataFrame, seed: int = 0, max_rows: int = 2000
) -> float:
    """Return the Wasserstein-1 distance of two typed frames, at most `max_rows` rows of each.

    Seconds at 2,000 rows each: too slow for a report that is asked for often.

    Args:
        real: Unseen real rows.
        synthetic: Rows to judge.
        reference: The rows that say how wide each column is: the training rows.
        seed: Seed of the samples.
        max_rows: Rows taken of a longer frame.

    Raises:
        CannotScoreError: there is no column, or a frame has no row.
    """
    drawn = (sample(real, max_rows, seed, "wasserstein real"), sample(synthetic, max_rows, seed, "wasserstein rows"))
    return transport_cost(distances(reference, *drawn))


def transport_cost(cost: Floats) -> float:
    """Return the least mean cost of moving n equal masses to m equal masses, shape of `cost` (n, m).

    >>> transport_cost(np.array([[0.0, 3.0], [1.0, 0.0]]))
    0.0
    >>> transport_cost(np.array([[0.0, 1.0]]))
    0.5

    Raises:
        CannotScoreError: the matrix is empty.
    """
    if cost.size == 0:
        raise CannotScoreError("nothing to move")
    rows, columns = cost.shape
    # With both sides cut into equally small masses, a best plan moves each as a whole (Birkhoff): it is a pairing.
    masses = math.lcm(rows, columns)
    if masses > _LARGEST_ASSIGNMENT:
        return _linear_program(cost)
    pieces = cost.repeat(masses // rows, axis=0).repeat(masses // columns, axis=1)
    return float(pieces[linear_sum_assignment(pieces)].mean())


def _linear_program(cost: Floats) -> float:
    """Return the same for sizes with no small common multiple."""
    rows, columns = cost.shape
    plan = np.arange(cost.size)
    leaves = coo_array((np.ones(cost.size), (plan // columns, plan)), shape=(rows, cost.size))
    arrives = coo_array((np.ones(cost.size), (plan % columns, plan)), shape=(columns, cost.size))
    # The last equation follows from the others; left out, so that rounding cannot contradict it.
    needed = np.concatenate([np.full(rows, 1 / rows), np.full(columns - 1, 1 / columns)])
    equations = vstack([leaves, arrives.tocsr()[:-1]])
    solved = linprog(  # type: ignore[call-overload]  # its stubs know no sparse matrices
        cost.ravel(), A_eq=equations, b_eq=needed, bounds=(0, None), method="highs"
    )
    if not solved.success:
        raise CannotScoreError(f"the transport problem of {rows} x {columns} rows was not solved: {solved.message}")
    return float(solved.fun)

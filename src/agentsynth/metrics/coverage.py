"""Coverage: does every kind of unseen real row have a synthetic row near it?

Name: coverage. Goal: high. Range: 0 to 1. The share of unseen real rows that have a synthetic row no farther away than
their own k-th nearest real neighbour. 1 = every region where real rows lie has synthetic ones; 0 = none has. The
ceiling is the figure of another real sample, which is below 1; with as many rows on both sides it is expected at about
1 - 1 / 2^k (for k = 2: 0.75), and higher with more synthetic rows. Distances as in `minmax`.
Source: Naeem, Oh, Uh, Choi & Yoo, "Reliable fidelity and diversity metrics for generative models", ICML 2020,
section 3 (there with k = 5); here the ball holds its surface, too, so that rows which repeat are covered by their
equals.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from agentsynth.metrics.baselines import sample
from agentsynth.metrics.minmax import distances
from agentsynth.metrics.score import CannotScoreError, Definition
from agentsynth.metrics.values import Floats

DEFINITION = Definition("coverage", "higher", "share of unseen real rows with a synthetic row near them; 1 = all")

NEIGHBOUR = 5


def coverage(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    reference: pd.DataFrame,
    k: int = NEIGHBOUR,
    seed: int = 0,
    max_rows: int = 2000,
) -> float:
    """Return the coverage of two typed frames, at most `max_rows` rows of each.

    Args:
        real: Unseen real rows.
        synthetic: Rows to judge.
        reference: The rows that say how wide each column is: the training rows.
        k: Which neighbour is the limit, from 1 on.
        seed: Seed of the samples.
        max_rows: Rows taken of a longer frame.

    Raises:
        CannotScoreError: there is no column, a frame has no row, or `real` has not more than k rows.
    """
    real = sample(real, max_rows, seed, "coverage real")
    synthetic = sample(synthetic, max_rows, seed, "coverage rows")
    radii = neighbour_distances(distances(reference, real, real), k)
    return float((distances(reference, real, synthetic).min(axis=1) <= radii).mean())


def neighbour_distances(among: Floats, k: int) -> Floats:
    """Return each row's distance to its k-th nearest other row, shape (n,), from all distances, shape (n, n).

    Raises:
        CannotScoreError: there are not more than k rows.
    """
    if not 1 <= k < len(among):
        raise CannotScoreError(f"a {k}-th neighbour needs more than {k} unseen real rows, found {len(among)}")
    # Without the row itself, which may not be the first of its equals.
    others = among.copy()
    np.fill_diagonal(others, np.inf)
    return np.partition(others, k - 1, axis=1)[:, k - 1]

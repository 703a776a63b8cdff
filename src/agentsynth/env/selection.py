"""Selection: which of the candidates go into the table, by a weighted draw without replacement."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STRONGEST = 2.0
"""A cell moves the log-weight of its rows by at most so much."""


def top(scores: Floats, count: int) -> NDArray[np.intp]:
    """Return the indices (..., count) of the `count` largest of scores (..., scores), in no order.

    With Gumbel noise added to log-weights this is a draw without replacement by weight (Gumbel-top-k; Kool, van Hoof
    and Welling 2019, ICML, p. 2).
    """
    others = scores.shape[-1] - count
    if others <= 0:
        return np.broadcast_to(np.arange(scores.shape[-1]), scores.shape)
    return np.argpartition(scores, others)[..., others:]


def cell_scores(wanted: Floats, expected: Floats, importance: Floats) -> Floats:
    """Return the log-weight (..., cells) that a row gets from each of its cells.

    Args:
        wanted: (..., cells) rows still lacking in each cell after this batch; negative: too many already.
        expected: (..., cells) rows a random batch of the candidates would bring.
        importance: (cells,) weight of the cell's group.
    """
    # In place, and clipped before the logarithm: this runs over all cells in every step.
    scores = wanted + 0.5
    scores /= expected + 0.5
    np.maximum(scores, np.exp(-STRONGEST), out=scores)
    np.minimum(scores, np.exp(STRONGEST), out=scores)
    np.log(scores, out=scores)
    scores *= importance
    return scores

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agentsynth.env.margins import Margin
from agentsynth.scenarios.starting import FURTHEST, Start

MARGINS = [Margin("a", "label", labels=("x", "y")), Margin("b", "label", labels=("u", "v"))]
POOL = pd.DataFrame({"a": list("xxxy"), "b": list("uuvv")}, dtype=object)


def test_a_pool_is_weighted_to_have_the_wanted_shares_in_every_margin() -> None:
    # x 0.6, y 0.4; u 0.5, v 0.5. Only x has u, so x, v weighs 0.1; last of each margin: missing.
    start = Start.of(POOL, MARGINS, np.array([0.6, 0.4, 0.0, 0.5, 0.5, 0.0]))
    weights = np.exp(start.weights(POOL))
    np.testing.assert_allclose(weights / weights.sum(), [0.25, 0.25, 0.1, 0.4], rtol=0.02)


def test_shares_that_hold_already_change_nothing() -> None:
    start = Start.of(POOL, MARGINS, np.array([0.75, 0.25, 0.0, 0.5, 0.5, 0.0]))
    np.testing.assert_allclose(start.weights(POOL), 0.0, atol=1e-12)


def test_cells_that_one_side_lacks_are_passed_over_and_no_row_counts_for_many() -> None:
    start = Start.of(POOL, MARGINS, np.array([0.01, 0.79, 0.2, 1.0, 0.0, 0.0]))
    weights = np.exp(start.weights(POOL))
    assert weights.min() >= 1 / FURTHEST - 1e-9
    assert weights.max() <= FURTHEST + 1e-9
    assert weights[3] > weights[2]


def test_other_rows_of_the_same_generator_are_weighed_by_the_same_cells() -> None:
    start = Start.of(POOL, MARGINS, np.array([0.6, 0.4, 0.0, 0.5, 0.5, 0.0]))
    assert start.weights(POOL.iloc[[3]])[0] == pytest.approx(start.weights(POOL)[3])

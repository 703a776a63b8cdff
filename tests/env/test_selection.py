from __future__ import annotations

import numpy as np
import pytest

from agentsynth.env.selection import STRONGEST, cell_scores, top


def test_top_gives_the_places_of_the_largest() -> None:
    scores = np.array([0.3, 9.0, -1.0, 4.0])
    assert sorted(top(scores, 2)) == [1, 3]
    assert sorted(top(scores, 4)) == [0, 1, 2, 3]
    assert sorted(top(scores, 7)) == [0, 1, 2, 3]


@pytest.mark.parametrize("count", [1, 2])
def test_with_gumbel_noise_rows_are_drawn_by_weight_without_replacement(count: int) -> None:
    share = np.array([0.5, 0.3, 0.2])
    rng = np.random.default_rng(0)
    draws = 20_000
    hits = np.zeros(3)
    for noise in rng.gumbel(size=(draws, 3)):
        hits[top(np.log(share) + noise, count)] += 1
    expected = share
    if count == 2:
        # First i, or first another j and then i among those left.
        expected = np.array([p + sum(q * p / (1 - q) for q in np.delete(share, i)) for i, p in enumerate(share)])
    # Five standard errors.
    np.testing.assert_allclose(hits / draws, expected, atol=5 * np.sqrt(0.25 / draws))


def test_scores_by_hand() -> None:
    wanted = np.array([3.0, 1.0, 0.0, -4.0])
    expected = np.array([1.0, 1.0, 0.5, 1.0])
    importance = np.array([1.0, 1.0, 0.5, 1.0])
    scores = cell_scores(wanted, expected, importance)
    # Three wanted and one at hand: log(3.5 / 1.5); as many as there are: 0; none wanted: log(0.5 / 1) by half;
    # too many in the table already: as little as can be.
    np.testing.assert_allclose(scores, [np.log(7 / 3), 0.0, -np.log(2) / 2, -STRONGEST])


def test_no_cell_pulls_stronger_than_the_strongest() -> None:
    scores = cell_scores(np.array([1e6, -1e6]), np.array([0.0, 1e6]), np.ones(2))
    assert scores.tolist() == [STRONGEST, -STRONGEST]

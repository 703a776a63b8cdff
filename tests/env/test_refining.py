from __future__ import annotations

import numpy as np
import pytest

from agentsynth.env.aims import Aim
from agentsynth.env.refining import MOST_EFFECT, Effects, Refinement


def test_effects_begin_with_one_and_learn_from_steps() -> None:
    effects = Effects.unknown(aims=2, rows=100)
    assert effects.found.tolist() == [1.0, 1.0]
    # A step of .1, the noise of a mean of 100 rows, weighs as much as what was expected: (.01 + .1 * .3) / (.01 + .01).
    effects = effects.seen(np.array([0.1, 0.0]), np.array([0.3, 0.5]))
    assert effects.found == pytest.approx([2.0, 1.0])
    effects = effects.seen(np.array([10.0, 10.0]), np.array([30.0, -30.0]))
    assert effects.found == pytest.approx([3.0, 1 / MOST_EFFECT], abs=0.01)


@pytest.mark.parametrize("times", [0.4, 1.0, 3.0])
def test_a_number_that_rows_move_further_than_told_is_reached(times: float) -> None:
    """By the guess itself, a table would swing further off from round to round where rows move it thrice as far."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=20_000)
    cells = rng.integers(5, size=(20_000, 1)).astype(np.int32)
    aim = Aim.of("x", 0.2, values, lambda rows: times * float(values[rows].mean()))
    refinement = Refinement(cells, np.full(5, 0.2), np.full(5, 100.0), [aim], tries=8.0)
    chosen = np.arange(1000)
    found = refinement.of(chosen, np.random.default_rng(1))
    assert aim.reading(found) == pytest.approx(0.2, abs=0.01)
    assert np.bincount(cells[found, 0]).tolist() == pytest.approx([200] * 5, abs=2)
    assert len(np.unique(found)) == 1000


def test_without_aims_a_table_is_refined_by_its_cells_at_once() -> None:
    cells = np.array([[0], [0], [0], [1]], dtype=np.int32)
    refinement = Refinement(cells, np.array([0.5, 0.5]), np.ones(2), [], tries=100.0)
    assert sorted(cells[refinement.of(np.array([0, 1]), np.random.default_rng(0)), 0]) == [0, 1]

from __future__ import annotations

import numpy as np
import pytest

from agentsynth.base.parts import EVIDENCE, FREQUENT, Part


def part(*counts: int) -> Part:
    return Part("x", "number", np.arange(float(len(counts))), np.array(counts))


def test_values_are_kept_as_often_as_unseen_rows_have_them() -> None:
    # 10 values of one row, 6 of two, 5 of three, none of four. Seen once, they come back to 2 * 6 / 10, at most always;
    # seen twice, to 3 * 5 / (2 * 6), so always; seen three times, never.
    kept = part(*[1] * 10, *[2] * 6, *[3] * 5, 9).kept
    np.testing.assert_array_equal(kept, [*[1.0] * 16, *[0.0] * 5, 1.0])
    # 20 of one row, 5 of two: half of them; nothing else is told.
    np.testing.assert_array_equal(part(*[1] * 20, *[2] * 5).kept, [*[0.5] * 20, *[0.0] * 5])


def test_too_few_values_tell_nothing() -> None:
    assert (part(*[1] * (EVIDENCE - 1), 2, FREQUENT, 100).kept == 1).all()
    assert (part(*[1] * EVIDENCE).kept == 0).all()


@pytest.mark.parametrize("law", ["heaps", "continuous"])
def test_generated_rows_hit_training_values_as_often_as_unseen_ones(law: str) -> None:
    rng = np.random.default_rng(0)
    points = rng.lognormal(sigma=2, size=400)
    both = rng.choice(points, size=2000, p=points / points.sum()) if law == "heaps" else rng.normal(size=2000)
    train, unseen = both[:1000], both[1000:]
    values, counts = np.unique(train, return_counts=True)
    kept = Part("x", "number", values, counts).kept
    assert (kept * counts).sum() / 1000 == pytest.approx(np.isin(unseen, values).mean(), abs=0.03)

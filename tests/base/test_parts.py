from __future__ import annotations

import numpy as np

from agentsynth.base.parts import FREQUENT, Part


def test_only_what_five_rows_share_is_kept() -> None:
    part = Part("x", "number", np.arange(4.0), np.array([1, FREQUENT - 1, FREQUENT, 100]))
    assert part.kept.tolist() == [False, False, True, True]


def test_a_moved_number_ends_as_it_did_before() -> None:
    values, counts = np.array([1000.0, 3000.0, 7000.0, 8123.0]), np.array([9, 9, 9, 1])
    part = Part("x", "number", values, counts, decimals=0)
    assert part.steps.tolist() == [1000, 1000, 1000, 1]
    # Code 1.4 is 4,600: of what became of 3,000 that makes 5,000, which no training row has; of 8,123 it stays 4,600.
    found = part.landed(np.array([1.4, 1.4]), np.array([1.0, 3.0]))
    np.testing.assert_allclose(part.numbers(found), [5000, 4600])
    # A training number gets its own code, exactly.
    assert part.landed(np.array([1.9]), np.array([1.0])).tolist() == [2.0]


def test_what_moves_stays_between_the_ends() -> None:
    part = Part("x", "number", np.array([960.0, 1960.0, 2960.0]), np.array([9, 9, 9]), decimals=0)
    assert part.landed(np.array([0.0, 2.0]), np.array([1.0, 1.0])).tolist() == [0.0, 2.0]


def test_dates_and_labels_have_no_endings() -> None:
    assert Part("x", "date", np.arange(0.0, 100.0, 10.0), np.full(10, 9), "day").steps.tolist() == [0.0] * 10

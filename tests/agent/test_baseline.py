from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.agent.baseline import FEWEST, StepBaseline


def test_rewards_are_standardised_by_what_the_step_brought_so_far() -> None:
    baseline = StepBaseline(steps=2, rewards=2)
    assert baseline.standardised(0, np.array([[1.0, 5.0]])) is None
    assert baseline.standardised(0, np.array([[2.0, 5.0]])) is None
    third = baseline.standardised(0, np.array([[6.0, 5.0]]))
    # 1, 2, 6: mean 3, deviation sqrt(14 / 3); a reward that never varies tells nothing.
    assert third is not None
    np.testing.assert_allclose(third[0], [3 / np.sqrt(14 / 3), 0.0])


def test_each_step_has_a_baseline_of_its_own() -> None:
    baseline = StepBaseline(steps=2, rewards=1)
    for _ in range(FEWEST):
        baseline.standardised(0, np.array([[1.0]]))
    assert baseline.standardised(1, np.array([[1.0]])) is None


@given(st.lists(st.floats(-1e3, 1e3), min_size=FEWEST, max_size=30))
def test_running_sums_give_mean_and_deviation(rewards: list[float]) -> None:
    baseline = StepBaseline(steps=1, rewards=1)
    for reward in rewards:
        last = baseline.standardised(0, np.array([[reward]]))
    assert last is not None
    deviation = np.std(rewards)
    if deviation > 1e-6:
        np.testing.assert_allclose(last[0], (rewards[-1] - np.mean(rewards)) / deviation, rtol=1e-6, atol=1e-6)
    assert np.isfinite(last).all()


@given(st.lists(st.floats(-1e3, 1e3), min_size=FEWEST, max_size=30), st.integers(1, 9))
def test_episodes_side_by_side_are_taken_in_together(rewards: list[float], together: int) -> None:
    baseline = StepBaseline(steps=1, rewards=1)
    for first in range(0, len(rewards), together):
        block = np.array(rewards[first : first + together])
        last = baseline.standardised(0, block[:, None])
    assert last is not None
    deviation = np.std(rewards)
    if deviation > 1e-6:
        np.testing.assert_allclose(last[:, 0], (block - np.mean(rewards)) / deviation, rtol=1e-6, atol=1e-6)

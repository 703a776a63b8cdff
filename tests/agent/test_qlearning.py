from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agentsynth.agent.policies import LEVELS, NEUTRAL, PROGRESS_BUCKETS
from agentsynth.agent.qlearning import QLearningAgent
from agentsynth.agent.tables import PRIOR, Tables
from agentsynth.config import AgentConfig
from agentsynth.env.growth import GAP_RANGE

NAMES = ("price_factor", "quantity_factor")
LATE = PROGRESS_BUCKETS - 1
"""The bucket of an episode's end."""


def agent(seed: int = 0, **config: Any) -> QLearningAgent:
    """Return an agent of two factors for episodes of ten steps."""
    return QLearningAgent(NAMES, 10, AgentConfig(**config), np.random.default_rng(seed))


def seen(first: float, second: float, progress: float = 0.0) -> NDArray[np.float32]:
    """Return an observation of two gaps in noise units and three components."""
    return np.array([first / GAP_RANGE, second / GAP_RANGE, 0.5, 0.5, 0.5, progress], dtype=np.float32)


def test_one_update_by_hand() -> None:
    learner = agent(learning_rate=0.1, discount=0.5)
    tables = learner.tables
    tables.visits[:] = 10**6  # so many that own values hold and are moved by the learning rate
    tables.own[0, 3, 0, 4] = 1.0  # the first factor's value now
    tables.own[0, 6, LATE] = [0, 0, 3, 0, 0, 4, 0]  # and where it gets to
    errors = learner.update(seen(0, 0), np.array([4, 2]), np.array([2.0, -1.0]), seen(6, -6, 0.99), done=False)
    # 2 + 0.5 * 4 - 1 and -1 + 0.5 * 0 - 0.
    assert errors.tolist() == [3.0, -1.0]
    assert tables.own[0, 3, 0, 4] == pytest.approx(1.3)
    assert tables.own[1, 3, 0, 2] == pytest.approx(-0.1)


def test_first_visits_are_averaged() -> None:
    learner = agent(learning_rate=0.1)
    for reward in (3.0, 5.0, 1.0):
        learner.update(seen(3, 3), np.array([6, 0]), np.array([reward, 0.0]), seen(0, 0, 0.99), done=True)
    assert learner.tables.own[0, 6, 0, 6] == pytest.approx(3.0)
    assert learner.tables.visits[0, 6, 0, 6] == 3


def test_what_is_seen_is_learned_of_its_reverse() -> None:
    learner = agent()
    learner.update(seen(1, -3), np.array([0, 6]), np.array([1.0, 2.0]), seen(0, 0), done=True)
    own, visits = learner.tables.own, learner.tables.visits
    assert own[0, 5, 0, 0] == own[0, 1, 0, 6] == 1.0
    assert own[1, 0, 0, 6] == own[1, 6, 0, 0] == 2.0
    assert np.count_nonzero(own) == np.count_nonzero(visits) == visits.sum() == 4


def test_factors_learn_from_one_another() -> None:
    learner = agent(discount=0.0)
    for _ in range(10):
        learner.update(seen(3, 0), np.array([6, 3]), np.array([4.0, 0.0]), seen(0, 0), done=True)
    values, visits = learner.policy.tables, learner.policy.visits
    # The second was never there, and believes the first, and so do aims; nobody tells them of another level.
    assert values[:, 6, 0, 6].tolist() == [4.0, 4.0, 4.0]
    assert visits[:, 6, 0, 6].tolist() == [10, 1, 1]
    assert not visits[:, 6, 0, 5].any()


def test_own_and_common_values_are_weighed_by_visits() -> None:
    tables = Tables.blank((3, 1, 1, 1))
    tables.own[0], tables.visits[0] = 4.0, PRIOR
    tables.common[:], tables.common_visits[:] = 1.0, 7
    values, visits = tables.all_values()
    assert values.ravel().tolist() == [2.5, 1.0, 1.0]
    assert visits.ravel().tolist() == [PRIOR, 1, 1]
    state = np.zeros(3, dtype=np.intp), np.zeros(1, dtype=np.intp)
    np.testing.assert_array_equal(tables.values(np.arange(3), state)[0].ravel(), [2.5, 1, 1])


def test_many_in_one_place_go_no_further_than_to_their_mean() -> None:
    names = tuple(f"factor {number}" for number in range(200))
    learner = QLearningAgent(names, 10, AgentConfig(learning_rate=1.0), np.random.default_rng(0))
    before = np.array([*[0.5] * 200, 0.5, 0.0], dtype=np.float32)
    for _ in range(3):
        learner.update(before, np.full(200, 6), np.arange(200.0), before, done=True)
    assert learner.tables.common[6, 0, 6] == pytest.approx(99.5)


def test_a_policy_is_what_was_learned_till_then_and_can_be_taken_up() -> None:
    learner = agent(discount=0.0)
    learner.update(seen(3, 0), np.array([6, 3]), np.array([4.0, 0.0]), seen(0, 0), done=True)
    policy = learner.policy
    other = agent(discount=0.0)
    other.start_from(policy)
    np.testing.assert_array_equal(other.policy.tables, policy.tables)
    kept = policy.tables.copy()
    other.update(seen(3, 0), np.array([6, 3]), np.array([-9.0, 0.0]), seen(0, 0), done=True)
    np.testing.assert_array_equal(policy.tables, kept)
    assert other.policy.tables[0, 6, 0, 6] < 4.0


def test_nothing_follows_the_last_step() -> None:
    learner = agent(learning_rate=0.5, discount=0.9)
    learner.tables.own[:, 6, LATE] = 100.0
    learner.tables.visits[:, 6, LATE] = 1
    errors = learner.update(seen(0, 0, 0.99), np.array([3, 3]), np.array([2.0, 4.0]), seen(6, 6, 1.0), done=True)
    assert errors.tolist() == [2.0, 4.0]
    assert learner.tables.own[:, 3, LATE, 3].tolist() == [2.0, 4.0, 0.0]


def test_rewards_mix_a_factors_own_gap_with_the_total_against_what_a_step_usually_brings() -> None:
    learner = agent(own_share=0.7)
    assert learner.rewards(2, np.array([[0.0, 3.0]] * 2), np.array([0.1, 0.1])) is None
    rewards = learner.rewards(2, np.array([[3.0, 0.0]]), np.array([0.4]))
    # The third of three that were 0, 0, 3 lies sqrt(2) deviations above their mean; of 3, 3, 0 as far below.
    assert rewards is not None
    np.testing.assert_allclose(rewards[0], [0.7 * np.sqrt(2) + 0.3 * np.sqrt(2), -0.7 * np.sqrt(2) + 0.3 * np.sqrt(2)])
    # Another step has its own past.
    assert learner.rewards(3, np.array([[3.0, 0.0]]), np.array([0.4])) is None


def test_epsilon_shrinks_by_a_factor_down_to_its_end() -> None:
    learner = agent(epsilon_start=0.8, epsilon_decay=0.5, epsilon_end=0.15)
    found = []
    for _ in range(4):
        found.append(learner.epsilon)
        learner.end_episode()
    np.testing.assert_allclose(found, [0.8, 0.4, 0.2, 0.15])


def test_several_episodes_take_the_next_epsilons() -> None:
    learner = agent(epsilon_start=0.8, epsilon_decay=0.5, epsilon_end=0.15)
    np.testing.assert_allclose(learner.next_epsilons(3), [0.8, 0.4, 0.2])
    np.testing.assert_allclose(learner.next_epsilons(1), [0.15])


def test_tables_side_by_side_are_learned_of_together() -> None:
    both, apart = agent(discount=0.5), agent(discount=0.5)
    before = np.array([seen(3, 0), seen(-1, 6)])
    after = np.array([seen(0, 0, 0.99), seen(1, -6, 0.99)])
    levels, rewards = np.array([[6, 3], [2, 0]]), np.array([[4.0, 1.0], [-2.0, 3.0]])
    errors = both.update(before, levels, rewards, after, done=False)
    for each in range(2):
        alone = apart.update(before[each], levels[each], rewards[each], after[each], done=False)
        np.testing.assert_array_equal(errors[each], alone)
    # No two of them are in one place, so that it is the same as one after the other.
    np.testing.assert_array_equal(both.tables.own, apart.tables.own)
    np.testing.assert_array_equal(both.tables.visits, apart.tables.visits)
    np.testing.assert_array_equal(both.act(before, np.zeros((2, 1))), [apart.act(one, 0.0) for one in before])


def test_epsilon_is_the_share_of_random_actions() -> None:
    learner = agent(epsilon_start=0.3)
    acts = np.array([learner.act(seen(0, 0)) for _ in range(4000)])
    # An agent that has learned nothing is neutral where it does not explore, and at one exploring action in seven.
    assert (acts == NEUTRAL).mean() == pytest.approx(0.7 + 0.3 / 7, abs=0.02)
    others = np.bincount(acts.ravel(), minlength=7)[[0, 1, 2, 4, 5, 6]] / acts.size
    np.testing.assert_allclose(others, 0.3 / 7, atol=0.015)
    # Each factor explores by itself.
    away = acts != NEUTRAL
    assert np.corrcoef(away.T)[0, 1] == pytest.approx(0.0, abs=0.05)


def test_actions_are_the_levels_factors() -> None:
    learner = agent()
    np.testing.assert_allclose(learner.to_action(np.array([0, 3])), [0.5, 1.0])
    assert learner.to_action(np.array([1, 2])).dtype == np.float32


def test_it_finds_the_best_arm_of_a_bandit() -> None:
    learner = agent(epsilon_start=1.0, learning_rate=0.2, discount=0.0)
    rng = np.random.default_rng(1)
    for _ in range(600):
        levels = learner.act(seen(1, -1))
        rewards = np.array([-abs(levels[0] - 5.0), -abs(levels[1] - 1.0)]) + rng.normal(0, 0.3, 2)
        learner.update(seen(1, -1), levels, rewards, seen(1, -1), done=True)
    learner.epsilon = 0.0
    assert learner.act(seen(1, -1)).tolist() == [5, 1]
    # Values approach the mean rewards.
    expected = -np.abs(np.arange(7) - 5.0)
    np.testing.assert_allclose(learner.tables.own[0, 5, 0], expected, atol=0.4)


def test_it_learns_to_press_towards_the_goal() -> None:
    """A number drifts by the log-factor and shall be brought to 0: pressure has to go against the gap's sign."""
    learner = agent(epsilon_start=1.0, epsilon_decay=0.97, discount=0.5)
    rng = np.random.default_rng(0)
    for _ in range(150):
        gaps = rng.uniform(-5, 5, 2)
        for step in range(10):
            before = seen(float(gaps[0]), float(gaps[1]), step / 10)
            levels = learner.act(before)
            moved = np.clip(gaps - 2 * np.log(LEVELS[levels]), -6, 6)
            after = seen(float(moved[0]), float(moved[1]), (step + 1) / 10)
            learner.update(before, levels, np.abs(gaps) - np.abs(moved), after, step == 9)
            gaps = moved
        learner.end_episode()
    best = LEVELS[learner.policy.best_levels()][:-1]
    assert (best[:, :2].mean(axis=(1, 2)) < 0.8).all()
    assert (best[:, 5:].mean(axis=(1, 2)) > 1.25).all()


def test_the_same_generator_explores_alike() -> None:
    first, second, other = agent(1, epsilon_start=1.0), agent(1, epsilon_start=1.0), agent(2, epsilon_start=1.0)
    acts = [np.array([learner.act(seen(0, 0)) for _ in range(20)]) for learner in (first, second, other)]
    np.testing.assert_array_equal(acts[0], acts[1])
    assert not np.array_equal(acts[0], acts[2])


def test_what_is_seen_of_an_aim_is_shared_by_all_aims() -> None:
    learner = QLearningAgent((), 10, AgentConfig(learning_rate=0.5, discount=0.0), np.random.default_rng(0), aims=2)
    tables, last = learner.tables.own, len(learner.policy.gap_edges)
    # Of an aim, its gap and what is needed of the next batch are observed; the bucket is that of the second.
    before = np.array([0, 0, -6 / GAP_RANGE, 6 / GAP_RANGE, 0.5, 0.0], dtype=np.float32)
    learner.update(before, np.array([1, 6]), np.array([2.0, 4.0]), before, done=True)
    assert tables.shape[0] == 1
    assert tables[0, 0, 0, 1] == tables[0, last, 0, 5] == 2.0
    assert tables[0, last, 0, 6] == tables[0, 0, 0, 0] == 4.0
    assert learner.policy.visits[:, :, 0].sum() == 4


def test_an_aim_is_rewarded_for_its_own_gap_alone() -> None:
    learner = QLearningAgent(("x_factor",), 1, AgentConfig(own_share=0.0), np.random.default_rng(0), aims=1)
    for closed in (1.0, 2.0):
        assert learner.rewards(0, np.array([[closed, closed]]), np.array([-closed])) is None
    found = learner.rewards(0, np.array([[3.0, 3.0]]), np.array([-3.0]))
    assert found is not None
    # The third of 1, 2, 3 lies sqrt(3/2) deviations above their mean; the similarity as far below.
    np.testing.assert_allclose(found[0], [-np.sqrt(1.5), np.sqrt(1.5)])

from __future__ import annotations

import numpy as np
import pytest

from agentsynth.agent.composing import compose
from agentsynth.agent.history import TrainingHistory
from agentsynth.agent.policies import Action, NeutralPolicy, QPolicy
from agentsynth.agent.training import CHECKS, SIDE_BY_SIDE, _rounds, best_action, examine, train
from agentsynth.config import AgentConfig
from agentsynth.env.environment import Observation, SyntheticDataEnvironment
from agentsynth.env.goals import Goal
from agentsynth.seeding import child_seed

EPISODES = 9


@pytest.fixture
def trained(shop_env: SyntheticDataEnvironment) -> tuple[QPolicy, TrainingHistory]:
    goal = Goal(shop_env.real)
    assert shop_env.goals is not None
    pushed = shop_env.goals.pushed(np.array([1.0, 0, 0, 0]))
    config = AgentConfig(episodes=EPISODES, epsilon_decay=0.5, epsilon_end=0.1)
    return train(shop_env, config, [goal, pushed], [goal, pushed], seed=3)


def test_the_history_has_a_value_an_episode(trained: tuple[QPolicy, TrainingHistory]) -> None:
    history = trained[1]
    assert len(history) == EPISODES
    np.testing.assert_allclose(history.epsilon, [1, 0.5, 0.25, 0.125, *[0.1] * 5])
    np.testing.assert_allclose(history.returns, history.similarity)
    assert history.similarity.min() > 0.5
    assert history.similarity.max() <= 1


def test_components_are_those_of_the_episode_not_of_the_check_after_it(
    trained: tuple[QPolicy, TrainingHistory], shop_env: SyntheticDataEnvironment
) -> None:
    history = trained[1]
    assert list(history.components) == shop_env.similarity.names
    components = np.array(list(history.components.values()))
    np.testing.assert_allclose(shop_env.similarity.weights @ components, history.similarity)


def test_checks_are_few_and_the_last_is_at_the_end(trained: tuple[QPolicy, TrainingHistory]) -> None:
    known = np.flatnonzero(~np.isnan(trained[1].held_out))
    assert len(known) == CHECKS
    assert known[-1] == EPISODES - 1


def test_the_policy_of_the_best_check_is_kept(
    trained: tuple[QPolicy, TrainingHistory], shop_env: SyntheticDataEnvironment
) -> None:
    policy, history = trained
    assert history.held_out[history.best_episode] == np.nanmax(history.held_out)
    # One update and its reverse a step and factor, up to the episode whose policy was kept: the first episodes, played
    # side by side, are enough for the baseline. Where only others were, 1 stands instead.
    learned_from = history.best_episode + 1
    told = np.count_nonzero(policy.visits == 1)
    updates = learned_from * 24 * len(shop_env.factors.names) * 2
    assert updates <= policy.visits.sum() <= updates + told


def test_the_checks_play_the_kept_policy_and_its_rivals(
    trained: tuple[QPolicy, TrainingHistory], shop_env: SyntheticDataEnvironment
) -> None:
    policy, history = trained
    assert shop_env.goals is not None
    goals = [Goal(shop_env.real), shop_env.goals.pushed(np.array([1.0, 0, 0, 0]))]
    seed = child_seed(3, "exams")
    assert examine(shop_env, policy, goals, seed) == history.held_out[history.best_episode]
    assert examine(shop_env, NeutralPolicy(4), goals, seed) == history.rivals["neutral"]
    assert set(history.rivals) == {"neutral", "random"}
    assert history.goals == 2


def test_an_exam_is_the_mean_similarity_to_its_goals(shop_env: SyntheticDataEnvironment) -> None:
    assert shop_env.goals is not None
    goals = [Goal(shop_env.real), shop_env.goals.pushed(np.array([0, 1.0, 0, 0]))]
    policy = NeutralPolicy(4)
    each = [compose(shop_env, policy, goal, child_seed(0, f"exam.{number}")) for number, goal in enumerate(goals)]
    assert examine(shop_env, policy, goals, 0) == pytest.approx(np.mean([table.similarity for table in each]))


def test_the_same_seed_trains_the_same_policy(shop_env: SyntheticDataEnvironment) -> None:
    goal = Goal(shop_env.real)
    runs = [train(shop_env, AgentConfig(episodes=4), [goal], [goal], seed) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(runs[0][0].tables, runs[1][0].tables)
    np.testing.assert_array_equal(runs[0][1].returns, runs[1][1].returns)
    assert not np.array_equal(runs[0][1].returns, runs[2][1].returns)


def test_progress_counts_episodes(shop_env: SyntheticDataEnvironment) -> None:
    goal = Goal(shop_env.real)
    calls: list[int] = []
    train(shop_env, AgentConfig(episodes=2), [goal], [goal], 0, lambda: calls.append(1))
    assert len(calls) == 2


@pytest.mark.parametrize("episodes", [1, 2, 6, 7])
def test_even_the_shortest_training_is_checked(shop_env: SyntheticDataEnvironment, episodes: int) -> None:
    goal = Goal(shop_env.real)
    _, history = train(shop_env, AgentConfig(episodes=episodes), [goal], [goal], 0)
    assert not np.isnan(history.held_out[-1])


def test_rounds_end_where_they_are_checked() -> None:
    assert [list(numbers) for numbers in _rounds(7, {2, 6})] == [[0, 1, 2], [3, 4, 5, 6]]
    assert [len(numbers) for numbers in _rounds(12)] == [SIDE_BY_SIDE, SIDE_BY_SIDE, 2]
    assert list(_rounds(0)) == []


class Drifting:
    """Presses the first column by 2, then by 1/2 in every second step, all others by 1.5."""

    def __init__(self) -> None:
        self.steps = 0

    def factors(self, observation: Observation) -> Action:  # noqa: ARG002  # the interface hands it over
        self.steps += 1
        return np.array([[2.0 if self.steps % 2 else 0.5, *[1.5] * 3]], dtype=np.float32)


def test_the_best_action_is_the_geometric_mean_over_the_steps(shop_env: SyntheticDataEnvironment) -> None:
    found = best_action(shop_env, Drifting(), Goal(shop_env.real), 0)
    assert list(found) == list(shop_env.factors.names)
    np.testing.assert_allclose(list(found.values()), [1.0, 1.5, 1.5, 1.5])

"""The Gymnasium environment in which several tables are composed side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils.seeding import np_random
from numpy.typing import NDArray

from agentsynth.env.environment import Observation, SyntheticDataEnvironment
from agentsynth.env.growth import Growth

Floats = NDArray[np.float64]


class SyntheticDataVectorEnvironment(gym.vector.VectorEnv[Observation, NDArray[np.float32], NDArray[Any]]):
    """Compose several tables side by side, each as `SyntheticDataEnvironment` would by itself.

    All have as many rows and steps, so all episodes end together; the step after the end begins new ones, whatever its
    actions (`AutoresetMode.NEXT_STEP`). `reset(options={"goals": [...]})` sets the goal of each table; without it each
    draws one as the single environment does. With a seed `s`, table k has the seed `s + k`; or give one for each.
    `infos` holds what the single environment's `info` does, with an axis of tables in front.

    Args:
        single: the environment that composes one of them.
        num_envs: tables.
    """

    metadata = {"render_modes": [], "autoreset_mode": gym.vector.AutoresetMode.NEXT_STEP}  # noqa: RUF012  # declared so by gymnasium

    def __init__(self, single: SyntheticDataEnvironment, num_envs: int) -> None:
        self.single, self.num_envs = single, num_envs
        self.single_action_space, self.single_observation_space = single.action_space, single.observation_space
        self.action_space = gym.vector.utils.batch_space(self.single_action_space, num_envs)
        self.observation_space = gym.vector.utils.batch_space(self.single_observation_space, num_envs)
        self._generators = [np_random()[0] for _ in range(num_envs)]
        self._growth: Growth | None = None

    @property
    def growth(self) -> Growth:
        """The tables as they grow.

        Raises:
            gymnasium.error.ResetNeeded: `reset` was never called.
        """
        if self._growth is None:
            raise gym.error.ResetNeeded("call reset() before the first step: it shuffles the pools and sets the goals.")
        return self._growth

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin empty tables.

        Raises:
            ValueError: there are not as many seeds or goals as tables, or a goal does not fit the pool.
        """
        seeds = [seed + table for table in range(self.num_envs)] if isinstance(seed, int) else seed
        if seeds is not None:
            self._check(len(seeds), "seed")
            given = zip(seeds, self._generators, strict=True)
            self._generators = [rng if seed is None else np_random(seed)[0] for seed, rng in given]
        goals = (options or {}).get("goals")
        if goals is None:
            goals = [self.single.drawn_goal(rng) for rng in self._generators]
        self._check(len(goals), "goal")
        self._growth = Growth(self.single.composer, goals, self._generators)
        return self._growth.observations(), self._infos()

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[Observation, Floats, NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Add one batch to each table under the factors `actions` (tables, factors).

        Raises:
            ValueError: the actions are not in the action space.
            gymnasium.error.ResetNeeded: `reset` was never called.
        """
        growth, pressures = self.growth, self.single.composer.pressures(actions, self.action_space)
        if growth.done:
            observations, infos = self.reset()
            none = np.zeros(self.num_envs, dtype=bool)
            return observations, np.zeros(self.num_envs), none, none, infos
        rewards = growth.step(pressures)
        done = np.full(self.num_envs, growth.done)
        return growth.observations(), rewards, done, np.zeros(self.num_envs, dtype=bool), self._infos()

    def _check(self, found: int, name: str) -> None:
        if found != self.num_envs:
            raise ValueError(f"each of the {self.num_envs} tables has a {name}; found {found}.")

    def _infos(self) -> dict[str, Any]:
        growth, each = self.growth, np.ones(self.num_envs, dtype=bool)
        infos = {
            "components": growth.components,
            "gaps": growth.gaps,
            "similarity": growth.similarity,
            "rows": np.full(self.num_envs, growth.rows),
        }
        if growth.done:
            infos["chosen"] = growth.chosen.copy()
        # Gymnasium's vectors say of which tables there is such a value.
        return infos | {f"_{name}": each for name in infos}

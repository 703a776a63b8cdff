"""Playing episodes with a policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agentsynth.agent.policies import Policy
from agentsynth.env.environment import SyntheticDataEnvironment
from agentsynth.env.goals import Goal
from agentsynth.env.vector import SyntheticDataVectorEnvironment


@dataclass(frozen=True)
class Composition:
    """A finished table.

    Attributes:
        chosen: (rows,) indices into the pool, in the order they were added.
        shares: (cells,) share of rows in each cell.
        similarity: weighted similarity to the goal.
        components: (components,) similarity by component.
        factors: (steps, factors) the policy's factors.
    """

    chosen: NDArray[np.intp]
    shares: NDArray[np.float64]
    similarity: float
    components: NDArray[np.float64]
    factors: NDArray[np.float32]


def compose(env: SyntheticDataEnvironment, policy: Policy, goal: Goal, seed: int) -> Composition:
    """Compose one table for `goal` under `policy`."""
    return compose_all(env, policy, [goal], [seed])[0]


def compose_all(
    env: SyntheticDataEnvironment, policy: Policy, goals: Sequence[Goal], seeds: Sequence[int]
) -> list[Composition]:
    """Compose a table for each goal and seed under `policy`, side by side."""
    tables = SyntheticDataVectorEnvironment(env, len(goals))
    observations, _ = tables.reset(seed=seeds, options={"goals": goals})
    taken, done = [], False
    while not done:
        taken.append(policy.factors(observations))
        observations, _, ended, _, infos = tables.step(taken[-1])
        done = bool(ended.all())
    factors = np.array(taken)
    return [
        Composition(
            infos["chosen"][table],
            env.cells.shares(env.pool[infos["chosen"][table]]),
            float(infos["similarity"][table]),
            infos["components"][table],
            factors[:, table],
        )
        for table in range(len(goals))
    ]

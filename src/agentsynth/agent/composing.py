"""Playing one episode with a policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agentsynth.agent.policies import Policy
from agentsynth.env.environment import SyntheticDataEnvironment
from agentsynth.env.goals import Goal


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
    observation, info = env.reset(seed=seed, options={"goal": goal})
    taken, done = [], False
    while not done:
        taken.append(policy.factors(observation))
        observation, _, done, _, info = env.step(taken[-1])
    chosen, factors = info["chosen"], np.array(taken)
    return Composition(chosen, env.cells.shares(env.pool[chosen]), info["similarity"], info["components"], factors)

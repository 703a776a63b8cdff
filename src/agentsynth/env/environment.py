"""The Gymnasium environment in which a table is composed, batch by batch."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from agentsynth.config import EnvironmentConfig
from agentsynth.data.schema import Schema
from agentsynth.env.cells import Cells
from agentsynth.env.composer import Composer
from agentsynth.env.goals import Goal, GoalSampler
from agentsynth.env.growth import Growth

Floats = NDArray[np.float64]
Observation = NDArray[np.float32]


class SyntheticDataEnvironment(gym.Env[Observation, NDArray[np.float32]]):
    """Compose a table of `rows` rows in `steps` batches, so that it comes to look like a goal.

    ## Description
    A pool of candidate rows comes from the base generator. In each step the action's factors tilt which candidates
    are proposed, and selection chooses the batch among them. Rows are chosen, never edited, so each stays valid.

    ## Action Space
    `Box(0.5, 2, (factors,))`: one factor a column (for the shop `price_factor, quantity_factor, category_factor,
    seasonal_factor`), then one for each aim. A candidate's log-weight is `sum_k ln(f_k) u_k(row)`, u_k being the
    standardised direction of the column (see `Factors.directions`) or of the aim (see `Aim`); 1 leaves it alone.

    ## Observation Space
    `Box(-1, 1, (factors + components + 1,))`: for each factor the signed gap of its column, (goal mean of u_k less the
    composed mean) * sqrt(rows so far), in sixths, clipped, and likewise the gap of each aim; for each component its
    similarity in [0, 1]; progress.

    ## Starting State
    An empty table: similarities, progress and observed gaps are 0; `info["gaps"]` is as if it held the real rows.

    ## Reward
    The change, in this step, of the weighted similarity `sum_c w_c s_c` (see `Similarity`), so the return of an
    episode is the final score of the table. `info["components"]` holds the s_c.

    ## Episode End
    Terminates when the table has all its rows. It is never truncated.

    ## Information
    `components` (components,); `gaps` (factors,), goal mean of u_k less the composed mean, in deviations of u_k (of an
    aim: the number wanted less the table's, in the same unit);
    `similarity`, `rows`; `chosen` (rows,) indices into the pool when it terminates.

    ## Arguments
    `schema`, `cells`, `real` (shares of the real rows), `pool` (rows, groups), `config`; `goals`: a sampler that gives
    every `reset` a goal; `aims`: how many aims a goal may have (one that has fewer leaves the rest at 0).
    `reset(options={"goal": Goal})` sets a goal; without either the goal is the real table.

    ## References
    Selection is raking (Deming and Stephan 1940, Ann. Math. Statist. 11(4), p. 427) done online, and so close to
    herding (Welling 2009, ICML): the error of the shares falls as 1/n, not as 1/sqrt(n).

    ## Version History
    v0: initial version.
    """

    metadata = {"render_modes": []}  # noqa: RUF012  # declared so by gymnasium

    def __init__(
        self,
        schema: Schema,
        cells: Cells,
        real: Floats,
        pool: NDArray[np.int32],
        config: EnvironmentConfig,
        goals: GoalSampler | None = None,
        aims: int = 0,
    ) -> None:
        self.composer = composer = Composer(schema, cells, real, pool, config, aims)
        self.cells, self.real, self.pool, self.config = cells, real, pool, config
        self.factors, self.factor_names, self.aims = composer.factors, composer.factor_names, aims
        self.similarity = composer.similarity
        self.goals = goals
        self.goal = Goal(real)
        self._growth: Growth | None = None
        self.action_space, self.observation_space = composer.spaces

    @property
    def steps(self) -> int:
        """Steps of an episode."""
        return len(self.composer.batches)

    @property
    def growth(self) -> Growth:
        """The table as it grows.

        Raises:
            gymnasium.error.ResetNeeded: `reset` was never called.
        """
        if self._growth is None:
            raise gym.error.ResetNeeded("call reset() before the first step: it shuffles the pool and sets the goal.")
        return self._growth

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an empty table. `options={"goal": Goal}` sets the goal."""
        super().reset(seed=seed)
        goal = (options or {}).get("goal")
        self.goal = self.drawn_goal(self.np_random) if goal is None else goal
        self._growth = Growth(self.composer, [self.goal], [self.np_random])
        return self._growth.observations()[0], self._info()

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, SupportsFloat, bool, bool, dict[str, Any]]:
        """Add one batch under the factors `action` (factors,).

        Raises:
            ValueError: the action is not in the action space, or the table is complete already.
            gymnasium.error.ResetNeeded: `reset` was never called.
        """
        growth, pressure = self.growth, self.composer.pressures(action, self.action_space)
        if growth.done:
            raise ValueError("the table is complete; call reset() to begin another.")
        reward = float(growth.step(pressure[None])[0])
        return growth.observations()[0], reward, growth.done, False, self._info()

    def drawn_goal(self, rng: np.random.Generator) -> Goal:
        """Return a goal of the sampler; without one, the real table."""
        return Goal(self.real) if self.goals is None else self.goals.draw(rng)

    def _info(self) -> dict[str, Any]:
        growth = self.growth
        info: dict[str, Any] = {
            "components": growth.components[0],
            "gaps": growth.gaps[0],
            "similarity": float(growth.similarity[0]),
            "rows": growth.rows,
        }
        if growth.done:
            info["chosen"] = growth.chosen[0].copy()
        return info

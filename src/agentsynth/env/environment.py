"""The Gymnasium environment in which a table is composed, batch by batch."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from agentsynth.config import EnvironmentConfig
from agentsynth.data.schema import Schema
from agentsynth.env.cells import Cells
from agentsynth.env.factors import Factors
from agentsynth.env.goals import Goal, GoalSampler
from agentsynth.env.selection import cell_scores, top
from agentsynth.env.similarity import Similarity

Floats = NDArray[np.float64]
Observation = NDArray[np.float32]

GAP_RANGE = 6.0
"""Gaps beyond so many noise units look alike to the agent."""
PROPOSED = 4.0
"""Rows of the pool looked at per candidate kept by the proposal."""
LOWEST_FACTOR, HIGHEST_FACTOR = 0.5, 2.0
NEEDED = 2.0
"""Gap of an aim, in deviations that the next batch's mean would have to have to close it, that looks to the agent like
a noise unit: so its buckets part what the factors can do at once from what they cannot."""
AIM_FACTOR = "goal_factor"
"""Name of the factors that press on the numbers a goal aims at."""


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
        self.cells = cells
        self.real = real
        self.pool = pool
        self.factors = Factors.of(schema, config.factors)
        self.config = config
        self.goals = goals
        self.similarity = Similarity(cells, schema, config.reward_weights, aims=aims > 0)
        self.goal = Goal(real)
        self._order = np.empty(0, dtype=np.intp)
        self._batches = _batch_sizes(min(config.rows, len(pool)), config.steps)
        self._importance = _importance(cells)
        self._margin_cells = cells.margin_cells
        self.aims = aims
        self.factor_names = (*self.factors.names, *[AIM_FACTOR] * aims)
        names, components = self.factor_names, self.similarity.names
        self.action_space = gym.spaces.Box(LOWEST_FACTOR, HIGHEST_FACTOR, (len(names),), np.float32)
        self.observation_space = gym.spaces.Box(-1.0, 1.0, (len(names) + aims + len(components) + 1,), np.float32)
        self._aim(self.goal)

    @property
    def steps(self) -> int:
        """Steps of an episode."""
        return len(self._batches)

    @property
    def progress(self) -> float:
        """Share of the table's rows that are composed."""
        return self._rows / len(self._chosen)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an empty table. `options={"goal": Goal}` sets the goal."""
        super().reset(seed=seed)
        goal = (options or {}).get("goal")
        if goal is None:
            goal = Goal(self.real) if self.goals is None else self.goals.draw(self.np_random)
        self._aim(goal)
        # Twice over, so that any stretch of it is one slice.
        self._order = np.tile(self.np_random.permutation(self._usable), 2)
        return self._observation(), self._info()

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, SupportsFloat, bool, bool, dict[str, Any]]:
        """Add one batch under the factors `action` (factors,).

        Raises:
            ValueError: the action is not in the action space, or the table is complete already.
            gymnasium.error.ResetNeeded: `reset` was never called.
        """
        pressure = self._pressure(action)
        batch = int(self._batches[self._step])
        candidates = self._propose(pressure, batch)
        chosen = self._select(candidates, batch, pressure) if self.config.selection else candidates[:batch]
        before = self._similarity
        self._add(chosen)
        return self._observation(), self._similarity - before, self._done, False, self._info()

    def _aim(self, goal: Goal) -> None:
        """Set the goal and empty the table."""
        self.goal = goal
        directions = self.factors.directions(self.cells, self.real, goal.shares)
        self._directions = directions
        if len(goal.aims) > self.aims:
            more = len(goal.aims) - self.aims
            raise ValueError(f"the goal has {len(goal.aims)} aims, {more} more than the environment was made for.")
        aimed = np.zeros((len(self.pool), self.aims))
        for place, aim in enumerate(goal.aims):
            aimed[:, place] = aim.direction
        self._row_directions = np.hstack([self.cells.row_directions(directions, self.pool), aimed])
        self._usable = np.arange(len(self.pool)) if goal.rows is None else goal.rows
        self._taken = np.ones(len(self.pool), dtype=bool)
        self._taken[self._usable] = False
        self._chosen = np.empty(int(self._batches.sum()), dtype=np.intp)
        self._counts = np.zeros(len(goal.shares))
        self._rows = self._step = self._cursor = 0
        self.components = np.zeros(len(self.similarity.names))
        self._similarity = 0.0
        # Directions have mean 0 on the real rows, so this is the gap of a table of real rows.
        self.gaps = np.append(goal.shares[: self._margin_cells] @ directions, self._aim_gaps(self._usable))

    def _pressure(self, action: NDArray[np.float32]) -> Floats:
        factors = np.asarray(action, dtype=np.float64)
        if factors.shape != self.action_space.shape:
            raise ValueError(f"an action has one factor for each of {self.factor_names}; found shape {factors.shape}.")
        lowest, highest = factors.min(initial=1.0), factors.max(initial=1.0)
        if not (lowest >= LOWEST_FACTOR - 1e-6 and highest <= HIGHEST_FACTOR + 1e-6):
            raise ValueError(f"factors lie in [{LOWEST_FACTOR}, {HIGHEST_FACTOR}]; found {factors.tolist()}.")
        if not len(self._order):
            raise gym.error.ResetNeeded("call reset() before the first step: it shuffles the pool and sets the goal.")
        if self._done:
            raise ValueError("the table is complete; call reset() to begin another.")
        logs: Floats = np.log(factors)
        return logs

    def _propose(self, pressure: Floats, batch: int) -> NDArray[np.intp]:
        """Return candidates (oversample * batch): the next rows of the shuffled pool, drawn by the factors' tilt."""
        count = max(batch, round(self.config.oversample * batch))
        block = self._next_block(max(count, round(PROPOSED * count)))
        scores = self._row_directions[block] @ pressure + self._gumbel(len(block))
        # In the order of the shuffled pool: without selection the first of them are taken, whatever their scores.
        return block[np.sort(top(scores, count))]

    def _next_block(self, count: int) -> NDArray[np.intp]:
        """Return the next `count` rows of the shuffled pool that are not in the table yet, going round as needed."""
        count = min(count, len(self._usable))
        block = self._order[self._cursor : self._cursor + count]
        self._cursor = (self._cursor + count) % len(self._usable)
        block = block[~self._taken[block]]
        if len(block) < int(self._batches[self._step]):
            # Nearly all of this stretch is in the table: take from the whole pool.
            block = np.flatnonzero(~self._taken)
        return block

    def _select(self, candidates: NDArray[np.intp], batch: int, pressure: Floats) -> NDArray[np.intp]:
        """Return the batch: candidates drawn by how much their cells still lack."""
        cells = self.pool[candidates]
        counts = np.bincount(cells.ravel(), minlength=len(self._counts)).astype(np.float64)
        expected = counts * (batch / len(candidates))
        wanted = self.goal.shares * (self._rows + batch) - self._counts
        scores = cell_scores(wanted, expected, self._importance)[cells].sum(axis=1)
        if self.goal.aims:
            own = len(self.factors.names)
            scores += self._row_directions[candidates, own:] @ pressure[own:]
        return candidates[top(scores + self._gumbel(len(candidates)), batch)]

    def _gumbel(self, count: int) -> Floats:
        noise: Floats = -np.log(self.np_random.standard_exponential(count))
        return noise

    def _add(self, chosen: NDArray[np.intp]) -> None:
        self._taken[chosen] = True
        self._chosen[self._rows : self._rows + len(chosen)] = chosen
        self._counts += np.bincount(self.pool[chosen].ravel(), minlength=len(self._counts))
        self._rows += len(chosen)
        self._step += 1
        gap = self.goal.shares - self._counts / self._rows
        aims = self._aim_gaps(self._chosen[: self._rows])
        self.gaps = np.concatenate([gap[: self._margin_cells] @ self._directions, aims])
        self.components = self.similarity.components(gap, aims[: len(self.goal.aims)])
        self._similarity = self.similarity.total(self.components)

    def _aim_gaps(self, rows: NDArray[np.intp]) -> Floats:
        """Return the gap (aims,) of each aim for some rows of the pool; 0 for those that the goal does not have."""
        gaps = np.zeros(self.aims)
        for place, aim in enumerate(self.goal.aims):
            gaps[place] = aim.gap(rows)
        return gaps

    @property
    def _done(self) -> bool:
        return self._step >= len(self._batches)

    def _observation(self) -> Observation:
        noise_units = self.gaps * np.sqrt(self._rows)
        # How far the mean of the next batch would have to be off for the gap to close: what a factor can do at once.
        batch = self._batches[min(self._step, len(self._batches) - 1)]
        needed = NEEDED * self.gaps[len(self.factors.names) :] * (self._rows / batch)
        gaps = np.concatenate([noise_units, needed]) / GAP_RANGE
        seen = np.concatenate([gaps, self.components, [self.progress]], dtype=np.float32)
        # Gaps are clipped; similarities and progress lie in [0, 1] anyway.
        return np.minimum(np.maximum(seen, np.float32(-1.0)), np.float32(1.0))

    def _info(self) -> dict[str, Any]:
        info: dict[str, Any] = {
            "components": self.components,
            "gaps": self.gaps,
            "similarity": self._similarity,
            "rows": self._rows,
        }
        if self._done:
            info["chosen"] = self._chosen[: self._rows].copy()
        return info


def _batch_sizes(rows: int, steps: int) -> NDArray[np.int64]:
    """Return the rows of each batch: as even as can be, none empty."""
    ends = np.linspace(0, rows, min(rows, steps) + 1).round().astype(np.int64)
    return np.diff(ends)


def _importance(cells: Cells) -> Floats:
    """Return the weight (cells,) of cells in selection: 1 for margins, 1 / number of columns for pairs and critic."""
    margins, groups = len(cells.margins), len(cells.sizes)
    columns = len({margin.column for margin in cells.margins})
    return np.repeat([1.0] * margins + [1.0 / columns] * (groups - margins), cells.sizes)

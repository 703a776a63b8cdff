"""What the default training costs, against a row-by-row loop and against an environment that does nothing.

All in one run, in CPU seconds, medians over repeats, which take turns, so that a busy machine slows all alike:

- ours: the default training on the shop: 30 episodes of 100 steps, each step 5 of 500 rows chosen among 40 candidates,
  which are proposed out of 160 rows of the pool. `episodes` are these 3,000 steps with the agent's updates alone;
  `training` adds the pool, the goals and the held-out checks, which compose more tables than the episodes do; `fit`
  adds schema, trees, cells and critic.
- the row-by-row loop (`row_loop.py`, see there what it does), timed for fewer steps and scaled: with the 200 rows a
  step of the toy version's own table; with 2,000, as it would have it on this table (a step builds as many rows as the
  real table has); with 500, the size of the table that we compose; with 40, our candidates; and with 5, our batch (then
  it rates just these 5 rows, and we the whole table so far).
- an empty Gymnasium environment with our spaces, stepped as often.
- our step with several tables side by side, as training and checks have them, by table.

Two ratios are printed at the end, both to the whole training: with the rows of the table that we compose (the reward of
either is that of a table of so many rows), and with the rows that the toy has of its own.

    python benchmarks/training_cost.py --out cost.json
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from output import machine, parser, positive, save, section
from row_loop import TOY_ROWS, RowLoop
from row_loop import train as train_row_loop

from agentsynth import AgentSynth
from agentsynth.agent.policies import QPolicy
from agentsynth.agent.training import fine_tuned
from agentsynth.base.codec import Codec
from agentsynth.base.trees import SequentialTrees
from agentsynth.config import Config
from agentsynth.data.inference import infer_schema
from agentsynth.data.shop import simulate_shop
from agentsynth.data.typed import typed
from agentsynth.env.vector import SyntheticDataVectorEnvironment
from agentsynth.model import Generator, fit_generator, fit_model, training_environment
from agentsynth.request import POLICIES
from agentsynth.seeding import stream

SHOP_ROWS = 2000
LOOP_STEPS = 20
SIDE_BY_SIDE = (5, 20)
"""Tables that are composed side by side."""
GENERATED = 1000
Observation = NDArray[np.float32]


class EmptyEnvironment(gym.Env[Observation, Observation]):
    """Steps to nowhere: what Gymnasium itself costs."""

    def __init__(self, observations: gym.Space[Observation], actions: gym.Space[Observation], steps: int) -> None:
        self.observation_space, self.action_space, self.steps = observations, actions, steps
        self._nothing = np.zeros(observations.shape or (), dtype=np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed, options=options)
        self._step = 0
        return self._nothing, {}

    def step(self, action: Observation) -> tuple[Observation, float, bool, bool, dict[str, Any]]:  # noqa: ARG002  # the interface hands it over
        """Do nothing."""
        self._step += 1
        return self._nothing, 0.0, self._step >= self.steps, False, {}


@dataclass(frozen=True)
class Bench:
    """What is measured on: a shop, its parts, and the parameters."""

    table: pd.DataFrame
    config: Config
    seed: int

    def measure(self) -> dict[str, float]:
        """Return CPU seconds of every part of one default fit, of the rivals, and of generating."""
        schema_seconds, schema = _timed(lambda: infer_schema(self.table))
        frame = typed(self.table, schema)
        generator_seconds, generator = _timed(lambda: fit_generator(frame, schema, self.config, self.seed))
        codec = Codec(schema).fit(frame)
        trees = SequentialTrees(codec, self.config.generator)
        tree_seconds, _ = _timed(lambda: trees.fit(codec.encode(frame), self.seed))
        return {
            "schema": schema_seconds,
            "trees": tree_seconds,
            "cells and critic": generator_seconds - tree_seconds,
            **self._training(generator),
            **self._steps(generator),
            **self._loops(),
            **self._generating(),
        }

    def _training(self, generator: Generator) -> dict[str, float]:
        """Time the training, and its episodes by themselves: half of them to a goal with aims, as there."""
        whole, _ = _timed(lambda: fit_model(generator, self.config, self.seed))
        env, sampler = training_environment(generator, self.config, self.seed)
        rng, agent = stream(self.seed, "goals"), self.config.agent
        push = sampler.push(rng)
        goals = [sampler.pushed(push)] * (agent.episodes // 2), [sampler.aimed(push, rng)] * -(-agent.episodes // 2)
        blank = QPolicy.blank(env.factors.names, env.aims)
        episodes = sum(
            _timed(partial(fine_tuned, env, agent, blank, each[0], len(each), self.seed))[0] for each in goals if each
        )
        rows = round(self.config.environment.rows * self.config.environment.pool_factor)
        pool, _ = _timed(lambda: generator.draw_pool(rows, stream(self.seed, "pool")))
        return {"pool": pool, "episodes": episodes, "checks, goals": whole - pool - episodes, "training": whole}

    def _steps(self, generator: Generator) -> dict[str, float]:
        """Time a step of ours without an agent, and one of an empty environment."""
        env, _ = training_environment(generator, self.config, self.seed, aims=0)
        empty = EmptyEnvironment(env.observation_space, env.action_space, self.config.environment.steps)
        neutral = np.ones(len(env.factors.names), dtype=np.float32)
        together = {
            f"step of {tables}": _seconds_a_step_together(SyntheticDataVectorEnvironment(env, tables), neutral)
            for tables in SIDE_BY_SIDE
        }
        return {
            **together,
            "step": _seconds_a_step(env, neutral, episodes=3),
            "empty step": _seconds_a_step(empty, neutral, episodes=100),
        }

    def _loops(self) -> dict[str, float]:
        settings = self.config.environment
        batch = -(-settings.rows // settings.steps)
        candidates = round(batch * settings.oversample)
        return {
            f"loop of {rows} rows": _loop_step(self.table, rows, self.seed)
            for rows in dict.fromkeys([batch, candidates, TOY_ROWS, settings.rows, len(self.table)])
        }

    def _generating(self) -> dict[str, float]:
        synth = AgentSynth(self.config, seed=self.seed)
        fit, _ = _timed(lambda: synth.fit(self.table))
        seconds = {
            f"generate, {policy}": _timed(partial(synth.generate, GENERATED, seed=1, policy=policy))[0]
            for policy in POLICIES
        }
        return {"fit": fit, **seconds}


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def _seconds_a_step(env: gym.Env[Observation, Observation], action: Observation, episodes: int) -> float:
    steps, began = 0, time.process_time()
    for seed in range(episodes):
        env.reset(seed=seed)
        done = False
        while not done:
            _, _, done, _, _ = env.step(action)
            steps += 1
    return (time.process_time() - began) / steps


def _seconds_a_step_together(tables: SyntheticDataVectorEnvironment, action: Observation) -> float:
    """Return the seconds of a step by table."""
    actions = np.tile(action, (tables.num_envs, 1))
    tables.reset(seed=0)
    steps, began, done = 0, time.process_time(), False
    while not done:
        _, _, ended, _, _ = tables.step(actions)
        done, steps = bool(ended.all()), steps + 1
    return (time.process_time() - began) / (steps * tables.num_envs)


def _loop_step(table: pd.DataFrame, rows: int, seed: int) -> float:
    loop = RowLoop(table, rows, stream(seed, "row loop"))
    return _timed(lambda: train_row_loop(loop, LOOP_STEPS))[0] / LOOP_STEPS


def report(medians: pd.Series[float], config: Config) -> None:
    """Print the parts of the training and the ratios."""
    steps = config.agent.episodes * config.environment.steps
    parts = ["schema", "trees", "cells and critic", "pool", "episodes", "checks, goals", "training", "fit"]
    section("Ours, CPU seconds", pd.DataFrame({"seconds": medians[parts]}).rename_axis("part"))
    loops = [name for name in medians.index if name.startswith("loop")]
    ratios = {
        f"{name[8:]} a step": {
            "ms a step": 1000 * medians[name],
            f"seconds for {steps:,} steps": steps * medians[name],
            **{f"/ our {part}": steps * medians[name] / medians[part] for part in ("episodes", "training", "fit")},
        }
        for name in loops
    }
    section("The row-by-row loop, and how many times as much it costs", pd.DataFrame(ratios).T.rename_axis("loop"), 1)
    report_steps(medians, steps)
    generated = medians[[name for name in medians.index if name.startswith("generate")]]
    rates = pd.DataFrame({"seconds": generated, "rows a second": GENERATED / generated}).rename_axis("policy")
    section(f"Generating {GENERATED:,} rows", rates, 2)
    for rows, what in (
        (config.environment.rows, "rows of the table we compose"),
        (TOY_ROWS, "rows of the toy's own table"),
    ):
        ratio = steps * medians[f"loop of {rows} rows"] / medians["training"]
        print(f"\nThe loop, building the {rows} {what} in each step, costs {ratio:.0f} times our whole training.")


def report_steps(medians: pd.Series[float], steps: int) -> None:
    """Print the cost of a step beside that of an environment that does nothing."""
    micro = pd.Series(
        {
            "empty environment": medians["empty step"],
            "ours, without an agent": medians["step"],
            **{f"the same, {tables} side by side, a table": medians[f"step of {tables}"] for tables in SIDE_BY_SIDE},
            "ours, with the agent's update": medians["episodes"] / steps,
        }
    )
    frame = pd.DataFrame({"microseconds": 1e6 * micro, "times empty": micro / medians["empty step"]})
    section("A step", frame.rename_axis("environment"), 1)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    options = parser(__doc__)
    options.add_argument("--repeats", type=positive, default=5, help="the median over so many is taken")
    options.add_argument("--episodes", type=positive, help="episodes of the training; the default is the default")
    options.add_argument("--rows", type=positive, default=SHOP_ROWS, help="rows of the shop")
    given = options.parse_args(argv)
    config = Config.of({"agent": {"episodes": given.episodes}} if given.episodes else None)
    table = simulate_shop(given.rows, seed=0)
    # One fit before the clock starts: the first use of a library pays for its import.
    AgentSynth({"agent": {"episodes": 1}}).fit(table.head(200))
    runs = pd.DataFrame([Bench(table, config, seed).measure() for seed in range(given.repeats)])
    print(f"The shop, {given.rows:,} rows; medians of {given.repeats}; CPU seconds. {machine()}.")
    report(runs.median(), config)
    save(runs.rename_axis("repeat").reset_index(), given.out)


if __name__ == "__main__":
    main()

"""Ablation: the same model under every policy, judged on the same unseen rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from agentsynth.config import Config
from agentsynth.data.typed import typed
from agentsynth.generation import generate
from agentsynth.metrics.similarity import typed_similarity
from agentsynth.metrics.values import compared
from agentsynth.model import Generator
from agentsynth.request import POLICIES, Request
from agentsynth.scenarios.grammar import Scenario
from agentsynth.seeding import child_seed
from agentsynth.synth import AgentSynth
from agentsynth.task import Asked, Task, prepare_task


def compare_policies(
    synth: AgentSynth,
    test: pd.DataFrame,
    rows: int,
    seeds: Sequence[int],
    scenario: str | Mapping[str, Any] | Scenario | None = None,
    policies: Sequence[str] = POLICIES,
) -> pd.DataFrame:
    """Generate a table with each policy and seed, and score it.

    Args:
        synth: a fitted object.
        test: unseen rows, in the form of the training table.
        rows: rows of each table.
        seeds: one table each.
        scenario: what to steer to; None: mimic.
        policies: the policies to compare.

    Returns:
        One row for each policy and seed: `policy`, `seed`, `similarity` (to the unseen rows; to mimic only), `miss`
        (mean over the scenario's targets of |reached - wanted| / max(|wanted|, 1e-9); NaN without targets).
    """
    unseen = compared(typed(test, synth.schema_), synth.schema_)
    asked = Asked(None if scenario is None else synth.scenario(scenario))
    units = synth.model_.generator.units_for(rows)
    scores: dict[tuple[str, int], dict[str, float]] = {}
    for seed in seeds:
        prepare = Prepared()  # policies differ in what they choose, not in what they choose from
        for policy in policies:
            request = Request(units, child_seed(seed, "generate"), asked, policy)
            composed = generate(synth.model_, synth.config, request, prepare=prepare)
            made = compared(typed(composed.table, synth.schema_), synth.schema_)
            misses = [abs(goal.reached - goal.wanted) / max(abs(goal.wanted), 1e-9) for goal in composed.targets]
            miss = float(np.mean(misses)) if misses else np.nan
            scores[policy, seed] = {"similarity": typed_similarity(unseen, made), "miss": miss}
    return pd.DataFrame(
        [{"policy": policy, "seed": seed, **scores[policy, seed]} for policy in policies for seed in seeds]
    )


class Prepared:
    """Prepares tasks for one model and one scenario as `prepare_task` does, the same one not twice in a row."""

    def __init__(self) -> None:
        self._known: tuple[tuple[int, int], Task] | None = None

    def __call__(self, generator: Generator, config: Config, rows: int, asked: Asked, seed: int) -> Task:
        """Return the task of a piece."""
        if self._known is None or self._known[0] != (rows, seed):
            self._known = (rows, seed), prepare_task(generator, config, rows, asked, seed)
        return self._known[1]

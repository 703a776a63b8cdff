"""Ablation: the same model under every policy, judged on the same unseen rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from agentsynth.data.typed import typed
from agentsynth.generation import POLICIES
from agentsynth.metrics.similarity import typed_similarity
from agentsynth.metrics.values import compared
from agentsynth.scenarios.grammar import Scenario
from agentsynth.synth import AgentSynth


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
    records = []
    for policy in policies:
        for seed in seeds:
            composed = synth.compose(rows, scenario, seed, policy=policy)
            made = compared(typed(composed.table, synth.schema_), synth.schema_)
            misses = [abs(goal.reached - goal.wanted) / max(abs(goal.wanted), 1e-9) for goal in composed.targets]
            records.append(
                {
                    "policy": policy,
                    "seed": seed,
                    "similarity": typed_similarity(unseen, made),
                    "miss": float(np.mean(misses)) if misses else np.nan,
                }
            )
    return pd.DataFrame(records)

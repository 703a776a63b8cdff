from __future__ import annotations

import numpy as np

from agentsynth.ablation import compare_policies
from agentsynth.data.shop import simulate_shop
from agentsynth.synth import AgentSynth


def test_each_policy_and_seed_has_a_row(shop_synth: AgentSynth) -> None:
    unseen = simulate_shop(200, seed=2)
    frame = compare_policies(shop_synth, unseen, 60, [0, 1], "dear", policies=("neutral", "free"))
    assert frame[["policy", "seed"]].to_numpy().tolist() == [["neutral", 0], ["neutral", 1], ["free", 0], ["free", 1]]
    assert frame["similarity"].between(0.5, 1).all()
    target = shop_synth.compose(60, "dear", 1, policy="free").targets[0]
    assert frame["miss"].iloc[3] == abs(target.reached - target.wanted) / target.wanted


def test_without_targets_there_is_nothing_to_miss(shop_synth: AgentSynth) -> None:
    frame = compare_policies(shop_synth, simulate_shop(100, seed=2), 30, [0], policies=("raking",))
    assert np.isnan(frame["miss"]).all()

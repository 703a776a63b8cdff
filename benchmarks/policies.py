"""The learned policy against its rivals: mimicking the shop, and steering it to scenarios.

For each seed the model is fitted on a random half of a fresh shop, once, with defaults; then each policy composes some
tables for each scenario, whose figures are averaged, as the mean of a skewed price is mostly luck in one table:

- similarity to the goal: mean of shape and pairs against rows that met the scenario by themselves: 20,000 rows of the
  shop that no model saw, cut to the scenario's slice and weighted, as little as possible, until its targets hold.
- miss: mean over the targets of |reached - wanted| / wanted, in percent.

`real` is the ceiling: rows of yet another shop, drawn by the same weights, as many as the policies generate. All
policies draw from the same pool, which holds the scenario's slice only and is thinned until it meets the targets by
itself: compared is what each policy adds to that. `free` takes the pool's rows as they come.

    python benchmarks/policies.py --out policies.csv
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from output import interval, machine, parser, positive, save, section, with_interval
from scoring import random_halves

from agentsynth import AgentSynth
from agentsynth.ablation import compare_policies
from agentsynth.data.schema import Schema
from agentsynth.data.shop import simulate_shop
from agentsynth.data.typed import typed
from agentsynth.metrics.similarity import similarity
from agentsynth.request import POLICIES
from agentsynth.scenarios.constraints import Constraint
from agentsynth.scenarios.grammar import Scenario
from agentsynth.scenarios.meeting import meeting, stated
from agentsynth.seeding import child_seed, stream

SHOP_ROWS = 2000
REAL_ROWS = 20_000
"""Rows of the shops that the goal and the ceiling are drawn from."""
GOAL_ROWS = 5000
FIRST_UNSEEN_SHOP = 10_000
"""Seeds of shops that no model saw begin here."""
LEARNED = "q_learning"
SCENARIOS: dict[str, dict[str, Any]] = {
    "mimic": {},
    "price +20 %": {"targets": {"price": {"mean": "+20%"}}},
    "price +30 %": {"targets": {"price": {"mean": "+30%"}}},
    "price -40 %, few books": {"targets": {"price": {"mean": "-40%"}, "category": {"share": {"Books": 0.05}}}},
    "black friday": {
        "where": "timestamp.month in [11, 12]",
        "targets": {
            "category": {"share": {"Electronics": 0.5, "Books": 0.05}},
            "price": {"mean": "+20%"},
            "timestamp.hour": {"share": {"17-20": 0.6}},
        },
    },
    "no premium users": {"where": "user_type != premium"},
}


class RealRows:
    """Real rows that meet a scenario.

    Args:
        schema: of the fitted model.
        seed: of the shop, and of the draw.
    """

    def __init__(self, schema: Schema, seed: int) -> None:
        self.raw = simulate_shop(REAL_ROWS, seed=seed)
        self.frame = typed(self.raw, schema)
        self.schema = schema
        self.rng = stream(seed, "benchmark.real rows")

    def draw(self, scenario: Scenario, rows: int) -> tuple[pd.DataFrame, list[Constraint]]:
        """Return `rows` rows of the slice, drawn by the weights under which the targets hold, and the targets."""
        mask = scenario.slice(self.frame, self.schema)
        inside = self.frame[mask].reset_index(drop=True)
        targets = stated(scenario, inside, self.schema)
        chosen = self.rng.choice(np.flatnonzero(mask), size=rows, p=meeting(targets, len(inside)))
        return self.raw.iloc[chosen].reset_index(drop=True), targets


def run(seed: int, rows: int, draws: int, policies: Sequence[str], scenarios: Sequence[str]) -> pd.DataFrame:
    """Fit on one shop; return a record for each scenario and policy, and one for the ceiling."""
    train, _ = random_halves(simulate_shop(SHOP_ROWS, seed=seed), seed)
    synth = AgentSynth(seed=seed).fit(train)
    # Two shops that no model saw: one states the goals, the other one the ceiling.
    goals, others = (RealRows(synth.schema_, FIRST_UNSEEN_SHOP + 2 * seed + number) for number in (0, 1))
    seeds = [child_seed(seed, f"benchmark.{draw}") for draw in range(draws)]
    found = []
    for name in scenarios:
        goal, _ = goals.draw(Scenario.of(SCENARIOS[name]), GOAL_ROWS)
        compared = compare_policies(synth, goal, rows, seeds, SCENARIOS[name] or None, policies)
        real = pd.DataFrame([_ceiling(others, name, goal, rows) for _ in seeds]).assign(policy="real")
        found.append(pd.concat([compared, real]).groupby("policy", sort=False)[["similarity", "miss"]].mean())
    return pd.concat(found, keys=scenarios, names=["scenario"]).reset_index().assign(seed=seed)


def _ceiling(others: RealRows, name: str, goal: pd.DataFrame, rows: int) -> dict[str, float]:
    """Return similarity and miss of a real sample of the same size."""
    made, targets = others.draw(Scenario.of(SCENARIOS[name]), rows)
    frame = typed(made, others.schema)
    misses = [abs(target.read(frame) - target.wanted) / abs(target.wanted) for target in targets]
    miss = float(np.mean(misses)) if misses else np.nan
    return {"similarity": similarity(goal, made, others.schema), "miss": miss}


def leads(records: pd.DataFrame, score: str, digits: int = 4) -> pd.DataFrame:
    """Return the learned policy less each rival, paired by seed, with its 95 % interval; scenarios by rivals."""
    wide = records.pivot_table(index=["scenario", "seed"], columns="policy", values=score, sort=False)
    rivals = [name for name in wide.columns if name not in (LEARNED, "real")]
    return pd.DataFrame(
        {
            rival: {
                scenario: with_interval(part[LEARNED] - part[rival], digits, signed=True)
                for scenario, part in wide.groupby("scenario", sort=False)
            }
            for rival in rivals
        }
    ).rename_axis("scenario")


def rivals_that_win(records: pd.DataFrame) -> list[str]:
    """Return a sentence for each rival and scenario where the learned policy is behind, the interval without 0."""
    found = []
    for score, sign in (("similarity", 1.0), ("miss", -1.0)):
        wide = records.pivot_table(index=["scenario", "seed"], columns="policy", values=score, sort=False)
        for scenario, part in wide.groupby("scenario", sort=False):
            for rival in wide.columns.drop([LEARNED, "real"]):
                mean, half = interval(sign * (part[LEARNED] - part[rival]))
                if mean + half < 0:
                    found.append(f"{scenario}, {score}: {rival} is better by {-mean:.4f} ± {half:.4f}")
    return found


def report(records: pd.DataFrame) -> None:
    """Print means, leads, and where a rival wins."""
    seeds = records["seed"].nunique()
    print(f"The shop, {SHOP_ROWS // 2:,} rows learned from, {seeds} seeds; mean ± 95 % t interval. {machine()}.")
    percent = records.dropna().assign(miss=100 * records["miss"])
    section("Similarity to the goal", _means(records, "similarity"))
    section("Miss of the targets, %", _means(percent, "miss"), 1)
    tables = [leads(records, "similarity"), leads(percent, "miss", 1)]
    section("Similarity, q_learning less each rival", tables[0])
    section("Miss in percentage points, q_learning less each rival (below 0: nearer)", tables[1])
    wins, tries = rivals_that_win(records), sum(table.size for table in tables)
    by_luck = f"chance alone would do so in {0.025 * tries:.0f}" if tries >= 20 else "few"
    print(f"\nWhere a rival is better than q_learning, the interval clear of 0 ({tries} comparisons, {by_luck}):\n")
    print("\n".join(f"- {line}" for line in wins) or "- nowhere")


def _means(records: pd.DataFrame, score: str) -> pd.DataFrame:
    return records.pivot_table(index="scenario", columns="policy", values=score, sort=False)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=positive, default=8, help="seeds 0, 1, ...: shop, split, fit and generation")
    options.add_argument("--rows", type=positive, default=500, help="rows of each table")
    options.add_argument("--draws", type=positive, default=4, help="tables of each policy, from one fit")
    options.add_argument("--policies", nargs="+", choices=POLICIES, default=POLICIES, metavar="NAME")
    options.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), metavar="NAME")
    given = options.parse_args(argv)
    policies = list(dict.fromkeys([*given.policies, LEARNED]))
    runs = [run(seed, given.rows, given.draws, policies, given.scenarios) for seed in range(given.seeds)]
    records = pd.concat(runs, ignore_index=True)
    save(records, given.out)
    report(records)


if __name__ == "__main__":
    main()

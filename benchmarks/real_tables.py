"""Does steering beat drawing freely on real tables, on rows that nothing was fitted on?

For each table and seed a new random half is learned from, with defaults only, and the other half judges. The model is
fitted once a seed; from it each policy generates 5 tables of as many rows as it was fitted on, whose scores are
averaged, as those of a single table are half luck. Scores:

- similarity: mean of shape (single columns) and pairs; higher is better.
- detection: ROC AUC of a gradient-boosting classifier, synthetic against unseen rows; 0.5 = it cannot tell them.
- exact_copies, nearer_to_training: shares of rows that equal a training row, that are nearer to one than to an unseen.
- membership_inference: ROC AUC of an attack by distances that tells training rows from unseen ones; 0.5 = it cannot.

`real` is the ceiling: the training rows themselves, as another real sample. The claim checked on each table is that
`q_learning` (steered) beats `free`: similarity up and detection down, each difference with its 95 % t interval over
seeds.

    python benchmarks/real_tables.py --out results.csv
    python benchmarks/real_tables.py --tables shop CPS1985 --seeds 2
    python benchmarks/real_tables.py --read results.csv      # print the tables of an earlier run (or of several)
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from output import add_read, interval, machine, parser, positive, save, saved, section, with_interval
from scoring import SCORES, Judge, random_halves
from tables import TABLES, load

from agentsynth import AgentSynth
from agentsynth.metrics.baselines import sample
from agentsynth.request import POLICIES
from agentsynth.seeding import child_seed

STEERED, FREE, REAL = "q_learning", "free", "real"
DEFAULT_POLICIES = ("free", "neutral", "q_learning", "raking")
Record = dict[str, Any]


def run(frame: pd.DataFrame, name: str, seed: int, policies: Sequence[str], draws: int) -> Iterator[Record]:
    """Fit once on a random half of `frame`; yield a record for each generated table and one for the ceiling."""
    train, test = random_halves(frame, seed)
    began = time.process_time()
    synth = AgentSynth(seed=seed).fit(train)
    size = {"table": name, "rows": len(frame), "columns": len(synth.schema_.compared), "seed": seed}
    known = {**size, "fit_seconds": time.process_time() - began}
    judge = Judge.of(train, test, synth.schema_, seed)
    for policy, draw in product(policies, range(draws)):
        began = time.process_time()
        made = synth.generate(len(train), seed=child_seed(seed, f"benchmark.{draw}"), policy=policy)
        seconds = time.process_time() - began
        yield {**known, "policy": policy, "draw": draw, "generate_seconds": seconds, **judge.synthetic(made)}
    yield {**known, "policy": REAL, "draw": 0, "generate_seconds": 0.0, **judge.another_real_sample()}


def by_seed(records: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of every figure over the tables of each table, policy and seed."""
    keys = ["table", "policy", "seed"]
    return records.drop(columns="draw").groupby(keys, sort=False, as_index=False).mean()


def differences(records: pd.DataFrame, score: str) -> pd.DataFrame:
    """Return steered less free, one row a table and one column a seed."""
    by_policy = {name: records[records["policy"] == name] for name in (STEERED, FREE)}
    wide = {
        name: part.pivot_table(index="table", columns="seed", values=score, sort=False)
        for name, part in by_policy.items()
    }
    return wide[STEERED] - wide[FREE]


def verdicts(records: pd.DataFrame) -> pd.DataFrame:
    """Return, for each table, both differences with their intervals, and whether the claim holds."""
    similarity, detection = differences(records, "similarity"), differences(records, "detection")
    rows = {
        table: {
            "similarity, steered - free": with_interval(similarity.loc[table], 4, signed=True),
            "detection, steered - free": with_interval(detection.loc[table], 4, signed=True),
            "seeds won": f"{(similarity.loc[table] > 0).sum()}, {(detection.loc[table] < 0).sum()}",
            "steered beats free": _verdict(interval(similarity.loc[table]), interval(-detection.loc[table])),
        }
        for table in similarity.index
    }
    return pd.DataFrame(rows).T.rename_axis("table")


def _verdict(*gains: tuple[float, float]) -> str:
    """Say whether all gains (mean, half width of the interval) are positive, and clearly so."""
    if any(mean <= 0 for mean, _ in gains):
        return "no"
    if any(np.isnan(half) for _, half in gains):
        return "in one seed"
    return "yes" if all(mean > half for mean, half in gains) else "on average; an interval holds 0"


def report(records: pd.DataFrame) -> None:
    """Print the tables of all results."""
    records = by_seed(records)
    means = records.groupby(["table", "policy"], sort=False)[[*SCORES, "generate_seconds"]].mean()
    about = records.groupby("table", sort=False).agg({"rows": "first", "columns": "first", "fit_seconds": "mean"})
    about = about.astype({"rows": int, "columns": int})
    about.insert(2, "why", [TABLES[name].why if name in TABLES else "" for name in about.index])
    seeds = records["seed"].nunique()
    print(f"{len(about)} tables, {seeds} seeds; CPU seconds. {machine()}.")
    section("Tables", about, 2)
    for score, goal in (("similarity", "higher"), ("detection", "lower, 0.5 = cannot tell")):
        wide = means.reset_index().pivot_table(index="table", columns="policy", values=score, sort=False)
        section(f"{score} ({goal})", wide)
    section("All scores, mean over tables", means.groupby("policy", sort=False).mean())
    section("The claim", verdicts(records))
    overall = {score: differences(records, score).mean(axis=1) for score in ("similarity", "detection")}
    text = "; ".join(f"{score} {with_interval(values, 4, signed=True)}" for score, values in overall.items())
    print(f"\nSteered less free, mean over tables with its 95 % interval over tables: {text}.")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark, or print earlier results."""
    options = parser(__doc__)
    options.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES), metavar="NAME", help="which")
    options.add_argument("--policies", nargs="+", choices=POLICIES, default=DEFAULT_POLICIES, metavar="NAME")
    options.add_argument("--seeds", type=positive, default=5, help="seeds 0, 1, ...: split, fit and generation")
    options.add_argument("--draws", type=positive, default=5, help="tables generated from each fit")
    options.add_argument("--max-rows", type=positive, help="of a longer table, a random sample of so many rows")
    add_read(options)
    given = options.parse_args(argv)
    if given.read:
        report(saved(given.read))
        return
    policies = list(dict.fromkeys([FREE, *given.policies, STEERED]))
    found: list[Record] = []
    for name in given.tables:
        frame = load(name)
        frame = sample(frame, given.max_rows or len(frame), 0, "benchmark")
        for seed in range(given.seeds):
            found += run(frame, name, seed, policies, given.draws)
        save(pd.DataFrame(found), given.out)
    report(pd.DataFrame(found))


if __name__ == "__main__":
    main()

"""Ours against the rivals, on the same splits of real tables: fidelity, utility, privacy, time.

For each table and seed a new random half is learned from, with defaults only, and the other half judges. Every method
fits that half and draws as many rows as it has. `real` is the half itself, as another real sample. Scores:

- shape, pairs: likeness of single columns and of pairs of columns, higher is better.
- detection: ROC AUC of a gradient-boosting classifier, drawn against unseen rows; 0.5 = it cannot tell them.
- tstr: score on unseen rows (AUC, or R squared) of a model fitted on drawn rows; trtr: fitted on as many real ones.
- exact_copies, nearer_to_training: shares of rows that equal a training row, that are nearer to one than to an unseen.
- fit_seconds, generate_seconds: CPU seconds.

With `--train-rows 32 64 ...` so many rows are learned from, and all others judge (at most 1,000 rows are drawn).

    pip install -e . -r benchmarks/requirements.txt
    python benchmarks/rivals.py --out rivals.csv                    # again: does what is missing
    python benchmarks/rivals.py --tables shop --methods agentsynth cart --seeds 2
    python benchmarks/rivals.py --train-rows 32 64 128 256 --out small.csv
    python benchmarks/rivals.py --read rivals.csv                   # print the tables of an earlier run (or of several)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import pandas as pd
from comparing import Record, Results, beside_best, by_table, not_done, overview, paired, read_results, runnable
from isolated import run_method
from methods import METHODS, OURS, REAL
from output import add_read, machine, parser, positive, section
from scoring import ATTACKS, UTILITY, Judge, random_rows
from tables import TABLES, load

from agentsynth.data.inference import infer_schema
from agentsynth.metrics.baselines import sample
from agentsynth.metrics.utility import Task

HALF = "half"
KEYS = ("table", "split", "seed", "method")
SHOWN = ("shape", "pairs", "detection", *UTILITY, "exact_copies", *ATTACKS, "fit_seconds", "generate_seconds")
LOWER = {"detection": True, "tstr": False}
"""Scores shown table by table, and whether lower is better."""
DEFAULT_METHODS = (OURS, "cart", "seqtrees", "arf", "utrees", "forest_flow", "copula", "independent", REAL)
DRAWN_ROWS = 1000


class Split:
    """One split of a table, and what is decided on its training rows.

    Args:
        name: of the table.
        frame: the table.
        split: "half", or the number of training rows.
        seed: of the split and everything after it.
    """

    def __init__(self, name: str, frame: pd.DataFrame, split: str, seed: int) -> None:
        rows = len(frame) // 2 if split == HALF else int(split)
        self.seed = seed
        self.train, test = random_rows(frame, rows, seed)
        self.judge = Judge.of(self.train, test, infer_schema(self.train), seed)
        self.drawn = rows if split == HALF else min(len(test), max(rows, DRAWN_ROWS))
        self.task: Task | None = self.judge.task()
        self.known: Record = {"table": name, "split": split, "seed": seed, "rows": len(frame), "train_rows": rows}
        self.known |= {"columns": len(self.judge.schema.compared), "target": self.task.target if self.task else ""}
        self.trtr = self.judge.utility(self.task)

    def record(self, method: str, limit: int) -> Record:
        """Return what becomes of a method on this split."""
        known = {**self.known, "method": method, "trtr": self.trtr}
        if method == REAL:
            scores = {**self.judge.another_real_sample(), "tstr": self.trtr}
            return {**known, "status": "ok", "note": "", "fit_seconds": 0.0, "generate_seconds": 0.0, **scores}
        outcome = run_method(method, self.train, self.drawn, self.seed, limit)
        known |= {"status": outcome.status, "note": outcome.note}
        known |= {"fit_seconds": outcome.fit_seconds, "generate_seconds": outcome.generate_seconds}
        if outcome.rows is None:
            return known
        return {**known, **self.judge.synthetic(outcome.rows), "tstr": self.judge.utility(self.task, outcome.rows)}


@dataclass(frozen=True)
class Plan:
    """What is run on each table: splits ("half", or training rows), seeds 0, 1, ..., methods, and their time limit."""

    splits: Sequence[str]
    seeds: int
    methods: Sequence[str]
    limit: int


def run(name: str, frame: pd.DataFrame, plan: Plan, results: Results) -> None:
    """Do what is missing for one table; splits that leave fewer rows to judge than to learn from are left out."""
    for split, seed in product(plan.splits, range(plan.seeds)):
        key = {"table": name, "split": split}
        missing = [method for method in plan.methods if results.find(**key, seed=seed, method=method) is None]
        if not missing or (split != HALF and int(split) > len(frame) // 2):
            continue
        cut = Split(name, frame, split, seed)
        for method in missing:
            # One seed says enough about a method that takes too long; the others are not waited for.
            slow = results.find(**key, method=method, status="timeout")
            given_up = {**cut.known, "method": method, "trtr": cut.trtr, "status": "timeout"}
            results.add({**given_up, "note": slow["note"]} if slow else cut.record(method, plan.limit))


def report(records: pd.DataFrame) -> None:
    """Print the tables of all results."""
    print(f"{records['table'].nunique()} tables, {records['seed'].nunique()} seeds; CPU seconds. {machine()}.")
    for split, part in records.groupby("split", sort=False):
        learned = "half of the rows" if split == HALF else f"{split} rows"
        means = overview(part, SHOWN)
        means.insert(list(means.columns).index("trtr") + 1, "tstr/trtr", means["tstr"] / means["trtr"])
        section(f"Learned from {learned}: means over tables", means)
        if (part["status"] != "ok").any():
            section("Without a result", not_done(part))
        if OURS not in set(part.loc[part["status"] == "ok", "method"]):
            continue
        section("Ours less theirs, over tables", paired(part, OURS, [score for score in SHOWN if score != "trtr"]))
        for score, lower in LOWER.items():
            section(f"Ours beside the best rival: {score}", beside_best(part, OURS, score, lower=lower))
    for score in LOWER:
        tables = by_table(records[records["split"] == HALF], [score]).reset_index()
        wide = tables.pivot_table(index="table", columns="method", values=score, sort=False)
        if len(wide):
            section(f"{score} of every table", wide)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark, or print earlier results."""
    options = parser(__doc__)
    options.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES), metavar="NAME", help="which")
    names = [*METHODS, REAL]
    options.add_argument("--methods", nargs="+", choices=names, default=list(DEFAULT_METHODS), metavar="NAME")
    options.add_argument("--seeds", type=positive, default=5, help="seeds 0, 1, ...: split, fit and rows")
    options.add_argument("--train-rows", nargs="+", type=positive, help="rows to learn from, instead of half of them")
    options.add_argument("--limit", type=positive, default=300, help="CPU seconds a method may take on a table")
    options.add_argument("--max-rows", type=positive, help="of a longer table, a random sample of so many rows")
    add_read(options)
    given = options.parse_args(argv)
    if given.read:
        report(read_results(given.read, KEYS))
        return
    results = Results(given.out, KEYS)
    splits = [HALF] if given.train_rows is None else [str(rows) for rows in given.train_rows]
    plan = Plan(splits, given.seeds, runnable(given.methods), given.limit)
    for name in given.tables:
        frame = load(name)
        run(name, sample(frame, given.max_rows or len(frame), 0, "benchmark"), plan, results)
    report(results.frame())


if __name__ == "__main__":
    main()

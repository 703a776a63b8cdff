"""Small, wide tables of continuous columns, where trees in a row lose to diffusion: how near are whole rows?

For each table and seed four fifths are learned from (with defaults, but for the leaf size where it is named), as many
rows are drawn, and the last fifth judges: the protocol and the scores of the published comparison (Jolicoeur-Martineau,
Fatras & Kachman, AISTATS 2024). `real` is the training rows themselves.

- wasserstein: exact Wasserstein-1 distance to the unseen rows, lower is better.
- coverage: share of unseen rows that have a drawn row within their 2nd nearest unseen neighbour, higher is better.
- r2, f1: score on the unseen rows of models fitted on the drawn ones, of tables with a number or a class as label.
- exact_copies, nearer_to_training: shares of rows that equal a training row, that are nearer to one than to an unseen.
- seconds: CPU seconds to fit and to draw.

Forest-Flow has its published settings (50 times, 100 copies). On a table where it exceeds the time limit, `forest_flow
reduced` (20 times, 20 copies) runs as well, in a line of its own.

    pip install -e . -r benchmarks/requirements.txt
    python benchmarks/small_wide.py --out wide.csv                  # again: does what is missing
    python benchmarks/small_wide.py --tables iris wine --methods agentsynth copula --seeds 1
    python benchmarks/small_wide.py --read wide.csv
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pandas as pd
from comparing import Record, Results, beside_best, by_table, not_done, overview, paired, read_results, runnable
from isolated import run_method
from methods import METHODS, OURS, REAL
from models import prediction
from output import add_read, machine, parser, positive, section
from scoring import random_rows
from small_tables import SMALL_TABLES

from agentsynth.data.inference import infer_schema
from agentsynth.data.typed import typed
from agentsynth.metrics.coverage import coverage
from agentsynth.metrics.privacy import exact_copies, nearer_to_training
from agentsynth.metrics.values import compared
from agentsynth.metrics.wasserstein import wasserstein

KEYS = ("table", "seed", "method")
SHOWN = ("wasserstein", "coverage", "r2", "f1", "exact_copies", "nearer_to_training", "seconds")
PARTS = 5
"""One of so many parts judges."""
NEIGHBOUR = 2
"""What the published evaluation's search for a neighbour comes to, where no rows are equal."""
FLOW, REDUCED = "forest_flow", "forest_flow reduced"
DEFAULT_METHODS = (OURS, "agentsynth k=3", "agentsynth k=6", FLOW, REDUCED, "utrees", "cart", "copula", REAL)


class Split:
    """One split of a small table.

    Args:
        name: of the table.
        seed: of the split and everything after it.
    """

    def __init__(self, name: str, seed: int) -> None:
        table = SMALL_TABLES[name]
        frame = table.load()
        # With exactly four training rows for each unseen one, the best transport is a pairing.
        size = len(frame) // PARTS
        rest, test = random_rows(frame, len(frame) - size, seed)
        self.train = rest.iloc[: (PARTS - 1) * size].reset_index(drop=True)
        self.seed, self.target, self.score = seed, table.target, "f1" if table.classes else "r2"
        self.schema = infer_schema(self.train)
        self.known, self.unseen = (self.typed(part) for part in (self.train, test))
        self.about: Record = {"table": name, "seed": seed, "rows": len(frame), "columns": self.known.shape[1]}

    def typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the compared columns of a table."""
        return compared(typed(frame, self.schema), self.schema)

    def scores(self, rows: pd.DataFrame) -> dict[str, float]:
        """Return every score of typed rows."""
        return {
            "wasserstein": wasserstein(self.unseen, rows, self.known, self.seed),
            "coverage": coverage(self.unseen, rows, self.known, NEIGHBOUR, self.seed),
            self.score: prediction(self.known, rows, self.unseen, self.target, self.seed),
        }

    def record(self, method: str, limit: int) -> Record:
        """Return what becomes of a method on this split."""
        about = {**self.about, "method": method}
        if method == REAL:
            copies = exact_copies(self.known, self.unseen)
            privacy = {"exact_copies": copies, "nearer_to_training": 0.5}
            return {**about, "status": "ok", "note": "", **self.scores(self.known), **privacy, "seconds": 0.0}
        outcome = run_method(method, self.train, len(self.train), self.seed, limit, self.target)
        about |= {"status": outcome.status, "note": outcome.note}
        if outcome.rows is None:
            return about
        rows = self.typed(outcome.rows)
        privacy = {
            "exact_copies": exact_copies(self.known, rows),
            "nearer_to_training": nearer_to_training(self.known, self.unseen, rows, self.seed),
        }
        seconds = (outcome.fit_seconds or 0.0) + (outcome.generate_seconds or 0.0)
        return {**about, **self.scores(rows), **privacy, "seconds": seconds}


def run(name: str, seeds: int, methods: Sequence[str], limit: int, results: Results) -> None:
    """Do what is missing for one table."""
    for seed, method in product(range(seeds), methods):
        if results.find(table=name, seed=seed, method=method) is not None:
            continue
        slow = results.find(table=name, method=method, status="timeout")
        if method == REDUCED and results.find(table=name, method=FLOW, status="timeout") is None:
            continue
        split = Split(name, seed)
        given_up = {**split.about, "method": method, "status": "timeout"}
        # One seed says enough about a method that takes too long; the others are not waited for.
        results.add({**given_up, "note": slow["note"]} if slow else split.record(method, limit))


def report(records: pd.DataFrame) -> None:
    """Print the tables of all results."""
    # A run may hold only tables with a class, or only with a number, to predict.
    records = records.reindex(columns=[*records.columns, *(name for name in SHOWN if name not in records.columns)])
    print(f"{records['table'].nunique()} tables, {records['seed'].nunique()} seeds; CPU seconds. {machine()}.")
    section("Means over tables", overview(records, SHOWN))
    done = records[records["status"] == "ok"]
    if (records["status"] != "ok").any():
        section("Without a result", not_done(records))
    for ours in (name for name in METHODS if name.startswith(OURS) and name in set(done["method"])):
        section(f"{ours} less the others, over tables", paired(records, ours, SHOWN))
    for score, lower in (("wasserstein", True), ("coverage", False)):
        tables = by_table(records, [score]).reset_index()
        section(
            f"{score} of every table", tables.pivot_table(index="table", columns="method", values=score, sort=False)
        )
        if OURS in set(done["method"]):
            section(f"Ours beside the best rival: {score}", beside_best(records, OURS, score, lower=lower))


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark, or print earlier results."""
    options = parser(__doc__)
    tables = list(SMALL_TABLES)
    options.add_argument("--tables", nargs="+", choices=tables, default=tables, metavar="NAME", help="which")
    names = [*METHODS, REAL]
    options.add_argument("--methods", nargs="+", choices=names, default=list(DEFAULT_METHODS), metavar="NAME")
    options.add_argument("--seeds", type=positive, default=3, help="seeds 0, 1, ...: split, fit and rows")
    options.add_argument("--limit", type=positive, default=900, help="CPU seconds a method may take on a table")
    add_read(options)
    given = options.parse_args(argv)
    if given.read:
        report(read_results(given.read, KEYS))
        return
    results, methods = Results(given.out, KEYS), runnable(given.methods)
    for name in given.tables:
        run(name, given.seeds, methods, given.limit, results)
    report(results.frame())


if __name__ == "__main__":
    main()

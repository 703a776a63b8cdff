"""Do generated entities live as unseen ones do: users and their orders, workers over years, patients over visits?

Of each table half of the entities, with all their rows, are learned from; the other half judge. As many entities are
made as are judged by. The figures are those of `agentsynth.entities.scores`, means over seeds with their 95 % interval:
each seed splits anew. Detection is 0.5 where a classifier cannot tell, attributes are 1 where they stay the same; the
others are distances, 0 at best.

Sources: `q_learning` (entities, steered by the learned policy), `free` (entities as they are drawn), `one by one` (the
floor: rows drawn and steered one by one, ids given to them afterwards), `TabularARGN` (a packaged rival, see
`sequence_worker.py`; only with `--rival-python`), `real` (the ceiling: the entities that were learned from, as another
real sample; how near they are to themselves is no question). Of `q_learning` and the rival the CPU seconds of fitting
and drawing are told, too.

The last tables are what it costs: seconds to fit, and entities and rows a second, for two sizes of the shop; and tables
of the shop written in parts, each by a process of its own (and its workers): rows a second, and the peak memory.

    python benchmarks/entities.py --out entities.csv
    python benchmarks/entities.py --tables --cost-rows --part-rows 100000 400000   # the last table alone
    python benchmarks/entities.py --tables shop --seeds 10
    python benchmarks/entities.py --rival-python rival/bin/python       # an interpreter that has mostlyai-engine
    python benchmarks/entities.py --read entities.csv      # print the tables of an earlier run
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from output import add_read, machine, markdown, parser, positive, save, saved, with_interval
from sequences import Rival
from streaming import measured
from tables import RealTable

from agentsynth import AgentSynth
from agentsynth.data.inference import infer_schema
from agentsynth.data.schema import Schema
from agentsynth.data.shop import simulate_shop
from agentsynth.entities.generator import EntityGenerator
from agentsynth.entities.plan import EntityPlan
from agentsynth.entities.scores import SCORES, entity_scores
from agentsynth.seeding import stream

SHOP_ROWS = 4000
RIVAL = "TabularARGN"
SOURCES = ("q_learning", "free", "one by one", RIVAL, "real")
TIMES = ("fit CPU s", "draw CPU s")
Record = dict[str, Any]


@dataclass(frozen=True)
class Panel:
    """A table with entities: where it is from, and the column that names them."""

    source: RealTable | None
    column: str
    ids: tuple[str, ...] = ()
    """Other id columns, within or around the entities."""

    def load(self) -> pd.DataFrame:
        """Return the table; without a source the simulated shop, whose users have habits."""
        return simulate_shop(SHOP_ROWS, seed=0, habits=True) if self.source is None else self.source.load()


GUATEMALA = RealTable("mlmRev", "guImmun", "161 communities, 1,595 mothers in them, 2,159 children of theirs")
TABLES = {
    "shop": Panel(None, "user_id"),
    "Males": Panel(RealTable("plm", "Males", "545 workers over 8 years, labels and a wage"), "nr"),
    "LaborSupply": Panel(RealTable("plm", "LaborSupply", "532 workers over 10 years, numbers"), "id"),
    "pbcseq": Panel(RealTable("survival", "pbcseq", "312 patients, 1 to 16 visits, missing numbers"), "id"),
    "communities": Panel(GUATEMALA, "comm", ("mom", "kid")),
    "mothers": Panel(GUATEMALA, "mom", ("comm", "kid")),
}
"""Chosen for what they contain; all that were tried are here."""


def halves(frame: pd.DataFrame, column: str, seed: int, most: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of one half of the entities, and those of the other half; of `most` entities in all."""
    names = pd.unique(frame[column])
    order = names[stream(seed, "entities.halves").permutation(len(names))[:most]]
    first, second = (frame[column].isin(part) for part in (order[: len(order) // 2], order[len(order) // 2 :]))
    return frame[first].reset_index(drop=True), frame[second].reset_index(drop=True)


@dataclass(frozen=True)
class Made:
    """A table of a source; CPU seconds of fitting and drawing, where they were taken."""

    table: pd.DataFrame
    fit: float | None = None
    draw: float | None = None


def made_by_us(
    train: pd.DataFrame, unseen: pd.DataFrame, schema: Schema, column: str, seed: int, config: dict[str, Any]
) -> tuple[EntityPlan, dict[str, Made]]:
    """Return what the entities are, and the tables of all sources but the rival."""
    count = unseen[column].nunique()
    begun = time.process_time()
    synth = AgentSynth({**config, "entities": {"column": column}}, seed=seed).fit(train, schema=schema)
    fitted = time.process_time()
    steered = synth.generate(entities=count, seed=seed)
    drawn = time.process_time()
    generator = synth.model_.generator
    if not isinstance(generator, EntityGenerator):
        raise TypeError("the model has no entities")
    flat = AgentSynth(config, seed=seed).fit(train, schema=schema)
    return generator.plan, {
        "q_learning": Made(steered, fitted - begun, drawn - fitted),
        "free": Made(synth.generate(entities=count, seed=seed, policy="free")),
        "one by one": Made(flat.generate(len(unseen), seed=seed)),
        "real": Made(train),
    }


def judged(
    name: str, panel: Panel, seed: int, most: int, config: dict[str, Any], rival: Rival | None = None
) -> Iterator[Record]:
    """Fit on one half, make tables of every source, and yield their scores against the other half."""
    train, unseen = halves(panel.load(), panel.column, seed, most)
    schema = infer_schema(train, {name: {"kind": "id"} for name in (panel.column, *panel.ids)})
    plan, tables = made_by_us(train, unseen, schema, panel.column, seed, config)
    count = unseen[panel.column].nunique()
    if rival is not None:
        outcome = rival.run(train, plan, schema, count, seed)
        if outcome.rows is None:
            print(f"{RIVAL} is left out of {name}, seed {seed}: {outcome.status}, {outcome.note}", flush=True)
        else:
            tables[RIVAL] = Made(outcome.rows, outcome.fit_seconds, outcome.generate_seconds)
    for source, made in tables.items():
        scores = entity_scores(unseen, made.table, train, plan, schema, seed)
        if source == "real":
            scores["nearer"] = float("nan")
        told: Record = {"table": name, "seed": seed, "source": source, "entities": count, "made": len(made.table)}
        yield {**told, **scores, **dict(zip(TIMES, (made.fit, made.draw), strict=True))}


def costs(rows: int, config: dict[str, Any]) -> Record:
    """Return what a shop of so many rows costs: seconds to fit, entities and rows a second."""
    shop = simulate_shop(rows, seed=0, habits=True)
    begun = time.perf_counter()
    synth = AgentSynth({**config, "entities": {"column": "user_id"}}).fit(shop)
    fitted = time.perf_counter() - begun
    record: Record = {"table": "cost", "seed": 0, "size": rows, "entities": shop["user_id"].nunique(), "fit": fitted}
    for source in ("free", "q_learning"):
        begun = time.perf_counter()
        made = synth.generate(entities=int(record["entities"]), policy=source)
        seconds = time.perf_counter() - begun
        record |= {f"{source} entities/s": record["entities"] / seconds, f"{source} rows/s": len(made) / seconds}
    return record


def in_parts(sizes: list[int], shop_rows: int, config: dict[str, Any]) -> Iterator[Record]:
    """Write tables of so many rows in parts, as they are drawn and steered, and yield what they cost."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.zip"
        shop = simulate_shop(shop_rows, seed=0, habits=True)
        AgentSynth({**config, "entities": {"column": "user_id"}}).fit(shop).save(model)
        cases: list[Record] = [{"rows": rows, "policy": "free"} for rows in sizes]
        cases.append({"rows": sizes[-1], "policy": "free", "workers": 2})
        cases += [{"rows": rows, "policy": "q_learning"} for rows in sizes[:2]]
        for case in cases:
            found = measured(model, **case)
            told = {name: found[name] for name in ("rows", "policy", "wall", "CPU", "peak MB", "worker MB")}
            rates = {"rows/s": found["done"] / found["wall"], "rows/CPU s": found["done"] / found["CPU"]}
            yield {"table": "parts", "seed": 0, "workers": case.get("workers", 0), **told, **rates}


def report(records: pd.DataFrame) -> str:
    """Return the tables of all records."""
    lines = []
    for name, found in records[~records["table"].isin(["cost", "parts"])].groupby("table", sort=False):
        known = set(found["source"])
        rows = {
            score: {source: _cell(found[found["source"] == source][score]) for source in SOURCES if source in known}
            for score in (*SCORES, *TIMES)
            if score in found and found[score].notna().any()
        }
        seeds, entities = found["seed"].nunique(), int(found["entities"].iloc[0])
        lines += [f"\n{name}: {entities} unseen entities, {seeds} seeds\n", markdown(pd.DataFrame(rows).T)]
    cost = records[records["table"] == "cost"].dropna(axis=1)
    if len(cost):
        cost = cost.astype({"size": int, "entities": int}).drop(columns=["table", "seed"])
        lines += ["\nCost\n", markdown(cost.set_index("size"), 1)]
    parts = records[records["table"] == "parts"].dropna(axis=1)
    if len(parts):
        parts = parts.astype({"rows": int, "workers": int}).drop(columns=["table", "seed"])
        lines += ["\nIn parts\n", markdown(parts.set_index("rows"), 1)]
    return "\n".join(lines)


def _cell(values: pd.Series[float]) -> str:
    known = values.dropna()
    return with_interval(known) if len(known) else ""


def main(arguments: list[str] | None = None) -> None:
    """Run the benchmark."""
    options = parser(__doc__)
    options.add_argument("--tables", nargs="*", choices=list(TABLES), default=list(TABLES))
    options.add_argument("--seeds", type=positive, default=5)
    options.add_argument("--cost-rows", nargs="*", type=positive, default=[4000, 16000], help="sizes to be timed")
    options.add_argument(
        "--part-rows", nargs="*", type=positive, default=[100_000, 400_000, 1_600_000], help="of tables in parts"
    )
    options.add_argument("--shop-rows", type=positive, default=SHOP_ROWS, help="of the shop they are learned from")
    options.add_argument("--max-entities", type=positive, default=10_000, help="of each table")
    options.add_argument("--episodes", type=positive, default=30)
    options.add_argument("--rival-python", type=_interpreter, help=f"interpreter that has mostlyai-engine, for {RIVAL}")
    options.add_argument("--rival-minutes", type=positive, default=10, help="of training, for each of its two models")
    add_read(options)
    chosen = options.parse_args(arguments)
    print(machine())
    records = saved(chosen.read) if chosen.read else _run(chosen)
    print(report(records))


def _interpreter(text: str) -> Path:
    if shutil.which(text) is None:
        raise argparse.ArgumentTypeError(f"expected an interpreter; found nothing to run at {text!r}")
    return Path(text)


def _run(chosen: argparse.Namespace) -> pd.DataFrame:
    config = {"agent": {"episodes": chosen.episodes}}
    rival = Rival(chosen.rival_python, chosen.rival_minutes) if chosen.rival_python else None
    if rival is None:
        print(f"{RIVAL} is left out: no --rival-python.")
    records: list[Record] = []
    for name in chosen.tables:
        for seed in range(chosen.seeds):
            records += judged(name, TABLES[name], seed, chosen.max_entities, config, rival)
            save(pd.DataFrame(records), chosen.out)
    records += [costs(rows, config) for rows in chosen.cost_rows]
    if chosen.part_rows:
        records += in_parts(chosen.part_rows, chosen.shop_rows, config)
    save(pd.DataFrame(records), chosen.out)
    return pd.DataFrame(records)


if __name__ == "__main__":
    main()

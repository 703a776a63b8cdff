"""Can an attacker who knows the generator tell which rows a synthetic table was learned from?

The attacker has a synthetic table, all values of the rows that he asks about, and the generator itself with its
parameters: so he can fit it on rows of his own choice and see what a row leaves behind (shadow models). Of each real
table, `--models` random halves are learned from, in complementary pairs, and from each model a table of as many rows
is generated. Each pair is attacked with what the other pairs taught: see `clues.py` (what he looks at) and
`likelihood.py` (what he makes of it). Rows that have an equal twin are not asked about: nobody can tell them apart.

Figures: ROC AUC (0.5 = he cannot tell), and the share of members found where 1 % of the non-members are accused. "±" is
the 95 % t interval over pairs; pairs share the rows, so that it is too narrow: `chance` is the 95 % range about 0.5
where members are drawn anew, and nothing can be known of them.

- nearest: distance to the nearest synthetic row, no shadow models.
- shadow: the whole attack; by distances, queries, exact values: with one kind of clue only.
- outlying: among the 5 % of the rows that are farthest from their nearest other row; the rest: among the others.
- rare label: among the rows with a label that at most 5 rows have, where there are 10 of them.

Sources: `q_learning` (the default) and other policies of AgentSynth, from one fit; and, to see what the attack can do,
`copies` (the training rows), `shuffled` (training rows with every column shuffled: exact in each column, nothing else)
and `independent` (the same, but values drawn with replacement: what the simplest of all synthesisers gives away).

    python benchmarks/shadow_attack.py --out attack.csv
    python benchmarks/shadow_attack.py --tables CPS1985 --models 16 --min-leaf 50
    python benchmarks/shadow_attack.py --read attack.csv      # print the tables of an earlier run (or of several)
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from clues import FAMILIES, Attacker
from likelihood import Flags, Floats, attack, sides
from output import add_read, machine, parser, positive, save, saved, section, with_interval
from tables import TABLES, load

from agentsynth import AgentSynth
from agentsynth.data.inference import infer_schema
from agentsynth.data.schema import Schema
from agentsynth.data.typed import typed
from agentsynth.metrics.baselines import sample, shuffled_columns
from agentsynth.metrics.learner import roc_auc
from agentsynth.metrics.values import compared, kind_of
from agentsynth.request import POLICIES
from agentsynth.seeding import child_seed, stream

CONTROLS = ("copies", "shuffled", "independent")
DEFAULT_TABLES = ("CPS1985", "births14", "SaratogaHouses", "Gestation", "shop")
OUTLYING = 0.05
RARE_ROWS, FEWEST_RARE = 5, 10
"""Most rows that have a rare label; fewest rows to give a figure for."""
FALSE_POSITIVES = 0.01
OUTLYING_ROWS, OTHER_ROWS = f"outlying {OUTLYING:.0%}", "the rest"
REDRAWS = 8
"""Times that members are drawn anew."""
Record = dict[str, Any]
Generate = Callable[[pd.DataFrame, Schema, int], Mapping[str, pd.DataFrame]]


def generator(sources: Sequence[str], config: Mapping[str, Any]) -> Generate:
    """Return what makes a table of each source, as many rows as it is given; AgentSynth is fitted once."""

    def generate(train: pd.DataFrame, schema: Schema, seed: int) -> dict[str, pd.DataFrame]:
        policies = [source for source in sources if source in POLICIES]
        made = {}
        if policies:
            synth = AgentSynth(config, seed=seed).fit(train, schema=schema)
            made = {policy: synth.generate(len(train), seed=seed, policy=policy) for policy in policies}
        controls = {
            "copies": lambda: train.sample(len(train), random_state=stream(seed, "copies")),
            "shuffled": lambda: shuffled_columns(train, seed),
            "independent": lambda: independent_columns(train, seed),
        }
        return made | {source: controls[source]() for source in sources if source in CONTROLS}

    return generate


def independent_columns(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return a table of as many rows, each value drawn by itself from its column, with replacement."""
    columns = {
        name: frame[name].sample(len(frame), replace=True, random_state=stream(seed, f"independent {name}"))
        for name in frame.columns
    }
    return pd.DataFrame({name: column.reset_index(drop=True) for name, column in columns.items()})


def halves(rows: int, models: int, rng: np.random.Generator) -> Flags:
    """Return which rows each model learns from, (models, rows): random halves, models 2i and 2i + 1 complementary."""
    first = [rng.permutation(rows) < rows // 2 for _ in range(models // 2)]
    return np.array([members for half in first for members in (half, ~half)])


def run(frame: pd.DataFrame, generate: Generate, models: int, seed: int) -> Iterator[Record]:
    """Fit the models, attack them, and yield a record for each source, attack, group of rows and pair."""
    schema = infer_schema(frame)
    names = [column.name for column in schema.modelled]

    def prepared(table: pd.DataFrame) -> pd.DataFrame:
        return compared(typed(table, schema), schema)[names].reset_index(drop=True)

    records = prepared(frame)
    attacker = Attacker.of(records, seed)
    members = halves(len(records), models, stream(seed, "shadow.halves"))
    clues: dict[str, list[Floats]] = {}
    for number, half in enumerate(members):
        made = generate(frame[half].reset_index(drop=True), schema, child_seed(seed, f"shadow.{number}"))
        for source, table in made.items():
            clues.setdefault(source, []).append(attacker.clues(prepared(table)))
    groups = row_groups(records, attacker.outlyingness())
    for source, found in clues.items():
        for line in judged(np.stack(found), members, groups, seed):
            yield {"rows": len(records) // 2, "columns": len(names), "source": source, **line}


def row_groups(records: pd.DataFrame, outlyingness: Floats) -> dict[str, Flags]:
    """Return the groups of rows that are asked about, (n,) each; first all that have no equal twin.

    Args:
        records: (n, p) typed frame.
        outlyingness: (n,) distance to the nearest other record.
    """
    asked = ~records.duplicated(keep=False).to_numpy()
    far = outlyingness >= np.quantile(outlyingness[asked], 1 - OUTLYING)
    groups = {"all": asked, OUTLYING_ROWS: asked & far, OTHER_ROWS: asked & ~far}
    labels = [records[name] for name in records.columns if kind_of(records[name]) == "categorical"]
    sharing = [column.map(column.value_counts()).to_numpy(dtype=np.float64, na_value=np.inf) for column in labels]
    rare = asked & (np.min(sharing, axis=0, initial=np.inf) <= RARE_ROWS)
    return groups if rare.sum() < FEWEST_RARE else {**groups, "rare label": rare}


def judged(clues: Floats, members: Flags, groups: Mapping[str, Flags], seed: int) -> Iterator[Record]:
    """Attack all models of a source; yield the figures of each attack, group of rows and pair of models.

    Args:
        clues: (models, n, f).
        members: (models, n).
        groups: (n,) which records are asked about, all of them first.
        seed: of the members drawn anew.
    """
    known = sides(clues, members)
    asked = groups["all"]
    for name, found in {"nearest": known[..., 0], "shadow": attack(known)}.items():
        for group, rows in groups.items():
            yield from ({"attack": name, "group": group, **line} for line in _by_pair(found[..., rows]))
    for family, part in FAMILIES.items():
        found = attack(known[..., part])[..., asked]
        yield from ({"attack": f"shadow, {family}", "group": "all", **line} for line in _by_pair(found))
    for number in range(REDRAWS):
        drawn = halves(members.shape[1], len(members), stream(seed, f"shadow.redraw.{number}"))
        lines = _by_pair(attack(sides(clues, drawn))[..., asked])
        means = {figure: float(np.mean([line[figure] for line in lines])) for figure in ("auc", "found")}
        yield {"attack": "chance", "group": "all", "pair": number, **means}


def _by_pair(suspicion: Floats) -> list[Record]:
    """Return the figures of each pair of models, given the suspicion (2, pairs, n) of members and of the others."""
    figures = []
    for pair, (inside, outside) in enumerate(suspicion.swapaxes(0, 1)):
        auc = roc_auc(np.repeat([True, False], len(inside)), np.concatenate([inside, outside]))
        bar = np.quantile(outside, 1 - FALSE_POSITIVES)
        figures.append({"pair": pair, "auc": auc, "found": float((inside > bar).mean())})
    return figures


def report(records: pd.DataFrame) -> None:
    """Print the tables of all results."""
    models = 2 * records.loc[records["attack"] == "shadow", "pair"].nunique()
    print(f"{models} models a table. {machine()}.")
    whole = records[records["group"] == "all"]
    section("AUC of the attacks (0.5 = cannot tell)", _wide(whole, "attack", "auc"))
    section(f"Members found with {FALSE_POSITIVES:.0%} of the others accused", _wide(whole, "attack", "found"))
    for name in ("nearest", "shadow"):
        section(f"AUC of {name} by how far a row is from all others", _groups(records[records["attack"] == name]))


def _wide(records: pd.DataFrame, by: str, figure: str) -> pd.DataFrame:
    """Return the figure with its interval, one row a table and source, one column for each value of `by`."""
    rows: dict[str, Record] = {}
    for (table, source, size, kind), part in records.groupby(["table", "source", "rows", by], sort=False):
        text = _chance(part[figure]) if kind == "chance" and figure == "auc" else with_interval(part[figure])
        rows.setdefault(f"{table}, {source}", {"rows learned from": size})[str(kind)] = text
    return pd.DataFrame(rows).T.fillna("").rename_axis("table, source")


def _chance(values: pd.Series[float]) -> str:
    return f"0.5 ± {1.96 * np.sqrt(((values - 0.5) ** 2).mean()):.3f}"


def _groups(records: pd.DataFrame) -> pd.DataFrame:
    """Return the AUC in each group, and the paired difference of the outlying rows and the rest."""
    wide = _wide(records, "group", "auc")
    values = records.pivot_table(index=["table", "source"], columns=["group", "pair"], values="auc", sort=False)
    gap = values[OUTLYING_ROWS] - values[OTHER_ROWS]
    wide["outlying - rest"] = [with_interval(line, signed=True) for line in gap.to_numpy()]
    return wide


def _models(text: str) -> int:
    count = positive(text)
    if count % 2 or count < 8:
        raise argparse.ArgumentTypeError(f"models come in pairs, at least four: an even number from 8 on; found {text}")
    return count


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark, or print earlier results."""
    options = parser(__doc__)
    options.add_argument("--tables", nargs="+", choices=TABLES, default=DEFAULT_TABLES, metavar="NAME", help="which")
    options.add_argument("--sources", nargs="+", choices=(*POLICIES, *CONTROLS), metavar="NAME", help="what to attack")
    options.add_argument("--models", type=_models, default=32, help="models a table, an even number")
    options.add_argument(
        "--max-rows", type=positive, default=1000, help="of a longer table, a random sample of so many"
    )
    options.add_argument("--min-leaf", type=positive, help="generator.min_leaf, the privacy dial")
    options.add_argument("--seed", type=int, default=0, help="of halves, fits and tables")
    add_read(options)
    given = options.parse_args(argv)
    if given.read:
        report(saved(given.read))
        return
    config = {"generator": {"min_leaf": given.min_leaf}} if given.min_leaf else {}
    generate = generator(given.sources or ("q_learning", "free", *CONTROLS), config)
    found: list[Record] = []
    for name in given.tables:
        frame = sample(load(name), given.max_rows, 0, "benchmark").reset_index(drop=True)
        found += ({"table": name, **line} for line in run(frame, generate, given.models, given.seed))
        save(pd.DataFrame(found), given.out)
    report(pd.DataFrame(found))


if __name__ == "__main__":
    main()

"""What `rivals.py` and `small_wide.py` share: results that grow row by row, and tables that compare methods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from methods import METHODS, REAL
from output import interval, save, with_interval

from agentsynth.errors import InputError

Record = dict[str, Any]


class Results:
    """Results in a file, written after each record; a run that is repeated does only what is missing.

    Args:
        path: CSV file, read if it exists; None: kept in memory only.
        keys: what tells records apart.

    Raises:
        InputError: the file is not a CSV file of such results.
    """

    def __init__(self, path: Path | None, keys: Sequence[str]) -> None:
        self.path, self.keys = path, list(keys)
        self.records: list[Record] = []
        if path is not None and path.exists():
            self.records = read_results([path], self.keys).to_dict("records")  # type: ignore[assignment]

    def find(self, **key: object) -> Record | None:
        """Return the record with such values, if it is there."""
        return next((one for one in self.records if all(one[name] == value for name, value in key.items())), None)

    def add(self, record: Record) -> None:
        """Keep a record and write all."""
        self.records.append(record)
        save(self.frame(), self.path)

    def frame(self) -> pd.DataFrame:
        """Return all records."""
        return pd.DataFrame(self.records)


def read_results(paths: Iterable[Path], keys: Sequence[str]) -> pd.DataFrame:
    """Return the results of several files; of those that tell the same, the last.

    Raises:
        InputError: a file is missing, or lacks a column.
    """
    frames = []
    for path in paths:
        if path.suffix.lower() != ".csv" or not path.is_file():
            raise InputError(f"results are read from .csv files that --out wrote; {path} is none.")
        frame = pd.read_csv(path, dtype={"note": "str", "split": "str"}, keep_default_na=True)
        lacking = [name for name in [*keys, "status"] if name not in frame.columns]
        if lacking:
            raise InputError(f"{path} has no column {lacking[0]!r}: it is not a result of this benchmark.")
        frames.append(frame.assign(note=frame["note"].fillna("")))
    return pd.concat(frames, ignore_index=True).drop_duplicates(list(keys), keep="last", ignore_index=True)


def runnable(names: Iterable[str]) -> list[str]:
    """Return those of the methods that can run here; say which cannot, and why."""
    able = []
    for name in names:
        if name == REAL or METHODS[name].installed:
            able.append(name)
        else:
            package = METHODS[name].package
            print(f"{name} is left out: the package {package} is not installed (benchmarks/requirements.txt).")
    return able


def by_table(records: pd.DataFrame, scores: Sequence[str]) -> pd.DataFrame:
    """Return the mean over seeds of each score, one row a (table, method) with a result."""
    done = records[records["status"] == "ok"]
    return done.groupby(["table", "method"], sort=False)[list(scores)].mean()


def overview(records: pd.DataFrame, scores: Sequence[str]) -> pd.DataFrame:
    """Return each method's mean over tables, and over how many of the tables."""
    tables = by_table(records, scores)
    means = tables.groupby("method", sort=False).mean()
    every = records["table"].nunique()
    counts = tables.groupby("method", sort=False).size()
    means.insert(0, "tables", [f"{counts[name]} of {every}" for name in means.index])
    return means


def paired(records: pd.DataFrame, ours: str, scores: Sequence[str]) -> pd.DataFrame:
    """Return ours less each other method: the mean difference over the tables that both did, with its 95 % interval."""
    tables = by_table(records, scores)
    methods = [name for name in tables.index.unique("method") if name != ours]
    rows = {}
    for name in methods:
        gaps = (_of(tables, ours) - _of(tables, name)).dropna(how="all")
        if len(gaps):
            rows[name] = {
                "tables": len(gaps),
                **{score: with_interval(gaps[score].dropna(), 3, signed=True) for score in scores},
            }
    return pd.DataFrame(rows).T.rename_axis("method")


def _of(tables: pd.DataFrame, method: str) -> pd.DataFrame:
    """Return one method's rows of what `by_table` returns, one a table."""
    return tables[tables.index.get_level_values("method") == method].droplevel("method")


def beside_best(records: pd.DataFrame, ours: str, score: str, *, lower: bool) -> pd.DataFrame:
    """Return, for each table, ours beside the best rival in one score, and the difference with its interval over seeds.

    Another real sample is no rival, and neither are variants of ours.
    """
    done = records[(records["status"] == "ok") & records[score].notna()]
    rivals = done[~done["method"].str.startswith(ours) & (done["method"] != REAL)]
    rows = {}
    for table in done["table"].unique():
        mine = done[(done["table"] == table) & (done["method"] == ours)].set_index("seed")[score]
        means = rivals[rivals["table"] == table].groupby("method")[score].mean()
        if mine.empty or means.empty:
            continue
        best = str(means.idxmin() if lower else means.idxmax())
        theirs = rivals[(rivals["table"] == table) & (rivals["method"] == best)].set_index("seed")[score]
        gap = (mine - theirs).dropna()
        rows[table] = {
            ours: float(mine.mean()),
            "best rival": best,
            "its": float(means[best]),
            "ours - its": with_interval(gap, 3, signed=True) if len(gap) else "-",
            "ours is better": _better(gap, lower=lower) if len(gap) else "-",
        }
    return pd.DataFrame(rows).T.rename_axis("table")


def _better(gap: pd.Series[float], *, lower: bool) -> str:
    """Say whether ours is better than a rival, and whether the interval over seeds is clear of 0."""
    mean, half = interval(gap)
    word = "yes" if (mean < 0) == lower and mean != 0 else "no"
    return word if abs(mean) > half else f"{word}, but the interval holds 0"


def not_done(records: pd.DataFrame) -> pd.DataFrame:
    """Return which method has no result on which table, and why."""
    rest = records[records["status"] != "ok"]
    why = rest["status"] + " " + rest["note"].fillna("").astype(str)
    return (
        rest.assign(why=why.str.strip())
        .groupby(["method", "why"], sort=False)["table"]
        .agg(lambda names: ", ".join(dict.fromkeys(names)))
        .reset_index("why")
    )

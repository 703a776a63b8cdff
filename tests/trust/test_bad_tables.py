"""Broken tables: what the user reads of each, and that nothing is written or lost."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

ROWS = 40
RNG = np.random.default_rng(0)
X = [f"{value:.2f}" for value in RNG.normal(10, 3, ROWS)]
C = [str(value) for value in RNG.choice(list("abc"), ROWS)]
DAYS = [f"2021-02-{1 + row % 28:02d}" for row in range(ROWS)]
Refused = Callable[..., None]
Run = Callable[..., Any]
Content = bytes | Callable[[Path], object]


def lines(header: str, rows: Iterable[str]) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def beside(name: str, values: Iterable[str]) -> bytes:
    """A table of a number, the column of such name, and a label."""
    return lines(f"x,{name},c", [f"{x},{value},{c}" for x, value, c in zip(X, values, C, strict=True)])


PLAIN = lines("x,c", [f"{x},{c}" for x, c in zip(X, C, strict=True)])


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def twice() -> bytes:
    """A Parquet file with two columns that have one name once they are text."""
    return parquet(pd.DataFrame({"1": range(ROWS), "x": range(ROWS)}).rename(columns={"x": ""}))


TABLES: dict[str, tuple[str, Content, tuple[str, ...]]] = {
    "empty": ("t.csv", b"", ("t.csv is empty", "a header line and at least one row")),
    "blank lines": ("t.csv", b"\n\n\n", ("t.csv has no header", "the first line names the columns")),
    "header only": ("t.csv", b"a,b\n", ("t.csv has 2 columns and no rows", "at least one row")),
    "header without an end": ("t.csv", b"a,b", ("t.csv has 2 columns and no rows", "at least one row")),
    "one row": ("t.csv", b"a,b\n1,x\n", ("a table of 1 rows is too small", "at least 5")),
    "two rows": ("t.csv", b"a,b\n1,x\n2,y\n", ("a table of 2 rows is too small", "at least 5")),
    "one constant column": ("t.csv", lines("x", ["1"] * ROWS), ("only ids and constants", "nothing to learn")),
    "all missing": ("t.csv", lines("a,b", [","] * ROWS), ("only ids and constants", "nothing to learn")),
    "all missing, quoted": ("t.csv", lines("a", ['""'] * ROWS), ("only ids and constants",)),
    "a name twice": ("t.csv", b"a,a\n1,2\n", ("t.csv: column name 'a' occurs more than once", "Rename")),
    "a name twice, late": ("t.csv", b"a,b,c,b\n1,2,3,4\n", ("column name 'b' occurs more than once",)),
    "no name": ("t.csv", b"a,\n1,2\n", ("t.csv: column 2 has no name", "Give every column one")),
    "a blank name": ("t.csv", b"a,  \n1,2\n", ("t.csv: column 2 has no name",)),
    "an index written along": ("t.csv", b",a\n0,1\n1,2\n", ("column 1 has no name", "Write it without its index")),
    "a short row": ("t.csv", b"a,b\n1,2\n3\n", ("t.csv, line 3: 1 fields, but the header has 2", "need quotes")),
    "a long row": ("t.csv", b"a,b\n1,2\n3,4,5\n", ("t.csv, line 3: 3 fields, but the header has 2",)),
    "semicolons": ("t.csv", b"a;b\n1;2\n", ("t.csv seems to be separated by semicolons", "by commas")),
    "decimal commas": ("t.csv", b"a;b\n1,5;2,5\n", ("t.csv seems to be separated by semicolons",)),
    "tabs": ("t.csv", b"a\tb\n1\t2\n", ("t.csv seems to be separated by tabs", "by commas")),
    "bars": ("t.csv", b"a|b\n1|2\n", ("t.csv seems to be separated by bars", "by commas")),
    "UTF-16": ("t.csv", PLAIN.decode().encode("utf-16"), ("t.csv is not UTF-8 (byte 0 is 0xff)", "save it as UTF-8")),
    "UTF-16 without its mark": ("t.csv", PLAIN.decode().encode("utf-16-le"), ("line 1 holds zero bytes", "UTF-16")),
    "UTF-32": ("t.csv", PLAIN.decode().encode("utf-32"), ("t.csv is not UTF-8",)),
    "Latin-1": ("t.csv", "Größe,c\n1,b\n".encode("latin-1"), ("t.csv is not UTF-8 (byte 2 is 0xf6)", "save it as")),
    "Latin-1 at the end": ("t.csv", PLAIN + b"1,\xe9\n", ("t.csv is not UTF-8", "0xe9")),
    "a zero byte": ("t.csv", PLAIN.replace(b",a", b",\0", 1), ("t.csv, line 4 holds zero bytes", "save it as UTF-8")),
    "only zero bytes": ("t.csv", bytes(500), ("t.csv, line 1 holds zero bytes",)),
    "a binary file": ("t.csv", bytes(range(1, 256)) * 20, ("t.csv is not UTF-8",)),
    "an open quote": (
        "t.csv",
        b'a,b\n1,"x\n2,y\n',
        ("t.csv cannot be read as CSV", "A quote is opened and not closed"),
    ),
    "a cell of 10 MB": (
        "t.csv",
        beside("t", ["y" * 10_000_000, *C[1:]]),
        ("t.csv, line 2", "field larger than field limit (131072)", "leave its column out"),
    ),
    "an open quote before 1 MB": ("t.csv", b'a,b\n1,"' + b"x,y\n" * 250_000, ("field limit", "Close its quotes")),
    "nothing but infinity": ("t.csv", beside("v", ["inf"] * len(X)), ("column 'v' holds infinite numbers",)),
    "infinity": ("t.csv", beside("v", ["inf", *X[1:]]), ("column 'v' holds infinite numbers", "inf in row 1")),
    "minus infinity": ("t.csv", beside("v", [*X[1:], "-Infinity"]), ("column 'v'", "-inf in row 40", "missing values")),
    "1e309": ("t.csv", beside("v", ["1e309", *X[1:]]), ("column 'v' holds infinite numbers",)),
    "1e308": ("t.csv", beside("v", [X[0], "1e308", *X[2:]]), ("column 'v' holds numbers beyond 1e+304", "row 2")),
    "only huge numbers": ("t.csv", beside("v", [f"{x}e306" for x in X]), ("'v' holds numbers beyond", "larger unit")),
    "a number of 30 digits": ("t.csv", beside("v", ["9" * 30, *map(str, range(ROWS - 1))]), ("column 'v'", "row 1")),
    "a 30th of February": ("t.csv", beside("d", ["2021-02-30", *DAYS[1:]]), ("column 'd'", "row 1", "correct it")),
    "a year 10000": ("t.csv", beside("d", [*DAYS[1:], "10000-01-01"]), ("column 'd'", "row 40", "%Y-%m-%d")),
    "a leap second": (
        "t.csv",
        beside("at", ["2016-12-31T23:59:60", *(f"{day}T00:00:{row:02d}" for row, day in enumerate(DAYS[1:]))]),
        ("column 'at'", "row 1", "correct it"),
    ),
    "two offsets": (
        "t.csv",
        beside("at", [f"{day}T10:00:00+0{1 + row % 2}:00" for row, day in enumerate(DAYS)]),
        ("column 'at'", "more than one offset from UTC", "one zone"),
    ),
    "free text": (
        "t.csv",
        beside("note", [f"words {row} {'z' * row} and {row**2}" for row in range(ROWS)]),
        ("column 'note' looks like free text", "--drop note"),
    ),
    "ten thousand columns": (
        "t.csv",
        lines(",".join(f"c{place}" for place in range(10_000)), [",".join(["1"] * 10_000)] * 6),
        ("t.csv has 10,000 columns", "at most 1,000", "leave out the others"),
    ),
    "cut Parquet": ("t.parquet", b"PAR1", ("t.parquet cannot be read as Parquet", "4 bytes")),
    "no Parquet": ("t.parquet", PLAIN, ("t.parquet cannot be read as Parquet",)),
    "Parquet cut in half": (
        "t.parquet",
        parquet(pd.DataFrame({"x": range(500)}))[:600],
        ("t.parquet cannot be read as Parquet",),
    ),
    "Parquet without rows": ("t.parquet", parquet(pd.DataFrame({"x": []})), ("t.parquet has 1 columns and no rows",)),
    "Parquet with a name twice": ("t.parquet", twice(), ("t.parquet", "has no name")),
    "Parquet of time differences": (
        "t.parquet",
        parquet(pd.DataFrame({"x": pd.to_timedelta(range(ROWS), unit="h")})),
        ("column 'x' holds time differences", "total_seconds"),
    ),
    "Parquet of lists": (
        "t.parquet",
        parquet(pd.DataFrame({"x": [[row] for row in range(ROWS)], "y": range(ROWS)})),
        ("column 'x' holds objects", "row 1"),
    ),
    "cut gzip": ("t.csv.gz", gzip.compress(PLAIN)[:-20], ("t.csv.gz cannot be read as CSV", "end-of-stream")),
    "broken gzip": (
        "t.csv.gz",
        bytes([*gzip.compress(PLAIN)[:40], 255, 0, 255, *gzip.compress(PLAIN)[43:]]),
        ("t.csv.gz cannot be read as CSV",),
    ),
    "no gzip": ("t.csv.gz", PLAIN, ("t.csv.gz cannot be read as CSV", "gzip")),
    "another ending": ("t.xlsx", b"PK", ("t.xlsx ends in '.xlsx'", ".csv.gz, .parquet")),
    "no ending": ("t", PLAIN, ("ends in 'nothing'", ".csv")),
    "a folder": ("t.csv", lambda path: path.mkdir(), ("t.csv is a folder", "name a CSV or Parquet file in it")),
    "no such file": ("t.csv", lambda _: None, ("there is no file t.csv", "looked for from")),
    "a link to nothing": ("t.csv", lambda path: path.symlink_to("gone.csv"), ("there is no file t.csv",)),
    "a link in a circle": ("t.csv", lambda path: path.symlink_to("t.csv"), ("cannot read t.csv", "symbolic links")),
    "a name that is too long": ("t" * 300 + ".csv", lambda _: None, ("cannot read", "File name too long")),
}


READ_ONLY = ("empty", "a short row", "UTF-16", "a zero byte", "infinity", "cut Parquet", "a folder", "no such file")
"""Tables that `evaluate` is given, too: it reads and checks tables by the same functions."""


def placed(case: str, folder: Path) -> tuple[str, tuple[str, ...]]:
    """Put a case's file where it is looked for; return its name, and what the message must hold."""
    name, content, expect = TABLES[case]
    if callable(content):
        content(folder / name)
    else:
        (folder / name).write_bytes(content)
    return name, expect


@pytest.mark.parametrize("case", TABLES)
def test_a_broken_table_is_told_and_nothing_is_written(case: str, folder: Path, refused: Refused) -> None:
    name, expect = placed(case, folder)
    refused("fit", name, "--out", "out.zip", "--params", "params.yaml", "--quiet", expect=expect)


def test_numbers_that_can_be_learned_from_but_not_judged_are_told(folder: Path, run: Run, refused: Refused) -> None:
    (folder / "t.csv").write_bytes(beside("v", [f"{x}e200" for x in X]))
    assert run("fit", "t.csv", "--out", "m.zip", "--params", "params.yaml", "--quiet").code == 0
    assert run("generate", "m.zip", "--rows", "9", "--out", "made.csv", "--quiet").code == 0
    expect = ("column 'v' of the real table holds numbers beyond 1e+30", "larger unit", "--drop")
    refused("evaluate", "t.csv", "made.csv", "--out", "out.json", "--quiet", expect=expect)


@pytest.mark.parametrize("case", READ_ONLY)
def test_evaluate_tells_the_same(case: str, folder: Path, refused: Refused) -> None:
    name, expect = placed(case, folder)
    refused("evaluate", name, "shop.csv", "--out", "out.json", "--quiet", expect=expect)

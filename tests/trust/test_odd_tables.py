"""Odd tables that can be used: they are learned from, and come back in their own form."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agentsynth.data.reading import read_table

Run = Callable[..., Any]
ROWS = 40
RNG = np.random.default_rng(0)
X = [f"{value:.2f}" for value in RNG.normal(10, 3, ROWS)]
C = [str(value) for value in RNG.choice(list("abc"), ROWS)]


def lines(header: str, rows: Iterable[str]) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def beside(name: str, values: Iterable[str]) -> bytes:
    return lines(f"x,{name},c", [f"{x},{value},{c}" for x, value, c in zip(X, values, C, strict=True)])


def days(first: str) -> bytes:
    return beside("d", [f"{first}-{1 + row % 28:02d}" for row in range(ROWS)])


PLAIN = lines("x,c", [f"{x},{c}" for x, c in zip(X, C, strict=True)])

TABLES: dict[str, tuple[str, bytes]] = {
    "five rows": ("t.csv", b"a,b\n" + b"".join(b"%d,x\n" % row for row in range(5))),
    "one column": ("t.csv", lines("x", X)),
    "one column and a constant": ("t.csv", lines("x,k", [f"{x},1" for x in X])),
    "a byte order mark": ("t.csv", b"\xef\xbb\xbf" + PLAIN),
    "Windows' line ends": ("t.csv", PLAIN.replace(b"\n", b"\r\n")),
    "old Macs' line ends": ("t.csv", PLAIN.replace(b"\n", b"\r")),
    "blank lines": ("t.csv", PLAIN.replace(b"\n", b"\n\n")),
    "no last line end": ("t.csv", PLAIN.rstrip(b"\n")),
    "an ending in capitals": ("T.CSV", PLAIN),
    "gzip": ("t.csv.gz", gzip.compress(PLAIN)),
    "a name with spaces and letters": ("größe und 漢字 (1).csv", PLAIN),
    "odd column names": ("t.csv", lines('größe €,"a,b","q""u"', [f"{x},{row},{C[row]}" for row, x in enumerate(X)])),
    "names that differ by a space": ("t.csv", lines("x, x", [f"{x},{c}" for x, c in zip(X, C, strict=True)])),
    "a column called NA": ("t.csv", beside("NA", X)),
    "a column called index": ("t.csv", beside("index", C)),
    "one missing column": ("t.csv", beside("v", [""] * ROWS)),
    "one value that is there": ("t.csv", beside("v", ["3.5", *[""] * (ROWS - 1)])),
    "a label for a number": ("t.csv", beside("v", [*(f"{row}.5" for row in range(ROWS - 1)), "unknown"])),
    "numbers and text": ("t.csv", beside("v", [str(row) if row % 2 else f"t{row}" for row in range(ROWS)])),
    "tiny numbers": ("t.csv", beside("v", [f"{x}e-300" for x in X])),
    "subnormal numbers": ("t.csv", beside("v", [f"{x}e-320" for x in X])),
    "large numbers": ("t.csv", beside("v", [f"{x}e28" for x in X])),
    "whole numbers up to 2**63": ("t.csv", beside("v", [str(2**63 - 1 - row) for row in range(ROWS)])),
    "whole numbers up to 2**64": ("t.csv", beside("v", [str(2**64 - 1 - row) for row in range(ROWS)])),
    "large whole numbers with gaps": ("t.csv", beside("v", ["", *(str(2**62 + row**2) for row in range(ROWS - 1))])),
    "negative quantities": (
        "t.csv",
        lines("quantity,price,total", [f"{-row},{x},{-row * float(x):.2f}" for row, x in enumerate(X)]),
    ),
    "days of 1677": ("t.csv", days("1677-09")),
    "days of 2262": ("t.csv", days("2262-04")),
    "days of the year 1": ("t.csv", days("0001-01")),
    "days of the year 9999": ("t.csv", days("9999-12")),
    "days from 1677 to 2262": (
        "t.csv",
        beside("d", ["1677-09-21" if row % 2 else "2262-04-12" for row in range(ROWS)]),
    ),
    "an offset": ("t.csv", beside("t", [f"2021-03-{1 + row % 28:02d}T10:00:00+01:00" for row in range(ROWS)])),
    "UTC": ("t.csv", beside("t", [f"2021-03-{1 + row % 28:02d}T10:00:00Z" for row in range(ROWS)])),
    "the hour that is left out": ("t.csv", beside("t", [f"2021-03-28 02:{row:02d}:00" for row in range(ROWS)])),
    "percentages": ("t.csv", beside("p", [f"{row}%" for row in range(ROWS)])),
    "amounts of money": ("t.csv", beside("p", [f'"$1,{row:03d}"' for row in range(ROWS)])),
    "empty text": ("t.csv", beside("v", ['""'] * ROWS)),
    "blanks": ("t.csv", beside("v", ["  "] * ROWS)),
    "marks of direction and pictures": ("t.csv", beside("v", ["\u202e" if row % 2 else "😀" for row in range(ROWS)])),
    "line breaks in fields": ("t.csv", beside("v", ['"a\nb"' if row % 2 else '"c\r\nd"' for row in range(ROWS)])),
    "formulas": ("t.csv", beside("v", ["=1+1" if row % 2 else "@SUM(A1)" for row in range(ROWS)])),
    "a field of 100,000 letters": ("t.csv", beside("v", ["y" * 100_000 if row % 2 else "z" for row in range(ROWS)])),
    "60 columns": (
        "t.csv",
        lines(
            ",".join(f"c{place}" for place in range(60)),
            [",".join(str(value) for value in RNG.integers(0, 9, 60)) for _ in range(8)],
        ),
    ),
}


JUDGED = ("one column", "one missing column", "large numbers")
"""Tables that are also used as real, synthetic and training rows of an evaluation, which takes longest."""


@pytest.mark.parametrize("case", TABLES)
def test_an_odd_table_comes_back_in_its_own_form(case: str, folder: Path, run: Run) -> None:
    name, content = TABLES[case]
    (folder / name).write_bytes(content)
    told = run("fit", name, "--out", "m.zip", "--params", "params.yaml", "--quiet")
    assert told == (0, "", "")
    told = run("generate", "m.zip", "--rows", "7", "--out", "made.csv", "--quiet")
    assert told == (0, "", "")
    real, synthetic = read_table(folder / name), read_table(folder / "made.csv")
    assert len(synthetic) == 7
    assert list(synthetic.columns) == list(real.columns)
    if case in JUDGED:
        told = run("evaluate", name, "made.csv", "--train", name, "--out", "report.json", "--quiet")
        assert told == (0, "", "")

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from agentsynth.data.reading import read_table
from agentsynth.data.spreadsheets import without_formulas

Run = Callable[..., Any]
HARM = ["=1+1", "+A1", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1"]


def test_text_that_runs_is_marked_and_all_else_stays() -> None:
    plain = ["a", "a=1", "", "-3", "+4.50", "-", "'=1"]
    frame = pd.DataFrame({"=x": HARM, "c": pd.Categorical(HARM), "n": [-1.5] * len(HARM)})
    made = without_formulas(frame)
    assert list(made.columns) == ["'=x", "c", "n"]
    assert made["'=x"].tolist() == made["c"].tolist() == [f"'{text}" for text in HARM]
    assert made["n"].equals(frame["n"])
    assert without_formulas(pd.DataFrame({"p": plain}))["p"].tolist() == ["a", "a=1", "", "-3", "+4.50", "'-", "'=1"]
    assert list(frame.columns) == ["=x", "c", "n"]


def test_generate_marks_formulas_where_asked_to(folder: Path, run: Run) -> None:
    text = [f"{row}.5,{'=1+1' if row % 2 else 'b'},{-row}" for row in range(40)]
    (folder / "t.csv").write_text("\n".join(["x,@label,n", *text, ""]))
    assert run("fit", "t.csv", "--out", "m.zip", "--params", "params.yaml", "--quiet").code == 0
    made = ("generate", "m.zip", "--rows", "20", "--quiet")
    assert run(*made, "--out", "plain.csv").code == 0
    assert run(*made, "--out", "marked.csv", "--escape-formulas").code == 0
    plain, marked = read_table(folder / "plain.csv"), read_table(folder / "marked.csv")
    assert set(plain["@label"]) == {"=1+1", "b"}
    assert set(marked["'@label"]) == {"'=1+1", "b"}
    assert marked["n"].equals(plain["n"])

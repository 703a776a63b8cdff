"""What is tried among datetimes: the formulas that hold on the screen, and no others."""

from __future__ import annotations

import numpy as np
import pandas as pd

from agentsynth.data.inference import infer_schema
from agentsynth.data.moments import SCREEN_ROWS, Inputs, calendar_parts, durations, present_rows, shifts

START = np.array(["2024-01-31 10:15:00", "2024-03-01 00:00:00", "2024-12-31 23:59:59"], dtype="datetime64[us]")
LATER = START + np.array([3, 5, 40], dtype="timedelta64[D]")


def one(name: str, values: np.ndarray) -> Inputs:
    return Inputs([name], values[:, None])


def test_rows_of_the_screen_are_present_and_spread() -> None:
    missing = np.arange(1000) % 2 == 0
    rows = present_rows(missing)
    assert len(rows) == SCREEN_ROWS
    assert not missing[rows].any()
    assert (rows[0], rows[-1]) == (1, 999)
    assert present_rows(np.array([True, False])).tolist() == [1]
    assert present_rows(np.array([True])).tolist() == []


def test_parts_that_fit() -> None:
    # The days of the month are 31, 1, 31; 31 January 2024 was a Wednesday, 1 March a Friday, 31 December a Tuesday.
    found = list(calendar_parts(np.array([31.0, 1.0, 31.0]), one("at", START)))
    assert [(formula.unit, formula.intercept) for formula in found] == [("day", 0)]
    found = list(calendar_parts(np.array([3.0, 5.0, 2.0]), one("at", START)))
    assert [(formula.unit, formula.intercept) for formula in found] == [("weekday", 1)]
    assert not list(calendar_parts(np.array([3.0, 5.0, 1.0]), one("at", START)))


def test_shifts_that_fit() -> None:
    numbers = Inputs(["days", "hours", "endless"], np.array([[3.0, 72, 1e300], [5, 120, 1], [40, 960, 1]]))
    found = list(shifts(LATER, "second", one("start", START), numbers))
    assert [(formula.inputs, formula.unit) for formula in found] == [
        (("start", "days"), "day"),
        (("start", "hours"), "hour"),
    ]
    months = START.astype("datetime64[M]").astype("datetime64[us]")
    (copy,) = shifts(months, "month", one("start", START), Inputs([], np.empty((3, 0))))
    assert copy.inputs == ("start",)


def test_durations_that_fit() -> None:
    both = Inputs(["start", "end"], np.column_stack([START, LATER]))
    found = list(durations(np.array([3.0, 5.0, 40.0]), 1.0, both))
    assert {(formula.inputs, formula.unit) for formula in found} == {(("end", "start"), "day")}
    assert not list(durations(np.array([3.0, 5.0, 44.0]), 1.0, both))
    assert not list(durations(np.array([3.0, 5.0, 40.0]), 1.0, Inputs([], np.empty((3, 0)))))


def test_what_follows_is_found_among_many_columns() -> None:
    rng = np.random.default_rng(0)
    rows = 100
    seconds = rng.integers(0, 10**8, (rows, 30))
    frame = pd.DataFrame(
        {f"t{i}": pd.Timestamp("2024-01-01") + pd.to_timedelta(seconds[:, i], unit="s") for i in range(30)}
    )
    frame = frame.assign(**{f"n{i}": rng.integers(0, 10**6, rows) for i in range(40)})
    frame["hour"] = frame["t7"].dt.hour
    frame["minutes"] = ((frame["t3"] - frame["t20"]).dt.total_seconds() // 60).astype(int)
    frame["end"] = frame["t11"] + pd.to_timedelta(frame["n5"], unit="h")
    derived = {column.name: column.formula for column in infer_schema(frame).of_kind("derived")}
    assert {name: formula.inputs for name, formula in derived.items() if formula} == {
        "hour": ("t7",),
        "minutes": ("t3", "t20"),
        "end": ("t11", "n5"),
    }

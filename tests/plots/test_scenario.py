from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from agentsynth.plots import scenario_report
from agentsynth.scenarios.report import Moved, Reached, ScenarioReport, Spread

SPREAD = Spread((0.5, 0.5))


def moved(name: str, distance: float, given: str = "") -> Moved:
    return Moved(name, given, ("a", "b"), False, SPREAD, SPREAD, distance, 0.1)


REPORT = ScenarioReport(
    scenario="rush",
    rows=1000,
    drawn=20_000,
    effective=900.0,
    targets=(
        Reached("price $ mean", 100.0, 120.0, 119.0, 2.4),
        Reached("kind share", 0.2, 0.5, 0.4, 0.01, "too few rows fit"),
    ),
    columns=(moved("hour", 0.3), moved("$size_x$", 0.05)),
    conditionals=(moved("hour", 0.2, "price $"),),
    conditionals_left_out=4,
)


def words(figure: Figure) -> str:
    """Return everything that is written in a figure."""
    texts = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        texts += [axes.get_title(loc=place) for place in ("left", "right")]
        texts += [label.get_text() for label in axes.get_yticklabels()] + [axes.get_xlabel()]
        texts += [text.get_text() for text in axes.texts]
    return "\n".join(" ".join(text.split()) for text in texts)


def test_every_target_has_a_row_and_movements_share_the_last(tmp_path: Path) -> None:
    figure = scenario_report(REPORT, tmp_path / "report.png")
    assert len(figure.axes) == 3
    assert (tmp_path / "report.png").stat().st_size > 10_000
    said = words(figure)
    assert "1 of 2 targets reached; 1,000 rows of 20,000 drawn, effective size 900" in said
    assert "before 100, wanted 120, reached 119" in said
    assert "before 0.2, wanted 0.5, fell short at 0.4" in said
    assert said.index("hour\n") < said.index("hour given price $") < said.index("$size_x$")
    assert "4 that moved less beyond chance are not drawn" in said


def test_what_moved_beyond_chance_is_set_apart() -> None:
    axes = scenario_report(REPORT).axes[-1]
    places = {float(np.asarray(line.get_xdata())[0]): line.get_color() for line in axes.lines}
    assert places[0.3] == places[0.2] != places[0.05]
    assert [bar.get_window_extent().width > 0 for bar in axes.patches] == [True, True, True]


@pytest.mark.parametrize(
    "report",
    [
        replace(REPORT, targets=(), columns=(), conditionals=()),
        replace(REPORT, targets=(Reached("x", math.nan, 1.0, math.nan, 0.01, "none"),)),
        replace(REPORT, targets=(Reached("x", 1.0, 1.0, 1.0, 0.0),)),
        replace(REPORT, targets=REPORT.targets * 9, columns=REPORT.columns * 9),
    ],
)
def test_what_is_odd_is_drawn_too(report: ScenarioReport, tmp_path: Path) -> None:
    scenario_report(report, tmp_path / "report.png")
    assert (tmp_path / "report.png").exists()


def test_the_same_report_gives_the_same_file(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        scenario_report(REPORT, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()

"""The parts of a page, by hand-computable numbers."""

from __future__ import annotations

import importlib
import math
import pkgutil
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import agentsynth.metrics
import agentsynth.pages
from agentsynth.metrics.report import ColumnReport, PairReport, Report
from agentsynth.metrics.score import Definition, Score
from agentsynth.pages import Origin, Subject, columns, pairs
from agentsynth.pages.figures import panel_svg
from agentsynth.pages.learning import _policies
from agentsynth.pages.provenance import provenance
from agentsynth.pages.scores import likeness_scales, privacy_scales, tiles
from agentsynth.pages.steering import steering
from agentsynth.pages.words import WORDS
from agentsynth.params import Params
from agentsynth.scenarios.grammar import Scenario
from agentsynth.scenarios.report import Moved, Reached, ScenarioReport, Spread


def column(name: str, similarity: float = 0.9) -> ColumnReport:
    none: dict[str, Any] = dict.fromkeys(
        ("real_mean", "synthetic_mean", "mean_difference", "real_std", "synthetic_std", "std_difference")
    )
    return ColumnReport(
        name=name,
        kind="categorical",
        shape=similarity,
        shape_ceiling=0.95,
        difference=0.1,
        real_missing=0,
        synthetic_missing=0,
        valid=1,
        **none,
    )


def report_of(pairs: list[tuple[str, str, float, float]], scores: list[Score], names: list[str]) -> Report:
    return Report(
        rows={"test": 10},
        scores={score.name: score for score in scores},
        columns=[column(name) for name in names],
        pairs=[PairReport(first=a, second=b, similarity=s, ceiling=c) for a, b, s, c in pairs],
        target=None,
    )


def score(name: str, value: float | None, ceiling: float | None, floor: float | None, note: str = "") -> Score:
    return Score(name=name, value=value, ceiling=ceiling, floor=floor, better="higher", meaning="m", note=note or None)


KNOWN = score("shape", 0.5, 1, 0.5)


def test_marks_stand_where_their_figures_are() -> None:
    report = report_of([], [score("shape", 0.9, 1.0, 0.5), score("pairs", 0.7, 0.8, 0.3)], ["a"])
    similarity, shape, _ = likeness_scales(report)
    assert [(mark.kind, mark.percent) for mark in shape.marks] == [("floor", 50.0), ("ceiling", 100.0), ("ours", 90.0)]
    assert [(mark.kind, mark.percent) for mark in similarity.marks] == [("floor", 40), ("ceiling", 90), ("ours", 80)]
    assert similarity.way == "80 % of the way from shuffled to real"
    assert similarity.label == "Similarity: shuffled columns 0.400, another real 0.900, ours 0.800"


@pytest.mark.parametrize(
    ("value", "ceiling", "floor", "said"),
    [
        (0.5, 0.6, 0.9, "beyond another real sample"),
        (0.95, 0.6, 0.9, "worse than shuffled columns"),
        (0.8, 0.81, 0.8, ""),
        (0.8, None, 0.8, ""),
    ],
)
def test_where_ours_stands_is_said_in_words(value: float, ceiling: float | None, floor: float, said: str) -> None:
    report = report_of([], [score("shape", 0.9, 1, 0.5), score("pairs", None, None, None, "one column")], ["a"])
    report.scores["detection"] = score("detection", value, ceiling, floor)
    detection = likeness_scales(report)[-1]
    assert detection.way == said
    assert detection.marks[-2].kind == "fair"


def test_a_score_beyond_one_widens_its_scale_and_one_without_value_has_no_marks() -> None:
    long = score("mean_difference", 4.0, 1.0, 2.0)
    report = report_of([], [KNOWN, score("pairs", None, 0.5, 0.5, "a single column has no pair"), long], ["a"])
    _, _, pair, means = likeness_scales(report)
    assert [mark.percent for mark in means.marks] == [50.0, 25.0, 100.0]
    assert (pair.marks, pair.value, pair.note) == ((), "-", "a single column has no pair")


def test_privacy_is_told_apart_and_is_no_way_from_floor_to_ceiling() -> None:
    report = report_of([], [KNOWN, score("pairs", 1, 1, 1), score("membership_inference", 0.6, 0.5, 0.55)], ["a"])
    assert [scale.name for scale in likeness_scales(report)] == ["similarity", "shape", "pairs"]
    (attack,) = privacy_scales(report)
    assert (attack.way, [mark.kind for mark in attack.marks]) == ("", ["floor", "ceiling", "fair", "ours"])
    assert [tile.name for tile in tiles(report)] == ["similarity", "membership_inference"]


def test_every_score_of_a_report_has_words() -> None:
    defined = set()
    for module in pkgutil.iter_modules(agentsynth.metrics.__path__, "agentsynth.metrics."):
        values = vars(importlib.import_module(module.name)).values()
        defined |= {value.name for value in values if isinstance(value, Definition)}
    in_no_report = {"coverage", "wasserstein"}
    assert defined - in_no_report == set(WORDS) - {"similarity"}


def test_heat_map_has_ours_below_and_another_real_sample_above_the_diagonal() -> None:
    report = report_of(
        [("b", "c", 0.6, 0.9), ("a", "c", 0.8, 0.7), ("a", "b", 1.0, 1.0)],
        [score("shape", 1, 1, 1)],
        ["c", "a", "b"],
    )
    heat = pairs.pairs(report)
    assert heat is not None
    assert heat.names == ("a", "b", "c")
    assert heat.least == 0.6
    strengths = {(cell.row, cell.column): (cell.strength, cell.text) for cell in heat.cells}
    assert strengths == {
        (2, 1): (1.0, ".60"),
        (1, 2): (0.25, ".90"),
        (2, 0): (0.5, ".80"),
        (0, 2): (0.75, ".70"),
        (1, 0): (0.0, "1.00"),
        (0, 1): (0.0, "1.00"),
    }
    assert heat.worst[0] == ("b", "c", "0.600", "0.900")
    assert (heat.count, heat.left_out) == (3, 0)


def test_heat_map_of_very_many_columns_shows_those_with_the_worst_pairs() -> None:
    names = [f"c{number:02}" for number in range(60)]
    listed = [(a, b, 0.5 + i / 1000, 0.9) for i, a in enumerate(names) for b in names[i + 1 :]]
    listed.sort(key=lambda pair: pair[2])
    heat = pairs.pairs(report_of(listed, [score("shape", 1, 1, 1)], names))
    assert heat is not None
    assert len(heat.names) == 50
    assert heat.names[0] == "c00"
    assert list(heat.names) == sorted(heat.names)
    assert len(heat.cells) == 50 * 49
    assert heat.left_out == 10
    assert pairs.pairs(report_of([], [], ["a"])) is None


def test_columns_beyond_the_limits_have_no_picture_or_are_counted(
    subject: Subject, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert subject.judged is not None
    monkeypatch.setattr(columns, "DRAWN", 2)
    monkeypatch.setattr(columns, "LISTED", 3)
    found = columns.columns(report, subject.judged.real, subject.synthetic, subject.synth.schema_)
    assert [card.name for card in found.cards] == [item.name for item in report.columns[:3]]
    assert [len(card.pictures) > 0 for card in found.cards] == [True, True, False]
    assert found.left_out == len(report.columns) - 3 == 1


def test_gaps_of_targets_are_told_in_their_own_terms() -> None:
    scenario = Scenario.of({"targets": {"price": {"mean": 50.0}}}, "dear")
    reached = [
        Reached("price mean", 40.0, 50.0, 49.0, 1.0),
        Reached("kind a share", 0.4, 0.5, 0.515, 0.01, "too few"),
        Reached("delay mean", 1.0, 0.0, 2.0, 0.1),
        Reached("size median", 2.0, 3.0, math.nan, 0.06),
    ]
    moved = [
        Moved(name, "", ("0", "1"), False, Spread((0.5, 0.5)), Spread((0.25, 0.75)), 0.25, noise)
        for name, noise in (("flag", 0.1), ("other", 0.3))
    ]
    report = ScenarioReport("dear", 7, 1400, 35.2, tuple(reached), tuple(moved))
    told = steering(scenario, report, inside=7, rows=7)
    assert [(aim.wanted, aim.reached, aim.gap, aim.relative, aim.reason) for aim in told.aims] == [
        ("50", "49", "+1", "2.0 %", ""),
        ("50.0 %", "51.5 %", "-1.5 points", "3.0 %", "too few"),
        ("0", "2", "-2", "", "why was not looked for"),
        ("3", "no value", "unknown", "", "why was not looked for"),
    ]
    assert told.cost == "7 rows of 1,400 drawn; effective size of those 35."
    assert [(item.name, item.distance, item.chance, item.change) for item in told.moved] == [
        ("flag", "0.250", "0.100", "'0' 50.0% -> 25.0%")
    ]
    assert told.nearest == ()
    assert told.text == "dear:\n  targets:\n    price:\n      mean: 50.0\n"
    assert told.inside is None


def test_parameters_that_differ_from_their_defaults_are_told() -> None:
    params = Params.model_validate({"seed": 3, "agent": {"noise": 0.2}, "environment": {"factors": {"p": "price"}}})
    given = Origin("dvc repro", {"all": 3}, params.model_dump(mode="json"), {})
    found = {item.name: (item.value, item.default) for item in provenance(given).changed}
    assert found == {
        "seed": ("3", "0"),
        "agent.noise": ("0.2", "0.05"),
        "environment.factors.p": ("price", "none"),
    }
    assert "noise: 0.2" in provenance(given).parameters


def test_policies_are_told_best_first_with_intervals_where_there_are_seeds() -> None:
    frame = pd.DataFrame(
        {"policy": ["a", "b", "a", "b"], "seed": [0, 0, 1, 1], "similarity": [0.5, 0.7, 0.5, 0.7], "miss": np.nan}
    )
    assert _policies(frame) == [("b", "0.700 (0.700 to 0.700)", ""), ("a", "0.500 (0.500 to 0.500)", "")]
    steered = frame[frame["seed"] == 0].assign(miss=[0.01, 0.1])
    assert _policies(steered) == [("a", "0.500", "1.0%"), ("b", "0.700", "10.0%")]


def test_a_panel_is_an_svg_with_the_colours_and_fonts_of_the_page() -> None:
    def draw(axes: Any) -> None:
        axes.plot([0, 1], [0, 1], color="#0072B2")
        axes.plot([0, 1], [1, 0], "o", color="#123456")
        axes.set_xlabel("a < b & $c$")

    def drawn(name: str) -> str:
        return panel_svg(draw, name, "a 'line'", colours={"#123456": "special"})

    first = drawn("first")
    assert first == drawn("first")
    assert "stroke:var(--real)" in first
    assert "var(--special, #123456)" in first
    assert "a &lt; b &amp; $c$</text>" in first
    assert not re.search('font-family|<style|<metadata|xlink|xmlns|DOCTYPE|width="\\d+pt', first)
    ids = [set(re.findall(r'id="([^"]+)"', text)) for text in (first, drawn("second"))]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_templates_come_with_the_package() -> None:
    folder = Path(agentsynth.pages.__file__).parent / "templates"
    names = {path.name for path in folder.iterdir()}
    included = {
        name for path in folder.iterdir() for name in re.findall(r'(?:include|from) "([^"]+)"', path.read_text())
    }
    assert included | {"page.html.j2"} == names


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rgb` or `#rrggbb` (WCAG 2.2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_can_be_read_by_day_and_by_night() -> None:
    css = (Path(agentsynth.pages.__file__).parent / "templates" / "page.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)[:2]
    for block in (light, dark):
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block))
        for text in ("ink", "muted", "link"):
            for ground in ("paper", "bg", *(["warn"] if text == "ink" else [])):
                bright, dim = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
                assert (bright + 0.05) / (dim + 0.05) >= 4.5, (text, ground)

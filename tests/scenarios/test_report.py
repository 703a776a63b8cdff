from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentsynth.base.codec import Codec
from agentsynth.data.inference import infer_schema
from agentsynth.data.shop import simulate_shop
from agentsynth.data.typed import typed
from agentsynth.errors import InputError
from agentsynth.scenarios.nearest import nearest_rows
from agentsynth.scenarios.report import LISTED, Moved, Nearest, Reached, ScenarioReport, Spread, listed
from agentsynth.scenarios.text import number, shortfall

NAME = "price $_{x}$ & \"'<b>' 价格"
"""What a column may be called."""


def moved(name: str, distance: float, given: str = "") -> Moved:
    before, after = Spread((0.25, 0.75), 2.0, 1.0), Spread((0.5, 0.5), 3.0, 1.5)
    return Moved(name, given, ("a", "missing"), dated=False, before=before, after=after, distance=distance, noise=0.05)


REPORT = ScenarioReport(
    scenario="rush $1$",
    rows=1000,
    drawn=20_000,
    effective=1234.6,
    targets=(
        Reached(f"{NAME} mean", 100.0, 120.0, 119.0, 2.4),
        Reached("kind a share", 0.2, 0.5, 0.4, 0.01, "too few rows fit"),
        Reached("mine", math.nan, 7.0, math.nan, 0.1, "none of the 9 rows drawn is of that kind"),
    ),
    columns=(moved(NAME, 0.25), moved("other", 0.01)),
    conditionals=(moved("other", 0.5, NAME),),
    columns_left_out=7,
    nearest=Nearest((0.01, 0.05), (0.02, 0.06), (0.015, 0.055)),
)


def test_gaps_and_what_is_met() -> None:
    assert [target.met for target in REPORT.targets] == [True, False, False]
    assert REPORT.targets[0].gap == 1.0
    assert REPORT.missed == REPORT.targets[1:]
    # A tolerance belongs to what is met.
    assert Reached("x", 0, 1.0, 0.5, 0.5).met


def test_text_tells_targets_reasons_and_movements() -> None:
    text = REPORT.to_text()
    assert text.splitlines()[0] == (
        "Scenario rush $1$: 1 of 3 targets reached; 1,000 rows of 20,000 drawn (effective size 1,235)"
    )
    assert f"  {NAME} mean: before 100, wanted 120, reached 119\n" in text
    assert "  kind a share: before 0.2, wanted 0.5, reached 0.4 - off by 0.1\n    too few rows fit.\n" in text
    assert "  mine: before none, wanted 7, reached none - off by none\n" in text
    assert f"  {NAME}: 0.250 (chance 0.050), mean 2 -> 3, std 1 -> 1.5\n" in text
    assert "  ... and 7 more, which moved less beyond chance\n" in text
    assert f"  other given {NAME}: 0.500" in text
    assert "  steered rows: median 0.050, nearest twentieth below 0.010\n" in text


def test_the_short_text_has_the_largest_movements_only() -> None:
    lines = REPORT.to_text(short=True).splitlines()
    assert lines[-2:] == [
        f"  other given {NAME}: 0.500 (chance 0.050), mean 2 -> 3, std 1 -> 1.5",
        f"  {NAME}: 0.250 (chance 0.050), mean 2 -> 3, std 1 -> 1.5",
    ]
    still = replace(REPORT, columns=REPORT.columns[1:], conditionals=())
    assert still.to_text(short=True).splitlines()[-1] == "Nothing else moved beyond chance."


def test_labels_tell_the_share_that_changed_most_and_dates_their_day() -> None:
    labels = replace(moved("kind", 0.25), before=Spread((0.25, 0.75)), after=Spread((0.5, 0.5)))
    dates = replace(moved("at", 0.1), dated=True, before=Spread((1.0, 0.0), 365.0, 2.0))
    text = replace(REPORT, columns=(labels, dates)).to_text()
    assert "  kind: 0.250 (chance 0.050), 'a' 25.0% -> 50.0%\n" in text
    assert "  at: 0.100 (chance 0.050), mean 1971-01-01 00:00 -> 1970-01-04 00:00, std 2 -> 1.5 days\n" in text


def test_the_shortfall_says_what_fell_short_why_and_by_how_much() -> None:
    assert shortfall(REPORT) == (
        "kind a share fell short: wanted 0.5, reached 0.4 (0.1 off): too few rows fit. "
        "mine fell short: wanted 7, reached none: none of the 9 rows drawn is of that kind."
    )
    assert shortfall(replace(REPORT, targets=REPORT.targets[:1])) == ""


def test_json_is_strict_and_comes_back_as_it_was() -> None:
    text = json.dumps(REPORT.to_json(), allow_nan=False)
    plain = json.loads(text)
    assert plain["targets"][1] | {} == {
        "name": "kind a share",
        "before": 0.2,
        "wanted": 0.5,
        "reached": 0.4,
        "tolerance": 0.01,
        "reason": "too few rows fit",
        "gap": pytest.approx(0.1),
        "met": False,
    }
    assert (plain["targets"][2]["reached"], plain["targets"][2]["gap"]) == (None, None)
    again = ScenarioReport.from_json(plain)
    assert json.dumps(again.to_json(), allow_nan=False) == text
    assert replace(again, targets=again.targets[:2]) == replace(REPORT, targets=REPORT.targets[:2])
    assert math.isnan(again.targets[2].reached)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "found None"),
        ([], "found None"),
        ({"format": 2}, "found 2"),
        ({"format": 1}, "no scenario report of this version: 'effective'"),
        ({**REPORT.to_json(), "more": 1}, "unexpected keyword argument 'more'"),
        ({**REPORT.to_json(), "targets": [1]}, "no scenario report of this version"),
    ],
)
def test_what_is_no_report_is_refused(value: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ScenarioReport.from_json(value)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=LISTED + 9))
def test_movements_are_listed_furthest_beyond_chance_first(numbers: list[tuple[float, float]]) -> None:
    movements = [replace(moved("x", distance), noise=noise) for distance, noise in numbers]
    shown, left_out = listed(movements)
    assert len(shown) + left_out == len(movements)
    assert len(shown) <= LISTED
    excesses = [found.excess for found in shown]
    assert excesses == sorted((distance - noise for distance, noise in numbers), reverse=True)[: len(shown)]


finite = st.floats(-1e6, 1e6) | st.just(math.nan)


@settings(max_examples=50, deadline=None)
@given(st.builds(Reached, st.text(), finite, st.floats(-1e6, 1e6), finite, st.floats(1e-9, 1e3), st.text()))
def test_a_target_sums_up(target: Reached) -> None:
    plain = json.loads(
        json.dumps(replace(REPORT, targets=(target,), columns=(), conditionals=()).to_json(), allow_nan=False)
    )
    (said,) = plain["targets"]
    if math.isnan(target.reached):
        assert (said["gap"], said["met"]) == (None, False)
    else:
        assert said["gap"] == said["wanted"] - said["reached"]
        assert said["met"] == (abs(said["gap"]) <= said["tolerance"])
    assert ScenarioReport.from_json(plain).to_json() == plain


def test_numbers_are_short() -> None:
    assert [number(value) for value in (None, math.inf, 0.0, 0.12345, 12345.6, 3e12)] == [
        *("none", "none", "0", "0.1235", "12,346", "3e+12")
    ]


def test_nearest_rows_of_the_training_rows_are_themselves() -> None:
    shop = simulate_shop(200, seed=1)
    schema = infer_schema(shop)
    frame = typed(shop, schema)
    codec = Codec(schema).fit(frame)
    codes = codec.encode(frame)
    rng = np.random.default_rng(0)
    found = nearest_rows(codec.parts, codes, codes[:50], codes[50:], rng)
    assert found.steered == found.unguided == (0.0, 0.0)
    assert 0 < found.real[0] <= found.real[1] < 0.5
    # Rows whose labels were shuffled lie further.
    shuffled = np.column_stack([rng.permutation(column) for column in codes.T])
    assert nearest_rows(codec.parts, codes, shuffled, codes, rng).steered[1] > found.real[1]

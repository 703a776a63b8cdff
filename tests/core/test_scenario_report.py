"""Reports of tables that were steered, from fit to report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from agentsynth import request
from agentsynth.data.shop import simulate_shop
from agentsynth.data.typed import typed
from agentsynth.errors import ScenarioError
from agentsynth.scenarios.report import ScenarioReport
from agentsynth.synth import AgentSynth

CONFIG = {"generator": {"trees": 2}, "environment": {"rows": 60, "steps": 6}, "agent": {"episodes": 3}}
NOBODY = {"targets": {"price": {"mean": 1e6}}}
APART = {"name": "apart", "targets": {"category": {"share": {"Books": 0.95}}, "price": {"mean": "+200%"}}}


@pytest.fixture(scope="module")
def synth() -> AgentSynth:
    return AgentSynth(CONFIG, seed=0).fit(simulate_shop(300, seed=1))


def test_a_mimicked_table_has_no_report(synth: AgentSynth) -> None:
    composed = synth.compose(50)
    assert composed.report is None
    assert composed.targets == []


def test_a_report_sums_up(synth: AgentSynth) -> None:
    composed = synth.compose(100, {"name": "dear", "targets": {"price": {"mean": "+20%"}}}, seed=3)
    report = composed.report
    assert report is not None
    (target,) = composed.targets
    assert target.reached == pytest.approx(composed.table["price"].mean())
    assert target.wanted == pytest.approx(1.2 * target.before)
    assert (report.scenario, report.rows, report.targets) == ("dear", 100, (target,))
    assert 0 < report.effective <= report.drawn
    margins = {margin.name for margin in synth.model_.generator.cells.margins}
    assert {moved.name for moved in report.columns} == margins - {"price"}
    assert {moved.name for moved in report.conditionals} == margins - {"price"}
    assert {moved.given for moved in report.conditionals} == {"price"}
    for moved in (*report.columns, *report.conditionals):
        assert sum(moved.before.shares) == pytest.approx(1)
        assert sum(moved.after.shares) == pytest.approx(1)
    quantity = next(moved for moved in report.columns if moved.name == "quantity")
    assert quantity.after.mean == pytest.approx(composed.table["quantity"].mean())
    plain = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert ScenarioReport.from_json(plain) == report


def test_before_is_what_real_rows_have(synth: AgentSynth) -> None:
    """The pool has the real shares but roughly; what is called before has them to a point and a half."""
    report = synth.compose(50, {"targets": {"quantity": {"mean": "+5%"}}}).report
    assert report is not None
    generator = synth.model_.generator
    for moved in report.columns:
        place = next(i for i, margin in enumerate(generator.cells.margins) if margin.name == moved.name)
        first = generator.cells.offsets[place]
        assert moved.before.shares == pytest.approx(generator.real[first : first + len(moved.cells)], abs=0.015)


@pytest.mark.parametrize("scenario", [{"fixed": {"user_type": "premium"}}, {"scale": {"price": "+50%"}}])
def test_what_is_fixed_or_scaled_moves_nothing_that_is_given_it(
    synth: AgentSynth, scenario: dict[str, dict[str, str]]
) -> None:
    report = synth.compose(200, scenario, seed=2).report
    assert report is not None
    assert report.conditionals
    assert all(moved.excess < 0 for moved in report.conditionals), report.to_text()


def test_a_derived_column_moves_with_what_is_scaled(synth: AgentSynth) -> None:
    report = synth.compose(200, {"scale": {"price": "+50%"}}, seed=2).report
    assert report is not None
    revenue = next(moved for moved in report.columns if moved.name == "total_revenue")
    assert revenue.before.mean is not None
    assert revenue.after.mean == pytest.approx(1.5 * revenue.before.mean, rel=0.15)


def test_the_report_is_of_all_pieces(synth: AgentSynth, monkeypatch: pytest.MonkeyPatch) -> None:
    dear = {"targets": {"price": {"mean": "+20%"}}}
    whole = synth.compose(90, dear).report
    monkeypatch.setattr(request, "LARGEST", 30)
    composed = synth.compose(90, dear)
    report = composed.report
    assert report is not None
    assert whole is not None
    assert (report.rows, len(composed.table)) == (90, 90)
    assert report.drawn >= whole.drawn
    assert report.targets[0].reached == pytest.approx(composed.table["price"].mean())


def test_a_goal_that_nobody_meets_is_told_so_and_strict_refuses_it(synth: AgentSynth) -> None:
    (target,) = synth.compose(40, NOBODY).targets
    assert not target.met
    assert target.reason.startswith("the largest value of the ")
    assert target.reason.endswith(", and a mean of 1e+06 lies beyond it")
    with pytest.raises(
        ScenarioError, match=r"scenario 'scenario': price mean fell short: wanted 1,000,000, .*beyond it\."
    ):
        synth.generate(40, NOBODY, strict=True)


def test_goals_that_contradict_are_named(synth: AgentSynth) -> None:
    """Books are cheap: nearly all of them do not go with a mean price of three times as much."""
    composed = synth.compose(60, APART)
    share, mean = composed.targets
    assert not share.met
    assert share.reason.startswith(f"it can be reached alone, but not together with price mean {mean.wanted:.4g} ")
    # The plan meets the mean; so few rows miss it by a little, or, with other versions of numpy, just meet it.
    assert mean.met or re.match(r"the rows drawn allow it \(weighted, they come to [\d.]+\), but", mean.reason)
    with pytest.raises(ScenarioError, match=r"scenario 'apart': .* fell short: wanted"):
        synth.compose(60, APART, strict=True)


def test_strict_lets_through_what_is_met(synth: AgentSynth) -> None:
    easy = {"targets": {"price": {"mean": "+0%"}}}
    made = synth.compose(400, easy, seed=1, strict=True)
    assert made.targets[0].met
    assert made.table.equals(synth.generate(400, easy, seed=1))


def test_a_fitted_model_tells_how_near_real_rows_are_and_a_loaded_one_when_given_them(
    synth: AgentSynth, tmp_path: Path
) -> None:
    premium = {"where": "user_type = premium"}
    known = synth.compose(50, premium).report
    assert known is not None
    assert known.nearest is not None
    assert all(0 <= low <= middle <= 1 for low, middle in (known.nearest.steered, known.nearest.unguided))
    synth.save(tmp_path / "model")
    loaded = AgentSynth.load(tmp_path / "model")
    composed = loaded.compose(50, premium)
    assert composed.report is not None
    assert composed.report.nearest is None
    train = typed(simulate_shop(300, seed=1), loaded.schema_)
    again = composed.with_nearest(train, loaded.model_.generator).report
    assert again is not None
    assert again.nearest == known.nearest

"""The gain of tuned parameters, paired by seed, and their way into a parameter file."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from agentsynth.config import Config
from agentsynth.errors import ConfigError
from agentsynth.params import Params
from agentsynth.tuning.applying import apply
from agentsynth.tuning.gain import Gain, is_better, measure
from agentsynth.tuning.scores import Report

ROOT = Path(__file__).resolve().parents[2]


def test_gain_is_the_mean_difference_with_its_interval() -> None:
    gain = Gain("x", True, (0.5, 0.7, 0.9), (0.4, 0.5, 0.6))
    # differences 0.1, 0.2, 0.3: mean 0.2, deviation 0.1, t(0.975, 2) = 4.303
    assert gain.difference.mean == pytest.approx(0.2)
    assert gain.difference.half == pytest.approx(4.3027 * 0.1 / 3**0.5, abs=1e-4)
    assert gain.verdict == "not told apart"


@pytest.mark.parametrize(
    ("higher", "tuned", "verdict"),
    [(True, (0.5, 0.6), "better"), (False, (0.5, 0.6), "worse"), (True, (0.3, 0.4), "worse")],
)
def test_verdict_goes_by_direction(higher: bool, tuned: tuple[float, ...], verdict: str) -> None:
    assert Gain("x", higher, tuned, (0.4, 0.5)).verdict == verdict


@pytest.mark.parametrize(
    ("tuned", "better"),
    [([], False), ([0.6], True), ([0.42], False), ([0.6, 0.6], True), ([0.6, 0.42], True), ([0.6, 0.2], False)],
)
def test_better_is_something_gained_and_nothing_lost(tuned: list[float], better: bool) -> None:
    gains = [Gain("x", True, (value, value + 0.02, value), (0.4, 0.42, 0.44)) for value in tuned]
    assert is_better(gains) is better


def test_both_configurations_are_trained_with_the_same_seeds() -> None:
    calls: list[tuple[float, int]] = []

    def score(config: Config, seed: int, report: Report) -> tuple[float, ...]:  # noqa: ARG001
        calls.append((config.agent.discount, seed))
        return config.agent.discount + seed, -config.agent.discount

    tuned = Config.of({"agent": {"discount": 0.75}})
    first, second = measure({"x": (score, [("up", True), ("down", False)])}, tuned, Config(), [8, 9])
    assert sorted(calls) == [(0.5, 8), (0.5, 9), (0.75, 8), (0.75, 9)]
    assert (first.score, first.tuned, first.default) == ("up", (8.75, 9.75), (8.5, 9.5))
    assert (second.difference.mean, second.verdict) == (-0.25, "better")


def test_applying_changes_the_lines_of_these_values_and_no_others(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text()
    params, best = tmp_path / "params.yaml", tmp_path / "best.yaml"
    params.write_text(text)
    best.write_text(yaml.safe_dump({"agent": {"discount": 0.7371}, "environment": {"reward_weights": {"pairs": 2.5}}}))
    changed = apply(best, params)
    assert changed == ["agent.discount: 0.5 -> 0.7371", "environment.reward_weights.pairs: 1.0 -> 2.5"]
    before, after = text.splitlines(), params.read_text().splitlines()
    assert len(before) == len(after)
    differing = [(one, two) for one, two in zip(before, after, strict=True) if one != two]
    assert [two.split("#")[0].strip() for _, two in differing] == ["pairs: 2.5", "discount: 0.7371"]
    assert [one.partition("#")[2] for one, _ in differing] == [two.partition("#")[2] for _, two in differing]
    assert Params.load(params).agent.discount == 0.7371
    assert apply(best, params) == []


def test_applying_adds_what_is_not_there(tmp_path: Path) -> None:
    params, best = tmp_path / "params.yaml", tmp_path / "best.yaml"
    params.write_text("seed: 3  # mine\n")
    best.write_text("agent: {discount: 0.7}\n")
    assert apply(best, params) == ["agent.discount: (not given) -> 0.7"]
    assert params.read_text() == "seed: 3  # mine\nagent:\n  discount: 0.7\n"


@pytest.mark.parametrize(
    ("text", "best", "message"),
    [
        (None, "agent: {discount: 0.7}", "cannot apply the best parameters to .*params.yaml: No such file"),
        ("a: [", "agent: {discount: 0.7}", "not valid YAML"),
        ("seed: 1", "agent: {discount: 7}", "agent.discount"),
    ],
)
def test_what_cannot_be_applied_leaves_the_file_as_it_is(
    tmp_path: Path, text: str | None, best: str, message: str
) -> None:
    params, found = tmp_path / "params.yaml", tmp_path / "best.yaml"
    if text is not None:
        params.write_text(text)
    found.write_text(best)
    with pytest.raises(ConfigError, match=message):
        apply(found, params)
    assert (params.read_text() if params.exists() else None) == text

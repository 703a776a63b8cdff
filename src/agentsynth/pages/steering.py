"""The scenario of a page: what was asked for, what was reached and why not, and what else moved."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from agentsynth.scenarios.text import change, number

if TYPE_CHECKING:
    from agentsynth.scenarios.grammar import Scenario
    from agentsynth.scenarios.report import Nearest, Reached, ScenarioReport

FURTHEST = 8
"""Movements beyond chance that are shown."""


@dataclass(frozen=True)
class Aim:
    """One target of a scenario."""

    name: str
    wanted: str
    reached: str
    gap: str
    """What is missing: wanted less reached."""
    relative: str
    """The gap as a share of what was wanted; empty where that is 0."""
    reason: str
    """Why it fell short; empty where it did not."""


@dataclass(frozen=True)
class Movement:
    """How far something moved that no target names."""

    name: str
    distance: str
    chance: str
    """The distance that chance alone stays below."""
    change: str


@dataclass(frozen=True)
class Steering:
    """A scenario, and what became of it."""

    name: str
    text: str
    """The scenario as YAML."""
    aims: tuple[Aim, ...]
    known: bool
    """Whether it is known how the targets were reached."""
    inside: int | None
    """Rows that meet the condition; None: there is none."""
    rows: int
    cost: str
    """Rows that were drawn for it, as a sentence; empty: nobody knows."""
    moved: tuple[Movement, ...]
    """Beyond chance, the furthest first."""
    nearest: tuple[tuple[str, str, str], ...]
    """(rows, median distance to the nearest training row, distance of the nearest twentieth); empty: not known."""


def steering(scenario: Scenario, report: ScenarioReport | None, inside: int, rows: int) -> Steering:
    """Return what a page shows of a scenario.

    Args:
        scenario: the scenario.
        report: what became of it; None: nobody knows.
        inside: rows of the table that meet its condition.
        rows: rows of the table.
    """
    plain = scenario.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)
    text = yaml.safe_dump({scenario.name: plain}, sort_keys=False, allow_unicode=True)
    known = report is not None or not scenario.targets
    within = inside if scenario.where else None
    if report is None:
        return Steering(scenario.name, text, (), known, within, rows, "", (), ())
    cost = f"{report.rows:,} rows of {report.drawn:,} drawn; effective size of those {report.effective:,.0f}."
    moved = tuple(
        Movement(item.label, f"{item.distance:.3f}", f"{item.noise:.3f}", change(item))
        for item in report.furthest[:FURTHEST]
        if item.excess > 0
    )
    aims = tuple(_aim(target) for target in report.targets)
    return Steering(scenario.name, text, aims, known, within, rows, cost, moved, _nearest(report.nearest))


def _aim(target: Reached) -> Aim:
    share = target.name.endswith(" share")
    wanted, reached = (_percent(value) if share else number(value) for value in (target.wanted, target.reached))
    reason = "" if target.met else target.reason or "why was not looked for"
    if math.isnan(target.gap):
        return Aim(target.name, wanted, "no value", "unknown", "", reason)
    signed = f"{100 * target.gap:+.1f} points" if share else f"{target.gap:+.3g}"
    relative = f"{100 * abs(target.gap) / abs(target.wanted):.1f} %" if target.wanted else ""
    return Aim(target.name, wanted, reached, signed, relative, reason)


def _nearest(nearest: Nearest | None) -> tuple[tuple[str, str, str], ...]:
    if nearest is None:
        return ()
    sides = {
        "steered": nearest.steered,
        "unguided": nearest.unguided,
        "training rows, to one another": nearest.real,
    }
    return tuple((name, f"{middle:.3f}", f"{low:.3f}") for name, (low, middle) in sides.items())


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"

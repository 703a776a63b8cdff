"""A scenario's report as text for people to read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from agentsynth.scenarios.report import Moved, Reached, ScenarioReport, Spread

FURTHEST = 3
"""Movements that the short form tells."""


def report_text(report: ScenarioReport) -> str:
    """Return the whole report."""
    parts = [
        head(report),
        _targets(report.targets),
        _list("What else moved" + over(report), report.columns, report.columns_left_out),
        _list("Given a column that a target names" + over(report), report.conditionals, report.conditionals_left_out),
        _nearest(report),
    ]
    return "\n\n".join(part for part in parts if part)


def short_text(report: ScenarioReport) -> str:
    """Return the targets, why they were missed, and the largest movements."""
    return "\n".join(part for part in (head(report), _targets(report.targets), furthest(report)) if part)


def furthest(report: ScenarioReport) -> str:
    """Return the largest movements beyond chance."""
    moved = [moved for moved in report.furthest if moved.excess > 0][:FURTHEST]
    if not moved:
        return f"Nothing else moved beyond chance{over(report)}."
    return _list("What else moved furthest beyond chance" + over(report), moved, 0)


def over(report: ScenarioReport) -> str:
    """Return which rows movements were looked at over; empty: all of them."""
    return "" if report.seen is None else f", over the first {report.seen:,}"


def shortfall(report: ScenarioReport) -> str:
    """Return in sentences which goals fell short, why, and by how much; empty: none did."""
    return " ".join(f"{_missed(target)}." for target in report.missed)


def head(report: ScenarioReport) -> str:
    """Return the first line: the scenario, how many of its targets were reached, and at what cost."""
    met = len(report.targets) - len(report.missed)
    said = f"{met} of {len(report.targets)} targets reached; " if report.targets else ""
    return (
        f"Scenario {report.scenario}: {said}{report.rows:,} rows of {report.drawn:,} drawn "
        f"(effective size {report.effective:,.0f})"
    )


def _targets(targets: Sequence[Reached]) -> str:
    return "\n".join(f"  {line(target)}{because(target)}" for target in targets)


def line(target: Reached) -> str:
    """Return a target's numbers."""
    return (
        f"{target.name}: before {number(target.before)}, wanted {number(target.wanted)}, reached "
        f"{number(target.reached)}" + ("" if target.met else f" - off by {number(abs(target.gap))}")
    )


def _missed(target: Reached) -> str:
    numbers = f"wanted {number(target.wanted)}, reached {number(target.reached)}"
    gap = "" if math.isnan(target.gap) else f" ({number(abs(target.gap))} off)"
    return f"{target.name} fell short: {numbers}{gap}: {target.reason}"


def because(target: Reached) -> str:
    """Return, as a line of its own, why a target fell short; empty: it did not."""
    if target.met:
        return ""
    return f"\n    {target.reason}." if target.reason else "\n    why was not looked for."


def _list(title: str, movements: Sequence[Moved], left_out: int) -> str:
    if not movements:
        return ""
    lines = [f"  {moved.label}: {movement(moved)}" for moved in movements]
    more = [f"  ... and {left_out:,} more, which moved less beyond chance"] if left_out else []
    return "\n".join([f"{title} (distance, 0 to 1; in brackets what chance stays below):", *lines, *more])


def movement(moved: Moved) -> str:
    """Return how far something moved, in numbers."""
    return f"{moved.distance:.3f} (chance {moved.noise:.3f}), {change(moved)}"


def change(moved: Moved) -> str:
    """Return what a reader sees of a movement: the means, or the cell whose share changed most."""
    if moved.before.mean is not None and moved.after.mean is not None:
        means = (_moment(side.mean, moved.dated) for side in (moved.before, moved.after))
        return "mean {} -> {}".format(*means) + _spreads(moved.before, moved.after, moved.dated)
    gaps = np.abs(np.subtract(moved.after.shares, moved.before.shares))
    cell = int(gaps.argmax())
    return f"{moved.cells[cell]!r} {moved.before.shares[cell]:.1%} -> {moved.after.shares[cell]:.1%}"


def _spreads(before: Spread, after: Spread, dated: bool) -> str:
    unit = " days" if dated else ""
    return f", std {number(before.std)} -> {number(after.std)}{unit}"


def _moment(mean: float | None, dated: bool) -> str:
    """Return a mean; as a date where it counts days."""
    if mean is None or not dated:
        return number(mean)
    return str(np.datetime64(round(mean * 1440), "m")).replace("T", " ")


def _nearest(report: ScenarioReport) -> str:
    if report.nearest is None:
        return ""
    sides = (
        ("steered rows", report.nearest.steered),
        ("unguided rows", report.nearest.unguided),
        ("training rows, to one another", report.nearest.real),
    )
    lines = [f"  {name}: median {middle:.3f}, nearest twentieth below {low:.3f}" for name, (low, middle) in sides]
    return "\n".join(["Distance to the nearest training row (Gower, 0 to 1):", *lines])


def number(value: float | None) -> str:
    """Return a number in four digits, or all of those before the point.

    >>> number(0.12345), number(123456.7), number(float("nan"))
    ('0.1235', '123,457', 'none')
    """
    if value is None or not math.isfinite(value):
        return "none"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.4g}"

"""What was written, in words."""

from __future__ import annotations

from agentsynth.scenarios.text import because, furthest, line, number
from agentsynth.streaming.written import Goal, Written


def told(written: Written) -> str:
    """Return what was written, and how it stands to its scenario: by part as well; and what else moved."""
    before = f", {written.kept} of them there before" if written.kept else ""
    parts = "1 part" if written.parts == 1 else f"{written.parts:,} parts"
    goals = [_goal(goal) for goal in written.goals]
    moved = [] if written.report is None else [furthest(written.report)]
    entities = "" if written.entities is None else f" of {written.entities:,} entities"
    return "\n".join([f"{written.rows:,} rows{entities} in {parts}{before} to {written.url}", *goals, *moved])


def _goal(goal: Goal) -> str:
    whole = goal.whole
    return f"  {line(whole)} (parts: {number(goal.lowest)} to {number(goal.highest)})" + because(whole)

"""What was written, in words."""

from __future__ import annotations

from agentsynth.scenarios.text import line, number
from agentsynth.streaming.writing import Written


def told(written: Written) -> str:
    """Return what was written, and how it stands to its scenario: over all rows, and from part to part."""
    before = f", {written.kept} of them there before" if written.kept else ""
    parts = "1 part" if written.parts == 1 else f"{written.parts:,} parts"
    goals = [f"  {line(goal.whole)} (parts: {number(goal.lowest)} to {number(goal.highest)})" for goal in written.goals]
    entities = "" if written.entities is None else f" of {written.entities:,} entities"
    return "\n".join([f"{written.rows:,} rows{entities} in {parts}{before} to {written.url}", *goals])

"""What was found of a table's entities, for people to read."""

from __future__ import annotations

from agentsynth.entities.plan import EntityPlan


def describe(plan: EntityPlan) -> str:
    """Return what entities are: what stays the same, what rows follow one another by, and the other ids."""
    same = [*plan.attributes, *(column.name for column in plan.groups)]
    lines = [
        f"entities: {plan.id}",
        f"  the same on all rows of one: {', '.join(same) or 'nothing'}",
        f"  rows in order of: {plan.time or 'the table'}",
    ]
    for one in plan.nested:
        told = f", with the same {', '.join(one.constant)} on all of its rows" if one.constant else ""
        lines.append(f"  within them: {one.name}{told}")
    return "\n".join([*lines, *(f"  shared by several: {column.name}" for column in plan.groups)])

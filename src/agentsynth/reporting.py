"""From a steered table and the search for its rows to the report of its scenario."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.model import Generator
from agentsynth.scenarios.grammar import Scenario
from agentsynth.scenarios.movement import Rows, movements, steered_margins
from agentsynth.scenarios.reasons import Reasons
from agentsynth.scenarios.report import Reached, ScenarioReport, listed
from agentsynth.source import with_labels
from agentsynth.task import Cost, Searched, Task

Floats = NDArray[np.float64]
UNGUIDED = 50_000
"""Most rows that stand for an unguided table."""


def report_of(
    generator: Generator,
    scenario: Scenario,
    task: Task,
    cost: Cost,
    frame: pd.DataFrame,
    rng: np.random.Generator,
) -> ScenarioReport:
    """Return the report of a steered table.

    Args:
        generator: what the table was composed from.
        scenario: what was asked for.
        task: of the table's first piece. Movements and reasons are found with its rows, which were drawn as those of
            the other pieces were.
        cost: of all pieces.
        frame: the table, typed.
        rng: draws unguided tables.
    """
    assert task.searched is not None  # noqa: S101  # for the type checker
    planned, margins = task.searched.planned, generator.cells.margins
    before = unguided(task.searched)
    steered = steered_margins(scenario, with_labels(generator), margins)
    # Cells of a scaled column hold other rows than before, so what is given it is seen over the scaled values.
    scaled = Rows(planned.frame.iloc[: len(before.frame)], before.weights)
    both = movements(before, Rows.of(frame), margins, steered, rng, scaled)
    (columns, columns_left_out), (conditionals, conditionals_left_out) = (listed(moved) for moved in both)
    return ScenarioReport(
        scenario=scenario.name,
        rows=len(frame),
        drawn=cost.drawn,
        effective=cost.effective,
        targets=reached(task, cost, frame),
        columns=columns,
        conditionals=conditionals,
        columns_left_out=columns_left_out,
        conditionals_left_out=conditionals_left_out,
    )


def reached(task: Task, cost: Cost, frame: pd.DataFrame) -> tuple[Reached, ...]:
    """Return how a typed table stands to each target of a task, and why it fell short, given what its pieces cost."""
    if task.searched is None:
        return ()
    planned = task.searched.planned
    reasons = Reasons(planned.constraints, planned.base, planned.plan.weights, len(frame), cost.drawn, cost.kept)
    return reasons.of(
        [
            Reached(target.name, task.now[target.name], target.wanted, target.read(frame), target.tolerance)
            for target in task.constraints
        ]
    )


def unguided(searched: Searched) -> Rows:
    """Return rows of a scenario's slice, weighted as an unguided table has them."""
    some = slice(0, UNGUIDED)
    weights = searched.planned.unguided[some]
    return Rows(searched.planned.pool.frame.iloc[some], weights / weights.sum())

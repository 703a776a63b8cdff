"""Real rows under a scenario: the constraints that it states over them, and the weights under which they hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from agentsynth.data.schema import Schema
from agentsynth.scenarios.constraints import Constraint, Floats
from agentsynth.scenarios.grammar import Scenario
from agentsynth.scenarios.planning import plan
from agentsynth.scenarios.table import Table
from agentsynth.scenarios.targets import constraints_of


def stated(scenario: Scenario, frame: pd.DataFrame, schema: Schema) -> list[Constraint]:
    """Return the constraints of a scenario over a typed frame, whose rows count alike.

    Raises:
        ScenarioError: a target does not fit the table.
    """
    equal = np.full(len(frame), 1.0 / len(frame))
    return constraints_of(scenario, Table(frame, schema, len(frame), equal))


def meeting(constraints: Sequence[Constraint], rows: int) -> Floats:
    """Return the weights (rows,) nearest to equal ones under which the constraints hold, as well as they can."""
    return plan(constraints, np.full(rows, 1.0 / rows)).weights

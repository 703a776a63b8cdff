"""Scaling: values of a scenario's table times a factor, and what follows from them computed anew."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from agentsynth.data.bounds import largest_bound
from agentsynth.data.rounding import round_to
from agentsynth.data.schema import Column, Schema
from agentsynth.data.typed import add_derived
from agentsynth.data.values import LARGEST
from agentsynth.errors import ScenarioError
from agentsynth.scenarios.grammar import Change, Scenario, factor_of


def scaled(frame: pd.DataFrame, scenario: Scenario, schema: Schema) -> pd.DataFrame:
    """Return a typed frame with derived columns as a scenario's `scale` has it; other columns stay as they are.

    Scaled numbers are rounded to their column's decimals, halves to the even digit: whole numbers stay whole, and small
    ones may not move at all (1 times 1.1 is 1), or by more than the factor (3 times 1.2 is 4).

    Raises:
        ScenarioError: a column cannot be scaled, or falls below one that it is never below; the message says which.
    """
    if not scenario.scale:
        return frame
    found = frame.copy()
    for name, change in scenario.scale.items():
        column = _column(name, scenario, schema)
        factor = _factor(name, change)
        most = float(np.nanmax(np.abs(frame[name].to_numpy()), initial=0.0))
        if most and factor > LARGEST / most:
            raise ScenarioError(
                f"scale of {name!r}: {change!r} takes values beyond {LARGEST:.0e}, the largest there are."
            )
        found[name] = round_to(frame[name].to_numpy() * factor, column.decimals)
    _check_bounds(found, scenario.scale, schema)
    return add_derived(found, schema)


def _column(name: str, scenario: Scenario, schema: Schema) -> Column:
    column = next((column for column in schema if column.name == name), None)
    if column is None:
        raise ScenarioError(f"a scenario scales {name!r}; the table has {', '.join(schema.names)}.")
    if column.formula is not None:
        raise ScenarioError(
            f"a scenario scales {name!r}, which is computed from {', '.join(column.formula.inputs)}: scale these."
        )
    if column.kind != "numeric":
        raise ScenarioError(f"a scenario scales {name!r}, which is {column.kind}: only numbers can be scaled.")
    if name in scenario.fixed:
        raise ScenarioError(f"a scenario fixes {name!r} and scales it: fix it to the value that it shall have.")
    return column


def _factor(name: str, change: Change) -> float:
    factor = factor_of(change) if isinstance(change, str) else change
    if factor is None:
        raise ScenarioError(f"scale of {name!r}: {change!r} is neither a factor nor a change such as '+10%'.")
    if factor <= 0:
        raise ScenarioError(f"scale of {name!r}: {change!r} leaves nothing; a factor is above 0.")
    return factor


def _check_bounds(frame: pd.DataFrame, scale: Mapping[str, Change], schema: Schema) -> None:
    for column in schema.of_kind("numeric"):
        for name in column.above:
            if column.name not in scale and name not in scale:
                continue
            bound = largest_bound(column.model_copy(update={"above": (name,)}), frame)
            wrong = int(np.count_nonzero(frame[column.name].to_numpy() < bound))
            if wrong:
                raise ScenarioError(
                    f"`scale` puts {column.name!r} below {name!r} on {wrong} of {len(frame)} rows, which the table "
                    f"never has: scale both by the same factor, or leave out rows with `where`."
                )

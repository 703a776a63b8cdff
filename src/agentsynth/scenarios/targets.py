"""From targets, as users state them, to constraints over the rows of a pool."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd

from agentsynth.data.schema import Schema
from agentsynth.data.values import label_of
from agentsynth.errors import ScenarioError
from agentsynth.scenarios.conditions import Subject, names_of
from agentsynth.scenarios.constraints import Constraint, ratio
from agentsynth.scenarios.grammar import Change, Scenario, Target
from agentsynth.scenarios.owned import is_about_rows
from agentsynth.scenarios.statistics import Statistics
from agentsynth.scenarios.table import Floats, Table

_WHERE = re.compile(r"^(.+?)\s+where\s+(.+)$")


def constraints_of(scenario: Scenario, table: Table, rows: Table | None = None) -> list[Constraint]:
    """Return the numbers that a scenario wants of a table.

    Args:
        scenario: what is wanted.
        table: what targets are about.
        rows: of entities: their rows, which a target that names a column of theirs is about; None: there are none.

    Raises:
        ScenarioError: a target does not fit the table; the message names it, and what the table has.
    """

    def about(names: Iterable[str]) -> Table:
        return rows if rows is not None and is_about_rows(names, table.schema, rows.schema) else table

    found: list[Constraint] = []
    for text, target in scenario.targets.items():
        name, condition = split_target(text, table.schema if rows is None else rows.schema)
        found += _of_target(text, target, about([name, *(names_of(condition) if condition else [])]))
    found += [_condition_share(text, share, about(names_of(text))) for text, share in scenario.shares.items()]
    return found + [_function(name, wanted, table) for name, wanted in scenario.functions.items()]


def _of_target(text: str, target: Target, table: Table) -> Iterator[Constraint]:
    name, condition = split_target(text, table.schema)
    subject, inside = Subject.of(name, table.schema), table.where(condition)
    _check_shares(subject, text, target)
    for key, share in target.share.items():
        yield _share(subject, text, label_of(key), share, inside, table)
    numeric = Statistics(subject, text, inside, table)
    for statistic in ("mean", "total", "std", "median", "gini"):
        value = getattr(target, statistic)
        if value is not None:
            yield from getattr(numeric, statistic)(value, target)
    for level, value in target.quantile.items():
        yield numeric.quantile(level, value)
    for part, value in target.top_share.items():
        yield numeric.top_share(part, value)
    for other, value in target.correlation.items():
        yield numeric.correlation(other, value)
    for groups, value in target.ratio.items():
        yield numeric.ratio(groups, value)


def split_target(text: str, schema: Schema) -> tuple[str, str | None]:
    """Return the column and the condition of `price where category = Books`."""
    found = None if text in schema.names else _WHERE.match(text.strip())
    return (found[1], found[2]) if found else (text, None)


def _check_shares(subject: Subject, text: str, target: Target) -> None:
    for key, share in target.share.items():
        if not isinstance(share, str) and not 0 <= share <= 1:
            raise ScenarioError(f"the share of {text} = {label_of(key)} must lie between 0 and 1; found {share:g}.")
    total = sum(share for share in target.share.values() if not isinstance(share, str))
    if subject.is_label and total > 1 + 1e-9:
        raise ScenarioError(f"the shares of {text!r} add up to {total:g}; at most 1 can be shared out.")


def _share(
    subject: Subject, text: str, key: str, share: Change, inside: Callable[[pd.DataFrame], Floats], table: Table
) -> Constraint:
    def features(frame: pd.DataFrame) -> list[Floats]:
        marks = inside(frame)
        return [subject.matches(frame, key) * marks, marks]

    return table.moments(f"{text} {key} share", share, features, ratio, bounded=True)


def _condition_share(text: str, share: Change, table: Table) -> Constraint:
    marks = table.where(text)
    if not isinstance(share, str) and not 0 <= share <= 1:
        raise ScenarioError(f"the share of rows with {text} must lie between 0 and 1; found {share:g}.")
    return table.moments(
        f"share of {text}", share, lambda frame: [marks(frame), np.ones(len(frame))], ratio, bounded=True
    )


def _function(name: str, wanted: Change, table: Table) -> Constraint:
    if name not in table.functions:
        known = ", ".join(table.functions) or "none"
        raise ScenarioError(
            f"the scenario wants {name!r} of a function; given were {known}. Functions are given from Python, as "
            "generate(..., functions={name: function of a table})."
        )
    function, frame = table.functions[name], table.frame
    return table.measured(name, wanted, lambda rows: function(frame.iloc[rows]), function)

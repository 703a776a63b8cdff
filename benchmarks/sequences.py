"""A packaged rival for tables with entities, in a process of its own; `sequence_worker.py` is what runs there."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from isolated import Outcome, run_worker

from agentsynth.data.schema import Schema
from agentsynth.data.typed import add_derived, typed
from agentsynth.entities.plan import EntityPlan, entity_of
from agentsynth.files import write_json
from agentsynth.seeding import child_seed

WORKER = Path(__file__).with_name("sequence_worker.py")
DAY_0 = pd.Timestamp("2000-01-01")
"""Times in whole numbers are handed over as so many days after it."""


@dataclass(frozen=True)
class Rival:
    """The rival: the interpreter that has it, and minutes of training, at the most, for each of its two models."""

    python: Path
    minutes: int

    def run(self, train: pd.DataFrame, plan: EntityPlan, schema: Schema, entities: int, seed: int) -> Outcome:
        """Have it learn from `train` and make so many entities; return what came of it."""
        rows = handed_over(train, plan, schema)
        task = {
            "id": plan.id,
            "attributes": list(plan.attributes),
            "relative": [plan.time] if plan.time is not None and _in_steps(train[plan.time]) else [],
            "entities": entities,
            "minutes": self.minutes,
            "seed": child_seed(seed, "benchmark.sequences") % 2**31,
        }
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            rows.to_parquet(folder / "train.parquet", index=False)
            write_json(folder / "task.json", task)
            outcome = run_worker(self.python, WORKER, folder, 60 * self.minutes)
        return outcome if outcome.rows is None else replace(outcome, rows=given_back(outcome.rows, plan, schema))


def handed_over(train: pd.DataFrame, plan: EntityPlan, schema: Schema) -> pd.DataFrame:
    """Return the rows (n, columns) as the rival wants them: by entity, in order of time, labels as text.

    A time in whole numbers becomes dates: the rival learns only of dates how long after the row before a row comes.
    Derived columns are left out: it would not keep to their formulas.
    """
    plain = typed(train, schema)
    labels = {column.name: plain[column.name] for column in schema.modelled if column.is_label}
    rows = train[[plan.id, *(column.name for column in schema.modelled)]].assign(**labels)
    if plan.time is not None and _in_steps(rows[plan.time]):
        rows[plan.time] = DAY_0 + pd.to_timedelta(rows[plan.time], unit="D")
    return plan.in_order(rows, entity_of(rows, plan.id))[0]


def given_back(made: pd.DataFrame, plan: EntityPlan, schema: Schema) -> pd.DataFrame:
    """Return rows of the rival as the table has them: times in its unit, and derived columns."""
    numbers = [column.name for column in schema.modelled if column.is_numeric and made[column.name].dtype.kind != "M"]
    table = made.astype(dict.fromkeys(numbers, float))
    if plan.time is not None and schema[plan.time].is_numeric and plan.time not in numbers:
        table[plan.time] = (table[plan.time] - DAY_0).dt.days.astype(float)
    return add_derived(table, schema)


def _in_steps(times: pd.Series[Any]) -> bool:
    """Return whether times are whole numbers: years, days since a study began."""
    return pd.api.types.is_integer_dtype(times)

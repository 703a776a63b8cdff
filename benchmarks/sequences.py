"""A packaged rival for tables with entities, in a process of its own; `sequence_worker.py` is what runs there."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from isolated import Outcome, run_worker

from agentsynth.data.schema import Schema
from agentsynth.data.typed import typed
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
            "dates": [] if plan.time is None or rows[plan.time].dtype.kind != "M" else [plan.time],
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
    """
    names = [column.name for column in schema.compared]
    plain = typed(train, schema)
    rows = train[[plan.id, *names]].assign(**{name: plain[name] for name in names if schema[name].is_label})
    rows = plan.in_order(rows, entity_of(rows, plan.id))[0]
    if plan.time is not None and pd.api.types.is_integer_dtype(rows[plan.time]):
        rows[plan.time] = DAY_0 + pd.to_timedelta(rows[plan.time], unit="D")
    return rows


def given_back(made: pd.DataFrame, plan: EntityPlan, schema: Schema) -> pd.DataFrame:
    """Return rows of the rival with their times in the unit of the table."""
    if plan.time is None or schema[plan.time].is_datetime or made[plan.time].dtype.kind != "M":
        return made
    return made.assign(**{plan.time: (made[plan.time] - DAY_0).dt.days})

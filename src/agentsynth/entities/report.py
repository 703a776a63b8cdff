"""The report on entities: their scores beside those of another real sample."""

from __future__ import annotations

import pandas as pd

from agentsynth.data.schema import Schema
from agentsynth.entities.plan import EntityPlan
from agentsynth.entities.scores import Lives, scores_of


def entity_report(
    tables: dict[str, pd.DataFrame],
    real: pd.DataFrame,
    train: pd.DataFrame,
    plan: EntityPlan,
    schema: Schema,
    seed: int,
) -> pd.DataFrame:
    """Return the scores (see `entity_scores`) of several tables: a row for each score, a column for each table.

    Raises:
        CannotScoreError: a table has too few entities to tell them apart.
    """
    theirs, known = Lives.of(real, plan, schema), Lives.of(train, plan, schema)
    lives = {name: Lives.of(table, plan, schema) for name, table in tables.items()}
    return pd.DataFrame({name: scores_of(ours, theirs, known, plan, schema, seed) for name, ours in lives.items()})


def to_text(report: pd.DataFrame) -> str:
    """Return a report as text."""
    return report.map(lambda value: "-" if pd.isna(value) else f"{value:.3f}").to_string()

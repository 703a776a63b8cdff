"""Scores by which the champion is chosen: a challenger and a champion, judged by the same real rows."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from agentsynth.errors import InputError
from agentsynth.scoring import held_out_similarities, known_rows
from agentsynth.synth import AgentSynth
from agentsynth.tracking.registry import Contest

FEWEST_ROWS = 20
"""Rows that a contest must be judged by."""
TABLES = 10
"""Tables that each of the two composes."""
SEED = 0
"""Of the first of these tables: the same in every experiment, so that a policy keeps its score."""


def own_scores(synth: AgentSynth, rows: pd.DataFrame) -> list[float]:
    """Return the similarity of each of `TABLES` mimicking tables to `rows`."""
    return held_out_similarities(synth, rows, synth.schema_, seed=SEED, tables=TABLES)


def contest(challenger: AgentSynth, own: Sequence[float], champion: AgentSynth, test: pd.DataFrame) -> Contest:
    """Compare tables of both, composed with the same seeds, with the test rows that are new to both (or known to both).

    The challenger has not seen the test rows; a champion of another split, or of an older state of the table, may have
    learned from some of them. Rows that only one of the two knows are left out.

    Args:
        challenger: a policy of the present training rows.
        own: its `own_scores` on all test rows.
        champion: its rival.
        test: real rows that the challenger was not fitted on.

    Raises:
        SchemaError: the champion learned from another table.
        InputError: too few rows are left.
    """
    fair = known_rows(challenger, test) == known_rows(champion, test)
    if fair.sum() < FEWEST_ROWS:
        raise InputError(f"it learned from all but {fair.sum()} of the {len(test)} test rows")
    rows = test[fair].reset_index(drop=True)
    theirs = held_out_similarities(champion, rows, challenger.schema_, seed=SEED, tables=TABLES)
    return Contest(len(rows), own if fair.all() else own_scores(challenger, rows), theirs)

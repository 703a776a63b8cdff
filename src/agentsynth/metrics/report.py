"""Building the report: a synthetic table against unseen real rows, every score beside its ceiling and floor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
import pandas as pd

from agentsynth.data.schema import Schema
from agentsynth.metrics import correlation, detection, marginals, membership, pairs, privacy, shape, utility, validity
from agentsynth.metrics.baselines import halves
from agentsynth.metrics.results import ColumnReport, PairReport, Report
from agentsynth.metrics.score import CannotScoreError, Definition, Score, Thunk, score
from agentsynth.metrics.similarity import similarity, typed_similarity
from agentsynth.metrics.tables import Tables
from agentsynth.metrics.values import compared

__all__ = ["ColumnReport", "PairReport", "Report", "Score", "build_report", "similarity", "typed_similarity"]

T = TypeVar("T")
Measure = Callable[[pd.DataFrame, pd.DataFrame], float]


def build_report(
    train: pd.DataFrame | None,
    test: pd.DataFrame,
    synthetic: pd.DataFrame,
    schema: Schema,
    *,
    seed: int = 0,
    target: str | None = None,
    max_rows: int = 5000,
    other_real: pd.DataFrame | None = None,
) -> Report:
    """Judge a synthetic table; all tables as they were read.

    Args:
        train: The rows that the synthetic ones were learnt from. None, where they are not at hand: then random halves
            of `test` take the places of training and unseen rows, and privacy cannot be judged.
        test: Real rows that nothing was fitted on.
        synthetic: The table to judge.
        schema: The schema of all tables.
        seed: Seed of samples, folds and models; the same seed gives the same report.
        target: The column that utility predicts; None: the one that real rows predict best.
        max_rows: Most rows of a table looked at by the scores that cost more than linear time.
        other_real: Further unseen real rows, if there are any: a fair ceiling of privacy.

    Raises:
        InputError: a table is empty, there is no column to compare, or the target is not one of them.
        SchemaError: a table does not fit the schema.
    """
    tables = Tables.of(train, test, synthetic, schema, seed, other_real)
    return _Judge(tables, schema, seed, max_rows).report(target)


class _Judge:
    """Computes the parts of a report; every table is typed and rounded once."""

    def __init__(self, tables: Tables, schema: Schema, seed: int, max_rows: int) -> None:
        self.tables, self.schema, self.seed, self.max_rows = tables, schema, seed, max_rows
        self.train, self.test, self.synthetic, self.another, self.shuffled = (
            compared(frame, schema)
            for frame in (tables.train, tables.test, tables.synthetic, tables.another, tables.shuffled)
        )
        self.trio = (self.synthetic, self.another, self.shuffled)

    def report(self, target: str | None) -> Report:
        shapes = [shape.shapes(self.test, frame) for frame in self.trio]
        joint = [pairs.pair_similarities(self.test, frame) for frame in self.trio]
        singles = [marginals.marginals(self.test, frame) for frame in self.trio]
        cells = [self._cells(frame) for frame in (self.tables.synthetic, self.tables.test, self.tables.shuffled)]
        utility_score, target = self._utility(target)
        scores = [
            score(shape.DEFINITION, *_each(lambda values: float(np.mean(list(values.values()))), shapes)),
            score(pairs.DEFINITION, *_each(pairs.mean_pair_similarity, joint)),
            self._against_test(correlation.DEFINITION, correlation.correlation_similarity),
            self._against_test(
                detection.DEFINITION, partial(detection.detection, seed=self.seed, max_rows=self.max_rows)
            ),
            utility_score,
            *self._privacy(),
            score(validity.DEFINITION, *_each(validity.validity, cells)),
            score(marginals.MEAN_DIFFERENCE, *_each(marginals.mean_difference, singles)),
            score(marginals.STD_DIFFERENCE, *_each(marginals.std_difference, singles)),
        ]
        return Report(
            rows=self.tables.rows(),
            scores={item.name: item for item in scores},
            columns=_column_reports(singles[0], shapes[0], shapes[1], cells[0]),
            pairs=_pair_reports(joint[0], joint[1]),
            target=target,
        )

    def _against_test(self, definition: Definition, measure: Measure) -> Score:
        """Score the synthetic rows, another real sample and shuffled columns against the unseen rows."""
        return score(definition, *_each(lambda frame: measure(self.test, frame), self.trio))

    def _cells(self, frame: pd.DataFrame) -> pd.DataFrame:
        return validity.valid_cells(self.tables.train, frame, self.schema)

    def _utility(self, target: str | None) -> tuple[Score, str | None]:
        try:
            chosen = target or utility.choose_target(self.train, self.schema, self.seed)
        except CannotScoreError as reason:
            return score(utility.DEFINITION, *[_never(str(reason))] * 3), None
        task = utility.Task.of(chosen, self.train, self.schema)
        rows = min(len(self.another), len(self.synthetic))

        def measure(fit: pd.DataFrame) -> float:
            return utility.utility(task, fit, self.test, rows, self.seed, self.max_rows)

        return score(utility.DEFINITION, *_each(measure, self.trio)), chosen

    def _privacy(self) -> list[Score]:
        """Score copies, nearness and an attack; all need the rows that the synthetic ones were learnt from."""
        if not self.tables.train_known:
            unknown = [_never("needs the rows that the synthetic ones were learnt from")] * 3
            definitions = (privacy.COPIES, privacy.NEARER, membership.DEFINITION)
            return [score(definition, *unknown) for definition in definitions]
        names = [column.name for column in self.schema.modelled]
        frames = (self.train, self.test, self.synthetic, self.shuffled)
        train, test, synthetic, shuffled = (frame[names] for frame in frames)
        other = self.tables.other_real
        fair = test if other is None else compared(other, self.schema)[names]
        judged, unseen = halves(test, self.seed) if other is None else (fair, test)
        trials = [(test, synthetic), (unseen, judged), (test, shuffled)]

        def nearer(trial: tuple[pd.DataFrame, pd.DataFrame]) -> float:
            return privacy.nearer_to_training(train, *trial, self.seed, self.max_rows)

        def attacked(trial: tuple[pd.DataFrame, pd.DataFrame]) -> float:
            return membership.membership_inference(train, *trial, self.seed, self.max_rows)

        return [
            score(privacy.COPIES, *_each(partial(privacy.exact_copies, train), (synthetic, fair, shuffled))),
            score(privacy.NEARER, *_each(nearer, trials)),
            score(membership.DEFINITION, *_each(attacked, trials)),
        ]


def _each(measure: Callable[[T], float], items: Sequence[T]) -> list[Thunk]:
    return [partial(measure, item) for item in items]


def _never(reason: str) -> Thunk:
    def refuse() -> float:
        raise CannotScoreError(reason)

    return refuse


def _column_reports(
    columns: dict[str, marginals.Marginal], ours: dict[str, float], ceiling: dict[str, float], cells: pd.DataFrame
) -> list[ColumnReport]:
    reports = [
        ColumnReport(
            name=name,
            shape=ours[name],
            shape_ceiling=ceiling[name],
            valid=float(cells[name].mean()),
            **vars(column),
        )
        for name, column in columns.items()
    ]
    return sorted(reports, key=lambda report: report.shape)


def _pair_reports(ours: dict[tuple[str, str], float], ceiling: dict[tuple[str, str], float]) -> list[PairReport]:
    reports = [
        PairReport(first=pair[0], second=pair[1], similarity=value, ceiling=ceiling[pair])
        for pair, value in ours.items()
    ]
    return sorted(reports, key=lambda report: report.similarity)

"""Scores of tables with entities: how like those of unseen entities the lives of generated ones are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.data.schema import Schema
from agentsynth.data.stretches import Stretches
from agentsynth.data.typed import typed
from agentsynth.entities.clock import Clock
from agentsynth.entities.id_scores import groups_apart, nested_apart
from agentsynth.entities.plan import EntityPlan
from agentsynth.entities.summary import Summary
from agentsynth.metrics.detection import detection
from agentsynth.metrics.marginals import kolmogorov_smirnov, total_variation
from agentsynth.metrics.privacy import nearer_to_training
from agentsynth.seeding import stream

Floats = NDArray[np.float64]
MOST_TYPES = 10
"""Levels of an attribute that may stand for the type of an entity."""
PERIODS = 12
"""Parts of the time, of about equally many real rows, in which entities are seen to be active or not."""
LEVELS = np.arange(1, 20) / 20
"""Quantiles of an entity's sums that are looked at."""
SCORES = (
    "attributes",
    "rows",
    "gaps",
    "transitions",
    "repeats",
    "totals",
    "totals_mean",
    "totals_quantiles",
    "gini",
    "autocorrelation",
    "active",
    "detection_entities",
    "detection_rows",
    "nearer",
    "nested",
    "groups",
)
"""Names of the scores, see `entity_scores`."""


@dataclass(frozen=True)
class Lives:
    """The rows of a table with entities, by entity and in order of time.

    Attributes:
        rows: typed frame with derived columns.
        entity: (rows,) the number of each row's entity.
        summary: (entities) what each is like.
        constant: share of entities whose attributes, and ids around them, are the same on all their rows.
    """

    rows: pd.DataFrame
    entity: NDArray[np.int64]
    summary: pd.DataFrame
    constant: float

    @classmethod
    def of(cls, table: pd.DataFrame, plan: EntityPlan, schema: Schema) -> Lives:
        """Read the entities of a table.

        Raises:
            SchemaError: the table does not fit the schema, or rows have no id.
        """
        rows, entity = plan.arranged(typed(table, schema))
        same = [*plan.attributes, *(column.name for column in plan.groups)]
        return cls(rows, entity, Summary(plan, schema).of(rows, entity), _constant(rows, entity, same))

    @property
    def follows(self) -> NDArray[np.bool_]:
        """Whether a row (rows,) follows another one of its entity."""
        return Stretches.of(self.entity).places > 0


def _constant(rows: pd.DataFrame, entity: NDArray[np.int64], attributes: Iterable[str]) -> float:
    """Return the share of entities that have one value in every attribute."""
    same = np.ones(int(entity.max()) + 1, dtype=bool)
    for name in attributes:
        same &= rows[name].groupby(entity).nunique(dropna=False).le(1).to_numpy()
    return float(same.mean())


def entity_scores(
    real: pd.DataFrame, synthetic: pd.DataFrame, train: pd.DataFrame, plan: EntityPlan, schema: Schema, seed: int = 0
) -> dict[str, float]:
    """Compare a table with unseen real entities.

    Distances are 0 at best and 1 at worst: Kolmogorov and Smirnov's between distributions of numbers, total variation
    between those of labels, absolute differences of shares, correlations and Gini coefficients.

    Args:
        real: rows of entities that nothing was learned from.
        synthetic: the table to judge.
        train: rows of the entities that were learned from.
        plan: what the entities are.
        schema: of the tables.
        seed: decides everything random here.

    Returns:
        `attributes`: share of entities whose attributes stay the same (1 is best); `rows`: distance of the numbers of
        rows; `gaps`: of the times between rows, by type of entity; `transitions`: of pairs of successive labels;
        `repeats`: of the share of rows with the label of the row before; `totals`: of a number's sum over an entity;
        `totals_mean` and `totals_quantiles`: differences of these sums' means, and of their quantiles from 5 to 95 % on
        average, in standard deviations of the real ones (they have no worst); `gini`: difference in how unequal these
        sums are; `autocorrelation`: of a number with that of the row before;
        `active`: of the share of entities with rows in a period; `detection_entities` and `detection_rows`: AUC of a
        classifier that tells entities (rows, one of each) from unseen ones (0.5 is best); `nearer`: share of entities
        nearer to training ones than to unseen ones (0.5 is best); `nested`: distance of the numbers of rows that ids
        within entities have; `groups`: of the numbers of entities that ids around them have. NaN where a table has no
        such thing.
    """
    ours, theirs, known = (Lives.of(table, plan, schema) for table in (synthetic, real, train))
    return scores_of(ours, theirs, known, plan, schema, seed)


def scores_of(
    ours: Lives, theirs: Lives, known: Lives, plan: EntityPlan, schema: Schema, seed: int
) -> dict[str, float]:
    """Return what `entity_scores` does, of the lives of the judged, the unseen and the training entities."""
    labels = [c.name for c in schema.by_name.compared if c.is_label and c.name not in plan.attributes]
    numbers = [c.name for c in schema.by_name.compared if c.is_numeric and c.name not in {*plan.attributes, plan.time}]
    rows = Summary(plan, schema).rows
    return {
        "attributes": ours.constant,
        "rows": kolmogorov_smirnov(theirs.summary[rows].to_numpy(), ours.summary[rows].to_numpy()),
        "gaps": _gaps(ours, theirs, plan, schema),
        "transitions": _mean(_transitions(ours, theirs, name) for name in labels),
        "repeats": _mean(abs(_repeated(ours, name) - _repeated(theirs, name)) for name in labels),
        "totals": _mean(kolmogorov_smirnov(_totals(theirs, name), _totals(ours, name)) for name in numbers),
        "totals_mean": _mean(_means_apart(_totals(theirs, name), _totals(ours, name)) for name in numbers),
        "totals_quantiles": _mean(_quantiles_apart(_totals(theirs, name), _totals(ours, name)) for name in numbers),
        "gini": _mean(abs(_gini(_totals(ours, name)) - _gini(_totals(theirs, name))) for name in numbers),
        "autocorrelation": _mean(abs(_autocorrelation(ours, n) - _autocorrelation(theirs, n)) for n in numbers),
        "active": _active(ours, theirs, plan, schema),
        "detection_entities": detection(theirs.summary, ours.summary, seed),
        "detection_rows": detection(_one_each(theirs, schema, seed), _one_each(ours, schema, seed), seed),
        "nearer": nearer_to_training(known.summary, theirs.summary, ours.summary, seed),
        "nested": nested_apart((ours.rows, ours.entity), (theirs.rows, theirs.entity), plan.nested),
        "groups": groups_apart((ours.rows, ours.entity), (theirs.rows, theirs.entity), plan.groups),
    }


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _one_each(lives: Lives, schema: Schema, seed: int) -> pd.DataFrame:
    """Return a random row of each entity: rows of one entity in two folds would give each other away."""
    order = stream(seed, "one row each").permutation(len(lives.rows))
    chosen = order[np.unique(lives.entity[order], return_index=True)[1]]
    return lives.rows.iloc[chosen][[column.name for column in schema.compared]].reset_index(drop=True)


def _gaps(ours: Lives, theirs: Lives, plan: EntityPlan, schema: Schema) -> float:
    """Return the distance of the times between rows: the mean over types of entities, by their share of real ones."""
    if plan.time is None:
        return float("nan")
    clock = Clock(schema[plan.time])
    one, other = ((_type(lives, plan, schema), _between(lives, clock)) for lives in (ours, theirs))
    found, weights = [], []
    for level in np.unique(other[0][theirs.follows]):
        mine, real = one[1][(one[0] == level) & ours.follows], other[1][(other[0] == level) & theirs.follows]
        found.append(kolmogorov_smirnov(real, mine) if len(mine) else 1.0)
        weights.append(len(real))
    return float(np.average(found, weights=weights)) if found else float("nan")


def _between(lives: Lives, clock: Clock) -> Floats:
    """Return how long (rows,) after the row before it a row comes: days, or the unit of the time."""
    numbers = clock.numbers(lives.rows[clock.column.name])
    return np.diff(numbers, prepend=numbers[:1])


def _type(lives: Lives, plan: EntityPlan, schema: Schema) -> NDArray[np.str_]:
    """Return the type (rows,) of a row's entity: the first attribute of few levels; all alike where there is none."""
    names = [name for name in plan.attributes if schema[name].is_label and lives.rows[name].nunique() <= MOST_TYPES]
    return lives.rows[names[0]].astype(str).to_numpy(np.str_) if names else np.full(len(lives.rows), "")


def _pairs(lives: Lives, name: str) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Return a column of all rows that follow another of their entity, as it was in the row before and as it is."""
    after = np.flatnonzero(lives.follows)
    return lives.rows[name].iloc[after - 1].reset_index(drop=True), lives.rows[name].iloc[after].reset_index(drop=True)


def _transitions(ours: Lives, theirs: Lives, name: str) -> float:
    both = [_pairs(lives, name) for lives in (ours, theirs)]
    if not len(both[0][0]) or not len(both[1][0]):
        return float("nan")
    frame = pd.concat([pd.DataFrame({"before": before, "after": after}) for before, after in both])
    codes = frame.groupby(["before", "after"], dropna=False, sort=False).ngroup().to_numpy().astype(np.int64)
    first = len(both[0][0])
    return total_variation(codes[:first], codes[first:], int(codes.max()) + 1)


def _repeated(lives: Lives, name: str) -> float:
    before, after = _pairs(lives, name)
    return float(((before == after) | (before.isna() & after.isna())).mean())


def _totals(lives: Lives, name: str) -> Floats:
    return lives.rows[name].fillna(0.0).groupby(lives.entity).sum().to_numpy(np.float64)


def _means_apart(real: Floats, made: Floats) -> float:
    """Return how far the means of numbers are apart, in standard deviations of the real ones; NaN: these have none."""
    return _in_deviations(abs(made.mean() - real.mean()), real)


def _quantiles_apart(real: Floats, made: Floats) -> float:
    """Return how far the same quantiles of numbers are apart, on average over `LEVELS`, in the same unit."""
    return _in_deviations(np.abs(np.quantile(made, LEVELS) - np.quantile(real, LEVELS)).mean(), real)


def _in_deviations(apart: np.floating[Any], real: Floats) -> float:
    deviation = float(real.std())
    return float(apart) / deviation if deviation > 0 else float("nan")


def _gini(values: Floats) -> float:
    """Return the Gini coefficient of numbers that are not negative (of others: of how far above the least they are)."""
    ordered = np.sort(values - min(float(values.min()), 0.0))
    total = ordered.sum()
    ranks = 2 * np.arange(1, len(ordered) + 1) - len(ordered) - 1
    return float(ranks @ ordered / (len(ordered) * total)) if total > 0 else 0.0


def _autocorrelation(lives: Lives, name: str) -> float:
    """Return the rank correlation of a number with that of the row before; NaN where either never changes."""
    before, after = _pairs(lives, name)
    known = (before.notna() & after.notna()).to_numpy()
    first, second = before[known].rank().to_numpy(), after[known].rank().to_numpy()
    if len(first) < 2 or first.std() == 0 or second.std() == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def _active(ours: Lives, theirs: Lives, plan: EntityPlan, schema: Schema) -> float:
    """Return the mean difference of the shares of entities that have rows in each period of the real time."""
    if plan.time is None:
        return float("nan")
    clock = Clock(schema[plan.time])
    dates = clock.split(theirs.rows[plan.time])[0]
    edges = np.unique(np.quantile(dates, np.arange(1, PERIODS) / PERIODS))
    shares = [_present(lives, clock.split(lives.rows[clock.column.name])[0], edges) for lives in (ours, theirs)]
    return float(np.abs(shares[0] - shares[1]).mean())


def _present(lives: Lives, dates: Floats, edges: Floats) -> Floats:
    """Return the share of entities with a row in each period, (periods,)."""
    period = np.searchsorted(edges, dates, side="right")
    seen = np.unique(np.column_stack([lives.entity, period]), axis=0)[:, 1]
    return np.bincount(seen, minlength=len(edges) + 1) / (int(lives.entity.max()) + 1)

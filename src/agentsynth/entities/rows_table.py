"""Targets for the rows of entities: a share of rows, a mean over them, stated as what each entity adds to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agentsynth.errors import ScenarioError
from agentsynth.scenarios.constraints import Moments
from agentsynth.scenarios.grammar import Change
from agentsynth.scenarios.table import Combine, Floats, Table


@dataclass(frozen=True)
class RowsTable(Table):
    """The rows of entities: `frame` and `schema` are those of the rows, `weights` those of the entities.

    Attributes:
        owner: (rows,) the number of each row's entity.
        exact: whether `rows` counts rows of the table that is wanted; else its entities.
    """

    owner: NDArray[np.int64] = field(kw_only=True)
    exact: bool = False

    def moments(
        self,
        name: str,
        wanted: Change,
        features: Callable[[pd.DataFrame], list[Floats]],
        combine: Combine,
        *,
        bounded: bool = False,
        scale: float = 1.0,
    ) -> Moments:
        """Return the constraint that `combine` of the means over rows, times `scale`, is `wanted`.

        A mean over rows is the mean over entities of their sums, over that of their numbers of rows.
        """
        sums = [np.bincount(self.owner, values, len(self.weights)) for values in features(self.frame)]
        counted = np.column_stack([*sums, np.bincount(self.owner, minlength=len(self.weights))])
        columns = tuple(f"({name}: {place})" for place in range(counted.shape[1]))
        of_entities = scale != 1.0 and not self.exact

        def combined(means: Floats) -> float:
            # What is scaled is a total: the mean of a row, times the rows that entities have.
            times = scale * means[-1] if of_entities else scale
            return float(times * combine(means[:-1] / means[-1]))

        def read(frame: pd.DataFrame) -> float:
            with np.errstate(divide="ignore", invalid="ignore"):
                return combined(frame[list(columns)].to_numpy(np.float64).mean(axis=0))

        blank = Moments(name, 0.0, 0.0, read, 0.0, 0.0, counted, combined, columns, "" if of_entities else columns[-1])
        return self.aimed(blank, wanted, bounded=bounded)

    def check_measurable(self, name: str) -> None:
        """Raise ScenarioError: only functions of means are sums over entities."""
        raise ScenarioError(
            f"{name}: of the rows of entities means, totals, deviations, shares, correlations and ratios can be "
            "steered; quantiles, Gini coefficients and top shares only of the entities themselves."
        )

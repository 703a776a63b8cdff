"""How near a growing table is to its goal, column by column: the terms of the reward."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from agentsynth.data.schema import Schema
from agentsynth.env.cells import Cells
from agentsynth.errors import ConfigError

Floats = NDArray[np.float64]
KINDS = ("numeric", "categorical", "datetime", "derived")


class Similarity:
    """Similarity per component, from the gap (goal less composed share) in every cell; no pandas, a few array sums.

    A component is a compared column, or `pairs`. Over the margins of its column it averages

    - numbers and dates: 1 - sqrt(MSE of the cumulative shares over the margin's cells),
    - labels, months, weekdays, hours: 1 - total variation of the shares,

    and `pairs` averages 1 - total variation over all pairs. 1 = the goal is met in every cell; 0 = no overlap. Critic
    cells guide selection only and are not rewarded. `aims` averages 1 - |gap of the aim in deviations|, at least 0.

    Args:
        cells: the cells of the table.
        schema: its schema.
        weights: kind of column, column, `pairs` or `aims` -> weight in the total; 1 where not named.
        aims: whether goals may have aims: then they are a component, the last.

    Raises:
        ConfigError: a weight names neither a kind nor a component, or all weights are 0.
    """

    def __init__(self, cells: Cells, schema: Schema, weights: Mapping[str, float], *, aims: bool = False) -> None:
        groups = cells.groups[: len(cells.margins) + len(cells.pairs)]
        shares = list(dict.fromkeys(groups))
        self.aims = aims
        self.names = [*shares, "(aims)" if "aims" in shares else "aims"] if aims else shares
        self.weights = _weights(self.names, schema, weights)
        self._cells = int(cells.sizes[: len(groups)].sum())
        self._offsets = cells.offsets[: len(groups)].astype(np.intp)
        self._sizes = cells.sizes[: len(groups)].astype(np.float64)
        self._ordered_groups = np.array([margin.ordered for margin in cells.margins], dtype=bool)
        self._margins = len(cells.margins)
        self._margin_cells = cells.margin_cells
        self._average = _averaging(groups, shares)

    def components(self, gap: Floats, aim_gaps: Floats | None = None, aimed: NDArray[np.intp] | int = 0) -> Floats:
        """Return the similarity (..., components) that gaps leave.

        Args:
            gap: (..., cells) goal less composed share.
            aim_gaps: (..., aims) gaps of the aims, 0 where a goal has fewer.
            aimed: (...,) how many aims the goal has.
        """
        gap = gap[..., : self._cells]
        error = 0.5 * np.add.reduceat(np.abs(gap), self._offsets, axis=-1)
        # Every margin's gaps sum to zero, so one running sum over all margins starts afresh at each.
        cumulative = np.cumsum(gap[..., : self._margin_cells], axis=-1)
        squares = np.add.reduceat(cumulative * cumulative, self._offsets[: self._margins], axis=-1)
        mean_square = squares / self._sizes[: self._margins]
        np.sqrt(mean_square, out=error[..., : self._margins], where=self._ordered_groups)
        similarities: Floats = 1.0 - (self._average @ error[..., None])[..., 0]
        if not self.aims:
            return similarities
        missed = np.zeros(gap.shape[:-1])
        if aim_gaps is not None:
            missed = np.minimum(np.abs(aim_gaps), 1.0).sum(axis=-1) / np.maximum(aimed, 1)
        return np.concatenate([similarities, 1.0 - missed[..., None]], axis=-1)

    def total(self, components: Floats) -> Floats:
        """Return the weighted mean (...,) of components (..., components)."""
        total: Floats = (self.weights * components).sum(axis=-1)
        return total


def _weights(names: list[str], schema: Schema, given: Mapping[str, float]) -> Floats:
    kinds = {column.name: column.kind for column in schema.compared}
    unknown = sorted(set(given) - set(names) - {*KINDS, "pairs", "aims"})
    if unknown:
        raise ConfigError(
            f"environment.reward_weights names {', '.join(map(repr, unknown))}; it takes a kind of column "
            f"({', '.join(KINDS)}), 'pairs', 'aims', or one of the table's columns: {', '.join(kinds)}."
        )
    weights = np.array([given.get(name, given.get(kinds.get(name, name), 1.0)) for name in names], dtype=np.float64)
    if not weights.sum() > 0:
        raise ConfigError("environment.reward_weights are all 0; give at least one component a weight.")
    normalised: Floats = weights / weights.sum()
    return normalised


def _averaging(groups: list[str], names: list[str]) -> Floats:
    """Return the matrix (components, groups) that averages a component's groups."""
    member = np.array([[group == name for group in groups] for name in names], dtype=np.float64)
    averaging: Floats = member / member.sum(axis=1, keepdims=True)
    return averaging

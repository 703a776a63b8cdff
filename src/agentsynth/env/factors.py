"""Factors: which column each one presses on, and in which direction a row lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agentsynth.data.schema import Kind, Schema
from agentsynth.env.cells import Cells
from agentsynth.errors import ConfigError

Floats = NDArray[np.float64]
FURTHEST = 2.5
"""Directions are clipped to so many standard deviations: one rare cell must not outweigh the rest of a table."""


@dataclass(frozen=True)
class Factors:
    """The factors of an action, in order.

    Attributes:
        names: name of each factor, e.g. `price_factor`.
        columns: the column each presses on.
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]

    @classmethod
    def of(cls, schema: Schema, wanted: Mapping[str, str] | None) -> Factors:
        """Return the factors asked for, or those that the table suggests.

        With None there is one factor for each modelled column that is free to vary from row to row (not fixed by an
        id that repeats, as a user's type is): `<column>_factor`, numbers first, then labels, then datetimes; a
        table's only datetime has `seasonal_factor`, unless a column is called `seasonal`. For the shop: price,
        quantity, category, seasonal.

        Raises:
            ConfigError: a factor names a column that is not modelled.
        """
        if wanted is None:
            return cls._suggested(schema)
        modelled = [column.name for column in schema.modelled]
        for factor, column in wanted.items():
            if column not in modelled:
                raise ConfigError(
                    f"environment.factors: {factor} presses on {column!r}, which is not a modelled column; "
                    f"choose among {', '.join(modelled)}."
                )
        return cls(tuple(wanted), tuple(wanted.values()))

    @classmethod
    def _suggested(cls, schema: Schema) -> Factors:
        fixed = {name for column in schema for name in (column.id_form.constant_within if column.id_form else ())}
        kinds: tuple[Kind, ...] = ("numeric", "categorical", "datetime")
        columns = [column.name for kind in kinds for column in schema.by_name.of_kind(kind) if column.name not in fixed]
        datetimes = [column.name for column in schema.of_kind("datetime")]
        season = datetimes[0] if len(datetimes) == 1 and "seasonal" not in columns else None
        names = ["seasonal_factor" if name == season else f"{name}_factor" for name in columns]
        return cls(tuple(names), tuple(columns))

    def directions(self, cells: Cells, real: Floats, goal: Floats) -> Floats:
        """Return the direction (margin cells, factors) of each margin cell: mean 0 and deviation 1 on the real rows.

        Numbers: the normal score of the cell's middle rank. Labels, months, weekdays, hours: log of the goal share
        over the real share, or log of the real share where the goal is the real mix. A datetime's calendar margins
        count together (its date has a direction only where there is no calendar).

        Args:
            cells: the cells.
            real: (cells,) shares of the real rows.
            goal: (cells,) shares wanted.
        """
        found = np.zeros((cells.margin_cells, len(self.names)))
        for factor, column in enumerate(self.columns):
            groups = _pressed(cells, column)
            for group in groups:
                margin = cells.margins[group]
                place = slice(int(cells.offsets[group]), int(cells.offsets[group]) + margin.size)
                raw = _normal_scores(real[place]) if margin.ordered else _log_ratio(real[place], goal[place])
                # The margins of a datetime are taken as independent: the sum of m of them has deviation sqrt(m).
                found[place, factor] = _standardised(raw, real[place]) / np.sqrt(len(groups))
        return found


def _pressed(cells: Cells, column: str) -> list[int]:
    """Return the groups a factor on `column` presses on."""
    own = [index for index, margin in enumerate(cells.margins) if margin.column == column]
    calendar = [index for index in own if not cells.margins[index].ordered]
    return calendar or own


def _normal_scores(shares: Floats) -> Floats:
    """Return the normal score of every cell's middle rank; the last cell (missing) is neutral."""
    from scipy.special import ndtri

    known = shares[:-1].sum()
    if not known:
        return np.zeros_like(shares)
    middle = (np.cumsum(shares) - shares / 2) / known
    scores: Floats = ndtri(np.clip(middle, 1e-3, 1 - 1e-3))
    scores[-1] = 0.0
    return scores


def _log_ratio(real: Floats, goal: Floats) -> Floats:
    floor = 1e-3
    changed = np.abs(goal - real).sum() > 1e-9
    return np.log((goal + floor) / (real + floor)) if changed else np.log(real + floor)


def _standardised(raw: Floats, shares: Floats) -> Floats:
    mean = float(raw @ shares)
    deviation = float(np.sqrt(np.square(raw - mean) @ shares))
    if deviation < 1e-9:
        return np.zeros_like(raw)
    clipped: Floats = np.clip((raw - mean) / deviation, -FURTHEST, FURTHEST)
    return clipped

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from agentsynth.data.schema import Column, IdForm, Kind, Schema
from agentsynth.env.cells import Cells
from agentsynth.env.factors import FURTHEST, Factors
from agentsynth.env.margins import Margin
from agentsynth.errors import ConfigError
from agentsynth.model import Generator


def column(name: str, kind: Kind, **fields: Any) -> Column:
    return Column(name=name, kind=kind, dtype="object", **fields)


def test_the_shop_has_the_four_factors_of_the_design(shop_schema: Schema) -> None:
    factors = Factors.of(shop_schema, None)
    assert factors.names == ("price_factor", "quantity_factor", "category_factor", "seasonal_factor")
    # user_type is fixed by the user, total_revenue follows from the others.
    assert factors.columns == ("price", "quantity", "category", "timestamp")


def test_numbers_come_first_then_labels_then_datetimes() -> None:
    schema = Schema(columns=(column("t", "datetime"), column("l", "categorical"), column("n", "numeric")))
    assert Factors.of(schema, None).names == ("n_factor", "l_factor", "seasonal_factor")


def test_two_datetimes_are_called_by_their_names() -> None:
    schema = Schema(columns=(column("start", "datetime"), column("end", "datetime")))
    assert Factors.of(schema, None).names == ("end_factor", "start_factor")


def test_no_two_factors_have_the_same_name() -> None:
    schema = Schema(columns=(column("seasonal", "numeric"), column("t", "datetime")))
    assert Factors.of(schema, None).names == ("seasonal_factor", "t_factor")


def test_a_table_may_have_no_factor_at_all() -> None:
    form = IdForm(style="sequence", constant_within=("l",))
    schema = Schema(columns=(column("u", "id", id_form=form), column("l", "categorical")))
    assert Factors.of(schema, None) == Factors((), ())


def test_factors_can_be_chosen(shop_schema: Schema) -> None:
    factors = Factors.of(shop_schema, {"money": "price", "who": "user_type"})
    assert (factors.names, factors.columns) == (("money", "who"), ("price", "user_type"))
    with pytest.raises(
        ConfigError, match=r"rev presses on 'total_revenue', which is not a modelled column; choose among"
    ):
        Factors.of(shop_schema, {"rev": "total_revenue"})


def directions(margin: Margin, real: list[float], goal: list[float] | None = None) -> list[float]:
    factors = Factors(("f",), (margin.column,))
    found = factors.directions(Cells((margin,)), np.array(real), np.array(real if goal is None else goal))
    return [float(direction) for direction in found[:, 0]]


def test_numbers_point_along_their_normal_scores() -> None:
    margin = Margin("x", "value", edges=(1.0,))
    # Two equal halves lie at the quantiles 1/4 and 3/4; standardised to 1; a missing value is neutral.
    assert directions(margin, [0.5, 0.5, 0.0]) == pytest.approx([-1.0, 1.0, 0.0])
    three = directions(Margin("x", "value", edges=(1.0, 2.0)), [0.25, 0.5, 0.25, 0.0])
    deviation = norm.ppf(0.875) * np.sqrt(0.5)
    assert three == pytest.approx([norm.ppf(0.125) / deviation, 0.0, norm.ppf(0.875) / deviation, 0.0])


def test_labels_point_to_what_the_goal_wants_more_of() -> None:
    margin = Margin("l", "label", labels=("a", "b", "c"))
    found = directions(margin, [0.4, 0.4, 0.2, 0.0], [0.2, 0.6, 0.2, 0.0])
    assert found[1] > found[2] > found[0]


def test_labels_point_to_the_frequent_ones_where_the_goal_is_the_real_mix() -> None:
    found = directions(Margin("l", "label", labels=("a", "b", "c")), [0.2, 0.5, 0.3, 0.0])
    assert found[1] > found[2] > found[0]


def test_a_column_that_does_not_vary_has_no_direction() -> None:
    assert directions(Margin("x", "value"), [1.0, 0.0]) == [0.0, 0.0]
    assert directions(Margin("x", "value"), [0.0, 1.0]) == [0.0, 0.0]
    assert directions(Margin("l", "label", labels=("a",)), [1.0, 0.0]) == pytest.approx([0.0, 0.0])


def test_a_rare_cell_does_not_outweigh_the_rest() -> None:
    found = directions(Margin("x", "value", edges=(1.0,)), [0.999, 0.001, 0.0])
    assert found[1] == FURTHEST


def test_directions_have_mean_0_and_deviation_1_on_the_real_rows(shop_generator: Generator) -> None:
    factors = Factors.of(shop_generator.schema, None)
    cells, real = shop_generator.cells, shop_generator.real
    found = factors.directions(cells, real, real)
    for name in ("price", "quantity", "category"):
        margin = [m.column for m in cells.margins].index(name)
        place = slice(int(cells.offsets[margin]), int(cells.offsets[margin] + cells.sizes[margin]))
        direction = found[place, factors.columns.index(name)]
        assert real[place] @ direction == pytest.approx(0.0, abs=0.02)
        assert real[place] @ direction**2 == pytest.approx(1.0, abs=0.1)  # less what is clipped
        # A factor leaves all other columns alone.
        assert not np.delete(found[place], factors.columns.index(name), axis=1).any()


def test_a_seasonal_factor_presses_on_the_calendar_not_on_the_date(shop_generator: Generator) -> None:
    factors = Factors.of(shop_generator.schema, None)
    cells, real = shop_generator.cells, shop_generator.real
    seasonal = factors.directions(cells, real, real)[:, factors.columns.index("timestamp")]
    for margin, offset in zip(cells.margins, cells.offsets, strict=False):
        pressed = seasonal[offset : offset + margin.size].any()
        assert pressed == (margin.column == "timestamp" and margin.aspect != "date")

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.data.schema import Column, Formula, Schema
from agentsynth.env.cells import Cells
from agentsynth.env.margins import Margin
from agentsynth.env.similarity import Similarity
from agentsynth.errors import ConfigError
from agentsynth.model import Generator

X = Margin("x", "value", edges=(2.0,))
LABEL = Margin("label", "label", labels=("a", "b"))
CELLS = Cells((X, LABEL), ((X, LABEL),))
SCHEMA = Schema(
    columns=(
        Column(name="x", kind="numeric", dtype="float64"),
        Column(name="label", kind="categorical", dtype="str"),
    )
)


def test_components_by_hand() -> None:
    similarity = Similarity(CELLS, SCHEMA, {})
    assert similarity.names == ["x", "label", "pairs"]
    gap = np.zeros(15)
    gap[:3] = [0.3, -0.3, 0.0]  # cumulative 0.3, 0, 0: root mean square sqrt(0.09 / 3)
    gap[3:6] = [0.2, -0.1, -0.1]  # total variation 0.2
    gap[6:8] = [0.5, -0.5]  # total variation 0.5
    np.testing.assert_allclose(similarity.components(gap), [1 - np.sqrt(0.03), 0.8, 0.5])


def test_a_goal_that_is_met_is_1_and_no_overlap_is_0() -> None:
    similarity = Similarity(CELLS, SCHEMA, {})
    assert similarity.components(np.zeros(15)).tolist() == [1.0, 1.0, 1.0]
    apart = np.zeros(15)
    apart[[3, 6]], apart[[4, 7]] = 1.0, -1.0
    np.testing.assert_allclose(similarity.components(apart)[1:], 0.0)


def test_a_near_miss_of_a_number_costs_less_than_a_far_one() -> None:
    cells = Cells((Margin("x", "value", edges=(1.0, 2.0, 3.0)),))
    similarity = Similarity(cells, Schema(columns=SCHEMA.columns[:1]), {})
    near, far = np.zeros(5), np.zeros(5)
    near[[0, 1]] = far[[0, 3]] = [0.5, -0.5]
    assert similarity.components(near)[0] > similarity.components(far)[0] > 0.5


def test_the_margins_of_a_datetime_and_all_pairs_are_averaged() -> None:
    at = Column(name="at", kind="datetime", dtype="datetime64[us]", step="second")
    month, hour = Margin("at", "month"), Margin("at", "hour")
    cells = Cells((month, hour), ((month, hour), (month, hour)))
    similarity = Similarity(cells, Schema(columns=(at,)), {})
    gap = np.zeros(int(cells.sizes.sum()))
    gap[:2] = [0.4, -0.4]
    first_pair = int(cells.offsets[2])
    gap[first_pair : first_pair + 2] = [1.0, -1.0]
    np.testing.assert_allclose(similarity.components(gap), [0.8, 0.5])


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({}, [1 / 3, 1 / 3, 1 / 3]),
        ({"numeric": 2.0}, [0.5, 0.25, 0.25]),
        ({"numeric": 2.0, "x": 0.0}, [0.0, 0.5, 0.5]),
        ({"pairs": 0.0}, [0.5, 0.5, 0.0]),
        ({"categorical": 6.0, "pairs": 3.0}, [0.1, 0.6, 0.3]),
    ],
)
def test_a_weight_goes_by_column_before_kind(weights: dict[str, float], expected: list[float]) -> None:
    similarity = Similarity(CELLS, SCHEMA, weights)
    np.testing.assert_allclose(similarity.weights, expected)
    assert similarity.total(np.array([1.0, 0.5, 0.0])) == pytest.approx(expected[0] + expected[1] / 2)


def test_derived_columns_have_a_kind_of_their_own() -> None:
    twice = Column(
        name="twice",
        kind="derived",
        dtype="float64",
        formula=Formula(operation="product", inputs=("x",), coefficients=(2,)),
    )
    cells = Cells((X, Margin("twice", "value")))
    similarity = Similarity(cells, Schema(columns=(SCHEMA.columns[0], twice)), {"derived": 3.0})
    np.testing.assert_allclose(similarity.weights, [0.25, 0.75])


def test_weights_for_what_is_not_there_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"names 'colour', 'numbers'; it takes a kind .*columns: x, label\."):
        Similarity(CELLS, SCHEMA, {"colour": 1.0, "numbers": 2.0})
    with pytest.raises(ConfigError, match="are all 0; give at least one component a weight"):
        Similarity(CELLS, SCHEMA, dict.fromkeys(["numeric", "categorical", "pairs"], 0.0))


def test_a_column_may_be_called_pairs_or_critic() -> None:
    margins = (Margin("pairs", "value"), Margin("critic", "value"))
    columns = tuple(Column(name=name, kind="numeric", dtype="float64") for name in ("pairs", "critic"))
    similarity = Similarity(Cells(margins, (margins,)), Schema(columns=columns), {"(pairs)": 2.0})
    assert similarity.names == ["pairs", "critic", "(pairs)"]
    np.testing.assert_allclose(similarity.weights, [0.25, 0.25, 0.5])


@given(st.integers(0, 10_000), st.integers(1, 50))
def test_similarities_of_any_two_tables_lie_between_0_and_1(shop_generator: Generator, seed: int, rows: int) -> None:
    similarity = Similarity(shop_generator.cells, shop_generator.schema, {})
    rng = np.random.default_rng(seed)
    groups = shop_generator.cells
    first, second = (groups.offsets + rng.integers(0, groups.sizes, (rows, len(groups.sizes))) for _ in range(2))
    components = similarity.components(groups.shares(first) - groups.shares(second))
    assert components.min() >= -1e-12
    assert components.max() <= 1 + 1e-12
    assert 0 <= similarity.total(components) <= 1 + 1e-12


def test_the_critic_guides_selection_and_is_not_rewarded(shop_generator: Generator) -> None:
    cells = shop_generator.cells
    similarity = Similarity(cells, shop_generator.schema, {})
    assert "critic" in cells.groups
    assert "critic" not in similarity.names
    gap = np.zeros(int(cells.sizes.sum()))
    gap[int(cells.offsets[cells.groups.index("critic")]) :] = 0.3
    assert similarity.total(similarity.components(gap)) == pytest.approx(1.0)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.schema import Column, Formula, Schema
from agentsynth.env.cells import fit_cells
from agentsynth.env.weights import effective_size
from agentsynth.scenarios.rarity import PRIOR, Rarity, capped, information, spanning_forest

SCHEMA = Schema(
    columns=(
        Column(name="a", kind="categorical", dtype="str"),
        Column(name="b", kind="categorical", dtype="str"),
        Column(name="c", kind="categorical", dtype="str"),
        Column(
            name="d",
            kind="derived",
            dtype="str",
            formula=Formula(operation="lookup", inputs=("a",), table=(("x", "1"), ("y", "2")), result="label"),
        ),
    )
)
ROWS = 1000
"""b is as a in 90 of 100 rows, c independent of both, d follows from a."""
FRAME = pd.DataFrame(
    {
        "a": np.repeat(["x", "y"], [800, 200]).astype(object),
        "b": np.concatenate([np.repeat(["u", "v"], [720, 80]), np.repeat(["u", "v"], [20, 180])]).astype(object),
        "c": np.tile(["s", "t"], 500).astype(object),
        "d": np.repeat(["1", "2"], [800, 200]).astype(object),
    }
)


def fitted() -> tuple[Rarity, np.ndarray]:
    cells = fit_cells(FRAME, SCHEMA, bins=8, pairs=10)
    found = cells.of(FRAME, np.empty((ROWS, 0), dtype=np.float32))
    return Rarity.of(cells, cells.shares(found), ROWS, SCHEMA), found


def test_density_is_the_share_of_rows_where_a_forest_tells_all() -> None:
    rarity, cells = fitted()
    density = np.exp(rarity.of_rows(cells))
    # x, u, s is 36 % of the rows, x, v, s 4 %, y, u, s 1 %, y, v, s 9 %; one row is added to each.
    for row, share in ((0, 0.36), (720, 0.04), (800, 0.01), (820, 0.09)):
        assert density[row] == pytest.approx(share, rel=0.04)


def test_information_by_hand() -> None:
    same = np.array([[0.5, 0.0], [0.0, 0.5]])
    assert information(same, 1000) == pytest.approx(np.log(2) - 1 / 2000)
    assert information(np.full((2, 2), 0.25), 1000) == pytest.approx(-1 / 2000)


def test_a_forest_takes_the_worthiest_edges_that_close_no_circle() -> None:
    edges = [(0, 1, 0.5, 10), (1, 2, 0.4, 11), (0, 2, 0.3, 12), (3, 4, 0.1, 13), (2, 3, -0.01, 14)]
    assert spanning_forest(edges, 5) == [10, 11, 13]
    assert spanning_forest(edges[-1:], 5) == []


def test_weights_are_a_power_of_the_density() -> None:
    rarity, cells = fitted()
    density, rows = rarity.of_rows(cells), [0, 800]
    for temperature in (0.5, 2.0):
        # Frequent rows are 36 times as dense as rare ones: at 2 the rare ones get 6 times their weight.
        logs = rarity.weights(cells, temperature)[rows]
        assert logs[1] - logs[0] == pytest.approx((1 / temperature - 1) * (density[800] - density[0]), abs=1e-9)
    assert np.exp(rarity.weights(cells, 2.0)[rows][1] - rarity.weights(cells, 2.0)[rows][0]) == pytest.approx(
        6, rel=0.03
    )


def test_a_combination_that_no_row_has_is_rare_but_not_impossible() -> None:
    joint = FRAME[~((FRAME["a"] == "y") & (FRAME["b"] == "u"))]
    cells = fit_cells(joint, SCHEMA, bins=8, pairs=10)
    real = cells.shares(cells.of(joint, np.empty((len(joint), 0), dtype=np.float32)))
    rarity = Rarity.of(cells, real, len(joint), SCHEMA)
    found = cells.of(FRAME, np.empty((ROWS, 0), dtype=np.float32))
    # The pair (y, u) counts as a row in 980 of what independence would give it.
    logs = rarity.of_rows(found)
    share = 180 / 980 * 720 / 980 / 2 * PRIOR / (980 + PRIOR)
    assert np.exp(logs[800]) == pytest.approx(share, rel=0.01)


def test_heavy_weights_are_cut_until_a_share_of_the_rows_is_worth_something() -> None:
    np.testing.assert_array_equal(capped(np.zeros(4), 0.5), np.zeros(4))
    # 8, 4, 2, 2: worth 16 / 8 = 2 rows, which is half of them; 0.75 asks for 3: with 4 in front (4 + 4 + 2 + 2) / 4.
    logs = np.log([8.0, 4.0, 2.0, 2.0])
    np.testing.assert_allclose(capped(logs, 0.5), logs)
    np.testing.assert_allclose(np.exp(capped(logs, 0.75)), [4, 4, 2, 2])
    steep = 50 * np.random.default_rng(0).normal(size=2000)
    assert effective_size(np.exp(capped(steep, 0.2) - capped(steep, 0.2).max())) >= 400

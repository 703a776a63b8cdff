from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentsynth.data.schema import Column, Schema
from agentsynth.env.cells import Cells, _informations, fit_cells
from agentsynth.env.critic import fit_critic
from agentsynth.env.margins import Margin
from agentsynth.model import Generator

NO_FEATURES = np.empty((0, 0), dtype=np.float32)
X = Margin("x", "value", edges=(2.0,))
LABEL = Margin("label", "label", labels=("a", "b"))


def table(rows: int = 4) -> pd.DataFrame:
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan], "label": pd.Series(["a", "a", "b", None], dtype=object)})
    return frame.iloc[:rows]


def schema(*names: str, **kinds: Any) -> Schema:
    return Schema(columns=tuple(Column(name=n, kind=kinds.get(n, "numeric"), dtype="float64") for n in names))


def test_cells_are_numbered_through_margins_first_then_pairs() -> None:
    cells = Cells((X, LABEL), ((X, LABEL),))
    assert cells.sizes.tolist() == [3, 3, 9]
    assert cells.offsets.tolist() == [0, 3, 6]
    assert cells.groups == ["x", "label", "pairs"]
    assert cells.margin_cells == 6
    # x: below 2, from 2 on, missing; label: a, b, missing; pair: 3 * x + label, from 6 on.
    assert cells.of(table(), NO_FEATURES).tolist() == [[0, 3, 6], [1, 3, 9], [1, 4, 10], [2, 5, 14]]


def test_shares_are_counted_in_each_group() -> None:
    cells = Cells((X, LABEL))
    shares = cells.shares(cells.of(table(), NO_FEATURES))
    assert shares.tolist() == [0.25, 0.5, 0.25, 0.5, 0.25, 0.25]


def test_weights_count_rows_unequally_whatever_their_sum() -> None:
    cells = Cells((X, LABEL))
    shares = cells.shares(cells.of(table(), NO_FEATURES), np.array([6.0, 2.0, 1.0, 1.0]))
    np.testing.assert_allclose(shares, [0.6, 0.3, 0.1, 0.8, 0.1, 0.1])


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 20))
    label = draw(st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=rows, max_size=rows))
    x = draw(st.lists(st.one_of(st.just(np.nan), st.integers(-3, 3).map(float)), min_size=rows, max_size=rows))
    hours = draw(st.lists(st.integers(0, 10**5), min_size=rows, max_size=rows))
    at = np.datetime64("2020-01-01", "us") + np.array(hours).astype("timedelta64[h]")
    return pd.DataFrame({"x": x, "label": pd.Series(label, dtype=object), "at": at})


@given(frames(), frames(), st.integers(2, 6), st.integers(0, 4))
@settings(deadline=None)
def test_each_group_partitions_any_rows(fitted: pd.DataFrame, other: pd.DataFrame, bins: int, pairs: int) -> None:
    columns = schema("x", "label", "at", label="categorical", at="datetime")
    cells = fit_cells(fitted, columns, bins, pairs)
    for frame in (fitted, other):
        found = cells.of(frame, NO_FEATURES)
        assert found.shape == (len(frame), len(cells.sizes))
        assert (found >= cells.offsets).all()
        assert (found < cells.offsets + cells.sizes).all()
        totals = np.add.reduceat(cells.shares(found), cells.offsets)
        np.testing.assert_allclose(totals, 1.0)
        weighted = cells.shares(found, np.arange(1.0, len(frame) + 1))
        np.testing.assert_allclose(np.add.reduceat(weighted, cells.offsets), 1.0)


def test_information_by_hand() -> None:
    same = np.array([0, 0, 1, 1], dtype=np.int32)
    cross = np.array([0, 1, 0, 1], dtype=np.int32)
    # The same codes tell log 2 nats; the bias of one degree of freedom among 4 rows is 1 / 8. Cells that nothing falls
    # into cost nothing.
    found = _informations([same, same, cross], [2, 7, 5])
    assert found[0, 1] == found[1, 0] == pytest.approx(np.log(2) - 1 / 8)
    assert found[0, 2] == found[1, 2] == pytest.approx(-1 / 8)


def test_information_is_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    codes = [rng.integers(size, size=101).astype(np.int32) for size in (2, 3, 9)]
    whole = _informations(codes, [2, 3, 9])
    monkeypatch.setattr("agentsynth.env.cells.ROWS_AT_ONCE", 7)
    np.testing.assert_array_equal(_informations(codes, [2, 3, 9]), whole)


def test_the_most_informative_pairs_are_chosen() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(400, 4)), columns=list("abcd"))
    frame["d"] = frame["b"] + 0.1 * frame["d"]
    cells = fit_cells(frame, schema(*"abcd"), bins=8, pairs=1)
    assert [(first.column, second.column) for first, second in cells.pairs] == [("b", "d")]


def test_a_datetimes_own_margins_are_no_pair() -> None:
    frame = pd.DataFrame({"at": pd.date_range("2020-01-01", periods=50, freq="200h")})
    cells = fit_cells(frame, schema("at", at="datetime"), bins=8, pairs=10)
    assert len(cells.margins) == 4
    assert cells.pairs == ()


def test_columns_may_be_called_like_the_groups_of_no_column() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["pairs", "critic"])
    critic = fit_critic(frame.to_numpy(np.float32), frame.to_numpy(np.float32) + 1, seed=0)
    assert critic is not None
    cells = fit_cells(frame, schema("pairs", "critic"), bins=4, pairs=1).with_critic(critic)
    assert cells.groups[:3] == ["critic", "pairs", "(pairs)"]
    assert set(cells.groups[3:]) == {"(critic)"}


def test_the_critics_leaves_are_cells(shop_generator: Generator) -> None:
    cells = shop_generator.cells
    assert cells.critic is not None
    pool = shop_generator.draw_pool(300, np.random.default_rng(0))
    features = shop_generator.trees.codec.features(pool.codes)
    trees = len(cells.critic.roots)
    assert cells.groups[-trees:] == ["critic"] * trees
    for tree, found in enumerate(pool.cells[:, -trees:].T):
        leaves = cells.critic.leaves(features, tree)
        # One cell a leaf, one leaf a cell.
        assert len(set(leaves)) == len(set(found)) == len(set(zip(leaves, found, strict=True)))


def test_no_critic_is_made_of_too_few_rows() -> None:
    few = np.zeros((39, 2), dtype=np.float32)
    assert fit_critic(few, few, seed=0) is None


def test_the_critic_finds_what_candidates_get_wrong() -> None:
    rng = np.random.default_rng(0)
    real, other = rng.normal(size=(2, 400, 2)).astype(np.float32)
    shifted = other + np.array([2.0, 0.0], dtype=np.float32)
    distances = []
    for candidates in (other, shifted):
        critic = fit_critic(real, candidates, seed=0)
        assert critic is not None
        cells = Cells((), (), critic)
        gap = np.subtract(*(cells.shares(cells.of(pd.DataFrame(), x)) for x in (real, candidates)))
        distances.append(np.abs(gap).sum() / 2 / len(critic.roots))
    # Total variation over a tree's leaves: two samples of one law, and two laws that lie far apart.
    assert distances[0] < 0.25
    assert distances[1] > 0.6

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from agentsynth.base.forest import Forest, _rounded_down


@pytest.fixture
def features() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)


def test_leaves_are_those_that_scikit_learn_finds(features: NDArray[np.float32]) -> None:
    target = features[:, 0] * features[:, 1] > 0
    sklearn_forest = RandomForestClassifier(5, min_samples_leaf=3, random_state=0).fit(features, target)
    forest = Forest.of(sklearn_forest.estimators_, np.arange(4, dtype=np.int32))
    unseen = np.random.default_rng(1).normal(size=(500, 4)).astype(np.float32)
    expected = sklearn_forest.apply(unseen)
    for tree in range(5):
        np.testing.assert_array_equal(forest.leaves(unseen, tree) - forest.roots[tree], expected[:, tree])


def test_each_row_walks_the_tree_it_is_given(features: NDArray[np.float32]) -> None:
    trees = [DecisionTreeRegressor(random_state=seed, max_depth=3).fit(features, features[:, seed]) for seed in (0, 1)]
    forest = Forest.of(trees, np.arange(4, dtype=np.int32))
    which = np.arange(300) % 2
    expected = np.where(which == 0, forest.leaves(features, 0), forest.leaves(features, 1))
    np.testing.assert_array_equal(forest.leaves(features, which), expected)


def test_forests_laid_end_to_end_keep_their_leaves(features: NDArray[np.float32]) -> None:
    trees = [DecisionTreeRegressor(random_state=seed, max_depth=3).fit(features, features[:, seed]) for seed in (0, 1)]
    first, second = (Forest.of([tree], np.arange(4, dtype=np.int32)) for tree in trees)
    joined = first.followed_by(second)
    assert joined.is_sound
    assert joined.leaf_counts == [*first.leaf_counts, *second.leaf_counts] == [8, 8]
    expected = np.column_stack([first.all_leaves(features), second.all_leaves(features)])
    np.testing.assert_array_equal(joined.all_leaves(features), expected)
    assert set(expected[:, 0]) == set(range(8))


def test_no_rows_reach_no_leaf(features: NDArray[np.float32]) -> None:
    tree = DecisionTreeRegressor(random_state=0, max_depth=3).fit(features, features[:, 0])
    forest = Forest.of([tree], np.arange(4, dtype=np.int32))
    assert forest.leaves(features[:0], 0).tolist() == []


def test_columns_map_a_trees_features_to_the_whole_matrix(features: NDArray[np.float32]) -> None:
    tree = DecisionTreeClassifier(max_depth=1).fit(features[:, [3]], features[:, 3] > 0)
    forest = Forest.of([tree], np.array([3], dtype=np.int32))
    assert forest.feature.tolist() == [3, -1, -1]
    np.testing.assert_array_equal(forest.leaves(features, 0), np.where(features[:, 3] > 0, 2, 1))


def test_a_tree_without_features_is_one_leaf(features: NDArray[np.float32]) -> None:
    tree = DecisionTreeClassifier().fit(np.zeros((300, 1)), np.arange(300) % 3)
    forest = Forest.of([tree], np.empty(0, dtype=np.int32))
    assert forest.leaves(features, 0).tolist() == [0] * 300


@given(
    st.lists(st.floats(-(2.0**99), 2.0**99), min_size=1, max_size=20),
    st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=1, max_size=20),
)
def test_rounded_thresholds_decide_as_the_exact_ones(thresholds: list[float], values: list[float]) -> None:
    exact, single = np.array(thresholds)[:, None], np.array(values, dtype=np.float32)
    np.testing.assert_array_equal(single <= _rounded_down(exact), single.astype(np.float64) <= exact)

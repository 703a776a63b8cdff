from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from agentsynth.base.forest import Forest
from agentsynth.env.critic import TREES
from agentsynth.env.exchange import exchange
from agentsynth.model import CRITIC_ROUNDS, Generator

Floats = NDArray[np.float64]


def test_groups_are_margins_pairs_critics_and_novelty(shop_generator: Generator) -> None:
    detail, cells = shop_generator.detail, shop_generator.cells
    assert detail.second_critic is not None
    assert len(detail.second_critic.roots) == CRITIC_ROUNDS * TREES
    assert len(detail.sizes) == len(detail.cells.sizes) + CRITIC_ROUNDS * TREES + 2
    assert len(detail.cells.pairs) >= len(cells.pairs)
    assert detail.cells.pairs[: len(cells.pairs)] == cells.pairs
    assert detail.sizes[: len(cells.margins)].sum() > cells.margin_cells
    np.testing.assert_allclose(np.add.reduceat(detail.real, detail.offsets), 1.0)
    assert len(detail.importance) == len(detail.real) == detail.sizes.sum()


def test_shares_of_a_critic_are_those_of_real_rows(shop_generator: Generator) -> None:
    detail = replace(shop_generator.detail, second_critic=None)
    detail = replace(detail, real=np.full(int(detail.sizes.sum()), 0.5))
    features = np.array([[0], [1], [1], [1]], dtype=np.float32)
    stump = DecisionTreeClassifier(max_depth=1).fit(features, features[:, 0])
    real = detail.with_critic(Forest.of([stump], np.arange(1, dtype=np.int32)), features).real
    assert len(real) == len(detail.real) + 2
    assert real[int(detail.offsets[-2]) :][:2].tolist() == [0.25, 0.75]


def test_cells_with_one_more_critic_are_those_that_are_made_anew(shop_generator: Generator) -> None:
    pool = shop_generator.draw_pool(300, np.random.default_rng(0))
    features = shop_generator.trees.codec.features(pool.codes)
    stump = DecisionTreeClassifier(max_depth=2).fit(features, features[:, 0] > np.median(features[:, 0]))
    critic = Forest.of([stump], np.arange(features.shape[1], dtype=np.int32))
    more = replace(shop_generator, detail=shop_generator.detail.with_critic(critic, features))
    extended = more.detail.with_leaves(shop_generator.detail_of(pool), critic.all_leaves(features))
    np.testing.assert_array_equal(extended, more.detail_of(pool))
    assert extended.dtype == np.int32


def test_refinement_leaves_less_of_what_the_second_critic_found(shop_generator: Generator) -> None:
    detail, rng = shop_generator.detail, np.random.default_rng(0)
    pool = shop_generator.draw_pool(4000, rng)
    cells, own = (
        shop_generator.detail_of(pool),
        slice(int(detail.offsets[len(detail.cells.sizes)]), int(detail.offsets[-2])),
    )
    blind = detail.importance.copy()
    blind[own] = 0

    def gap(importance: Floats) -> float:
        chosen = exchange(cells, np.arange(200), detail.real, importance, 8, np.random.default_rng(1))
        return float(np.abs(detail.shares(cells[chosen]) - detail.real)[own].sum())

    assert gap(detail.importance) < 0.75 * gap(blind)


def test_every_row_falls_in_one_cell_of_each_group(shop_generator: Generator) -> None:
    detail = shop_generator.detail
    pool = shop_generator.draw_pool(300, np.random.default_rng(0))
    cells = shop_generator.detail_of(pool)
    assert cells.shape == (300, len(detail.sizes))
    assert (cells >= detail.offsets).all()
    assert (cells < detail.offsets + detail.sizes).all()
    np.testing.assert_allclose(np.add.reduceat(detail.shares(cells), detail.offsets), 1.0)


def test_generated_rows_lie_nearer_to_the_training_rows_than_these_to_each_other(shop_generator: Generator) -> None:
    # What refinement evens out: drawn freely, too few rows are in the cells of the most novel.
    detail = shop_generator.detail
    pool = shop_generator.draw_pool(2000, np.random.default_rng(0))
    first = int(detail.offsets[-2])
    novel = slice(first, first + int(detail.sizes[-2]) // 2)
    assert detail.shares(shop_generator.detail_of(pool))[novel].sum() < detail.real[novel].sum()


def test_pairs_lean_towards_drawn_rows_and_all_else_stays(shop_generator: Generator) -> None:
    detail = replace(shop_generator.detail, rows=400)
    pool = shop_generator.draw_pool(400, np.random.default_rng(0))
    drawn = shop_generator.detail_of(pool)
    first, last = len(detail.cells.margins), len(detail.cells.margins) + len(detail.cells.pairs)
    pairs = slice(int(detail.offsets[first]), int(detail.offsets[last]))
    leaning = detail.leaning(drawn).real
    # As many drawn rows as training rows: half of LEANING, a quarter of the way.
    between = 0.75 * detail.real[pairs] + 0.25 * detail.shares(drawn)[pairs]
    np.testing.assert_allclose(leaning[pairs], between)
    np.testing.assert_allclose(np.add.reduceat(leaning, detail.offsets), 1.0)
    assert (
        np.delete(leaning, np.arange(pairs.start, pairs.stop))
        == np.delete(detail.real, np.arange(pairs.start, pairs.stop))
    ).all()

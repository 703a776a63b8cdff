from __future__ import annotations

import numpy as np

from agentsynth.model import Generator


def test_groups_are_margins_pairs_critic_and_novelty(shop_generator: Generator) -> None:
    detail, cells = shop_generator.detail, shop_generator.cells
    assert len(detail.sizes) == len(detail.cells.sizes) + 2
    assert len(detail.cells.pairs) >= len(cells.pairs)
    assert detail.cells.pairs[: len(cells.pairs)] == cells.pairs
    assert detail.sizes[: len(cells.margins)].sum() > cells.margin_cells
    np.testing.assert_allclose(np.add.reduceat(detail.real, detail.offsets), 1.0)
    assert len(detail.importance) == len(detail.real) == detail.sizes.sum()


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

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agentsynth.agent.policies import QPolicy
from agentsynth.errors import InputError
from agentsynth.plots import learned_response, q_tables
from agentsynth.plots.learned import advantages, greedy_levels, visited_states


def random_policy(seed: int) -> QPolicy:
    rng = np.random.default_rng(seed)
    policy = QPolicy.blank(("a_factor", "b_factor", "c_factor"))
    policy.tables[:] = rng.integers(-2, 3, policy.tables.shape)  # many ties
    policy.visits[:] = rng.integers(0, 2, policy.visits.shape) * rng.integers(0, 2, (*policy.visits.shape[:3], 1))
    return policy


@given(st.integers(0, 10_000))
def test_figures_show_what_the_policy_does(seed: int) -> None:
    policy = random_policy(seed)
    np.testing.assert_array_equal(greedy_levels(policy), policy.best_levels())


def test_advantages_are_from_the_mean_of_what_was_tried() -> None:
    policy = SimpleNamespace(
        tables=np.array([[[[1.0, 2.0, 6.0]], [[1.0, 2.0, 6.0]]]]),
        visits=np.array([[[[1, 2, 0]], [[0, 0, 0]]]]),
        levels=np.array([0.5, 1, 2]),
        gap_edges=np.array([0.0]),
        table_names=["x"],
    )
    np.testing.assert_array_equal(advantages(policy), [[[[-0.5, 0.5, np.nan]], [[np.nan] * 3]]])
    assert visited_states(policy).tolist() == [[[True], [False]]]
    assert greedy_levels(policy).tolist() == [[[1], [1]]]


def test_response_has_a_panel_for_each_factor_and_a_line_for_each_part(policy: QPolicy) -> None:
    figure = learned_response(policy)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["price_factor", "quantity_factor", "goal_factor"]
    for axes in figure.axes:
        lines = [line for line in axes.lines if line.get_linestyle() == "-"][1:]  # the first one is the neutral 1
        assert len(lines) == 4
        for line in lines:
            assert len(np.asarray(line.get_ydata())) == 7
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["progress 0-25 %", "25-50 %", "50-75 %", "75-100 %", "never visited"]


def test_response_rises_with_the_gap(policy: QPolicy) -> None:
    line = learned_response(policy).axes[1].lines[1]
    assert np.asarray(line.get_ydata()) == pytest.approx(policy.levels)


def test_never_visited_states_are_hollow_and_as_the_next(policy: QPolicy) -> None:
    price, quantity, _ = learned_response(policy).axes
    for axes, expected in ((price, 4), (quantity, 0)):
        hollow = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
        points = [y for line in hollow for y in np.asarray(line.get_ydata())]
        # The first bucket was not visited; the level of the second is the second one.
        assert points == pytest.approx([policy.levels[1]] * expected, rel=1e-5)


@given(st.integers(0, 10_000))
def test_the_response_never_falls(seed: int) -> None:
    policy = random_policy(seed)
    for axes in learned_response(policy).axes:
        for line in axes.lines[1:]:
            if line.get_linestyle() == "-":
                values = np.asarray(line.get_ydata())
                assert (np.diff(values) >= -1e-9).all()
                assert values[len(values) // 2] == 1.0


def test_gap_axis_is_labelled_at_the_bounds_of_the_buckets(policy: QPolicy) -> None:
    axes = learned_response(policy).axes[0]
    assert axes.get_xticks().tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["-3", "-1.5", "-0.5", "0.5", "1.5", "3"]


def test_a_fully_visited_policy_needs_no_hollow_point(policy: QPolicy) -> None:
    visited = replace(policy, visits=np.ones_like(policy.visits))
    labels = [text.get_text() for text in learned_response(visited).legends[0].get_texts()]
    assert "never visited" not in labels


def rows(figure: Figure) -> list[Axes]:
    """Return the panels without their colour bars."""
    return [axes for axes in figure.axes if axes.images]


def test_q_tables_have_a_row_for_each_factor_and_a_map_for_each_part(policy: QPolicy) -> None:
    price, quantity, _ = rows(q_tables(policy))
    assert (price.get_ylabel(), quantity.get_ylabel()) == ("price_factor", "quantity_factor")
    assert len(price.images) == len(quantity.images) == 4
    parts = [text.get_text() for text in price.texts if not text.get_text().startswith("±")]
    assert parts == [f"progress {part} %" for part in ("0-25", "25-50", "50-75", "75-100")]
    assert [label.get_text() for label in price.get_yticklabels()] == ["0.5", "0.63", "0.79", "1", "1.3", "1.6", "2"]


def test_q_tables_mark_the_greedy_choice_and_mask_what_was_not_tried(policy: QPolicy) -> None:
    price = rows(q_tables(policy))[0]
    assert np.asarray(price.lines[0].get_ydata()).tolist() == [3, 1, 2, 3, 4, 5, 6]
    shown = price.images[0].get_array()
    assert shown is not None
    assert shown.shape == (7, 7)
    assert np.ma.getmaskarray(shown)[:, 0].all()
    assert not np.ma.getmaskarray(shown)[:, 1:].any()


def test_q_tables_label_the_bounds_of_every_map(policy: QPolicy) -> None:
    last = rows(q_tables(policy))[-1]
    labels = [label.get_text() for label in last.get_xticklabels()]
    assert labels == ["-3", "-1.5", "-0.5", "0.5", "1.5", "3"] * 4
    left, right = last.images[1].get_extent()[:2]
    inside = [tick for tick in last.get_xticks() if left < tick < right]
    assert inside == pytest.approx(left + np.arange(1, 7))


def test_q_tables_write_the_scale_above_each_map(policy: QPolicy) -> None:
    policy.tables[:, :, 3] *= 10
    for axes in rows(q_tables(policy)):
        scales = [image.get_clim() for image in axes.images]
        assert all(low == -high for low, high in scales)
        assert scales[3][1] == pytest.approx(10 * scales[2][1])
        written = [text.get_text() for text in axes.texts if text.get_text().startswith("±")]
        assert written == [f"±{high:.2g}" for _, high in scales]


def test_factors_left_out_are_named(policy: QPolicy) -> None:
    tables, response = q_tables(policy, max_factors=1), learned_response(policy, max_factors=1)
    assert len(rows(tables)) == len(response.axes) == 1
    for figure in (tables, response):
        assert "Not shown: quantity_factor, goal_factor." in " ".join(figure.texts[2].get_text().split())


@pytest.mark.parametrize("count", [1, 14])
def test_any_number_of_factors_is_drawn(count: int, tmp_path: Path) -> None:
    blank = QPolicy.blank(tuple(f"factor number {i} of a long name" for i in range(count)))
    assert len(learned_response(blank, tmp_path / "response.png").axes) == min(count + 1, 12)
    q_tables(blank, tmp_path / "tables.png")
    assert (tmp_path / "tables.png").stat().st_size > 1000


def test_one_part_of_the_episode_needs_no_legend() -> None:
    shape = (1, 3, 1, 3)
    policy = SimpleNamespace(
        tables=np.random.default_rng(0).normal(size=shape),
        visits=np.ones(shape, dtype=int),
        levels=np.array([0.5, 1, 2]),
        gap_edges=np.array([-1.0, 1.0]),
        table_names=["x_factor"],
    )
    assert learned_response(policy).legends == []
    assert all("progress" not in text.get_text() for text in rows(q_tables(policy))[0].texts)


def test_what_does_not_fit_together_is_refused(policy: QPolicy) -> None:
    odd = replace(policy, gap_edges=np.array([0.0]))
    for draw in (learned_response, q_tables):
        with pytest.raises(InputError, match=r"shape \(3, 2, 4, 7\).*found \(3, 7, 4, 7\)"):
            draw(odd)
    with pytest.raises(InputError, match=r"and \(3, 7, 4\)"):
        q_tables(replace(policy, visits=policy.visits[..., 0]))

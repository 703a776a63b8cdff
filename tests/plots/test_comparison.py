from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agentsynth.data.schema import Column, Schema
from agentsynth.errors import InputError, SchemaError
from agentsynth.metrics.marginals import distribution_difference
from agentsynth.plots import data_comparison

Shop = Callable[..., pd.DataFrame]


def titles(figure: Figure) -> list[tuple[str, str]]:
    """Return each panel's title and the score beside it."""
    return [(axes.get_title(loc="left"), axes.texts[-1].get_text()) for axes in figure.axes]


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts)


def numeric_tables(count: int) -> tuple[pd.DataFrame, pd.DataFrame, Schema]:
    """Return tables of `count` columns; the later a column, the more it is shifted."""
    values = np.random.default_rng(0).normal(0, 1, 200)
    real = pd.DataFrame({f"column {i:02}": values for i in range(count)})
    synthetic = real + np.linspace(0, 2, count)
    return real, synthetic, Schema(columns=tuple(Column(name=n, kind="numeric", dtype="float64") for n in real))


def test_worst_column_comes_first_with_its_difference(make_shop: Shop, shop_schema: Schema) -> None:
    real, synthetic = make_shop(seed=0), make_shop(seed=1, price=1.5)
    found = titles(data_comparison(real, synthetic, shop_schema))
    assert found[0] == ("price", f"KS {distribution_difference(real['price'], synthetic['price']):.3f}")
    columns = [(name, score) for name, score in found if "hour" not in name]
    assert sorted(name for name, _ in columns) == ["category", "moment", "price", "quantity"]
    differences = [float(score.split()[1]) for _, score in columns]
    assert differences == sorted(differences, reverse=True)
    assert dict(columns)["category"].startswith("TV ")


def test_hours_stand_beside_their_datetime(make_shop: Shop, shop_schema: Schema) -> None:
    names = [name for name, _ in titles(data_comparison(make_shop(), make_shop(seed=1), shop_schema))]
    assert names[names.index("moment") + 1] == "moment, hour"


def test_the_figure_says_what_it_shows_and_has_one_legend(make_shop: Shop, shop_schema: Schema) -> None:
    figure = data_comparison(make_shop(1200), make_shop(50, seed=1), shop_schema)
    assert "1,200 real rows, 50 synthetic rows" in texts(figure)
    assert "Kolmogorov-Smirnov" in texts(figure)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["real", "synthetic"]
    assert len(figure.legends) == 1
    assert all(axes.get_legend() is None for axes in figure.axes)


@pytest.mark.parametrize("count", [1, 3, 7, 16])
def test_every_column_has_a_panel(count: int) -> None:
    figure = data_comparison(*numeric_tables(count))
    assert [name for name, _ in titles(figure)] == [f"column {i:02}" for i in reversed(range(count))]
    assert "Not shown" not in texts(figure)


def test_the_best_of_many_columns_are_left_to_the_footnote() -> None:
    figure = data_comparison(*numeric_tables(20))
    assert len(figure.axes) == 16
    assert titles(figure)[0][0] == "column 19"
    text = " ".join(texts(figure).split())
    assert "Not shown, as they differ least: column 03, column 02, column 01, column 00." in text


def test_panels_can_be_limited() -> None:
    assert len(data_comparison(*numeric_tables(5), max_panels=2).axes) == 2


def boxes(figure: Figure) -> list[tuple[float, float, float, float]]:
    figure.draw_without_rendering()
    return [axes.get_tightbbox().extents for axes in figure.axes]  # type: ignore[union-attr]


@pytest.mark.parametrize("count", [3, 7])
def test_panels_do_not_overlap_nor_leave_the_figure(count: int, make_shop: Shop, shop_schema: Schema) -> None:
    real, synthetic = make_shop(), make_shop(seed=1)
    for table in (real, synthetic):
        table["category"] = table["category"] + " and a long explanation of it that goes on and on"
    schema = Schema(columns=shop_schema.columns[: count + 1])
    figure = data_comparison(real, synthetic, schema)
    found = boxes(figure)
    width, height = figure.bbox.size
    for left, bottom, right, top in found:
        assert left >= 0
        assert bottom >= 0
        assert right <= width + 1
        assert top <= height
    for i, one in enumerate(found):
        for other in found[i + 1 :]:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_it_is_written_where_a_path_is_given(tmp_path: Path, make_shop: Shop, shop_schema: Schema) -> None:
    path = tmp_path / "figures" / "data_comparison.png"
    figure = data_comparison(make_shop(40), make_shop(40, seed=1), shop_schema, path)
    first = path.read_bytes()
    assert isinstance(figure, Figure)
    data_comparison(make_shop(40), make_shop(40, seed=1), shop_schema, path)
    assert path.read_bytes() == first


def test_tiny_tables_are_drawn(make_shop: Shop, shop_schema: Schema) -> None:
    figure = data_comparison(make_shop(1), make_shop(2, seed=1), shop_schema)
    assert len(figure.axes) >= 4


def test_odd_names_are_drawn_as_they_are(tmp_path: Path) -> None:
    frame = pd.DataFrame({"_a $ b $": ["x_1$y$", "_z", "\\frac{1}{"] * 5})
    schema = Schema(columns=(Column(name="_a $ b $", kind="categorical", dtype="str"),))
    figure = data_comparison(frame, frame, schema, tmp_path / "x.png")
    assert titles(figure) == [("_a $ b $", "TV 0.000")]
    axes: Axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["\\frac{1}{", "_z", "x_1$y$"]


def test_ids_and_constants_are_not_compared(make_shop: Shop, shop_schema: Schema) -> None:
    names = [name for name, _ in titles(data_comparison(make_shop(), make_shop(), shop_schema))]
    assert "id" not in names


def test_what_cannot_be_compared_is_refused(make_shop: Shop, shop_schema: Schema) -> None:
    with pytest.raises(InputError, match="synthetic table has no rows"):
        data_comparison(make_shop(), make_shop(0), shop_schema)
    with pytest.raises(InputError, match="no column to compare"):
        data_comparison(make_shop(), make_shop(), Schema(columns=shop_schema.columns[:1]))
    with pytest.raises(SchemaError, match="price"):
        data_comparison(make_shop(), make_shop().drop(columns="price"), shop_schema)

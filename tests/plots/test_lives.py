from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from agentsynth.data.inference import infer_schema
from agentsynth.entities.plan import EntityPlan
from agentsynth.plots import lives


def visits(letter: str) -> pd.DataFrame:
    """Three patients with 1, 2 and 3 visits."""
    who = [1, 2, 2, 3, 3, 3]
    return pd.DataFrame(
        {
            "who": [f"{letter}{number}" for number in who],
            "day": pd.date_range("2024-01-01", periods=6),
            "state": ["ill", "ill", "well", "ill", "well", "$x_1$"],
        }
    )


def marks(figure: Figure, panel: int) -> int:
    return sum(len(np.asarray(points.get_offsets())) for points in figure.axes[panel].collections)


def test_every_row_of_the_chosen_is_a_mark_and_labels_are_as_they_are(tmp_path: Path) -> None:
    schema = infer_schema(visits("A"), {"who": {"kind": "id"}, "state": {"kind": "categorical"}})
    plan = EntityPlan("who", (), "day", ("state",))
    figure = lives(visits("A"), visits("B"), plan, schema, tmp_path / "lives.png", entities=3)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["real", "generated"]
    assert (marks(figure, 0), marks(figure, 1)) == (6, 6)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["ill", "well", "$x_1$"]
    assert (tmp_path / "lives.png").stat().st_size > 5000


def test_fewer_are_drawn_by_their_number_of_rows_and_without_time_or_label() -> None:
    table = visits("A").drop(columns="state").assign(weight=[1.5, 2.5, 3.25, 4.5, 5.5, 6.5])
    schema = infer_schema(table, {"who": {"kind": "id"}})
    figure = lives(table, table, EntityPlan("who", (), None, ("day", "weight")), schema, entities=1)
    assert marks(figure, 0) == 2  # the one in the middle
    assert not figure.legends
    assert figure.axes[0].get_xlabel() == "row"

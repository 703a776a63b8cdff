from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.schema import Column, Formula, Schema
from agentsynth.data.typed import typed
from agentsynth.metrics.score import CannotScoreError
from agentsynth.metrics.validity import valid_cells, validity


@pytest.fixture(scope="module")
def train(raw: tuple[pd.DataFrame, ...], schema: Schema) -> pd.DataFrame:
    return typed(raw[0], schema)


def broken(train: pd.DataFrame, column: str, value: object) -> pd.DataFrame:
    """The training rows with one cell replaced, and derived columns left as they were."""
    rows = train[train["price"].notna()].reset_index(drop=True)
    return rows.assign(**{column: [value, *rows[column][1:]]})


def test_training_rows_keep_every_rule(train: pd.DataFrame, schema: Schema) -> None:
    cells = valid_cells(train, train, schema)
    assert list(cells.columns) == ["kind", "price", "quantity", "placed", "total", "currency"]
    assert validity(cells) == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "boat"),
        ("kind", None),
        ("price", 1e6),
        ("price", -1.0),
        ("price", 20.001),
        ("quantity", 1.5),
        ("quantity", np.nan),
        ("placed", pd.Timestamp("2031-01-01")),
        ("placed", pd.Timestamp("2024-05-01 10:00:00.5")),
        ("placed", pd.NaT),
        ("total", 0.01),
        ("currency", "USD"),
    ],
)
def test_a_broken_rule_breaks_its_cell_and_row(train: pd.DataFrame, schema: Schema, column: str, value: object) -> None:
    rows = broken(train, column, value)
    cells = valid_cells(train, rows, schema)
    assert not cells[column].iloc[0]
    assert cells[column].iloc[1:].all()
    assert validity(cells) == pytest.approx(1 - 1 / len(rows))


def test_labels_that_are_looked_up_and_numbers_above_others() -> None:
    table = (("a", "A"), ("b", None))
    formula = Formula(operation="lookup", inputs=("x",), table=table, result="label")
    schema = Schema(
        columns=(
            Column(name="x", kind="categorical", dtype="str"),
            Column(name="y", kind="derived", dtype="str", formula=formula),
            Column(name="low", kind="numeric", dtype="float64"),
            Column(name="high", kind="numeric", dtype="float64", above=("low",)),
        )
    )
    x = pd.Series(["a", "b", "a", "b"], dtype=object)
    train = pd.DataFrame({"x": x, "y": pd.Series(["A", None, "A", None], dtype=object)})
    train = train.assign(low=[0.0, 1.0, 2.0, 3.0], high=[1.0, 1.0, np.nan, 3.0])
    assert valid_cells(train, train, schema).to_numpy().all()
    rows = train.assign(y=pd.Series([None, None, "A", "A"], dtype=object), high=[1.0, 0.5, np.nan, 1.0])
    cells = valid_cells(train, rows, schema)
    assert cells["y"].tolist() == [False, True, True, False]
    assert cells["high"].tolist() == [True, False, True, False]


def test_missing_is_valid_where_real_rows_have_it(train: pd.DataFrame, schema: Schema) -> None:
    rows = broken(train, "price", np.nan)
    rows["total"] = [np.nan, *rows["total"][1:]]
    assert validity(valid_cells(train, rows, schema)) == 1


def test_the_schemas_range_goes_first() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    schema = Schema(columns=(Column(name="x", kind="numeric", dtype="float64", minimum=0, maximum=9),))
    assert valid_cells(frame, pd.DataFrame({"x": [0.0, 9.0, 10.0]}), schema)["x"].tolist() == [True, True, False]


def test_hand_computable_share() -> None:
    frame = pd.DataFrame({"x": [1.0, 4.0]})
    schema = Schema(columns=(Column(name="x", kind="numeric", dtype="float64"),))
    assert validity(valid_cells(frame, pd.DataFrame({"x": [1.0, 2.5, 4.0, 4.5]}), schema)) == 0.75


def test_a_column_never_observed_stays_so() -> None:
    schema = Schema(columns=(Column(name="x", kind="numeric", dtype="float64"),))
    cells = valid_cells(pd.DataFrame({"x": [np.nan]}), pd.DataFrame({"x": [np.nan, 1.0]}), schema)
    assert cells["x"].tolist() == [True, False]


def test_ids_alone_have_no_rule() -> None:
    with pytest.raises(CannotScoreError, match="no column has a rule"):
        validity(pd.DataFrame(index=range(3)))

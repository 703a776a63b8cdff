from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.schema import Column, Formula, Schema
from agentsynth.errors import InputError
from agentsynth.metrics.baselines import shuffled_columns
from agentsynth.metrics.score import CannotScoreError
from agentsynth.metrics.utility import Task, choose_target, utility


def plain(*names: str, kind: str = "numeric") -> tuple[Column, ...]:
    return tuple(Column.model_validate({"name": name, "kind": kind, "dtype": "float64"}) for name in names)


def test_real_rows_teach_and_shuffled_ones_do_not(frames: tuple[pd.DataFrame, ...], schema: Schema) -> None:
    train, test, synthetic = frames
    task = Task.of("kind", train, schema)
    real = utility(task, train, test, 300)
    assert real > 0.9
    assert utility(task, synthetic, test, 300) == pytest.approx(real, abs=0.05)
    assert utility(task, shuffled_columns(train, 0), test, 300) == pytest.approx(0.5, abs=0.12)


def test_numbers_are_marked_by_r_squared(frames: tuple[pd.DataFrame, ...], schema: Schema) -> None:
    train, test, _ = frames
    task = Task.of("price", train, schema)
    assert task.classes is None
    assert 0.4 < utility(task, train, test, 300) <= 1
    assert utility(task, shuffled_columns(train, 0), test, 300) < 0.2


def test_columns_derived_from_the_target_are_no_features(frames: tuple[pd.DataFrame, ...], schema: Schema) -> None:
    assert Task.of("price", frames[0], schema).features == ("kind", "quantity", "placed")
    assert Task.of("kind", frames[0], schema).features == ("price", "quantity", "placed", "total")


def test_derived_through_others() -> None:
    twice = Column(name="b", kind="derived", dtype="float64", formula=Formula(operation="linear", inputs=("a",)))
    again = Column(name="c", kind="derived", dtype="float64", formula=Formula(operation="linear", inputs=("b",)))
    schema = Schema(columns=(again, twice, *plain("a", "x")))
    frame = pd.DataFrame({name: np.arange(4.0) for name in "cbax"})
    assert Task.of("a", frame, schema).features == ("x",)


def test_what_is_looked_up_is_given_away_and_no_candidate() -> None:
    rng = np.random.default_rng(0)
    branch = rng.choice(list("abc"), 300)
    city = pd.Series(branch).map({"a": "x", "b": "y", "c": "y"})
    frame = pd.DataFrame(
        {"branch": branch, "city": city, "n": rng.normal(size=300) + 3 * (branch == "a")}, dtype=object
    )
    frame = frame.astype({"n": float})
    table = (("a", "x"), ("b", "y"), ("c", "y"))
    formula = Formula(operation="lookup", inputs=("branch",), table=table, result="label")
    schema = Schema(
        columns=(
            *plain("branch", kind="categorical"),
            Column(name="city", kind="derived", dtype="str", formula=formula),
            *plain("n"),
        )
    )
    assert Task.of("branch", frame, schema).features == ("n",)
    assert Task.of("n", frame, schema).features == ("branch", "city")
    assert choose_target(frame, schema) in {"n", "branch"}


def test_a_target_that_is_no_column(frames: tuple[pd.DataFrame, ...], schema: Schema) -> None:
    with pytest.raises(InputError, match="target 'order' is not a column that can be predicted"):
        Task.of("order", frames[0], schema)


def test_the_best_predictable_column_is_chosen(frames: tuple[pd.DataFrame, ...], schema: Schema) -> None:
    # Prices of books, phones and pens hardly overlap: the kind is all but given, so the price is asked for.
    assert choose_target(frames[0], schema) == "price"
    rng = np.random.default_rng(0)
    base = rng.normal(size=400)
    noise = {"root": 0.01, "clear": 0.2, "dim": 2.0}
    frame = pd.DataFrame({name: base + rng.normal(scale=scale, size=400) for name, scale in noise.items()})
    assert choose_target(frame[["clear", "dim"]], Schema(columns=plain("clear", "dim"))) in {"clear", "dim"}
    assert choose_target(frame, Schema(columns=plain("dim", "clear", "root"))) != "dim"


def test_a_column_that_follows_by_rule_is_chosen_last() -> None:
    rng = np.random.default_rng(0)
    kind = rng.choice(["u", "v"], 300)
    frame = pd.DataFrame(
        {
            "c": pd.Series(kind, dtype=object),
            "same": pd.Series(np.char.upper(kind), dtype=object),
            "x": rng.normal(size=300),
        }
    )
    frame["y"] = frame["x"] + rng.normal(scale=0.3, size=300)
    schema = Schema(columns=(*plain("c", "same", kind="categorical"), *plain("x", "y")))
    assert choose_target(frame, schema) in {"x", "y"}
    pair = Schema(columns=plain("c", "same", kind="categorical"))
    assert choose_target(frame[["c", "same"]], pair) in {"c", "same"}


def test_classes_unseen_in_fitting_or_rare(schema: Schema, frames: tuple[pd.DataFrame, ...]) -> None:
    train, test, _ = frames
    task = Task.of("kind", train, schema)
    without = train[train["kind"] != "pen"]
    assert 0.5 < utility(task, without, test, 300) < utility(task, train, test, 300)
    one = train[train["kind"] == "pen"]
    assert utility(task, one, test, 300) == 0.5
    strange = test.assign(kind=test["kind"].where(test.index > 5, "strange"))
    assert 0.5 < utility(task, train, strange, 300) < 1


def test_undefined_targets_say_why(schema: Schema, frames: tuple[pd.DataFrame, ...]) -> None:
    train, test, _ = frames
    task = Task.of("kind", train, schema)
    with pytest.raises(CannotScoreError, match="one class"):
        utility(task, train, test[test["kind"] == "pen"], 300)
    with pytest.raises(CannotScoreError, match="fewer than 2 rows have a value of 'kind'"):
        utility(task, train.assign(kind=None), test, 300)
    alone = Schema(columns=plain("x"))
    frame = pd.DataFrame({"x": np.arange(40.0)})
    with pytest.raises(CannotScoreError, match="no column to predict 'x' from"):
        utility(Task.of("x", frame, alone), frame, frame, 40)
    with pytest.raises(CannotScoreError, match="no column can serve as a target"):
        choose_target(frame, alone)


def test_same_seed_same_figure(frames: tuple[pd.DataFrame, ...], schema: Schema) -> None:
    train, test, _ = frames
    task = Task.of("kind", train, schema)
    assert utility(task, train, test, 100, seed=3) == utility(task, train, test, 100, seed=3)
    assert utility(task, train, test, 100, seed=3) != utility(task, train, test, 100, seed=4)

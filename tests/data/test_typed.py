from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentsynth.data.inference import infer_schema
from agentsynth.data.reading import read_table, write_table
from agentsynth.data.schema import Column, Schema
from agentsynth.data.shop import simulate_shop
from agentsynth.data.typed import add_derived, finish, typed
from agentsynth.errors import SchemaError


def same_but_for_ids(frame: pd.DataFrame, overrides: dict[str, dict[str, Any]] | None = None) -> Schema:
    """Check that `finish` gives back what `typed` was given; return the schema."""
    schema = infer_schema(frame, overrides)
    again = finish(typed(frame, schema), schema, seed=0)
    ids = [column.name for column in schema.of_kind("id")]
    pd.testing.assert_frame_equal(again.drop(columns=ids), frame.drop(columns=ids), rtol=1e-9)
    for name in ids:
        assert again[name].dtype == frame[name].dtype
    return schema


def test_shop() -> None:
    orders = simulate_shop(500)
    schema = same_but_for_ids(orders)
    frame = typed(orders, schema)
    assert [str(dtype) for dtype in frame.dtypes] == [
        *("str", "object", "object", "float64", "float64", "datetime64[us]", "float64"),
    ]
    assert {column.name: column.kind for column in schema} == {
        "user_id": "id",
        "user_type": "categorical",
        "category": "categorical",
        "price": "numeric",
        "quantity": "numeric",
        "timestamp": "datetime",
        "total_revenue": "derived",
    }


def test_finish_needs_the_modelled_columns_only() -> None:
    orders = simulate_shop(200)
    schema = infer_schema(orders)
    frame = typed(orders, schema)[[column.name for column in schema.modelled]]
    again = finish(frame, schema, seed=1)
    pd.testing.assert_frame_equal(again.drop(columns="user_id"), orders.drop(columns="user_id"))
    assert again.groupby("user_id")["user_type"].nunique().max() == 1
    pd.testing.assert_frame_equal(again, finish(frame, schema, seed=1))
    assert not again["user_id"].equals(finish(frame, schema, seed=2)["user_id"])


def test_finish_puts_rows_in_the_order_of_time() -> None:
    orders = simulate_shop(100)
    schema = infer_schema(orders)
    shuffled = typed(orders, schema).sample(frac=1, random_state=0)
    again = finish(shuffled, schema, seed=0)
    pd.testing.assert_frame_equal(again.drop(columns="user_id"), orders.drop(columns="user_id"))


def test_labels() -> None:
    frame = pd.DataFrame(
        {"b": [True, False] * 10, "i": [0, 1] * 10, "f": [1.0, np.nan, 2.0, 1.0] * 5, "s": ["01", "1"] * 10}
    )
    labels = typed(frame, infer_schema(frame))
    assert labels.iloc[0].tolist() == ["True", "0", "1", "01"]
    assert labels["f"].iloc[1] is None
    assert {str(dtype) for dtype in labels.dtypes} == {"object"}


@pytest.fixture(scope="module")
def every_dtype() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = 40
    gaps = [None if i % 9 == 0 else i for i in range(rows)]
    return pd.DataFrame(
        {
            "float64": rng.normal(size=rows),
            "float32": np.round(rng.normal(size=rows), 2).astype(np.float32),
            "uint8": rng.integers(0, 255, rows).astype(np.uint8),
            "hundreds": rng.integers(0, 99, rows) * 100,
            "int64_extension": pd.array(gaps, dtype="Int64"),
            "float64_extension": pd.array(rng.permutation(np.array(gaps)), dtype="Float64"),
            "boolean": pd.array([None if i % 9 == 0 else i % 2 == 0 for i in range(rows)], dtype="boolean"),
            "bool": rng.random(rows) < 0.5,
            "bool_objects": np.array([np.nan if i % 9 == 0 else i % 2 == 0 for i in range(rows)], dtype=object),
            "string": pd.array(rng.choice(["a", "b"], rows), dtype="string"),
            "category": pd.Categorical(rng.choice(["lo", "hi"], rows), ["lo", "mid", "hi"], ordered=True),
            "numbered_category": pd.Categorical(rng.integers(1, 4, rows)),
            "nanoseconds": pd.date_range("2025-01-05", periods=rows, freq="7h").as_unit("ns")[::-1],
            "berlin": pd.date_range("2025-03-29 20:00", periods=rows, freq="h", tz="Europe/Berlin")[::-1],
            "offset": pd.date_range("2025-03-29", periods=rows, freq="h", tz="+05:30")[::-1],
            "american": [f"{1 + i % 12}/{1 + i % 28}/2024 {i % 24}:05" for i in range(rows)],
            "dates": [date(2025, 1, 1 + int(day)) for day in rng.integers(0, 28, rows)],
            "zip": [f"{i:05d}" for i in rng.integers(0, 12, rows)],
            "always": 5,
            "always_then": pd.Timestamp("2025-01-01 10:00"),
            "always_that_day": date(2025, 1, 1),
            "always_text": "x",
            "never": pd.Series([np.nan] * rows),
            "never_text": pd.Series([None] * rows, dtype="string"),
        }
    )


def test_every_dtype(every_dtype: pd.DataFrame) -> None:
    schema = same_but_for_ids(every_dtype)
    assert not schema.of_kind("id")
    assert [column.name for column in schema.of_kind("derived")] == ["bool_objects"]  # the same truths as `boolean`
    assert Schema.from_json(schema.model_dump(mode="json")) == schema


def test_the_same_typed_frame_from_a_csv_file(every_dtype: pd.DataFrame, tmp_path: Path) -> None:
    schema = infer_schema(every_dtype)
    write_table(every_dtype, tmp_path / "table.csv")
    modelled = [column.name for column in schema.modelled]
    read = typed(read_table(tmp_path / "table.csv"), schema)[modelled]
    pd.testing.assert_frame_equal(read, typed(every_dtype, schema)[modelled], rtol=1e-7)


def test_wall_clock_of_the_time_zone() -> None:
    frame = pd.DataFrame({"t": pd.to_datetime(["2025-07-01 12:00", "2025-01-01 12:00"], utc=True)})
    schema = infer_schema(frame.assign(t=frame["t"].dt.tz_convert("Europe/Berlin")))
    assert typed(frame, schema)["t"].tolist() == [pd.Timestamp("2025-07-01 14:00"), pd.Timestamp("2025-01-01 13:00")]


def test_extra_columns_are_left_out() -> None:
    frame = pd.DataFrame({"a": np.arange(20) % 7, "b": np.arange(20) % 5})
    schema = infer_schema(frame[["a"]])
    assert list(typed(frame, schema).columns) == ["a"]


def test_index_is_reset() -> None:
    frame = simulate_shop(30)
    schema = infer_schema(frame)
    assert typed(frame.iloc[10:], schema).index.tolist() == list(range(20))


@pytest.mark.parametrize(
    ("kind", "dtype", "values", "message"),
    [
        ("numeric", "float64", ["1", "two", "3", "iv"], "'two' in row 2, 'iv' in row 4"),
        ("numeric", "float64", [1.0, np.inf], "infinite numbers.*inf in row 2"),
        ("datetime", "str", ["2025-01-01", "01.02.2025"], "'01.02.2025' in row 2"),
        ("datetime", "datetime64[us]", [1, 2], "holds numbers here"),
    ],
)
def test_values_that_do_not_fit(kind: str, dtype: str, values: list[Any], message: str) -> None:
    form = "%Y-%m-%d" if dtype == "str" else None
    column = Column.model_validate({"name": "x", "kind": kind, "dtype": dtype, "format": form})
    with pytest.raises(SchemaError, match=message) as caught:
        typed(pd.DataFrame({"x": values}), Schema(columns=(column,)))
    assert "'x'" in str(caught.value)


def test_missing_column() -> None:
    schema = infer_schema(simulate_shop(50))
    with pytest.raises(SchemaError, match="no column 'price', 'quantity'"):
        typed(simulate_shop(50).drop(columns=["price", "quantity"]), schema)
    with pytest.raises(SchemaError, match="no column 'price'"):
        finish(typed(simulate_shop(50), schema).drop(columns="price"), schema, seed=0)
    with pytest.raises(SchemaError, match="'total_revenue' is computed from 'price'"):
        add_derived(typed(simulate_shop(50), schema).drop(columns="price"), schema)


def test_missing_values_do_not_fit_plain_integers() -> None:
    schema = infer_schema(pd.DataFrame({"n": np.arange(30) % 11}))
    with pytest.raises(SchemaError, match="'n' has missing values, but its dtype int64 cannot hold them"):
        finish(pd.DataFrame({"n": [1.0, np.nan]}), schema, seed=0)


def test_unknown_label() -> None:
    schema = infer_schema(pd.DataFrame({"b": [True, False] * 10}))
    with pytest.raises(SchemaError, match="'b' has no level 'maybe'; it has True, False"):
        finish(pd.DataFrame({"b": ["True", "maybe"]}, dtype=object), schema, seed=0)


def test_numbers_between_are_rounded_to_the_form() -> None:
    frame = pd.DataFrame({"i": np.arange(30) % 11, "f": np.arange(30) / 4, "h": np.arange(30)[::-1] ** 2 * 100})
    schema = infer_schema(frame)
    made = finish(pd.DataFrame({"i": [3.4], "f": [1.23456], "h": [149.9]}), schema, seed=0)
    assert made.iloc[0].tolist() == [3, 1.23, 100]


def test_integers_stay_within_their_dtype() -> None:
    frame = pd.DataFrame({"i": np.arange(40).astype(np.uint8)})
    made = finish(pd.DataFrame({"i": [-5.0, 300.0]}), infer_schema(frame, {"i": {"kind": "numeric"}}), seed=0)
    assert made["i"].tolist() == [0, 255]


def test_derived_columns_are_computed_anew() -> None:
    orders = simulate_shop(100)
    schema = infer_schema(orders)
    frame = typed(orders, schema).assign(total_revenue=0.0)
    assert add_derived(frame, schema)["total_revenue"].tolist() == orders["total_revenue"].tolist()


NUMBERS = {
    "int64": st.integers(-(10**6), 10**6),
    "Int64": st.none() | st.integers(-(10**6), 10**6),
    "float64": st.none() | st.floats(-1e9, 1e9, allow_nan=False),
    "cents": st.none() | st.integers(-(10**6), 10**6).map(lambda cents: cents / 100),
    "Float64": st.none() | st.integers(-100, 100).map(lambda tenths: tenths / 10),
}
LABELS = {
    "bool": st.booleans(),
    "boolean": st.none() | st.booleans(),
    "str": st.none() | st.sampled_from(["007", "7", "x", "north west", "True"]),
    "string": st.none() | st.sampled_from(["a", "b"]),
    "category": st.none() | st.sampled_from(["lo", "mid", "hi"]),
}
MOMENTS = st.none() | st.datetimes(
    pd.Timestamp("1971-01-01").to_pydatetime(), pd.Timestamp("2060-01-01").to_pydatetime()
)


def _column(kind: str, values: list[Any]) -> pd.Series[Any]:
    dtype = {"cents": "float64"}.get(kind, kind)
    if kind == "text_datetime":
        moments = pd.Series(values, dtype="datetime64[s]")
        return moments.dt.strftime("%Y-%m-%dT%H:%M:%S").astype("str")
    if kind == "zoned":
        return pd.Series(values, dtype="datetime64[us]").dt.tz_localize("UTC").dt.tz_convert("Asia/Kolkata")
    series: pd.Series[Any] = pd.Series(values, dtype=dtype)
    return series


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 40))
    moments = dict.fromkeys(("datetime64[us]", "datetime64[s]", "text_datetime", "zoned"), MOMENTS)
    kinds = NUMBERS | LABELS | moments
    chosen = draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, max_size=5))
    columns = {
        f"{kind} {i}": (kind, draw(st.lists(kinds[kind], min_size=rows, max_size=rows)))
        for i, kind in enumerate(chosen)
    }
    return pd.DataFrame({name: _column(kind, values) for name, (kind, values) in columns.items()})


@settings(max_examples=150, deadline=None)
@given(tables())
def test_any_table_comes_back_as_it_was(frame: pd.DataFrame) -> None:
    schema = same_but_for_ids(frame)
    assert Schema.from_json(schema.model_dump(mode="json")) == schema


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"dtype": "int8"}, "column 'day' is datetime and cannot be given back as int8: correct the schema"),
        ({"timezone": "Mars/Olympus"}, "there is no time zone 'Mars/Olympus'"),
        ({"timezone": ""}, "there is no time zone ''"),
    ],
)
def test_schema_whose_column_cannot_be_given_back_says_so(fields: dict[str, str], said: str) -> None:
    frame = pd.DataFrame({"day": ["04.06.2024", "17.06.2024", "30.06.2024"] * 3})
    schema = infer_schema(frame)
    value = schema.model_dump(mode="json")
    value["columns"][0].update(fields)
    with pytest.raises(SchemaError, match=said):
        finish(typed(frame, schema), Schema.from_json(value), seed=0)

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentsynth.data.describing import formula_text
from agentsynth.data.inference import infer_schema
from agentsynth.data.schema import Formula
from agentsynth.data.typed import add_derived, typed

ROWS = 200


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "price": np.round(rng.lognormal(3, 1, ROWS), 2),
            "quantity": rng.integers(1, 12, ROWS),
            "rate": np.round(rng.uniform(0.01, 0.3, ROWS), 3),
            "degrees": np.round(rng.normal(15, 8, ROWS), 1),
            "start": pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 10**7, ROWS), unit="s"),
        }
    )


def derived(frame: pd.DataFrame) -> dict[str, Formula]:
    columns = infer_schema(frame).of_kind("derived")
    return {column.name: column.formula for column in columns if column.formula is not None}


def texts(frame: pd.DataFrame) -> dict[str, str]:
    return {name: formula_text(formula) for name, formula in derived(frame).items()}


def check(frame: pd.DataFrame, name: str, values: Any, expected: str) -> None:
    """Add a column and check that it, and it alone, is derived, by the formula expected, exactly."""
    full = frame.assign(**{name: values})
    assert texts(full) == {name: expected}
    schema = infer_schema(full)
    plain = typed(full, schema)
    pd.testing.assert_frame_equal(add_derived(plain.drop(columns=name), schema), plain, rtol=1e-12, atol=0)


def test_nothing_is_derived_from_independent_columns(frame: pd.DataFrame) -> None:
    assert derived(frame) == {}


def test_product(frame: pd.DataFrame) -> None:
    check(frame, "total", np.round(frame.price * frame.quantity, 2), "price x quantity")


def test_product_stands_first_in_the_table(frame: pd.DataFrame) -> None:
    full = frame.assign(total=np.round(frame.price * frame.quantity, 2))
    assert texts(full[["total", "quantity", "price"]]) == {"total": "quantity x price"}


def test_product_with_a_constant(frame: pd.DataFrame) -> None:
    check(frame, "gross", np.round(1.19 * (frame.price * frame.quantity), 2), "1.19 x price x quantity")


def test_product_of_three(frame: pd.DataFrame) -> None:
    tax = np.round(frame.price * frame.quantity * frame.rate, 2)
    check(frame, "tax", tax, "price x quantity x rate")


def test_ratio(frame: pd.DataFrame) -> None:
    check(frame, "each", np.round(frame.price / frame.quantity, 2), "price / quantity")


def test_square_not_rounded(frame: pd.DataFrame) -> None:
    check(frame, "square", frame.degrees**2 / 3, "degrees x degrees / 3")


def test_multiple(frame: pd.DataFrame) -> None:
    check(frame, "vat", np.round(frame.price * 0.19, 2), "0.19 x price")


@pytest.mark.parametrize(("function", "rounding"), [(np.floor, "down"), (np.ceil, "up"), (np.round, "nearest")])
def test_rounding(frame: pd.DataFrame, function: Any, rounding: str) -> None:
    full = frame.assign(whole=function(frame.price).astype(int))
    assert derived(full)["whole"].rounding == rounding


def test_halves_rounded_up(frame: pd.DataFrame) -> None:
    half = np.floor(frame.quantity / 2 + 0.5).astype(int)
    formula = derived(frame.assign(half=half))["half"]
    assert (formula.coefficients, formula.rounding) in [((0.5,), "half_up"), ((0.5,), "up")]


def test_copy(frame: pd.DataFrame) -> None:
    check(frame, "again", frame.price, "price")


def test_rescaled_copy(frame: pd.DataFrame) -> None:
    check(frame, "fahrenheit", np.round(frame.degrees * 1.8 + 32, 1), "1.8 x degrees + 32")


def test_reversed_copy(frame: pd.DataFrame) -> None:
    check(frame, "born", 2025 - frame.quantity * 7, "2025 - 7 x quantity")


def test_sum_is_derived_wherever_it_stands(frame: pd.DataFrame) -> None:
    parts = pd.DataFrame({"a": frame.price, "b": frame.rate * 100, "c": frame.quantity})
    total = parts.sum(axis=1).round(2)
    assert texts(parts.assign(total=total)) == {"total": "a + b + c"}
    assert texts(pd.concat([total.rename("total"), parts], axis=1)) == {"total": "a + b + c"}


def test_mean() -> None:
    rng = np.random.default_rng(3)
    marks = pd.DataFrame({f"mark_{i}": rng.integers(1, 11, ROWS) for i in range(6)})
    text = "(mark_0 + mark_1 + mark_2 + mark_3 + mark_4 + mark_5) / 6"
    assert texts(marks.assign(mean=marks.mean(axis=1).round(3))) == {"mean": text}


def test_difference(frame: pd.DataFrame) -> None:
    # A total would have a negative part; what amplifies noise least is taken.
    other = np.round(frame.degrees * 0.1 + np.random.default_rng(1).normal(size=ROWS), 1)
    found = texts(pd.DataFrame({"a": frame.degrees, "b": other, "gap": np.round(frame.degrees - other, 1)}))
    assert found == {"gap": "a - b"} or found == {"a": "b + gap"}


def test_hundred_percent(frame: pd.DataFrame) -> None:
    check(frame[["rate", "price"]], "rest", np.round(1 - frame.rate, 3), "1 - rate")


def test_chain(frame: pd.DataFrame) -> None:
    full = frame.assign(total=np.round(frame.price * frame.quantity, 2))
    full["tax"] = np.round(full.total * full.rate, 2)
    full["due"] = np.round(full.total + full.tax, 2)
    assert texts(full) == {"total": "price x quantity", "tax": "rate x total", "due": "total + tax"}


def test_end_is_start_plus_days(frame: pd.DataFrame) -> None:
    end = frame.start + pd.to_timedelta(frame.quantity, unit="D")
    check(frame, "end", end, "start + quantity days")


def test_duration_rounded_down(frame: pd.DataFrame) -> None:
    seconds = np.random.default_rng(5).integers(0, 10**6, ROWS)
    full = frame.assign(end=frame.start + pd.to_timedelta(seconds, unit="s"))
    check(full, "hours", seconds // 3600, "hours from start to end")


def test_parts_of_a_datetime(frame: pd.DataFrame) -> None:
    moments = frame.start.dt
    full = frame.assign(month=moments.month, weekday=moments.day_of_week + 1, date=moments.floor("D"))
    assert texts(full) == {"month": "month of start", "weekday": "weekday of start + 1", "date": "start"}


def test_missing_exactly_where_an_input_is(frame: pd.DataFrame) -> None:
    frame.loc[::7, "price"] = np.nan
    total = (frame.price * frame.quantity).round(2)
    check(frame, "total", total, "price x quantity")
    spoiled = total.copy()
    spoiled.iloc[1] = np.nan
    assert "total" not in derived(frame.assign(total=spoiled))


def test_sum_of_columns_with_missing_values(frame: pd.DataFrame) -> None:
    frame.loc[::7, "price"] = np.nan
    frame.loc[::5, "rate"] = np.nan
    total = np.round(frame.price + frame.rate + frame.quantity, 3)
    check(frame, "total", total, "price + quantity + rate")


def test_one_wrong_row_is_enough(frame: pd.DataFrame) -> None:
    total = (frame.price * frame.quantity).round(2)
    total.iloc[17] += 0.01
    assert "total" not in derived(frame.assign(total=total))


def test_few_rows_are_not_enough(frame: pd.DataFrame) -> None:
    full = frame.assign(total=np.round(frame.price * frame.quantity, 2))
    assert derived(full.head(8)) == {}


def test_narrow_ranges_do_not_make_a_multiple() -> None:
    rng = np.random.default_rng(0)
    birth = rng.integers(1980, 1989, ROWS)
    assert texts(pd.DataFrame({"birth": birth, "survey": birth + 14})) == {"survey": "birth + 14"}


def test_division_by_zero_is_missing(frame: pd.DataFrame) -> None:
    items = frame.quantity - 1
    each = np.round(frame.price / items.replace(0, np.nan), 2)
    found = derived(frame[["price"]].assign(items=items, each=each))
    assert set(found) <= {"each", "price"}


def test_ids_and_labels_take_no_part() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"row_id": np.arange(1, 101), "x": rng.normal(size=100)})
    assert derived(frame.assign(twice=frame.row_id * 2)) == {}


def test_small_random_tables_of_small_numbers_have_no_formulas() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame(rng.integers(0, 8, (25, 12)), columns=[f"c{i}" for i in range(12)])
        assert derived(frame) == {}


def test_wide_tables_take_little_time() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(np.round(rng.lognormal(3, 1, (1000, 200)), 2), columns=[f"c{i}" for i in range(200)])
    frame["product"] = np.round(frame.c3 * frame.c77, 2)
    frame["sum"] = np.round(frame.c1 + frame.c2 + frame.c9, 2)
    start = time.process_time()
    assert texts(frame) == {"product": "c3 x c77", "sum": "c1 + c2 + c9"}
    assert time.process_time() - start < 10


@settings(max_examples=30, deadline=None)
@given(
    weights=st.lists(st.sampled_from([-2.0, -1.0, 0.5, 1.0, 3.0]), min_size=2, max_size=4),
    seed=st.integers(0, 1000),
    intercept=st.sampled_from([0.0, 10.0]),
)
def test_linear_relations_are_found_one_way_or_another(weights: list[float], seed: int, intercept: float) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"x{i}": np.round(rng.normal(20, 9, 80), 1) for i in range(len(weights))})
    combined = np.round(sum(w * frame[f"x{i}"] for i, w in enumerate(weights)) + intercept, 2)
    full = frame.assign(y=combined)
    assert len(derived(full)) == 1
    schema = infer_schema(full)
    plain = typed(full, schema)
    pd.testing.assert_frame_equal(add_derived(plain, schema), plain)

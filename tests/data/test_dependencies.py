from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.describing import describe, formula_text
from agentsynth.data.inference import infer_schema
from agentsynth.data.schema import Schema
from agentsynth.data.typed import add_derived, finish, typed
from agentsynth.errors import SchemaError

ROWS = 300
DAY = pd.Timedelta(days=1)


@pytest.fixture
def frame() -> pd.DataFrame:
    """Columns that have nothing to do with each other."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "branch": rng.choice(list("ABCD"), ROWS),
            "age": rng.integers(18, 90, ROWS),
            "income": np.round(rng.lognormal(10, 0.5, ROWS), 2),
            "date": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 700, ROWS), unit="D"),
            "member": rng.random(ROWS) < 0.4,
        }
    )


def found(frame: pd.DataFrame, overrides: Any = None) -> dict[str, str]:
    schema = infer_schema(frame, overrides)
    return {c.name: formula_text(c.formula) for c in schema.of_kind("derived") if c.formula is not None}


def check(frame: pd.DataFrame, expected: dict[str, str]) -> Schema:
    """Check that these columns, and they alone, are looked up, exactly."""
    assert found(frame) == expected
    schema = infer_schema(frame)
    plain = typed(frame, schema)
    pd.testing.assert_frame_equal(add_derived(plain.drop(columns=list(expected)), schema), plain)
    pd.testing.assert_frame_equal(finish(plain.drop(columns=list(expected)), schema, seed=0), frame)
    assert Schema.from_json(schema.model_dump(mode="json")) == schema
    return schema


def test_nothing_follows_from_independent_columns(frame: pd.DataFrame) -> None:
    assert found(frame) == {}


def test_a_label_from_a_label(frame: pd.DataFrame) -> None:
    city = frame.branch.map({"A": "Oslo", "B": "Oslo", "C": "Rome", "D": "Bonn"})
    schema = check(frame.assign(city=city), {"city": "table[branch], 4 entries"})
    assert "= table[branch], 4 entries" in describe(schema)


def test_the_later_of_two_labels_that_follow_from_each_other(frame: pd.DataFrame) -> None:
    check(frame.assign(letter=frame.branch.str.lower()), {"letter": "table[branch], 4 entries"})


@pytest.mark.parametrize("first", [True, False])
def test_a_number_from_its_label_wherever_it_stands(frame: pd.DataFrame, first: bool) -> None:
    number = frame.branch.map({"A": 11, "B": 7, "C": 3, "D": 20})
    full = pd.concat([number.rename("number"), frame] if first else [frame, number.rename("number")], axis=1)
    check(full, {"number": "table[branch], 4 entries"})


def test_a_band_from_a_number(frame: pd.DataFrame) -> None:
    band = pd.cut(frame.age, [0, 24, 39, 64, 200], labels=["young", "adult", "mature", "old"])
    schema = check(frame.assign(band=band), {"band": "table[age], 4 entries"})
    formula = schema["band"].formula
    assert formula is not None
    assert [key for key, _ in formula.table] == [18, 25, 40, 65]


def test_a_name_from_a_code(frame: pd.DataFrame) -> None:
    code = frame.branch.map({"A": 30, "B": 10, "C": 40, "D": 20})
    name = frame.branch.map({"A": "y", "B": "y", "C": "x", "D": "x"})
    check(frame[["age"]].assign(code=code, name=name), {"name": "table[code], 4 entries"})


def test_a_number_that_no_label_gives_from_a_number(frame: pd.DataFrame) -> None:
    store = frame.branch.map({"A": 30, "B": 10, "C": 40, "D": 20})
    size = frame.branch.map({"A": 510.5, "B": 800.25, "C": 120.0, "D": 640.5})
    check(frame[["age"]].assign(store=store, size=size), {"size": "table[store], 4 entries"})


def test_names_of_weekdays_from_dates(frame: pd.DataFrame) -> None:
    full = frame.assign(day=frame.date.dt.day_name(), weekend=frame.date.dt.day_of_week >= 5)
    check(full, {"day": "table[weekday of date], 7 entries", "weekend": "table[day], 7 entries"})


def test_a_period_from_dates(frame: pd.DataFrame) -> None:
    period = np.where(frame.date < pd.Timestamp("2023-10-01"), "before", "after")
    schema = check(frame.assign(period=period), {"period": "table[date], 2 entries"})
    formula = schema["period"].formula
    assert formula is not None
    assert formula.table[1] == ("2023-10-01T00:00:00", "after")


def test_a_date_from_a_label(frame: pd.DataFrame) -> None:
    opened = frame.branch.map({c: pd.Timestamp("2020-01-01") + i * 37 * DAY for i, c in enumerate("ABCD")})
    check(frame.assign(opened=opened.astype("datetime64[us]")), {"opened": "table[branch], 4 entries"})


def test_missing_is_a_value(frame: pd.DataFrame) -> None:
    branch = frame.branch.where(frame.branch != "D")
    city = branch.map({"A": "Oslo", "B": "Bonn"}).fillna("elsewhere").where(branch != "C")
    check(frame.assign(branch=branch, city=city), {"city": "table[branch], 4 entries"})
    assert "other" not in found(frame.assign(branch=branch, other=city.mask(frame.member & (branch == "A"))))


def test_one_wrong_row_is_enough(frame: pd.DataFrame) -> None:
    city = frame.branch.map({"A": "Oslo", "B": "Bonn", "C": "Rome", "D": "Paris"})
    city[17] = "Oslo" if city[17] != "Oslo" else "Rome"
    assert found(frame.assign(city=city)) == {}


def test_the_coarsest_of_several_labels(frame: pd.DataFrame) -> None:
    rng = np.random.default_rng(1)
    street = rng.integers(0, 40, ROWS)
    full = frame.assign(street=[f"{s} Street" for s in street], city=[f"City {s // 4}" for s in street])
    full["state"] = [f"State {s // 8}" for s in street]
    check(full, {"city": "table[street], 40 entries", "state": "table[city], 10 entries"})


def test_a_label_comes_before_a_number_that_names_the_same(frame: pd.DataFrame) -> None:
    number = frame.branch.map({"A": 30, "B": 10, "C": 40, "D": 20})
    full = frame.assign(number=number, city=frame.branch.map({"A": "p", "B": "q", "C": "p", "D": "q"}))
    check(full, {"number": "table[branch], 4 entries", "city": "table[branch], 4 entries"})


def test_a_lookup_from_what_is_computed(frame: pd.DataFrame) -> None:
    full = frame.assign(double=frame.age * 2)
    full["band"] = np.where(full.double >= 100, "old", "young")
    texts = found(full)
    assert texts["double"] == "2 x age"
    assert texts["band"] in ("table[age], 2 entries", "table[double], 2 entries")


def test_what_rarely_varies_proves_nothing(frame: pd.DataFrame) -> None:
    # Five rows are too few to differ from the commonest value, whatever they go with.
    flag = np.zeros(ROWS, dtype=bool)
    flag[:5] = True
    assert found(frame.assign(flag=flag)) == {}


def test_labels_that_hardly_repeat_prove_nothing() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        names = [f"name {i}" for i in rng.integers(0, 40, 60)]
        frame = pd.DataFrame({"name": names, "x": rng.random(60) < 0.05, "y": rng.choice(list("ab"), 60)})
        assert found(frame) == {}


def test_small_random_tables_have_no_dependencies() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame(rng.integers(0, 6, (40, 10)), columns=[f"c{i}" for i in range(10)])
        assert found(frame) == {}


def test_settled_columns_stay(frame: pd.DataFrame) -> None:
    full = frame.assign(city=frame.branch.map({"A": "Oslo", "B": "Oslo", "C": "Rome", "D": "Bonn"}))
    assert found(full, {"city": {"kind": "categorical"}}) == {}


def declared(column: str, **fields: Any) -> dict[str, Any]:
    return {column: {"kind": "derived", "formula": {"operation": "lookup", **fields}}}


def test_a_declared_lookup_learns_its_table_from_few_rows(frame: pd.DataFrame) -> None:
    few = frame.assign(city=frame.branch.map({"A": "Oslo", "B": "Oslo", "C": "Rome", "D": "Bonn"})).head(12)
    assert found(few) == {}
    given = declared("city", inputs=["branch"])
    assert found(few, given) == {"city": "table[branch], 4 entries"}
    schema = infer_schema(few, given)
    pd.testing.assert_frame_equal(finish(typed(few, schema).drop(columns="city"), schema, seed=0), few)


def test_a_declared_lookup_by_a_part_of_a_date(frame: pd.DataFrame) -> None:
    full = frame.assign(day=frame.date.dt.day_name()).head(60)
    given = declared("day", inputs=["date"], unit="weekday")
    assert found(full, given) == {"day": "table[weekday of date], 7 entries"}


def test_a_declared_table(frame: pd.DataFrame) -> None:
    full = frame.assign(city=frame.branch.map({"A": "Oslo", "B": "Oslo", "C": "Rome", "D": "Bonn"})).head(20)
    table = [["A", "Oslo"], ["B", "Oslo"], ["C", "Rome"], ["D", "Bonn"], ["E", "Kiev"]]
    schema = infer_schema(full, declared("city", inputs=["branch"], table=table))
    new = add_derived(pd.DataFrame({"branch": pd.Series(["E", "A"], dtype=object)}), schema)
    assert new["city"].tolist() == ["Kiev", "Oslo"]


def test_a_dependency_may_be_asked_for(frame: pd.DataFrame) -> None:
    full = frame.assign(city=frame.branch.map({"A": "Oslo", "B": "Oslo", "C": "Rome", "D": "Bonn"}))
    assert found(full, {"city": {"kind": "derived"}}) == {"city": "table[branch], 4 entries"}
    with pytest.raises(SchemaError, match="'member' shall be derived, but no formula"):
        infer_schema(full, {"member": {"kind": "derived"}})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (declared("member", inputs=["branch"]), "'member' shall follow from 'branch', but rows .* have the same"),
        (declared("member", inputs=["nobody"]), "no column 'nobody'"),
        (declared("member", inputs=["always"]), "the formula of 'member' uses 'always', which is constant"),
        (declared("member", inputs=["age"], unit="weekday"), "follow from the weekday of 'age', which is numeric"),
        (declared("member", inputs=["date"], unit="minute hand"), "unit"),
        (declared("member", inputs=["branch", "age"]), "a lookup has 1 to 1 inputs, not 2"),
        (declared("member", inputs=["member"]), "in a circle: member"),
    ],
)
def test_declared_lookups_that_do_not_fit(frame: pd.DataFrame, given: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        infer_schema(frame.assign(always=1), given)


def test_wide_tables_take_little_time() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"c{i}": rng.choice(list("abcdefgh"), 2000) for i in range(150)})
    frame["copy"] = frame.c7.str.upper()
    start = time.process_time()
    assert found(frame) == {"copy": "table[c7], 8 entries"}
    assert time.process_time() - start < 10

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.schema import Column, Formula, IdForm, Schema
from agentsynth.errors import ScenarioError
from agentsynth.scenarios.conditions import Subject, rows_where

FRAME = pd.DataFrame(
    {
        "id": [1, 2, 3, 4],
        "price": [10.0, 20.0, np.nan, -5.5],
        "category": pd.Series(["Books", "Home and Garden", None, "<=50K"], dtype=object),
        "at": np.array(["2025-11-28 23:30", "2025-12-01", "NaT", "2024-01-06 03:00"], dtype="datetime64[us]"),
        "due": np.array(["2025-11-29 23:30", "2025-12-02", "NaT", "2024-01-07 03:00"], dtype="datetime64[us]"),
        "time in bed": [8.0, 6.0, 7.0, np.nan],
        "a.b": [1.0, 2.0, 3.0, 4.0],
        " größe ": [1.0, 2.0, 3.0, 4.0],
        "active": pd.Series(["True", "False", "True", "True"], dtype=object),
    }
)
SCHEMA = Schema(
    columns=(
        Column(name="id", kind="id", dtype="int64", id_form=IdForm(style="sequence")),
        Column(name="price", kind="numeric", dtype="float64"),
        Column(name="category", kind="categorical", dtype="str"),
        Column(name="at", kind="datetime", dtype="datetime64[us]", step="minute"),
        Column(
            name="due",
            kind="derived",
            dtype="datetime64[us]",
            step="minute",
            formula=Formula(operation="shift", inputs=("at",), intercept=1.0, unit="day"),
        ),
        Column(name="time in bed", kind="numeric", dtype="float64"),
        Column(name="a.b", kind="numeric", dtype="float64"),
        Column(name=" größe ", kind="numeric", dtype="float64"),
        Column(name="active", kind="categorical", dtype="bool"),
    )
)


def rows(condition: str) -> list[int]:
    """Return the numbers of the rows that a condition lets through."""
    return np.flatnonzero(rows_where(condition, FRAME, SCHEMA)).tolist()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("price = 10", [0]),
        ("price == 10.0", [0]),
        ("price != 10", [1, 2, 3]),
        ("price < 10", [3]),
        ("price <= 10", [0, 3]),
        ("price > 10", [1]),
        ("price>=10", [0, 1]),
        ("price in 10..20", [0, 1]),
        ("price in -6..-5", [3]),
        ("price in 10-20", [0, 1]),
        ("price in [10, -5.5]", [0, 3]),
        ("price in [10, 15..25]", [0, 1]),
        ("price not in 10..20", [2, 3]),
        ("category = Books", [0]),
        ("category != Books", [1, 2, 3]),
        ("category in Books", [0]),
        ("category in [Books, <=50K]", [0, 3]),
        ("category not in [Books]", [1, 2, 3]),
        ("category = <=50K", [3]),
        ("active = True", [0, 2, 3]),
        ("price > 0 and category = Books", [0]),
        ("  price > 0   and price < 15 and active = True ", [0]),
    ],
)
def test_comparisons(condition: str, expected: list[int]) -> None:
    assert rows(condition) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("at.month = 11", [0]),
        ("at.month in [11, 12]", [0, 1]),
        ("at.weekday = 0", [1]),
        ("at.hour in 0..5", [1, 3]),
        ("at.hour in 22..3", [0, 1, 3]),
        ("at.month in 12..1", [1, 3]),
        ("due.weekday in 5..6", [0, 3]),
        ("at = 2025-12-01", [1]),
        ("at = 2025-11", [0]),
        ("at = 2025", [0, 1]),
        ("at > 2025", []),
        ("at != 2025", [2, 3]),
        ("at < 2025", [3]),
        ("at <= 2025-11-28", [0, 3]),
        ("at < 2025-11-28", [3]),
        ("at > 2025-11-28", [1]),
        ("at >= 2025-11-28", [0, 1]),
        ("at in 2025-11-24..2025-11-28", [0]),
        ("at in 2024..2025", [0, 1, 3]),
        ("at > 2025-11-28T23:29", [0, 1]),
        ("at >= '2025-11-28 23:30'", [0, 1]),
        ("at <= 2025-11-28T23", [0, 3]),
        ("due in 2025-11-29..2025-11-29", [0]),
    ],
)
def test_dates_cover_all_of_their_day_month_or_year(condition: str, expected: list[int]) -> None:
    assert rows(condition) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("category = 'Home and Garden'", [1]),
        ('category in ["Home and Garden", Books]', [0, 1]),
        ("`time in bed` > 6.5 and category = 'Books'", [0]),
        ("a.b in 2..3", [1, 2]),
        ("größe = 2", [1]),
        ("' größe ' = 2", [1]),
    ],
)
def test_odd_names_and_labels(condition: str, expected: list[int]) -> None:
    assert rows(condition) == expected


def test_an_apostrophe_within_a_label_is_no_quote() -> None:
    frame = pd.DataFrame({"who": pd.Series(["O'Brien", "D'Arcy"], dtype=object)})
    schema = Schema(columns=(Column(name="who", kind="categorical", dtype="str"),))
    assert rows_where("who in [O'Brien, D'Arcy]", frame, schema).tolist() == [True, True]
    assert rows_where("who = O'Brien", frame, schema).tolist() == [True, False]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("prise > 3", "a scenario names 'prise'; the table has id, price, category"),
        ("id > 3", "steers 'id', which is id: only values that vary and repeat can be"),
        ("price.hour = 3", "'price.hour': only datetime columns have aspects, and these are month, weekday, hour"),
        ("at.year = 2025", "'at.year': only datetime columns have aspects, and these are month, weekday, hour"),
        ("price", "cannot read the condition 'price'; write e.g. 'price > 20'"),
        ("category = Home and Garden", "column 'category' has no 'Home'; it has <=50K, Books, Home and Garden"),
        (
            "price = 10 and Garden",
            "cannot read the condition 'Garden'; .* quotes around names and values that hold 'and'",
        ),
        ("category > Books", "'category' holds labels, which can be compared with = and != only"),
        ("category = Toys", "column 'category' has no 'Toys'; it has <=50K, Books, Home and Garden"),
        ("category in [Books, Toys]", "has no 'Toys'"),
        ("category in [Books", r"the list '\[Books' lacks its closing bracket"),
        ("price > dear", "'price' holds numbers, and 'dear' is not one"),
        ("price in 20..10", r"the range '20\.\.10' of 'price' runs backwards"),
        ("at.weekday = Sunday", r"'at' holds numbers \(0, Monday, to 6\), and 'Sunday' is not one"),
        ("at > soon", "'soon' is not a date that 'at' could hold; write 2025-11-28 or 2025-11-28T17:30"),
        ("at > 2025-13-01", "'2025-13-01' is not a date"),
        ("at > 2025-02-30", "'2025-02-30' is not a date"),
        ("at > 2025-11-28T10:00Z", "'2025-11-28T10:00Z' is not a date"),
        ("at > 13/02/2025", "'13/02/2025' is not a date"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_hint(condition: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        rows(condition)


def test_labels_are_those_of_the_schema_where_it_has_them() -> None:
    column = Column(name="category", kind="categorical", dtype="category", levels=("Books", "Toys"))
    schema = Schema(columns=(column,))
    assert not rows_where("category = Toys", FRAME, schema).any()
    with pytest.raises(ScenarioError, match="has no 'Home and Garden'; it has Books, Toys"):
        rows_where("category = 'Home and Garden'", FRAME, schema)


def test_nothing_is_evaluated_as_code() -> None:
    with pytest.raises(ScenarioError):
        rows("__import__('os').system('true') = 1")


def test_labels_have_no_numbers() -> None:
    with pytest.raises(ScenarioError, match="column 'category' holds labels; it has no mean, quantiles or ranges"):
        Subject.of("category", SCHEMA).numbers(FRAME)


def test_numbers_of_a_date_are_days_since_1970() -> None:
    found = Subject.of("at", SCHEMA).numbers(FRAME)
    np.testing.assert_allclose(found[1], 20_423.0)
    assert np.isnan(found[2])

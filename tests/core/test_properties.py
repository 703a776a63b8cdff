"""What holds for any small table: generated tables have its form, and a saved model makes the same ones."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentsynth.data.schema import Column
from agentsynth.synth import AgentSynth

FAST = {
    "generator": {"trees": 2},
    "environment": {"rows": 10, "steps": 2, "pairs": 2},
    "agent": {"episodes": 1, "goals": 1},
}
NUMBER_DTYPES = ["float64", "float32", "int64", "int8", "Int64", "Float64"]
LABEL_DTYPES = ["str", "object", "category", "bool", "boolean"]
TIME_DTYPES = ["datetime64[us]", "datetime64[ns]", "datetime64[us, UTC]", "datetime64[us, Europe/Berlin]"]


@st.composite
def columns(draw: st.DrawFn, rows: int) -> pd.Series[Any]:
    """A column of any of our kinds; values repeat, or not, and some are missing where the dtype allows it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    distinct = draw(st.integers(1, 2 * rows))
    place = rng.integers(0, distinct, rows)
    dtype = draw(st.sampled_from([*NUMBER_DTYPES, *LABEL_DTYPES, *TIME_DTYPES]))
    gaps = draw(st.booleans()) and dtype not in ("int64", "int8", "bool")
    if dtype in NUMBER_DTYPES:
        whole = "int" in dtype.lower()
        decimals = 0 if whole else draw(st.integers(0, 6))
        scale = 30.0 if dtype in ("int8", "float32") else draw(st.sampled_from([1e-2, 1.0, 1e5]))
        values: Any = np.round(rng.normal(0, scale, distinct), decimals)[place]
        values = np.round(values).astype(np.int64) if whole else values
    elif dtype in LABEL_DTYPES:
        words = draw(st.sampled_from([["a", "b", "c"], ["North", "Süd", "x, y"], [""], ["1", "2", "10"]]))
        values = place % 2 == 0 if dtype.startswith("bool") else np.array(words, dtype=object)[place % len(words)]
    else:
        step = draw(st.sampled_from([1, 60, 86_400, 86_400 * 40]))
        values = np.datetime64("2023-01-01", "us") + (place * step * 7).astype("timedelta64[s]")
    series = pd.Series(values).mask(pd.Series(rng.random(rows) < 0.2)) if gaps else pd.Series(values)
    if dtype in TIME_DTYPES and "," in dtype:
        return series.dt.tz_localize("UTC").astype(dtype)  # type: ignore[call-overload, no-any-return]
    return series.astype(dtype)  # type: ignore[call-overload, no-any-return]


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(5, 40))
    names = draw(
        st.lists(st.sampled_from(["x", "y.z", "Größe", "at", "a b", "n"]), min_size=1, max_size=4, unique=True)
    )
    table = pd.DataFrame({name: draw(columns(rows)) for name in names})
    table["anchor"] = np.random.default_rng(0).normal(size=rows)
    return table


def check_column(made: pd.Series[Any], real: pd.Series[Any], column: Column) -> None:
    """Check that a generated column has the form of the real one."""
    assert made.dtype == real.dtype
    assert real.isna().any() or made.notna().all()
    seen, known = made.dropna(), real.dropna()
    if column.kind == "constant":
        assert set(seen) <= set(known)
    if column.kind == "categorical":
        assert set(seen) <= set(known)
    if column.kind == "numeric" and len(seen):
        assert seen.min() >= known.min()
        assert seen.max() <= known.max()
    if column.kind == "numeric" and column.decimals is not None:
        numbers = seen.to_numpy(dtype=np.float64)
        tolerance = 1e-5 if "32" in str(real.dtype) else 1e-9
        np.testing.assert_allclose(numbers, np.round(numbers, column.decimals), rtol=tolerance, atol=1e-12)
    if column.kind == "datetime":
        check_datetimes(wall_clock(seen), wall_clock(known), column)


def wall_clock(series: pd.Series[Any]) -> pd.Series[Any]:
    return series if series.dt.tz is None else series.dt.tz_localize(None)


def check_datetimes(made: pd.Series[Any], real: pd.Series[Any], column: Column) -> None:
    """Check days, which lie in the range of the real ones, and steps; the time of day is drawn for itself."""
    units = {"day": "D", "hour": "h", "minute": "min", "second": "s"}
    if column.step in units:
        assert (made == made.dt.floor(units[column.step])).all()
    if len(made):
        assert made.min() >= real.min().normalize()
        assert made.max() < real.max().normalize() + pd.Timedelta(days=1)


@given(tables(), st.integers(1, 60), st.integers(0, 5))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_any_small_table_is_generated_in_its_own_form(table: pd.DataFrame, rows: int, seed: int) -> None:
    synth = AgentSynth(FAST, seed=seed).fit(table)
    made = synth.generate(rows, seed=seed)
    assert len(made) == rows
    assert list(made.columns) == list(table.columns)
    for column in synth.schema_:
        check_column(made[column.name], table[column.name], column)
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "first.zip"), Path(folder, "second.zip")
        synth.save(first)
        loaded = AgentSynth.load(first)
        loaded.save(second)
        assert first.read_bytes() == second.read_bytes()
    pd.testing.assert_frame_equal(loaded.generate(rows, seed=seed), made)

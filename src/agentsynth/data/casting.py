"""Casting a column to a dtype that is known by its name only."""

from __future__ import annotations

from typing import Any

import pandas as pd


def cast_to(series: pd.Series[Any], dtype: str) -> pd.Series[Any]:
    """Return a column (n,) in a pandas dtype given as `str(series.dtype)` writes it."""
    # pandas' stubs know every dtype's name as a literal, and no dtype by a name that is not one.
    name: Any = dtype
    cast: pd.Series[Any] = series.astype(name)
    return cast

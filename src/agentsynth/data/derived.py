"""Derived columns: finding formulas that hold on every row."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from agentsynth.data.schema import Formula, Schema


def find_formulas(frame: pd.DataFrame, schema: Schema, settled: Collection[str] = ()) -> dict[str, Formula]:
    return {}

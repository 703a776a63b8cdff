"""Text that a spreadsheet would run as a formula when it opens a CSV file, and the mark that keeps it from that.

References:
    OWASP, CSV Injection, https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
from pandas.api import types

FORMULA = re.compile(r"[=+\-@\t\r]")
"""What a formula begins with."""
NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
"""Text that is a number runs nothing, and stays."""
MARK = "'"


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table (n, p) in which text, also column names, that a spreadsheet would run begins with an apostrophe.

    Numbers and datetimes stay as they are. Spreadsheets do not show the apostrophe; other programs do.

    >>> without_formulas(pd.DataFrame({"=a": ["=1+1", "-3", "b"]})).to_dict("list")
    {"'=a": ["'=1+1", '-3', 'b']}
    """
    marked = {name: _marked_column(frame[name]) for name in frame.columns if _holds_text(frame[name])}
    return frame.assign(**marked).rename(columns=_marked)


def _holds_text(series: pd.Series[Any]) -> bool:
    return not (types.is_numeric_dtype(series.dtype) or types.is_datetime64_any_dtype(series.dtype))


def _marked_column(series: pd.Series[Any]) -> pd.Series[Any]:
    if isinstance(series.dtype, pd.CategoricalDtype):
        return series.cat.rename_categories(_marked)
    return series.map(_marked, na_action="ignore")


def _marked(value: Any) -> Any:
    formula = isinstance(value, str) and FORMULA.match(value) and not NUMBER.fullmatch(value)
    return f"{MARK}{value}" if formula else value

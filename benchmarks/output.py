"""What the benchmarks share: intervals over seeds, markdown tables, results written whole, a line about the machine."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from agentsynth.errors import InputError
from agentsynth.files import write_json, write_text

Floats: TypeAlias = NDArray[np.float64]
ENDINGS = (".json", ".csv")
PACKAGES = ("numpy", "pandas", "scikit-learn", "gymnasium")


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the option that all benchmarks have."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    made.add_argument("--out", type=_result_file, help="file to write every single figure to, .csv or .json")
    return made


def add_read(options: argparse.ArgumentParser) -> None:
    """Add the option of benchmarks that print again what `--out` wrote; see `saved`."""
    options.add_argument("--read", nargs="+", type=Path, help="print results that --out wrote (.csv), and run nothing")


def saved(paths: Iterable[Path]) -> pd.DataFrame:
    """Return the figures of some files that `--out` wrote as .csv."""
    return pd.concat(map(pd.read_csv, paths), ignore_index=True)


def _result_file(text: str) -> Path:
    """Check the ending at the beginning: a benchmark that cannot write its result must not run for minutes first."""
    path = Path(text)
    if path.suffix.lower() not in ENDINGS:
        raise argparse.ArgumentTypeError(f"expected a file that ends with {' or '.join(ENDINGS)}; found {text!r}")
    return path


def positive(text: str) -> int:
    """Read a count of at least 1 from the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1; found {text!r}")
    return int(text)


def interval(values: Iterable[float]) -> tuple[float, float]:
    """Return the mean of (n,) values and the half width of its 95 % t interval; NaN of fewer than two values.

    >>> interval([1.0, 2.0, 3.0])[0]
    2.0
    >>> round(interval([1.0, 2.0, 3.0])[1], 3)
    2.484
    """
    sample = np.array(list(values), dtype=np.float64)
    if len(sample) < 2:
        return float(sample.mean()), float("nan")
    return float(sample.mean()), float(student.ppf(0.975, len(sample) - 1) * sample.std(ddof=1) / np.sqrt(len(sample)))


def with_interval(values: Iterable[float], digits: int = 3, *, signed: bool = False) -> str:
    """Return the mean of the values and its 95 % interval as text.

    >>> with_interval([1.0, 2.0, 3.0])
    '2.000 ± 2.484'
    >>> with_interval([1.0], 1, signed=True)
    '+1.0'
    """
    mean, half = interval(values)
    text = f"{mean:{'+' if signed else ''}.{digits}f}"
    return text if np.isnan(half) else f"{text} ± {half:.{digits}f}"


def markdown(frame: pd.DataFrame, digits: int = 3) -> str:
    """Return a frame as a markdown table, its index as the first column.

    >>> print(markdown(pd.DataFrame({"a": [0.5]}, index=pd.Index(["x"], name="table")), 1))
    | table | a |
    |---|---|
    | x | 0.5 |
    """
    head = [str(frame.index.name or ""), *map(str, frame.columns)]
    lines = [head, ["---"] * len(head)]
    lines += [[str(label), *(_text(value, digits) for value in row)] for label, row in _rows(frame)]
    return "\n".join(_line(cells) for cells in lines)


def _rows(frame: pd.DataFrame) -> Iterable[tuple[object, tuple[object, ...]]]:
    return zip(frame.index, frame.itertuples(index=False, name=None), strict=True)


def _line(cells: list[str]) -> str:
    if set(cells) == {"---"}:
        return "|" + "|".join(cells) + "|"
    return "| " + " | ".join(cells) + " |"


def _text(value: object, digits: int) -> str:
    if isinstance(value, float):
        return "-" if np.isnan(value) else f"{value:.{digits}f}"
    return str(value)


def section(title: str, frame: pd.DataFrame, digits: int = 3) -> None:
    """Print a frame as a markdown table under a title."""
    print(f"\n### {title}\n\n{markdown(frame, digits)}", flush=True)


def save(frame: pd.DataFrame, path: Path | None) -> None:
    """Write the single figures as CSV or JSON (a list of records, null for NaN), whole or not at all.

    Raises:
        InputError: the file cannot be written, or ends otherwise.
    """
    if path is None:
        return
    if path.suffix.lower() == ".csv":
        write_text(path, frame.to_csv(index=False))
    elif path.suffix.lower() == ".json":
        write_json(path, frame.astype(object).where(frame.notna(), None).to_dict("records"))
    else:
        raise InputError(f"cannot write {path}: results end with {' or '.join(ENDINGS)}.")


def machine() -> str:
    """Return a line about what the figures were measured on.

    >>> "cores" in machine()
    True
    """
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {packages}"

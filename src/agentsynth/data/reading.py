"""Reading and writing tables: CSV and Parquet, by the file's ending."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast

import numpy as np
import pandas as pd
from pandas.api import types

from agentsynth.data.numbertext import unusual_text, write_numbers
from agentsynth.data.schema import MOST_COLUMNS, WRITTEN, Schema
from agentsynth.errors import InputError
from agentsynth.files import whole_file

CSV_ENDINGS = (".csv", ".csv.gz")
PARQUET_ENDINGS = (".parquet", ".pq")
WHOLE = r"-?(?:0|[1-9]\d{0,17})"
LEADING_ZERO = r"[+-]?0\d+"
"""Text that is no number, though it reads as one: "007"."""
DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table from a CSV file (`.csv`, `.csv.gz`; commas, UTF-8, a header line) or a Parquet file (`.parquet`).

    In CSV files, columns of numbers with leading zeros ("007") stay text; the fields that pandas takes for missing by
    default (empty, NA, N/A, NaN, NULL, None, n/a, ...) are missing; datetimes are text until the schema reads them.
    How a column's numbers are written ("4.70") stands in the table's `attrs[WRITTEN]`, where floats are written
    otherwise; the schema takes it from there, and `write_table` from the schema.

    Returns:
        (n, p) table, n >= 1, with unique, non-empty column names and index 0 to n-1.

    Raises:
        InputError: there is no such file, or it cannot be read as a table; the message says where and why.
    """
    path = Path(path)
    _check_file(path)
    frame = _read_csv(path) if path.name.lower().endswith(CSV_ENDINGS) else _read_parquet(path)
    if frame.empty:
        raise InputError(f"{path} has {frame.shape[1]} columns and no rows: a table needs at least one row.")
    return frame


def write_table(frame: pd.DataFrame, path: str | Path, schema: Schema | None = None) -> None:
    """Write a table as CSV or Parquet by the file's ending, whole or not at all; the index is not written.

    Args:
        frame: (n, p) table.
        path: ends in `.csv`, `.csv.gz` or `.parquet`.
        schema: what the columns are; in a CSV file, their numbers are then written as the schema's table had them.

    Raises:
        InputError: the ending is neither, or the file cannot be written.
    """
    path = Path(path)
    check_ending(path)
    if schema is not None and path.name.lower().endswith(CSV_ENDINGS):
        frame = _as_written(frame, schema)
    with whole_file(path) as temporary:
        _write(frame, path, temporary)


def _as_written(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return a table whose floats are text where the schema says how they are written."""
    forms = {column.name: column.text for column in schema if column.text is not None}
    texts = {
        name: pd.Series(write_numbers(frame[name].to_numpy(np.float64, na_value=np.nan), form), index=frame.index)
        for name, form in forms.items()
        if types.is_float_dtype(frame[name].dtype)
    }
    return frame.assign(**texts)


def _write(frame: pd.DataFrame, path: Path, temporary: Path) -> None:
    try:
        if path.name.lower().endswith(PARQUET_ENDINGS):
            frame.to_parquet(temporary, index=False)
        elif path.suffix.lower() == ".gz":
            # Neither time nor name in the gzip header: the same table gives the same bytes.
            text = frame.to_csv(index=False, lineterminator="\n")
            temporary.write_bytes(gzip.compress(text.encode(), mtime=0))
        else:
            frame.to_csv(temporary, index=False, lineterminator="\n")
    except (OSError, ValueError, TypeError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise InputError(f"{path} cannot be written: {error}.") from error


def check_ending(path: Path) -> None:
    """Raise InputError where `path` does not end as tables do."""
    if not path.name.lower().endswith(CSV_ENDINGS + PARQUET_ENDINGS):
        raise InputError(
            f"{path} ends in {path.suffix or 'nothing'!r}; tables are {', '.join((*CSV_ENDINGS, PARQUET_ENDINGS[0]))}."
        )


def _check_file(path: Path) -> None:
    try:
        size = path.stat().st_size
        if path.is_file():  # to open a pipe would be to wait for who writes into it
            path.open("rb").close()
    except FileNotFoundError:
        raise InputError(f"there is no file {path}. Check the name; it is looked for from {Path.cwd()}.") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}. Name a file that you may read.") from error
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a CSV or Parquet file in it.")
    check_ending(path)
    if size == 0:
        raise InputError(f"{path} is empty: a table needs a header line and at least one row.")


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise InputError(f"{path} cannot be read as Parquet: {error}.") from error
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    _check_names(path, [str(name) for name in frame.columns])
    return frame.rename(columns=str).reset_index(drop=True)


def _read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV file, once to check its shape and find numbers that are text, once for the table."""
    header = _check_shape(path)
    try:
        text = pd.read_csv(path, dtype="string", encoding="utf-8-sig", header=0, names=header, skip_blank_lines=True)
        frame = pd.read_csv(
            path,
            dtype=dict.fromkeys(_zero_padded(text), str) | dict.fromkeys(_whole_with_gaps(text), "Int64"),
            encoding="utf-8-sig",
            header=0,
            names=header,
            low_memory=False,
        )
    except (ValueError, OSError) as error:  # pandas' ParserError is a ValueError
        opened = " A quote is opened and not closed." if "EOF inside string" in str(error) else ""
        raise InputError(f"{path} cannot be read as CSV: {error}.{opened}") from error
    floats = [name for name in frame.columns if types.is_float_dtype(frame[name].dtype)]
    written = {name: form for name in floats if (form := unusual_text(text[name].dropna())) is not None}
    frame.attrs[WRITTEN] = {name: form.model_dump() for name, form in written.items()}
    return frame


def _zero_padded(text: pd.DataFrame) -> list[str]:
    """Return the columns that hold whole numbers, some of them with leading zeros."""
    return [name for name in text.columns if text[name].str.fullmatch(LEADING_ZERO).any()]


def _whole_with_gaps(text: pd.DataFrame) -> list[str]:
    """Return the columns of whole numbers, some missing: as Int64 they are written as read, 74 and not 74.0."""
    return [
        name
        for name in text.columns
        if text[name].isna().any() and text[name].notna().any() and text[name].dropna().str.fullmatch(WHOLE).all()
    ]


def _opened(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")


def _check_shape(path: Path) -> list[str]:
    """Return the header of a CSV file all of whose rows have as many fields as it."""
    try:
        with _opened(path) as file:
            reader = csv.reader(_text_lines(path, file))
            header = next((row for row in reader if row), [])
            _check_header(path, header)
            for row in reader:
                if row and len(row) != len(header):
                    raise InputError(
                        f"{path}, line {reader.line_num}: {len(row)} fields, but the header has {len(header)}. "
                        f"Fields that contain commas need quotes."
                    )
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 (byte {error.start} is {error.object[error.start]:#04x}): save it as UTF-8."
        ) from error
    except csv.Error as error:
        # Most of all a field of more than 131,072 letters: a quote that is not closed, or a document in a cell.
        raise InputError(
            f"{path}, line {reader.line_num}: {error}. Close its quotes, shorten it, or leave its column out."
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read as CSV: {error}.") from error
    return header


def _text_lines(path: Path, file: TextIO) -> Iterator[str]:
    """Yield the lines of a file; one with a zero byte, which pandas would cut a field at, is an error."""
    for number, line in enumerate(file, start=1):
        if "\0" in line:
            raise InputError(f"{path}, line {number} holds zero bytes: it is no text, or in UTF-16; save it as UTF-8.")
        yield line


def _check_header(path: Path, header: list[str]) -> None:
    if not header:
        raise InputError(f"{path} has no header: the first line names the columns.")
    if len(header) == 1:
        for mark, name in DELIMITERS.items():
            if mark in header[0]:
                raise InputError(f"{path} seems to be separated by {name}: separate the fields by commas.")
    _check_names(path, header)


def _check_names(path: Path, names: list[str]) -> None:
    if len(names) > MOST_COLUMNS:
        raise InputError(
            f"{path} has {len(names):,} columns, and at most {MOST_COLUMNS:,} can be used: keep those that matter, and "
            f"leave out the others."
        )
    blank = [place for place, name in enumerate(names, start=1) if not name.strip()]
    if blank:
        hint = " (row numbers, written with the table? Write it without its index.)" if blank[0] == 1 else ""
        raise InputError(f"{path}: column {blank[0]} has no name. Give every column one.{hint}")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"{path}: column name {twice[0]!r} occurs more than once. Rename one of them.")

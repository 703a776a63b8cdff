from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.entities import constant_within
from agentsynth.data.idforms import fallback_form, id_form
from agentsynth.data.ids import Share, make_ids
from agentsynth.data.schema import Column, IdForm
from agentsynth.errors import SchemaError

RNG = np.random.default_rng


def form_of(values: Any) -> IdForm:
    form = id_form(pd.Series(values, name="key"))
    assert form is not None
    return form


def made(form: IdForm, rows: int = 100, dtype: str = "str", **fields: Any) -> pd.Series[Any]:
    column = Column(name="key", kind="id", dtype=dtype, id_form=form, **fields)
    return make_ids(pd.DataFrame(index=range(rows)), [column], RNG(0))["key"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["U00001", "U00002", "U00009"], {"style": "sequence", "prefix": "U", "width": 5, "first": 1, "last": 9}),
        ([1, 2, 3], {"style": "sequence", "prefix": "", "width": 1, "first": 1}),
        (["A-9", "A-10", "A-11"], {"style": "sequence", "prefix": "A-", "width": 1}),
        (["INV2025-007/x", "INV2025-008/x"], {"prefix": "INV2025-", "suffix": "/x", "width": 3}),
        ([10482, 99120, 55231], {"style": "random_number", "first": 10482, "last": 99120}),
        (["deadbeef", "0badcafe"], {"style": "hex", "width": 8}),
        (["AB1-77", "KX9-01"], {"style": "pattern"}),
    ],
)
def test_form(values: list[object], expected: dict[str, object]) -> None:
    form = form_of(values)
    assert {name: getattr(form, name) for name in expected} == expected


@pytest.mark.parametrize("values", [["north", "south"], ["a1", "b22"], ["", "1"], ["01", "1"], ["AL", "AK"]])
def test_no_form(values: list[str]) -> None:
    assert id_form(pd.Series(values)) is None


def test_sequence_counts_on_from_its_first_number() -> None:
    assert made(form_of([f"U{i:04d}" for i in range(7, 90)]), rows=3).tolist() == ["U0007", "U0008", "U0009"]


def test_sequence_grows_beyond_its_width() -> None:
    assert made(form_of([1, 2, 3, 9]), rows=12, dtype="int64").tolist() == list(range(1, 13))


def test_random_numbers_are_different_and_in_range() -> None:
    ids = made(form_of(RNG(1).choice(10**6, 500, replace=False) + 10**6), rows=500, dtype="int64")
    assert ids.is_unique
    assert ids.between(10**6, 2 * 10**6).all()


@pytest.mark.parametrize(
    ("values", "pattern"),
    [
        (["6fa459ea-ee8a-4ca4-894e-db77e160355e", "16fd2706-8baf-433b-82eb-8c7fada847da"], r"[0-9a-f-]{36}"),
        (["DEADBEEF", "0BADCAFE"], r"[0-9A-F]{8}"),
        (["AB1-77", "KX9-01"], r"[A-Z]{2}\d-\d{2}"),
    ],
)
def test_random_codes_have_the_form_and_are_different(values: list[str], pattern: str) -> None:
    ids = made(form_of(values))
    assert ids.is_unique
    assert ids.str.fullmatch(pattern).all()
    assert not set(ids) & set(values)


def test_a_form_with_too_few_ids_is_an_error() -> None:
    form = form_of(["K1", "K2", "Z9"]).model_copy(update={"style": "pattern", "alphabets": ("KZ", "0123456789")})
    with pytest.raises(SchemaError, match="different ids"):
        made(form, rows=21)


def test_fallback_is_the_column_name_and_a_number() -> None:
    assert made(fallback_form(pd.Series(["Ann Lee", "Bo Day"], name="client")), rows=2).tolist() == [
        "client_1",
        "client_2",
    ]


def test_rows_per_id_are_kept() -> None:
    values = np.repeat([f"U{i:03d}" for i in range(300)], 3)
    form = form_of(values)
    assert form.rows_per_id == ((3, 1.0),)
    counts = made(form, rows=900).value_counts()
    assert set(counts) == {3}


def test_rows_per_id_of_two_sizes() -> None:
    form = IdForm(style="sequence", width=1, rows_per_id=((1, 0.5), (5, 0.5)))
    counts = made(form, rows=3000).value_counts()
    assert abs((counts == 5).mean() - 0.5) < 0.05
    assert counts.sum() == 3000


def test_missing_share_is_kept() -> None:
    ids = made(form_of(["A1", "A2", "A3"]), rows=2000, missing=0.25)
    assert abs(ids.isna().mean() - 0.25) < 0.04
    assert ids.dropna().is_unique


def test_integers_with_missing_ids_come_back_as_extension_integers() -> None:
    ids = made(form_of([1, 2, 3]), rows=50, dtype="Int64", missing=0.3)
    assert ids.dtype == "Int64"
    assert ids.isna().any()


def test_rows_of_an_id_agree_where_they_must() -> None:
    rng = RNG(2)
    frame = pd.DataFrame({"kind": rng.choice(["a", "b"], 400), "area": rng.choice(np.array(["x", "y", None]), 400)})
    form = IdForm(style="sequence", width=1, rows_per_id=((4, 1.0),), constant_within=("kind", "area"))
    frame["key"] = make_ids(frame, [Column(name="key", kind="id", dtype="str", id_form=form)], rng)["key"]
    assert frame.groupby("key")["kind"].nunique().max() == 1
    assert frame.groupby("key")["area"].nunique(dropna=False).max() == 1
    assert frame["key"].value_counts().median() == 4


def test_ids_within_ids() -> None:
    user = IdForm(style="sequence", prefix="u", width=1, rows_per_id=((6, 1.0),))
    order = IdForm(style="sequence", prefix="o", width=1, rows_per_id=((2, 1.0),), constant_within=("user",))
    columns = [
        Column(name="order", kind="id", dtype="str", id_form=order),
        Column(name="user", kind="id", dtype="str", id_form=user),
    ]
    frame = pd.DataFrame(make_ids(pd.DataFrame(index=range(60)), columns, RNG(0)))
    assert frame.groupby("order")["user"].nunique().max() == 1
    assert set(frame["order"].value_counts()) == {2}


def test_ordered_ids_stand_in_blocks() -> None:
    form = IdForm(style="sequence", width=1, first=1, rows_per_id=((2, 1.0),))
    assert made(form, rows=6, dtype="int64", ordered=True).tolist() == [1, 1, 2, 2, 3, 3]


def test_same_generator_same_ids() -> None:
    form = IdForm(style="hex", width=8, alphabets=("0123456789abcdef",))
    assert made(form).tolist() == made(form).tolist()


def test_what_is_constant_within_an_id() -> None:
    rng = RNG(0)
    users = rng.integers(0, 60, 600)
    kinds = rng.choice(["a", "b", "c"], 60)
    frame = pd.DataFrame(
        {
            "user": [f"U{user:03d}" for user in users],
            "kind": kinds[users],
            "basket": rng.choice(["x", "y"], 600),
            "rare": ["no"] * 600,
        }
    )
    kinds_of = {"user": "id", "kind": "categorical", "basket": "categorical", "rare": "categorical"}
    columns = [Column.model_validate({"name": name, "kind": kind, "dtype": "str"}) for name, kind in kinds_of.items()]
    assert constant_within(frame, columns[0], columns) == ("kind",)


def test_ids_with_gaps_read_as_floats() -> None:
    values: pd.Series[Any] = pd.Series([101.0, np.nan, 102.0, 103.0], name="key")
    form = form_of(values)
    assert (form.prefix, form.width, form.first) == ("", 3, 101)
    assert made(form, rows=3, dtype="float64").tolist() == [101.0, 102.0, 103.0]
    assert fallback_form(pd.Series([-1, 5], name="key")).prefix == ""


@pytest.mark.parametrize(
    "form",
    [
        form_of([f"U{i:04d}" for i in range(7, 90)]),
        form_of(RNG(1).choice(900, 300, replace=False) + 100),
        form_of(["deadbeef", "0badcafe"]),
        form_of(["AB1-77", "KX9-01"]),
        IdForm(style="pattern", alphabets=("0123456789",) * 3),
        IdForm(style="uuid"),
        IdForm(style="random_number", first=5, last=9, rows_per_id=((2, 0.5), (3, 0.5))),
    ],
    ids=lambda form: form.style,
)
def test_parts_of_a_table_have_no_id_in_common(form: IdForm) -> None:
    column = Column(name="key", kind="id", dtype="str", id_form=form)
    found = [
        make_ids(pd.DataFrame(index=range(60)), [column], RNG(number), Share(number, 7, 60 * number))["key"]
        for number in range(7)
    ]
    assert sum(ids.nunique() for ids in found) == pd.concat(found).nunique()
    if form.rows_per_id == ((1, 1.0),):
        assert pd.concat(found).nunique() == 7 * 60
    if form.style == "pattern":
        assert pd.concat(found).str.fullmatch("".join(f"[{letters}]" for letters in form.alphabets)).all()


def test_running_numbers_are_dealt_out_where_parts_do_not_know_of_those_before() -> None:
    column = Column(name="key", kind="id", dtype="str", id_form=form_of([f"U{i:04d}" for i in range(7, 90)]))
    found = [
        make_ids(pd.DataFrame(index=range(rows)), [column], RNG(0), Share(number, 3, None))["key"].tolist()
        for number, rows in enumerate((2, 3, 2))
    ]
    assert found == [["U0007", "U0010"], ["U0008", "U0011", "U0014"], ["U0009", "U0012"]]


def test_codes_that_are_too_few_for_all_parts_are_refused() -> None:
    form = IdForm(style="pattern", alphabets=("01", "01", "01"))
    column = Column(name="key", kind="id", dtype="str", id_form=form)
    with pytest.raises(
        SchemaError, match="only 2 different ids of the form can be made for each of 4 parts of the table, not 3"
    ):
        make_ids(pd.DataFrame(index=range(3)), [column], RNG(0), Share(1, 4, 3))
    with pytest.raises(SchemaError, match=r"only 8 different ids .*, and 9 parts of the table need some each"):
        make_ids(pd.DataFrame(index=range(1)), [column], RNG(0), Share(8, 9, 8))


def test_ids_that_are_no_numbers_do_not_go_into_a_column_of_numbers() -> None:
    form = IdForm(style="random_number", prefix="AB-", width=4, first=53, last=9971)
    column = Column(name="code", kind="id", dtype="int8", id_form=form)
    with pytest.raises(SchemaError, match="'code' has dtype int8, and ids of its form are no whole numbers"):
        make_ids(pd.DataFrame(index=range(3)), [column], np.random.default_rng(0))

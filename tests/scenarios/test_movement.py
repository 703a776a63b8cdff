from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentsynth.data.schema import Column, Schema
from agentsynth.env.margins import Margin, fit_margins
from agentsynth.scenarios.grammar import Scenario
from agentsynth.scenarios.movement import Rows, cell_names, movements, steered_margins
from agentsynth.scenarios.report import Moved

SEX, PAY = Margin("sex", "label", labels=("f", "m")), Margin("pay", "label", labels=("a", "b"))
AGE = Margin("age", "value", edges=(1.0, 2.0))
SCHEMA = Schema(
    columns=(
        Column(name="sex", kind="categorical", dtype="str", levels=("f", "m")),
        Column(name="pay", kind="categorical", dtype="str", levels=("a", "b")),
        Column(name="age", kind="numeric", dtype="float64"),
        Column(name="at", kind="datetime", dtype="datetime64[us]", step="hour"),
        Column(name="how and why", kind="categorical", dtype="str", levels=("x", "y")),
    )
)


def table(*rows: tuple[str, str, float]) -> pd.DataFrame:
    sex, pay, age = zip(*rows, strict=True)
    return pd.DataFrame({"sex": pd.Series(sex, dtype=object), "pay": pd.Series(pay, dtype=object), "age": age})


BEFORE = table(("f", "a", 0.0), ("f", "b", 1.0), ("m", "a", 2.0), ("m", "b", 2.0))
AFTER = table(("f", "a", 0.0), ("f", "a", 0.0), ("f", "b", 0.0), ("m", "b", 2.0))


def moved(before: Rows, after: Rows, margins: list[Margin], steered: list[Margin]) -> dict[str, Moved]:
    columns, conditionals = movements(before, after, margins, steered, np.random.default_rng(0))
    return {found.label: found for found in [*columns, *conditionals]}


def test_distances_are_those_computed_by_hand() -> None:
    found = moved(Rows.of(BEFORE), Rows.of(AFTER), [SEX, PAY, AGE], [SEX])
    assert list(found) == ["pay", "age", "pay given sex", "age given sex"]
    assert found["pay"].distance == 0  # Half a, half b in both.
    # Of women two thirds have a instead of half, of the one man none: 3/4 x 1/6 + 1/4 x 1/2.
    assert found["pay given sex"].distance == pytest.approx(0.25)
    # Cumulative shares 1/4, 1/2, 1, 1 against 3/4, 3/4, 1, 1: squares 1/4 and 1/16 over four cells.
    assert found["age"].distance == pytest.approx(np.sqrt((1 / 4 + 1 / 16) / 4))
    assert (found["age"].before.mean, found["age"].after.mean) == (1.25, 0.5)
    assert found["age"].after.std == pytest.approx(np.sqrt(0.75))
    assert found["age"].cells == ("< 1", "1 to < 2", ">= 2", "missing")


def test_given_a_column_the_rows_are_shared_out_to_its_cells_as_in_the_steered_table() -> None:
    found = moved(Rows.of(BEFORE), Rows.of(AFTER), [SEX, PAY, AGE], [SEX])["age given sex"]
    # Three quarters women, who were 0 or 1, one quarter men, who were 2.
    assert found.before.shares == pytest.approx((3 / 8, 3 / 8, 1 / 4, 0))
    assert found.before.mean == pytest.approx(0.75 * 0.5 + 0.25 * 2)
    assert found.after.shares == pytest.approx((3 / 4, 0, 1 / 4, 0))


def test_the_pool_counts_by_its_weights() -> None:
    found = moved(Rows(BEFORE, np.array([0.7, 0.1, 0.1, 0.1])), Rows.of(AFTER), [PAY], [])
    assert found["pay"].before.shares == pytest.approx((0.8, 0.2, 0))
    assert found["pay"].distance == pytest.approx(0.3)


def test_where_an_unguided_table_has_no_row_nothing_is_compared() -> None:
    after = table(("f", "a", 0.0), ("f", "b", 0.0), (None, "b", 0.0), (None, "b", 0.0))  # type: ignore[arg-type]
    found = moved(Rows.of(BEFORE), Rows.of(after), [SEX, PAY], [SEX])["pay given sex"]
    assert (found.distance, found.after.shares) == (0, (0.5, 0.5, 0))


def test_a_changed_mix_moves_the_column_and_not_what_is_given_it() -> None:
    """Women earn b more often; twice as many women move pay, and leave pay given sex as it is."""
    rng = np.random.default_rng(1)

    def drawn(rows: int, women: float) -> pd.DataFrame:
        sex = rng.random(rows) < women
        pay = rng.random(rows) < np.where(sex, 0.8, 0.2)
        return pd.DataFrame(
            {"sex": np.where(sex, "f", "m").astype(object), "pay": np.where(pay, "b", "a").astype(object), "age": 0.0}
        )

    found = moved(Rows.of(drawn(20_000, 0.3)), Rows.of(drawn(1000, 0.6)), [SEX, PAY], [SEX])
    assert found["pay"].excess > 0.1
    assert found["pay given sex"].excess < 0


def test_noise_is_what_unguided_tables_stay_below_by_chance() -> None:
    rng = np.random.default_rng(2)
    pool = pd.DataFrame(
        {
            "sex": rng.choice(["f", "m"], 5000).astype(object),
            "pay": rng.choice(["a", "b"], 5000).astype(object),
            "age": rng.choice([0.0, 1.0, 2.0], 5000),
        }
    )
    below: dict[str, list[bool]] = {}
    for _ in range(100):
        unguided = pool.iloc[rng.integers(5000, size=300)]
        for name, found in moved(Rows.of(pool), Rows.of(unguided), [SEX, PAY, AGE], [SEX]).items():
            below.setdefault(name, []).append(found.distance <= found.noise)
    assert all(0.85 <= np.mean(values) <= 1 for values in below.values()), below


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["f", "m", None]), st.sampled_from(["a", "b"]), st.floats(-9, 9) | st.just(np.nan)),
        min_size=2,
        max_size=30,
    ),
    st.integers(1, 20),
    st.integers(0, 99),
)
def test_shares_sum_to_one_whatever_the_table(rows: list[Any], count: int, seed: int) -> None:
    before = table(*rows)
    rng = np.random.default_rng(seed)
    after = before.iloc[rng.integers(len(before), size=count)].reset_index(drop=True)
    schema = Schema(columns=SCHEMA.columns[:3])
    margins = fit_margins(before, schema, 4)
    columns, conditionals = movements(Rows.of(before), Rows.of(after), margins, margins[:1], rng)
    assert (len(columns), len(conditionals)) == (2, 2)
    for found in (*columns, *conditionals):
        assert len(found.cells) == len(found.before.shares) == len(found.after.shares)
        assert sum(found.before.shares) == pytest.approx(1)
        assert sum(found.after.shares) == pytest.approx(1)
        assert 0 <= found.distance <= 1 + 1e-9
        assert 0 <= found.noise <= 1 + 1e-9


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ({"targets": {"age": {"mean": 3}}}, ["age"]),
        ({"targets": {"age where sex = f": {"mean": 3}}}, ["age", "sex"]),
        ({"targets": {"age": {"ratio": {"sex = f / pay = a": 2}}}}, ["age", "sex", "pay"]),
        ({"targets": {"age": {"correlation": {"at.hour": 0.5}}}}, ["age", "at.hour"]),
        ({"targets": {"at": {"share": {"2025": 1}}}}, ["at.date"]),
        ({"shares": {"'how and why' = x and age in 1..2": 0.5}}, ["how and why", "age"]),
        ({"where": "sex = f"}, []),
        ({"functions": {"mine": 1.0}}, []),
    ],
)
def test_a_scenario_steers_what_its_targets_name(scenario: dict[str, Any], expected: list[str]) -> None:
    frame = BEFORE.assign(at=pd.date_range("2025-01-01", periods=4, freq="h").to_numpy(), **{"how and why": "x"})
    margins = fit_margins(frame, SCHEMA, 4)
    assert [margin.name for margin in steered_margins(Scenario.of(scenario), SCHEMA, margins)] == expected


def test_a_month_that_no_histogram_is_kept_of_is_steered_all_the_same() -> None:
    found = steered_margins(Scenario.of({"targets": {"at.month": {"share": {"1": 1}}}}), SCHEMA, [PAY])
    assert [(margin.name, margin.size) for margin in found] == [("at.month", 13)]


def test_cells_have_names() -> None:
    assert cell_names(SEX) == ("f", "m", "missing")
    assert cell_names(Margin("at", "weekday")) == ("0", "1", "2", "3", "4", "5", "6", "missing")
    assert cell_names(Margin("at", "date", edges=(1.0, 2.5))) == (
        "< 1970-01-02",
        "1970-01-02 to < 1970-01-03T12:00:00",
        ">= 1970-01-03T12:00:00",
        "missing",
    )
    assert cell_names(Margin("age", "value")) == ("all", "missing")

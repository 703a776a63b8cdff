from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentsynth.config import Config
from agentsynth.data.inference import infer_schema
from agentsynth.data.schema import Schema
from agentsynth.data.shop import simulate_shop
from agentsynth.errors import ConfigError, InputError, NotFittedError, ScenarioError, SchemaError
from agentsynth.synth import AgentSynth

FAST = {"environment": {"rows": 30, "steps": 6, "pairs": 4}, "agent": {"episodes": 2, "goals": 2}}
NOON = pd.Timestamp("2024-03-01 12:00")


def moments(rows: int, rng: np.random.Generator, *, gaps: float = 0.0) -> pd.Series[pd.Timestamp]:
    found = pd.Series(NOON + pd.to_timedelta(rng.integers(0, 10**6, rows), unit="s"))
    return found.mask(pd.Series(rng.random(rows) < gaps))


def odd_tables() -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield small tables that are unlike the shop in one way each."""
    rng = np.random.default_rng(0)
    n = 60
    x, label = rng.normal(size=n), rng.choice(list("abc"), n)
    yield "five rows", pd.DataFrame({"x": [1, 2, 3, 4, 5], "label": list("aabab")})
    yield "one number", pd.DataFrame({"x": x})
    yield "one label", pd.DataFrame({"label": label})
    yield "one truth value", pd.DataFrame({"flag": rng.random(n) < 0.3})
    yield "one datetime", pd.DataFrame({"at": moments(n, rng)})
    yield "only labels", pd.DataFrame({"label": label, "other": rng.choice(list("de"), n)})
    yield "only datetimes", pd.DataFrame({"at": moments(n, rng), "until": moments(n, rng)})
    yield "a column without values", pd.DataFrame({"nothing": [np.nan] * n, "x": x})
    yield "a date column without dates", pd.DataFrame({"at": pd.Series([pd.NaT] * n, dtype="datetime64[us]"), "x": x})
    yield "one level, or missing", pd.DataFrame({"label": ["a", None, "a"] * 20, "x": x})
    yield "a constant", pd.DataFrame({"constant": ["k"] * n, "x": x})
    yield "a rare value", pd.DataFrame({"zero": [0] * (n - 1) + [1], "x": x})
    yield "missing dates", pd.DataFrame({"at": moments(n, rng, gaps=0.3), "x": x})
    yield "missing whole numbers", pd.DataFrame({"n": pd.array([*range(40), *[None] * 20], dtype="Int64"), "x": x})
    yield "missing truth values", pd.DataFrame({"flag": pd.array([True, False, None] * 20, dtype="boolean"), "x": x})
    yield "huge and tiny numbers", pd.DataFrame({"huge": x * 1e300, "tiny": x * 1e-300, "denormal": x * 1e-310})
    yield "large whole numbers", pd.DataFrame({"n": rng.integers(-(2**50), 2**50, n), "x": x})
    yield (
        "a time zone",
        pd.DataFrame({"at": pd.date_range("2024-03-30", periods=n, freq="h", tz="Europe/Berlin"), "x": x}),
    )
    yield (
        "ordered categories",
        pd.DataFrame({"size": pd.Categorical(label, categories=list("cabz"), ordered=True), "x": x}),
    )
    yield "years", pd.DataFrame({"at": pd.to_datetime(rng.choice(["1999-01-01", "2005-01-01"], n)), "x": x})
    names = ["a.b", " with space ", "größe", "pairs", "critic", "seasonal", "日付", "x'y", "timestamp.hour"]
    yield "odd names", pd.DataFrame({name: rng.normal(size=n) for name in names} | {"at": moments(n, rng)})
    yield "odd labels", pd.DataFrame({"label": rng.choice(["", " ", "nan", "(other)", "ä", "a,b"], n), "x": x})
    yield "many columns", pd.DataFrame({f"c{number}": rng.normal(size=n) for number in range(30)})
    owner = np.repeat(np.arange(30), 2)
    users = {"user_id": [f"U{number:03d}" for number in owner], "kind": np.array(list("abc"))[owner % 3]}
    yield "users alone", pd.DataFrame(users)


TABLES = dict(odd_tables())


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_any_make_are_learned_and_generated(name: str, tmp_path: Path) -> None:
    table = TABLES[name]
    before = table.copy()
    synth = AgentSynth(FAST).fit(table)
    made = synth.generate(37, seed=1)
    pd.testing.assert_frame_equal(table, before)
    assert list(made.columns) == list(table.columns)
    assert made.index.equals(pd.RangeIndex(37))
    pd.testing.assert_series_equal(made.dtypes, table.dtypes)
    for column in table:
        # Missing about as often as in the table, and never where the table has no gap.
        assert abs(made[column].isna().mean() - table[column].isna().mean()) < 0.15
        assert made[column].notna().all() or table[column].isna().any()
    synth.save(tmp_path / "model.zip")
    pd.testing.assert_frame_equal(AgentSynth.load(tmp_path / "model.zip").generate(37, seed=1), made)


@pytest.mark.parametrize("rows", [1, 2, 13, 250])
def test_as_many_rows_as_asked_for(shop_synth: AgentSynth, shop_table: pd.DataFrame, rows: int) -> None:
    made = shop_synth.generate(rows, seed=1)
    assert len(made) == rows
    pd.testing.assert_series_equal(made.dtypes, shop_table.dtypes)


def test_a_generated_shop_keeps_the_shops_rules(shop_synth: AgentSynth, shop_table: pd.DataFrame) -> None:
    made = shop_synth.generate(400, seed=1)
    np.testing.assert_array_equal(made["total_revenue"], np.round(made["price"] * made["quantity"], 2))
    assert (made["price"] == made["price"].round(2)).all()
    assert made["quantity"].min() >= 1
    assert made["timestamp"].is_monotonic_increasing
    assert made.groupby("user_id")["user_type"].nunique().max() == 1
    assert made["user_id"].str.fullmatch(r"U\d{5}").all()
    for column in ("user_type", "category"):
        assert set(made[column]) == set(shop_table[column])
    for column in ("price", "quantity", "timestamp"):
        assert made[column].min() >= shop_table[column].min()
        assert made[column].max() <= shop_table[column].max()


def test_a_table_mimics_the_one_that_was_learned(shop_synth: AgentSynth, shop_table: pd.DataFrame) -> None:
    made = shop_synth.generate(600, seed=1)
    for column in ("user_type", "category"):
        gap = made[column].value_counts(normalize=True) - shop_table[column].value_counts(normalize=True)
        assert gap.abs().max() < 0.03
    assert made["price"].median() == pytest.approx(shop_table["price"].median(), rel=0.1)
    assert made["quantity"].mean() == pytest.approx(shop_table["quantity"].mean(), rel=0.1)


def test_the_same_seed_gives_the_same_table(
    shop_synth: AgentSynth, shop_table: pd.DataFrame, small_config: Config
) -> None:
    first = shop_synth.generate(50, seed=3)
    pd.testing.assert_frame_equal(shop_synth.generate(50, seed=3), first)
    pd.testing.assert_frame_equal(AgentSynth(small_config, seed=0).fit(shop_table).generate(50, seed=3), first)
    assert not shop_synth.generate(50, seed=4).equals(first)
    # Without a seed the object's own decides.
    pd.testing.assert_frame_equal(shop_synth.generate(50), shop_synth.generate(50, seed=0))


def test_the_seed_of_the_fit_decides_too(shop_table: pd.DataFrame) -> None:
    tables = [AgentSynth(FAST, seed=seed).fit(shop_table).generate(20, seed=3) for seed in (0, 1)]
    assert not tables[0].equals(tables[1])


def test_fitting_again_forgets_what_was_before(shop_table: pd.DataFrame) -> None:
    synth = AgentSynth(FAST)
    assert synth.fit(shop_table) is synth
    synth.fit(TABLES["only labels"])
    assert list(synth.generate(3).columns) == ["label", "other"]


def test_a_fit_that_fails_leaves_what_was_learned(shop_table: pd.DataFrame) -> None:
    synth = AgentSynth(FAST).fit(shop_table)
    expected = synth.generate(5)
    with pytest.raises(InputError):
        synth.fit(TABLES["one number"].head(3))
    pd.testing.assert_frame_equal(synth.generate(5), expected)
    assert "user_id" in synth.schema_.names


def test_tables_are_read_from_files(tmp_path: Path) -> None:
    TABLES["only labels"].to_csv(tmp_path / "labels.csv", index=False)
    made = [AgentSynth(FAST).fit(path).generate(9) for path in (tmp_path / "labels.csv", str(tmp_path / "labels.csv"))]
    pd.testing.assert_frame_equal(made[0], made[1])


def test_a_schema_can_be_given(shop_table: pd.DataFrame) -> None:
    schema = infer_schema(shop_table, {"quantity": {"kind": "categorical"}, "user_id": {"kind": "drop"}})
    made = AgentSynth(FAST).fit(shop_table, schema=schema).generate(30)
    assert "user_id" not in made
    assert set(made["quantity"]) <= set(shop_table["quantity"])


def test_a_schema_may_know_labels_that_the_training_rows_do_not_have(shop_table: pd.DataFrame) -> None:
    schema = infer_schema(shop_table.assign(category=shop_table["category"].astype("category")))
    table = shop_table[shop_table["category"] != "Toys"]
    table = table.assign(category=table["category"].astype(pd.CategoricalDtype(sorted(set(shop_table["category"])))))
    made = AgentSynth(FAST).fit(table, schema=schema).generate(50)
    assert "Toys" not in set(made["category"])
    assert "Toys" in made["category"].cat.categories


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"x": [1.0, 2.0, 3.5]}), "a table of 3 rows is too small to learn from: at least 5 are needed"),
        (pd.DataFrame({"id": range(30), "k": ["c"] * 30}), "only ids and constants: there is nothing to learn"),
        (pd.DataFrame({"x": []}), "needs rows and columns"),
        ("lost.csv", r"there is no file lost\.csv"),
    ],
)
def test_tables_that_nothing_can_be_learned_from_are_refused(table: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        AgentSynth(FAST).fit(table)


def test_a_table_that_does_not_fit_the_schema_is_refused(shop_schema: Schema, shop_table: pd.DataFrame) -> None:
    with pytest.raises(SchemaError, match="the table has no column 'price'"):
        AgentSynth(FAST).fit(shop_table.drop(columns="price"), schema=shop_schema)


@pytest.mark.parametrize(
    "use",
    [
        lambda synth: synth.generate(3),
        lambda synth: synth.compose(3),
        lambda synth: synth.evaluate(TABLES["one number"], TABLES["one number"]),
        lambda synth: synth.save("nowhere"),
        lambda synth: synth.policy_,
        lambda synth: synth.history_,
    ],
)
def test_nothing_can_be_used_before_fit(use: Callable[[AgentSynth], Any]) -> None:
    with pytest.raises(
        NotFittedError, match=r"nothing was learned yet: call fit\(table\), or AgentSynth\.load\(path\)"
    ):
        use(AgentSynth(FAST))


@pytest.mark.parametrize("rows", [0, -3, 2.5, "7", None])
def test_rows_are_a_whole_number(shop_synth: AgentSynth, rows: Any) -> None:
    with pytest.raises(InputError, match="rows must be a whole number from 1 on; found"):
        shop_synth.generate(rows)


def test_a_negative_seed_is_refused(shop_synth: AgentSynth) -> None:
    with pytest.raises(InputError, match="a seed is a whole number from 0 on; found -5"):
        shop_synth.generate(3, seed=-5)


def test_wrong_parameters_policies_and_scenarios_are_refused(shop_synth: AgentSynth) -> None:
    with pytest.raises(ConfigError, match=r"agent\.episodes"):
        AgentSynth({"agent": {"episodes": 0}})
    with pytest.raises(ConfigError, match="no policy 'best'; there are q_learning, neutral"):
        shop_synth.generate(3, policy="best")
    with pytest.raises(ScenarioError, match="no scenario 'rush'; the model knows: evening, dear"):
        shop_synth.generate(3, "rush")
    with pytest.raises(ScenarioError, match="expected a mapping"):
        shop_synth.generate(3, ["price > 3"])  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="'colour'"):
        AgentSynth({"environment": {"reward_weights": {"colour": 2}}}).fit(TABLES["one number"])
    with pytest.raises(ConfigError, match="which is not a modelled column"):
        AgentSynth({"environment": {"factors": {"f": "y"}}}).fit(TABLES["one number"])


def test_scenarios_come_by_name_or_as_they_are(shop_synth: AgentSynth) -> None:
    named = shop_synth.generate(20, "evening", seed=1)
    assert named["timestamp"].dt.hour.between(17, 20).all()
    given = shop_synth.generate(20, shop_synth.scenario("evening"), seed=1)
    pd.testing.assert_frame_equal(named, given)


def test_progress_is_told_of_columns_episodes_and_rows(shop_table: pd.DataFrame) -> None:
    seen: dict[str, list[Any]] = {}

    @contextmanager
    def record(what: str, total: int | None) -> Iterator[Callable[..., None]]:
        seen[what] = [total, 0]

        def advance(count: int = 1) -> None:
            seen[what][1] += count

        yield advance

    AgentSynth(FAST).fit(shop_table, progress=record).generate(40, progress=record)
    # Labels, the date, the time of day and numbers: a part each.
    assert seen == {"columns": [None, 6], "episodes": [2, 2], "rows": [40, 40]}


def test_evaluating_hands_all_three_tables_to_the_report(
    shop_synth: AgentSynth, shop_table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def report(train: pd.DataFrame, test: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema, **more: Any) -> Any:
        return len(train), len(test), len(synthetic), schema.names[0], more

    monkeypatch.setattr("agentsynth.metrics.report.build_report", report)
    unseen, made = simulate_shop(30, seed=2), shop_synth.generate(20)
    expected: Any = (600, 30, 20, "user_id", {"seed": 3, "target": "price"})
    assert shop_synth.evaluate(unseen, made, target="price", seed=3) == expected
    shop_synth.save(tmp_path / "model")
    loaded = AgentSynth.load(tmp_path / "model")
    assert loaded.evaluate(unseen, made, train=shop_table, target="price", seed=3) == expected
    with pytest.raises(NotFittedError, match=r"holds no training rows: pass them as evaluate\(\.\.\., train=\.\.\.\)"):
        loaded.evaluate(unseen, made)


def test_no_warning_leaks(shop_table: pd.DataFrame) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AgentSynth(FAST).fit(shop_table).generate(30, {"targets": {"price": {"mean": "+900%"}}}, policy="free")


def test_a_slice_holds_the_rows_that_a_scenario_describes(shop_synth: AgentSynth, shop_table: pd.DataFrame) -> None:
    found = shop_synth.slice(shop_table, {"where": "timestamp.hour in 17..20"})
    expected = shop_table[shop_table["timestamp"].dt.hour.between(17, 20)].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected)
    pd.testing.assert_frame_equal(shop_synth.slice(shop_table, None), shop_table.reset_index(drop=True))

"""The rivals, how they are run and compared: on figures that can be worked out by hand, and on tiny tables."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeRegressor

from agentsynth.data.shop import simulate_shop
from agentsynth.errors import InputError

FOLDER = Path(__file__).parents[2] / "benchmarks"
OWN = ("IndependentColumns", "GaussianCopula", "CartSynthesis")
Run = Callable[..., str]


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module(request.param)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have methods run in this process, which saves starting one for each."""
    monkeypatch.syspath_prepend(str(FOLDER))
    isolated, methods = importlib.import_module("isolated"), importlib.import_module("methods")

    def run_here(
        method: str, train: pd.DataFrame, rows: int, seed: int, limit: int, target: str | None = None
    ) -> object:
        made = methods.METHODS[method].make(seed).fit(train, target).sample(rows, seed)
        return isolated.Outcome("ok", made, fit_seconds=limit / 1000, generate_seconds=0.1)

    monkeypatch.setattr(isolated, "run_method", run_here)


def part_of(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("part", [name], indirect=True)


def mixed(rows: int, seed: int = 0) -> pd.DataFrame:
    """A column of each kind, numbers, labels and dates missing here and there; y follows x, and so does the group."""
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(50, 10, rows), 1)
    days = pd.Series(pd.Timestamp("2024-02-27") + pd.to_timedelta(rng.integers(0, 300, rows), unit="D"))
    return pd.DataFrame(
        {
            "row": [f"R{place:04d}" for place in range(rows)],
            "x": x,
            "y": np.where(rng.random(rows) < 0.2, np.nan, np.round(2 * x + rng.normal(0, 1, rows), 1)),
            "count": rng.poisson(9, rows),
            "group": pd.Series(np.where(x > 50, "high", "low")).mask(rng.random(rows) < 0.1),
            "day": days.mask(rng.random(rows) < 0.1),
            "flag": rng.random(rows) < 0.3,
            "unit": "cm",
        }
    )


@part_of("encoding")
def test_the_matrix_gives_the_table_back(part: ModuleType) -> None:
    table = mixed(80)
    encoding = part.Encoding.learn(table)
    matrix = encoding.matrix(table)
    assert np.isnan(matrix).sum() == table[["y", "day"]].isna().to_numpy().sum()
    known = [feature.name for feature in encoding.features]
    assert known == ["x", "y", "y", "count", "group", "day", "day", "flag"]
    scored = [name for name in table.columns if name != "row"]
    for made in (encoding.table(matrix), encoding.table(encoding.filled(table, seed=0))):
        pd.testing.assert_frame_equal(made[scored], table[scored])
        assert list(made.columns) == list(table.columns)


@part_of("encoding")
def test_numbers_are_filled_with_observed_ones_decided_by_the_seed(part: ModuleType) -> None:
    table = mixed(80)
    encoding = part.Encoding.learn(table)
    filled = encoding.filled(table, seed=0)
    assert not np.isnan(filled).any()
    assert set(filled[:, 2]) == set(table["y"].dropna())
    assert np.array_equal(filled, encoding.filled(table, seed=0))
    assert not np.array_equal(filled, encoding.filled(table, seed=1))


@part_of("encoding")
def test_codes_out_of_range_become_the_nearest_level_and_whole_days_stay_whole(part: ModuleType) -> None:
    table = mixed(80)
    encoding = part.Encoding.learn(table)
    names = [feature.name for feature in encoding.features]
    matrix = encoding.matrix(table)
    matrix[:, names.index("flag")] = np.where(table["flag"], 7.0, -3.0)
    matrix[:, len(names) - names[::-1].index("day") - 1] += 0.3
    back = encoding.table(matrix)
    # The most frequent level comes first.
    assert back["flag"].tolist() == table["flag"].tolist()
    pd.testing.assert_series_equal(back["day"], table["day"])


@pytest.mark.parametrize("name", OWN)
@part_of("own_rivals")
def test_rivals_return_tables_of_the_form_they_learned_and_the_same_ones_for_a_seed(
    part: ModuleType, name: str
) -> None:
    train = mixed(120)
    method = getattr(part, name)(1).fit(train)
    made = method.sample(90, 2)
    assert len(made) == 90
    assert made.dtypes.to_dict() == train.dtypes.to_dict()
    # Nothing that was not there is made up, but numbers between others.
    assert set(made["group"].dropna()) == {"low", "high"}
    assert made["x"].between(train["x"].min(), train["x"].max()).all()
    assert 0.05 < made["y"].isna().mean() < 0.4
    pd.testing.assert_frame_equal(made, getattr(part, name)(1).fit(train).sample(90, 2))
    assert not made.equals(method.sample(90, 3))


@pytest.mark.parametrize(("name", "related"), [("IndependentColumns", False), *((name, True) for name in OWN[1:])])
@part_of("own_rivals")
def test_relations_are_kept_but_by_independent_columns(part: ModuleType, name: str, related: bool) -> None:
    made = getattr(part, name)(0).fit(mixed(400)).sample(400, 0)
    known = made["y"].notna()
    assert (np.corrcoef(made["x"][known], made["y"][known])[0, 1] > 0.9) == related
    gap = made.groupby("group")["x"].mean()
    # 16 in the table; the copula, which must put three levels in a row, weakens it.
    assert (gap["high"] - gap["low"] > 5) == related


@part_of("own_rivals")
def test_a_leaf_gives_its_own_values_and_heaps_stay(part: ModuleType) -> None:
    train = pd.DataFrame({"a": np.repeat(["u", "v"], 50), "b": np.repeat([1.5, 7.25], 50)})
    train["c"] = np.concatenate([np.linspace(0, 1, 50), np.linspace(100, 101, 50)])
    made = part.CartSynthesis(0).fit(train).sample(200, 0)
    # b repeats its two values, c is smoothed but never leaves its leaf far behind.
    assert (made["b"] == made["a"].map({"u": 1.5, "v": 7.25})).all()
    assert (made["c"] < 50).equals(made["a"] == "u")
    assert not set(made["c"]) <= set(train["c"])
    assert made["c"].between(0, 101).all()


@part_of("own_rivals")
def test_bandwidths_are_silvermans_and_0_for_values_that_repeat(part: ModuleType) -> None:
    found = part._bandwidths(np.array([1.0, 3, 5, 8, 8]), np.array([0, 0, 0, 1, 1]))
    np.testing.assert_allclose(found, [0.9 * 2 * 3**-0.2] * 3 + [0, 0])


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(-9, 9)), min_size=8, max_size=30))
def test_levels_are_cut_as_well_as_any_cut_of_them(rows: list[tuple[int, float]]) -> None:
    import sys

    sys.path.insert(0, str(FOLDER))
    own = importlib.import_module("own_rivals")
    sys.path.remove(str(FOLDER))
    codes, values = np.array([float(code) for code, _ in rows]), np.array([value for _, value in rows])
    ranks = own._level_order(codes, values, ("a", "b", "c", "d", "e"), False)
    place = ranks[codes.astype(int)][:, None]
    stump = DecisionTreeRegressor(max_depth=1, random_state=0).fit(place, values)
    found = ((values - stump.predict(place)) ** 2).sum()
    levels = np.unique(codes)
    best = ((values - values.mean()) ** 2).sum()
    for pattern in range(1, 2 ** len(levels) - 1):
        left = np.isin(codes, levels[[bool(pattern >> bit & 1) for bit in range(len(levels))]])
        best = min(best, sum(((values[side] - values[side].mean()) ** 2).sum() for side in (left, ~left)))
    assert found <= best + 1e-6 * (1 + best)


@pytest.mark.slow
@part_of("isolated")
def test_a_method_is_run_in_a_process_of_its_own(part: ModuleType) -> None:
    train = simulate_shop(60, seed=0)
    outcome = part.run_method("copula", train, 25, seed=3, limit=60)
    assert outcome.status == "ok"
    assert outcome.rows is not None
    assert len(outcome.rows) == 25
    assert list(outcome.rows.columns) == list(train.columns)
    assert outcome.fit_seconds > 0


@part_of("isolated")
def test_a_method_that_fails_says_why(part: ModuleType) -> None:
    outcome = part.run_method("absent", simulate_shop(10, seed=0), 5, seed=0, limit=60)
    assert outcome == part.Outcome("failed", note="KeyError: 'absent'")


@pytest.mark.slow
@part_of("isolated")
def test_a_method_that_takes_too_long_is_ended(
    part: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = tmp_path / "slow.py"
    worker.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(FOLDER)!r})\n"
        "from method_worker import limit_cpu\n"
        "limit_cpu(0)\n"
        "while True: pass\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(part, "WORKER", worker)
    outcome = part.run_method("cart", simulate_shop(10, seed=0), 5, seed=0, limit=7)
    assert outcome == part.Outcome("timeout", note="> 7 s")


def _records() -> pd.DataFrame:
    """Ours is at 0.6 and 0.7; cart 0.1 above and 0.1 below it; a rival that could do table a only, 0.3 above."""
    rows = [
        {"table": table, "seed": seed, "method": method, "status": "ok", "note": "", "detection": level + gap}
        for table, level, sign in (("a", 0.6, 1), ("b", 0.7, -1))
        for seed in range(3)
        for method, gap in (("agentsynth", 0.0), ("cart", sign * 0.1 + 0.01 * seed - 0.01), ("slow", 0.3))
        if (table, method) != ("b", "slow")
    ]
    slow = {"table": "b", "seed": 0, "method": "slow", "status": "timeout", "note": "> 9 s"}
    return pd.DataFrame([*rows, slow])


@part_of("comparing")
def test_means_are_over_the_tables_that_a_method_did(part: ModuleType) -> None:
    found = part.overview(_records(), ["detection"])
    assert found["tables"].to_dict() == {"agentsynth": "2 of 2", "cart": "2 of 2", "slow": "1 of 2"}
    np.testing.assert_allclose(found["detection"], [0.65, 0.65, 0.9])


@part_of("comparing")
def test_differences_are_paired_by_table(part: ModuleType) -> None:
    found = part.paired(_records(), "agentsynth", ["detection"])
    # Differences -0.1 and +0.1: a 95 % t interval of two values is 12.7 times their standard error, 0.1.
    assert found["detection"].to_dict() == {"cart": "+0.000 ± 1.271", "slow": "-0.300"}
    assert found["tables"].to_dict() == {"cart": 2, "slow": 1}


@part_of("comparing")
def test_the_best_rival_of_each_table_stands_beside_ours(part: ModuleType) -> None:
    lower = part.beside_best(_records(), "agentsynth", "detection", lower=True)
    assert lower["best rival"].to_dict() == {"a": "cart", "b": "cart"}
    # Three seeds: the interval is 4.303 * 0.01 / sqrt(3).
    assert lower["ours - its"].to_dict() == {"a": "-0.100 ± 0.025", "b": "+0.100 ± 0.025"}
    assert lower["ours is better"].to_dict() == {"a": "yes", "b": "no"}
    higher = part.beside_best(_records(), "agentsynth", "detection", lower=False)
    assert higher["best rival"].to_dict() == {"a": "slow", "b": "cart"}


@part_of("comparing")
def test_what_was_not_done_is_told(part: ModuleType) -> None:
    assert part.not_done(_records()).to_dict() == {"why": {"slow": "timeout > 9 s"}, "table": {"slow": "b"}}


@part_of("comparing")
def test_packages_that_are_not_installed_are_skipped_with_a_message(
    part: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = importlib.import_module("methods").Entry(lambda _: None, "absent", "no_such_package_here")
    monkeypatch.setitem(part.METHODS, "absent", entry)
    assert part.runnable(["cart", "absent", "real"]) == ["cart", "real"]
    assert "absent is left out: the package no_such_package_here is not installed" in capsys.readouterr().out


@part_of("comparing")
def test_results_are_taken_up_where_they_ended(part: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    results = part.Results(path, ["table", "seed", "method"])
    for record in _records().to_dict("records"):
        results.add(record)
    again = part.Results(path, ["table", "seed", "method"])
    assert again.find(table="b", method="slow", status="timeout")["note"] == "> 9 s"
    assert again.find(table="b", method="slow", seed=1) is None
    pd.testing.assert_frame_equal(again.frame(), _records())


@pytest.mark.parametrize("text", [None, "a,b\n1,2\n"])
@part_of("comparing")
def test_a_file_that_holds_no_results_is_refused(part: ModuleType, text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"other\.csv"):
        part.read_results([path], ["table"])


@part_of("models")
def test_models_predict_what_the_rows_say(part: ModuleType) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    frame = pd.DataFrame({"x": x, "z": rng.normal(size=300), "y": 3 * x})
    frame["c"] = pd.Series(np.where(x > 0, "up", "down"), dtype=object)
    train, unseen = frame[:200], frame[200:].reset_index(drop=True)
    columns = ["x", "z"]
    assert part.prediction(*(f[[*columns, "y"]] for f in (train, train, unseen)), "y", 0) > 0.95
    assert part.prediction(*(f[[*columns, "c"]] for f in (train, train, unseen)), "c", 0) > 0.95
    shuffled = train.assign(c=rng.permutation(train["c"]))
    assert part.prediction(*(f[[*columns, "c"]] for f in (train, shuffled, unseen)), "c", 0) < 0.7
    # One class only: always "up"; F1 of it is 2 / (1 + n / ups), that of the other 0.
    only = train.assign(c=pd.Series(["up"] * 200, dtype=object))
    share = float((unseen["c"] == "up").mean())
    expected = (2 * share / (1 + share)) / 2
    assert part.prediction(*(f[[*columns, "c"]] for f in (train, only, unseen)), "c", 0) == pytest.approx(expected)


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_rivals_are_compared_and_a_second_run_only_reads(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "rivals.csv"
    options = ["--tables", "Titanic", "--max-rows", 80, "--seeds", 2, "--methods", "independent", "cart", "real"]
    printed = run("rivals.py", *options, "--out", out)
    results = pd.read_csv(out)
    assert list(results["method"]) == ["independent", "cart", "real"] * 2
    scores = results[["shape", "pairs", "detection", "exact_copies", "nearer_to_training", "tstr", "trtr"]]
    assert ((scores >= 0) & (scores <= 1)).to_numpy().all()
    real = results["method"] == "real"
    assert (results.loc[real, "tstr"] == results.loc[real, "trtr"]).all()
    assert results.groupby("seed")["trtr"].nunique().eq(1).all()
    written = out.stat().st_mtime_ns
    assert run("rivals.py", *options, "--out", out) == printed
    assert out.stat().st_mtime_ns == written
    assert run("rivals.py", "--read", out) == printed


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_few_rows_are_learned_from_and_all_others_judge(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "few.csv"
    options = ["--tables", "Titanic", "--max-rows", 150, "--seeds", 1, "--methods", "independent"]
    printed = run("rivals.py", *options, "--train-rows", 32, 100, "--out", out)
    results = pd.read_csv(out)
    # 100 of 150 rows would leave fewer to judge than to learn from.
    assert results[["split", "train_rows"]].to_numpy().tolist() == [[32, 32]]
    assert "Learned from 32 rows" in printed


@pytest.mark.slow
def test_a_method_given_up_in_one_seed_is_not_tried_in_the_next(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    isolated = importlib.import_module("isolated")
    tried = []

    def slow(method: str, *_: object, **__: object) -> object:
        tried.append(method)
        return isolated.Outcome("timeout", note="> 1 s")

    monkeypatch.setattr(isolated, "run_method", slow)
    out = tmp_path / "slow.csv"
    options = ["--tables", "Titanic", "--max-rows", 80, "--seeds", 2, "--limit", 1, "--methods", "cart", "real"]
    printed = run("rivals.py", *options, "--out", out)
    assert tried == ["cart"]
    assert list(pd.read_csv(out)["status"]) == ["timeout", "ok", "timeout", "ok"]
    assert "| cart | timeout > 1 s | Titanic |" in printed


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_small_wide_scores_whole_rows(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "wide.csv"
    options = ["--tables", "iris", "--seeds", 1, "--methods", "independent", "copula", "real", "--out", out]
    printed = run("small_wide.py", *options)
    results = pd.read_csv(out).set_index("method")
    assert results["wasserstein"].idxmax() == "independent"
    score, coverage = results["f1"].to_dict(), results["coverage"].to_dict()
    assert score["independent"] < 0.6 < score["copula"] < score["real"] + 0.05
    assert coverage["independent"] < coverage["real"]
    assert "wasserstein of every table" in printed
    assert run("small_wide.py", "--read", out) == printed


@part_of("small_tables")
def test_small_tables_are_what_they_are_said_to_be(part: ModuleType) -> None:
    for name, table in part.SMALL_TABLES.items():
        frame = table.load()
        assert 100 <= len(frame) <= 1800, name
        assert 5 <= frame.shape[1] <= 65, name
        numeric = pd.api.types.is_numeric_dtype(frame[table.target])
        assert numeric != table.classes, name


@pytest.mark.parametrize("package", ["arfpy", "utrees", "ForestDiffusion", "seqtrees"])
def test_every_packaged_rival_is_pinned(package: str) -> None:
    lines = (FOLDER / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith(f"{package}==") for line in lines)

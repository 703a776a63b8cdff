"""The registry: one version a policy, the champion only by beating, loads anywhere, no pickle, no paths."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from agentsynth.errors import SchemaError
from agentsynth.synth import AgentSynth
from agentsynth.tracking import registry
from agentsynth.tracking.pipeline import StageRecord, recorded
from agentsynth.tracking.registry import Verdict, champion_version, promote
from agentsynth.tracking.serving import ROWS, Request, requests
from agentsynth.tracking.store import Store

Run = Callable[..., subprocess.CompletedProcess[str]]


def register(folder: Path, policy: str, scenarios: str = "none") -> str:
    with recorded([StageRecord("policy", policy, lambda _: None)]) as run:
        keys = {"policy_key": policy, "scenarios_key": scenarios}
        return registry.register(run, folder, keys=keys, card="what it is")


def challenge(store: Store, version: str, own: float, champions: float) -> Verdict:
    return promote(store.client, version, lambda _: champions, own)


@pytest.fixture(scope="session")
def stored(empty_store: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one registered version, the champion."""
    folder = Path(shutil.copytree(empty_store, tmp_path_factory.mktemp("registry") / "project", symlinks=True))
    shutil.copytree(model, folder / "data" / "model")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        from agentsynth.tracking.store import connect

        store = connect()
        promote(store.client, register(Path("data/model"), "first"), lambda _: 0.0, 0.9)
    return folder


@pytest.fixture
def champion(stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    folder = tmp_path / "elsewhere"
    shutil.copytree(stored, folder, symlinks=True)
    monkeypatch.chdir(folder)
    from agentsynth.tracking.store import connect

    return connect()


def test_first_version_becomes_champion(champion: Store) -> None:
    version = champion.client.get_model_version_by_alias("agentsynth", "champion")
    assert version.version in (1, "1")
    assert version.tags["verdict"] == "the first for this table: there was no champion to beat"
    assert version.tags["promoted"] == "true"
    assert version.tags["held_out_similarity"] == "0.900000"
    assert version.description == "what it is"


def test_better_policy_takes_over(champion: Store, model: Path) -> None:
    verdict = challenge(champion, register(model, "second"), 0.92, 0.91)
    assert verdict == (True, "0.9200 beats the 0.9100 of version 1 on the same held-out rows", 0.91)
    assert champion_version(champion.client) == "2"


@pytest.mark.parametrize("own", [0.91, 0.90])
def test_equal_or_worse_policy_does_not(champion: Store, model: Path, own: float) -> None:
    version = register(model, "second")
    verdict = challenge(champion, version, own, 0.91)
    assert not verdict.promoted
    assert "does not beat the 0.9100 of version 1" in verdict.reason
    assert champion_version(champion.client) == "1"
    tags = champion.client.get_model_version("agentsynth", version).tags
    assert (tags["promoted"], tags["verdict"]) == ("false", verdict.reason)


def test_the_champions_own_rows_are_scored_not_its_old_score(champion: Store, model: Path) -> None:
    seen: list[AgentSynth] = []

    def score(synth: AgentSynth) -> float:
        seen.append(synth)
        return 0.5

    assert promote(champion.client, register(model, "second"), score, 0.6).promoted
    assert [type(synth).__name__ for synth in seen] == ["AgentSynth"]


def test_same_policy_is_not_registered_twice(champion: Store, model: Path) -> None:
    assert register(model, "first") == "1"
    assert challenge(champion, "1", 0.9, 0.9).reason == "it already is the champion"


def test_same_policy_with_other_scenarios_replaces_the_champion(champion: Store, model: Path) -> None:
    version = register(model, "first", scenarios="new")
    verdict = challenge(champion, version, 0.9, 0.9)
    assert verdict.promoted
    assert "with the scenarios of now" in verdict.reason
    assert champion_version(champion.client) == version == "2"


def test_champion_of_another_table_gives_way_and_it_is_said(champion: Store, model: Path) -> None:
    def cannot(_: AgentSynth) -> float:
        raise SchemaError("no column 'age'")

    verdict = promote(champion.client, register(model, "second"), cannot, 0.2)
    assert verdict.promoted
    assert verdict.champion_score is None
    assert verdict.reason == "the first for this table: there was no champion to beat"
    assert champion_version(champion.client) == "2"


def cannot_make_rows_with(version: str) -> Callable[[object], float]:
    def score(loaded: object) -> float:
        if loaded == version:
            raise SchemaError("no column 'age'")
        return 0.9

    return score


def test_after_another_table_the_champion_of_this_one_is_met_again(
    champion: Store, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = register(model, "other table")
    monkeypatch.setattr(registry, "load", lambda version: version)
    assert promote(champion.client, other, cannot_make_rows_with("1"), 0.2).promoted
    assert champion_version(champion.client) == other
    worse = register(model, "worse")
    verdict = promote(champion.client, worse, cannot_make_rows_with(other), 0.3)
    assert not verdict.promoted
    assert "0.3000 does not beat the 0.9000 of version 1" in verdict.reason
    assert champion_version(champion.client) == "1"


def test_a_later_run_of_the_same_policy_keeps_the_first_card(champion: Store, model: Path) -> None:
    with recorded([StageRecord("policy", "first", lambda _: None)]) as run:
        keys = {"policy_key": "first", "scenarios_key": "none"}
        assert registry.register(run, model, keys=keys, card="another experiment") == "1"
    assert champion.client.get_model_version("agentsynth", "1").description == "what it is"


def test_no_champion_where_nothing_is_registered(store: Store) -> None:
    assert champion_version(store.client) is None


@pytest.mark.usefixtures("champion")
def test_champion_predicts(synth: AgentSynth) -> None:
    model = mlflow.pyfunc.load_model("models:/agentsynth@champion")
    table = model.predict(pd.DataFrame({"rows": [30], "scenario": ["evening_rush"], "seed": [3]}))
    pd.testing.assert_frame_equal(table, synth.generate(30, "evening_rush", 3))
    by_params = model.predict(pd.DataFrame({"seed": [3]}), params={"rows": 30, "scenario": "evening_rush"})
    pd.testing.assert_frame_equal(by_params, table)
    native = model.unwrap_python_model().synth
    pd.testing.assert_frame_equal(native.generate(10, seed=1), synth.generate(10, seed=1))


@pytest.mark.usefixtures("champion")
def test_several_requests_come_one_below_the_other(synth: AgentSynth) -> None:
    model = mlflow.pyfunc.load_model("models:/agentsynth@champion")
    scenario = '{"where": "user_type = premium"}'
    table = model.predict(pd.DataFrame({"rows": [4, 6], "seed": [1, 2], "scenario": [None, scenario]}))
    assert len(table) == 10
    assert set(table["user_type"][4:]) == {"premium"}
    pd.testing.assert_frame_equal(table[:4], synth.generate(4, seed=1))


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"scenario": ["nowhere"]}, "no scenario 'nowhere'"),
        ({"scenario": ['{"wher']}, "not valid JSON"),
        ({"scenario": ['{"wher": "x"}']}, "wher"),
        ({"rows": [0]}, "rows must be"),
    ],
)
@pytest.mark.usefixtures("champion")
def test_request_that_cannot_be_met_says_why(request_: dict[str, list[object]], message: str) -> None:
    model = mlflow.pyfunc.load_model("models:/agentsynth@champion")
    with pytest.raises(MlflowException, match=message) as caught:
        model.predict(pd.DataFrame(request_))
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"  # over HTTP: status 400


def test_requests_fill_in_from_params_then_defaults() -> None:
    table = pd.DataFrame({"rows": [5, None], "scenario": ["a", None]})
    assert list(requests(table, {"seed": 7, "rows": None})) == [Request(5, "a", 7), Request(ROWS, None, 7)]
    assert list(requests(pd.DataFrame({"seed": [2]}), {"rows": 3, "scenario": " "})) == [Request(3, None, 2)]


@pytest.mark.usefixtures("champion")
def test_store_holds_no_path_of_this_machine(stored: Path) -> None:
    root = str(Path(__file__).resolve().parents[2])
    with sqlite3.connect("mlruns/mlflow.db") as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [str(row) for name in names for row in connection.execute(f'SELECT * FROM "{name}"')]  # noqa: S608
    connection.close()
    files = [
        path.read_bytes().decode(errors="replace") for path in Path("mlruns/artifacts").rglob("*") if path.is_file()
    ]
    for text in rows + files:
        assert root not in text
        assert str(stored) not in text


@pytest.mark.usefixtures("champion")
def test_model_holds_no_pickle_and_no_training_rows(shop: pd.DataFrame) -> None:
    (folder,) = Path("mlruns/artifacts/models").iterdir()
    endings = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert not endings & {".pkl", ".pickle", ".joblib", ".dill"}
    saved = "".join(
        path.read_bytes().decode(errors="ignore") for path in (folder / "artifacts" / "artifacts").rglob("*.json")
    )
    assert not [value for value in shop["timestamp"].astype(str) if value in saved]


@pytest.mark.slow
@pytest.mark.usefixtures("champion")
def test_champion_loads_without_the_package_pickle_or_the_training_folder(run: Run) -> None:
    code = """
import sys
sys.path = [path for path in sys.path if not path.endswith('src')]
sys.meta_path = [finder for finder in sys.meta_path if 'editable' not in str(finder)]
import mlflow, pandas as pd
model = mlflow.pyfunc.load_model("models:/agentsynth@champion")
print(len(model.predict(pd.DataFrame({"rows": [7]}))))
import agentsynth
print(agentsynth.__file__)
"""
    done = run(Path.cwd(), sys.executable, "-c", code, MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false")
    rows, package = done.stdout.split()
    assert rows == "7"
    assert "mlruns/artifacts/models" in package
    assert done.stderr == ""

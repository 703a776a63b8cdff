"""The registry: one version a policy, the champion only by beating, loads anywhere, no pickle, no paths."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agentsynth.errors import ModelFormatError, SchemaError
from agentsynth.serialization import FORMAT
from agentsynth.storage import ARRAYS, DIGEST, MANIFEST
from agentsynth.synth import AgentSynth
from agentsynth.tracking import registry
from agentsynth.tracking.pipeline import StageRecord, recorded
from agentsynth.tracking.registry import Contest, Verdict, champion_version, promote
from agentsynth.tracking.store import Store

Run = Callable[..., subprocess.CompletedProcess[str]]


def register(folder: Path, policy: str, scenarios: str = "none", table: str = "shop") -> str:
    with recorded([StageRecord("policy", policy, lambda _: None)]) as run:
        keys = {"policy_key": policy, "scenarios_key": scenarios}
        return registry.register(run, folder, keys=keys, card="what it is", tags={"table": table}).number


def challenge(store: Store, version: str, own: float, champions: float) -> Verdict:
    return promote(store.client, version, own, lambda _: tables(own, champions))


def tables(own: float, champions: float, spread: float = 0.0) -> Contest:
    """Two tables of each; the differences of the two pairs lie `spread` above and below that of the means."""
    return Contest(60, [own + spread, own - spread], [champions, champions])


def cannot(_: object) -> Contest:
    raise SchemaError("no column 'age'")


def never(_: object) -> Contest:
    raise AssertionError("nobody has to be scored here")


def test_first_version_becomes_champion(champion: Store) -> None:
    version = champion.client.get_model_version_by_alias("agentsynth", "champion")
    assert version.version in (1, "1")
    assert version.tags["verdict"] == "there was no champion to beat"
    assert (version.tags["promoted"], version.tags["rival"], version.tags["table"]) == ("true", "none", "shop")
    assert version.tags["held_out_similarity"] == "0.900000"
    assert version.description == "what it is\n\n## Promotion\n\nChampion: there was no champion to beat."


def test_better_policy_takes_over(champion: Store, model: Path) -> None:
    verdict = challenge(champion, register(model, "second"), 0.92, 0.91)
    assert verdict.promoted
    assert verdict.reason == (
        "0.9200 beats the 0.9100 of version 1 on the same 60 held-out rows: +0.0100 ± 0.0000 over 2 tables"
    )
    assert champion_version(champion.client) == "2"


@pytest.mark.parametrize(
    ("own", "spread", "relation"),
    [
        (0.91, 0.0, "is not told apart from"),
        (0.9101, 0.0001, "is not told apart from"),  # ahead by as much as tables differ by chance
        (0.90, 0.0, "does not beat"),
    ],
)
def test_equal_or_worse_policy_does_not(champion: Store, model: Path, own: float, spread: float, relation: str) -> None:
    version = register(model, "second")
    verdict = promote(champion.client, version, own, lambda _: tables(own, 0.91, spread))
    assert not verdict.promoted
    assert f"{relation} the 0.9100 of version 1" in verdict.reason
    assert champion_version(champion.client) == "1"
    found = champion.client.get_model_version("agentsynth", version)
    tags, description = found.tags, found.description
    assert description is not None
    assert (tags["promoted"], tags["verdict"], tags["rival"]) == ("false", verdict.reason, "1")
    assert description.endswith(f"## Promotion\n\nNot the champion: {verdict.reason}.")


def test_the_champion_itself_meets_the_challenger(champion: Store, model: Path, synth: AgentSynth) -> None:
    met: list[AgentSynth] = []

    def meet(rival: AgentSynth) -> Contest:
        met.append(rival)
        return tables(0.6, 0.5)

    assert promote(champion.client, register(model, "second"), 0.6, meet).promoted
    (rival,) = met
    pd.testing.assert_frame_equal(rival.generate(5, seed=1), synth.generate(5, seed=1))


def test_same_policy_is_not_registered_twice_and_does_not_meet_itself(champion: Store, model: Path) -> None:
    assert register(model, "first") == "1"
    assert promote(champion.client, "1", 0.9, never).reason == "it already is the champion"
    verdict = champion.client.get_model_version("agentsynth", "1").tags["verdict"]
    assert verdict == "there was no champion to beat"  # why it once became champion stays


def test_same_policy_with_other_scenarios_replaces_the_champion(champion: Store, model: Path) -> None:
    version = register(model, "first", scenarios="new")
    verdict = promote(champion.client, version, 0.9, never)
    assert verdict.promoted
    assert "with the scenarios of now" in verdict.reason
    assert champion_version(champion.client) == version == "2"


def test_champion_of_another_table_gives_way_and_it_is_said(champion: Store, model: Path) -> None:
    verdict = promote(champion.client, register(model, "second", table="people"), 0.2, cannot)
    assert verdict.promoted
    assert verdict.rival is None
    assert verdict.reason == "the first of its table; version 1, the champion before, is of the table shop"
    assert champion_version(champion.client) == "2"


def test_champion_of_another_form_of_the_table_gives_way_and_it_is_said(champion: Store, model: Path) -> None:
    verdict = promote(champion.client, register(model, "second"), 0.2, cannot)
    assert verdict == Verdict(True, "version 1, champion before, cannot be compared with it (no column 'age')")


def test_former_champion_that_comes_again_and_loses_stays_one_of_them(champion: Store, model: Path) -> None:
    def told() -> tuple[list[str], str]:
        found = champion.client.get_model_version("agentsynth", "1")
        tags = [found.tags[name] for name in ("promoted", "verdict", "rival")]
        return tags, str(found.description).partition("## Promotion\n\n")[2]

    first, _ = told()
    challenge(champion, register(model, "second"), 0.92, 0.91)
    for _ in range(2):
        again = challenge(champion, register(model, "first"), 0.91, 0.92)
        assert not again.promoted
        assert told() == (first, f"Champion: {first[1]}.\n\nNot the champion: {again.reason}.")
    won = challenge(champion, register(model, "first"), 0.93, 0.92)
    assert told()[0] == first
    assert told()[1].endswith(f"\n\nChampion: {won.reason}.")


def test_version_that_lost_and_wins_later_says_so(champion: Store, model: Path) -> None:
    version = register(model, "second")
    challenge(champion, version, 0.90, 0.91)
    won = challenge(champion, version, 0.92, 0.91)
    tags = champion.client.get_model_version("agentsynth", version).tags
    assert (tags["promoted"], tags["verdict"]) == ("true", won.reason)


def cannot_make_rows_with(version: str) -> Callable[[object], Contest]:
    def meet(loaded: object) -> Contest:
        if loaded == version:
            raise SchemaError("no column 'age'")
        return tables(0.3, 0.9)

    return meet


def test_after_another_table_the_champion_of_this_one_is_met_again(
    champion: Store, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = register(model, "other table")
    monkeypatch.setattr(registry, "load", lambda version: version)
    assert promote(champion.client, other, 0.2, cannot_make_rows_with("1")).promoted
    assert champion_version(champion.client) == other
    worse = register(model, "worse")
    verdict = promote(champion.client, worse, 0.3, cannot_make_rows_with(other))
    assert not verdict.promoted
    assert verdict.rival == "1"
    assert champion_version(champion.client) == "1"


def test_champion_promoted_meanwhile_is_met_too(champion: Store, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two experiments end at the same time: both beat version 1, but the better of them stays champion."""
    best, second = register(model, "best"), register(model, "second best")
    monkeypatch.setattr(registry, "load", lambda version: version)
    met: list[object] = []

    def meet(rival: object) -> Contest:
        met.append(rival)
        if rival == "1":
            champion.client.set_registered_model_alias("agentsynth", "champion", best)
        return tables(0.92, 0.91 if rival == "1" else 0.93)

    assert not promote(champion.client, second, 0.92, meet).promoted
    assert met == ["1", best]
    assert champion_version(champion.client) == best


def test_scores_belong_to_the_run_and_to_the_model(champion: Store, model: Path) -> None:
    with recorded([StageRecord("policy", "second", lambda _: None)]) as run:
        version = registry.register(run, model, keys={"policy_key": "second"}, card="")
        run.metrics({"similarity": 0.75}, version.model_id)
    (found,) = champion.client.get_logged_model(version.model_id).metrics or []
    assert (found.key, found.value) == ("similarity", 0.75)
    assert champion.client.get_run(run.id).data.metrics == {"similarity": 0.75}


def test_run_of_a_known_policy_is_linked_with_its_model(champion: Store, model: Path) -> None:
    with recorded([StageRecord("policy", "other scenario", lambda _: None)]) as run:
        keys = {"policy_key": "first", "scenarios_key": "none"}
        version = registry.register(run, model, keys=keys, card="another card", tags={"table": "other"})
    assert version.number == "1"
    outputs = champion.client.get_run(run.id).outputs
    assert outputs is not None
    assert [output.model_id for output in outputs.model_outputs] == [version.model_id]
    found = champion.client.get_model_version("agentsynth", "1")
    assert found.tags["table"] == "shop"
    assert str(found.description).startswith("what it is")


def test_no_champion_where_nothing_is_registered(store: Store) -> None:
    assert champion_version(store.client) is None


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
def test_model_holds_no_pickle() -> None:
    (folder,) = Path("mlruns/artifacts/models").iterdir()
    endings = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert not endings & {".pkl", ".pickle", ".joblib", ".dill"}


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


@pytest.mark.slow
@pytest.mark.usefixtures("champion")
def test_champion_of_another_format_brings_the_code_that_reads_it(run: Run) -> None:
    """In a new process its code goes before the installed one; in one that has imported ours, it says what to do."""
    (folder,) = Path("mlruns/artifacts/models").iterdir()
    make_format(99, folder / "artifacts")
    code = """
import mlflow, pandas as pd
print(len(mlflow.pyfunc.load_model("models:/agentsynth@champion").predict(pd.DataFrame({"rows": [7]}))))
from agentsynth import serialization
print(serialization.FORMAT)
"""
    assert run(Path.cwd(), sys.executable, "-c", code).stdout.split() == ["7", "99"]
    with pytest.raises(ModelFormatError, match=r"has format 99 .* brings its own code and loads as it is, in a new"):
        registry.load("1")


def make_format(number: int, folder: Path) -> None:
    """Make of a registered model one that was written by an agentsynth of another format."""
    code, saved = folder / "code" / "agentsynth" / "serialization.py", folder / "artifacts" / "model"
    code.write_text(code.read_text().replace(f"\nFORMAT = {FORMAT}\n", f"\nFORMAT = {number}\n"))
    manifest = json.dumps({**json.loads((saved / MANIFEST).read_text()), "format": number}).encode()
    (saved / MANIFEST).write_bytes(manifest)
    with np.load(saved / ARRAYS) as stored:
        arrays = {name: stored[name] for name in stored.files}
    arrays[DIGEST] = np.frombuffer(hashlib.sha256(manifest).digest(), dtype=np.uint8)
    np.savez_compressed(saved / ARRAYS, allow_pickle=False, **arrays)


def test_a_run_may_be_linked_with_a_model_again_as_after_a_kill(champion: Store) -> None:
    with recorded([StageRecord("policy", "again", lambda _: None)]) as run:
        keys = {"policy_key": "again", "scenarios_key": "none"}
        made = registry.register(run, Path("data/model"), keys=keys, card="what it is", tags={"table": "shop"})
        for _ in range(2):
            run.model(made.model_id)
    outputs = champion.client.get_run(run.id).outputs
    assert outputs is not None
    assert [output.model_id for output in outputs.model_outputs].count(made.model_id) == 1

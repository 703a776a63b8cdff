"""The command line, as a user runs it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest

from agentsynth.data.reading import read_table
from agentsynth.data.shop import simulate_shop
from agentsynth.metrics.report import Report
from agentsynth.scenarios.report import ScenarioReport
from agentsynth.scenarios.text import furthest
from agentsynth.stages import tune
from agentsynth.synth import AgentSynth

Cli = Callable[..., subprocess.CompletedProcess[str]]
COMMANDS = ["simulate", "fit", "generate", "evaluate", "report", "tune"]


def test_help_names_every_command_and_version_is_the_installed_one(process: Cli, tmp_path: Path) -> None:
    said = process("--help", cwd=tmp_path).stdout
    assert all(f"  {command} " in said for command in COMMANDS)
    assert process("--version", cwd=tmp_path).stdout == f"agentsynth {version('agentsynth')}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--help"], ["report", "--help"], ["tune", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    code = f"""
import sys
sys.argv = ["agentsynth", *{arguments}]
from agentsynth.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code
print("heavy:", *{{"numpy", "pandas", "sklearn", "mlflow", "optuna", "gymnasium"}} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "heavy:"


def test_simulate_writes_the_shop(process: Cli, tmp_path: Path) -> None:
    done = process("simulate", "--rows", 40, "--out", "new/shop.parquet", "--seed", 7, cwd=tmp_path)
    pd.testing.assert_frame_equal(read_table(tmp_path / "new" / "shop.parquet"), simulate_shop(40, 7))
    assert (done.stdout, done.stderr) == ("40 rows to new/shop.parquet\n", "")


def test_fit_shows_the_schema_and_saves_a_model(cli: Cli, folder: Path) -> None:
    done = cli("fit", "shop.csv", "--out", "again.zip", "--params", "params.yaml", "--seed", 0, cwd=folder)
    schema, said = done.stdout.split("model saved to ")
    assert "= price x quantity" in schema
    assert said == "again.zip\n"
    assert done.stderr == ""
    zipped, plain = AgentSynth.load(folder / "again.zip"), AgentSynth.load(folder / "model")
    pd.testing.assert_frame_equal(zipped.generate(20), plain.generate(20))


def test_generate_gives_the_rows_asked_for_in_both_forms(process: Cli, folder: Path, tmp_path: Path) -> None:
    for ending in ("csv", "parquet"):
        process("generate", folder / "model", "--rows", 25, "--out", f"t.{ending}", "--seed", 4, cwd=tmp_path)
    csv, parquet = (read_table(tmp_path / f"t.{ending}") for ending in ("csv", "parquet"))
    assert list(csv.columns) == list(read_table(folder / "shop.csv").columns)
    pd.testing.assert_frame_equal(csv, parquet)
    pd.testing.assert_frame_equal(csv, AgentSynth.load(folder / "model").generate(25, seed=4))


def test_the_module_is_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "agentsynth", "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"agentsynth {version('agentsynth')}\n"


def test_generate_writes_long_tables_into_a_folder(cli: Cli, folder: Path, tmp_path: Path) -> None:
    made = ("generate", folder / "model", "--rows", 60, "--out", "table", "--scenario", "dearer", "--seed", 4)
    done = cli(*made, cwd=tmp_path)
    assert done.stdout.startswith(f"60 rows in 1 part to {tmp_path / 'table'}\n  price mean: before ")
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "table"), AgentSynth.load(folder / "model").generate(60, "dearer", 4)
    )
    assert "1 of them there before" in cli(*made, cwd=tmp_path).stdout
    assert "rows 60, not 61" in cli(*made, "--rows", 61, cwd=tmp_path, expect=2).stderr
    refused = cli(*made, "--escape-formulas", cwd=tmp_path, expect=2)
    assert "--escape-formulas is for files that spreadsheets open" in refused.stderr
    done = cli(*made, "--strict", "--report", "r.json", cwd=tmp_path)
    report = ScenarioReport.from_json(json.loads((tmp_path / "r.json").read_text(encoding="utf-8")))
    assert report == AgentSynth.load(folder / "model").compose(60, "dearer", 4).report
    assert done.stdout.endswith("\n" + furthest(report) + "\n")
    several = cli(*made, "--out", "t.csv", "--workers", 2, cwd=tmp_path, expect=2)
    assert "workers write the parts of a table in a folder, and t.csv is a file" in several.stderr


def test_strict_stops_at_the_first_part_that_falls_short(cli: Cli, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("targets: {price: {mean: 1000000}}")
    made = ("generate", folder / "model", "--rows", 60, "--out", "table", "--scenario", "s.yaml", "--report", "r.json")
    done = cli(*made, "--strict", cwd=tmp_path, expect=2)
    assert "scenario 's': price mean fell short: wanted 1,000,000, reached" in done.stderr
    assert f"lies beyond it. Parts that were made stay in {tmp_path / 'table'}" in done.stderr
    assert not (tmp_path / "r.json").exists()
    done = cli(*made, cwd=tmp_path)
    assert "1 of them there before" in done.stdout
    assert "lies beyond it." in done.stdout
    assert (tmp_path / "r.json").exists()


def test_generate_steers_to_a_named_scenario_and_tells_its_targets(cli: Cli, folder: Path, tmp_path: Path) -> None:
    cli("generate", folder / "model", "--rows", 25, "--out", "t.csv", "--scenario", "premium", cwd=tmp_path)
    assert set(read_table(tmp_path / "t.csv")["user_type"]) == {"premium"}
    done = cli("generate", folder / "model", "--rows", 60, "--out", "t.csv", "--scenario", "dearer", cwd=tmp_path)
    assert "price mean: before" in done.stdout


def test_generate_reports_on_the_scenario_as_json_and_as_a_figure(cli: Cli, folder: Path, tmp_path: Path) -> None:
    made = ("generate", folder / "model", "--rows", 60, "--out", "t.csv", "--scenario", "dearer")
    done = cli(*made, "--report", "r.json", cwd=tmp_path)
    report = ScenarioReport.from_json(json.loads((tmp_path / "r.json").read_text(encoding="utf-8")))
    assert report.targets[0].reached == pytest.approx(read_table(tmp_path / "t.csv")["price"].mean())
    assert done.stdout == "60 rows to t.csv\n" + report.to_text(short=True) + "\n"
    cli(*made, "--report", "r.png", "--quiet", cwd=tmp_path)
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")


def test_strict_writes_nothing_where_a_goal_falls_short(cli: Cli, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("targets: {price: {mean: 1000000}}")
    made = ("generate", folder / "model", "--rows", 25, "--out", "t.csv", "--scenario", "s.yaml", "--report", "r.json")
    done = cli(*made, "--strict", cwd=tmp_path, expect=2)
    assert "scenario 's': price mean fell short: wanted 1,000,000, reached" in done.stderr
    assert "lies beyond it." in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.yaml"]
    done = cli(*made, cwd=tmp_path)
    assert "0 of 1 targets reached" in done.stdout
    assert "lies beyond it." in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--report", "r.json"], "a report is of a scenario, and none was asked for"),
        (["--scenario", "dearer", "--report", "r.txt"], "reports end with .json, figures of them with .png"),
    ],
)
def test_reports_that_cannot_be_are_refused(
    cli: Cli, folder: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = cli("generate", folder / "model", "--rows", 25, "--out", "t.csv", *arguments, cwd=tmp_path, expect=2)
    assert message in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "text"),
    [("s.yaml", "where: user_type = premium\n"), ("s.json", '{"where": ["user_type = premium"]}')],
)
def test_generate_reads_a_scenario_from_a_file(cli: Cli, folder: Path, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    cli("generate", folder / "model", "--rows", 25, "--out", "t.csv", "--scenario", name, cwd=tmp_path)
    assert set(read_table(tmp_path / "t.csv")["user_type"]) == {"premium"}


def test_evaluate_prints_and_saves_the_report(cli: Cli, folder: Path, tmp_path: Path) -> None:
    cli("simulate", "--rows", 120, "--out", "unseen.csv", "--seed", 9, cwd=tmp_path)
    cli("generate", folder / "model", "--rows", 100, "--out", "made.csv", cwd=tmp_path)
    train = folder / "shop.csv"
    done = cli("evaluate", "unseen.csv", "made.csv", "--train", train, "--out", "r.json", cwd=tmp_path)
    report = Report.load(tmp_path / "r.json")
    assert done.stdout == report.to_text() + "\n"
    assert report.rows == {"train": 300, "test": 120, "synthetic": 100}
    assert report.scores["exact_copies"].value is not None
    quiet = cli("evaluate", "unseen.csv", "made.csv", "--out", "r.json", "--quiet", cwd=tmp_path)
    assert quiet.stdout == ""
    assert Report.load(tmp_path / "r.json").scores["exact_copies"].value is None


def test_quiet_says_nothing(process: Cli, folder: Path, tmp_path: Path) -> None:
    done = process("generate", folder / "model", "--rows", 5, "--out", "t.csv", "--quiet", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "missing.csv", "--out", "m"], "no file missing.csv"),
        (["fit", "ragged.csv", "--out", "m"], "ragged.csv, line 3: 1 fields, but the header has 2"),
        (["fit", "short.csv", "--out", "m"], "rows"),
        (["fit", "{shop}", "--out", "m", "--params", "wrong.yaml"], "agent.speed"),
        (["fit", "{shop}", "--out", "m", "--params", "none.yaml"], "cannot read none.yaml"),
        (["generate", "nowhere", "--rows", "3", "--out", "o.csv"], "nowhere"),
        (["generate", "{model}", "--rows", "3", "--out", "o.txt"], "o.txt ends in '.txt'"),
        (["generate", "{model}", "--rows", "0", "--out", "o.csv"], "--rows"),
        (["generate", "{model}", "--rows", "3", "--out", "o.csv", "--scenario", "x"], "no scenario 'x'"),
        (["generate", "{model}", "--rows", "3", "--out", "o.csv", "--scenario", "x.yaml"], "x.yaml"),
        (["generate", "{model}", "--rows", "3"], "--out"),
        (["evaluate", "{shop}", "ragged.csv", "--out", "r.json"], "ragged.csv"),
        (["evaluate", "{shop}", "short.csv", "--out", "r.json"], "column"),
        (["evaluate", "{shop}", "{shop}", "--target", "colour", "--out", "r.json"], "colour"),
        (["simulate", "--rows", "3", "--out", "o.xlsx"], "o.xlsx"),
        (["simulate", "--rows", "3", "--out", "ragged.csv/o.csv"], "ragged.csv"),
        (["tune"], "dvc repro prepare"),
        (["tune", "{shop}", "--params", "space.yaml"], "low must be below high; found low 0.9, high 0.1"),
        (["tune", "{shop}", "--params", "speed.yaml"], "there is no parameter 'agent.speed'"),
        (["tune", "{shop}", "--score", "luck"], "tune.score: Input should be 'rows' or 'goals' (found 'luck')"),
        (["tune", "{shop}", "--scenario", "x", "--score", "goals"], "tune.score goals takes neither"),
        (["tune", "{shop}", "--storage", "nothing://here"], "cannot open tune.storage 'nothing://here'"),
        (["tune", "{shop}", "--force"], "--force goes with --apply"),
        (["tune", "{shop}", "--apply"], "--apply writes into params.yaml, and there is no such file"),
    ],
)
def test_what_cannot_be_used_is_one_message_code_2_and_nothing_written(
    cli: Cli, folder: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n3\n")
    (tmp_path / "short.csv").write_text("a,b\n1,2\n")
    (tmp_path / "wrong.yaml").write_text("agent: {speed: 3}\n")
    (tmp_path / "space.yaml").write_text("tune: {space: {agent: {discount: {low: 0.9, high: 0.1}}}}\n")
    (tmp_path / "speed.yaml").write_text("tune: {space: {agent: {speed: {low: 0.1, high: 0.9}}}}\n")
    before = sorted(tmp_path.rglob("*"))
    places = {"shop": folder / "shop.csv", "model": folder / "model"}
    done = cli(*(argument.format(**places) for argument in arguments), cwd=tmp_path, expect=2)
    assert message in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_process_ends_with_2_where_its_input_cannot_be_used(process: Cli, tmp_path: Path) -> None:
    done = process("fit", "missing.csv", "--out", "m", cwd=tmp_path, expect=2)
    assert done.stderr.startswith("agentsynth: there is no file missing.csv.")
    assert not list(tmp_path.iterdir())


def test_progress_bar_is_for_terminals_and_not_for_the_quiet(folder: Path, tmp_path: Path) -> None:
    def shown(*more: str) -> str:
        master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (24, 80))
        agentsynth = str(Path(sys.executable).parent / "agentsynth")
        command = [agentsynth, "generate", str(folder / "model"), "--rows", "50", "--out", "t.csv", *more]
        subprocess.run(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=slave, check=True)
        os.set_blocking(master, False)
        try:
            return os.read(master, 100_000).decode()
        except BlockingIOError:
            return ""
        finally:
            os.close(master)
            os.close(slave)

    assert "rows" in shown()
    assert shown("--quiet") == ""


def test_model_holds_no_training_rows(folder: Path) -> None:
    manifest = json.loads((folder / "model" / "manifest.json").read_text())
    stamps = set(read_table(folder / "shop.csv")["timestamp"].astype(str))
    assert not [stamp for stamp in stamps if stamp in json.dumps(manifest)]


@pytest.mark.parametrize(
    ("worth_it", "options", "written"),
    [(True, ["--apply"], True), (False, ["--apply"], False), (False, ["--apply", "--force"], True), (True, [], False)],
)
def test_best_parameters_are_written_if_better_or_by_force(
    cli: Cli,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    worth_it: bool,
    options: list[str],
    written: bool,
) -> None:
    (tmp_path / "params.yaml").write_text("agent: {discount: 0.5}\n")
    (tmp_path / "data" / "tuning").mkdir(parents=True)
    (tmp_path / "data" / "tuning" / tune.BEST).write_text("agent: {discount: 0.25}\n")
    monkeypatch.setattr(tune, "tune_table", lambda *_, **__: tune.Outcome("the study", worth_it))
    said = cli("tune", folder / "shop.csv", *options, cwd=tmp_path).stdout
    assert said.startswith("the study\n")
    assert ("params.yaml: 1 values changed\n  agent.discount: 0.5 -> 0.25" in said) is written
    assert ("params.yaml: left as it is, as nothing better" in said) is (options == ["--apply"] and not written)
    assert (tmp_path / "params.yaml").read_text() == f"agent: {{discount: {0.25 if written else 0.5}}}\n"


@pytest.fixture(scope="module")
def users(cli: Cli, folder: Path) -> Path:
    """A folder with a model of the shop's users in users.zip."""
    cli("simulate", "--rows", 300, "--seed", 2, "--habits", "--out", "orders.csv", cwd=folder)
    fit = ("fit", "orders.csv", "--out", "users.zip", "--params", "params.yaml", "--quiet")
    cli(*fit, "--entity", "user_id", cwd=folder)
    return folder


def test_entities_are_fitted_and_generated(cli: Cli, users: Path) -> None:
    cli("generate", "users.zip", "--entities", 12, "--out", "twelve.csv", cwd=users)
    made = read_table(users / "twelve.csv")
    assert made["user_id"].nunique() == 12
    assert set(made.groupby("user_id")["user_type"].nunique()) == {1}
    for arguments in (["--rows", 5, "--entities", 5], []):
        done = cli("generate", "users.zip", "--out", "no.csv", *arguments, cwd=users, expect=2)
        assert "say how many rows are wanted, or how many entities" in " ".join(done.stderr.replace("│", " ").split())
    assert not (users / "no.csv").exists()


def test_ids_within_and_around_entities_are_told(cli: Cli, users: Path) -> None:
    orders = read_table(users / "orders.csv")
    lines = orders.loc[orders.index.repeat(2)].reset_index(drop=True)
    user = lines["user_id"].str[1:].astype(int)
    lines.assign(order_id=lines.index // 2 + 500, branch=user % 5).to_csv(users / "lines.csv", index=False)
    fit = ("fit", "lines.csv", "--out", "lines.zip", "--params", "params.yaml", "--entity", "user_id")
    said = cli(*fit, "--id", "branch", "--id", "order_id", cwd=users).stdout
    assert (
        "entities: user_id\n  the same on all rows of one: user_type, branch\n  rows in order of: timestamp\n" in said
    )
    assert "  within them: order_id, with the same category, price, quantity, timestamp on all of its rows\n" in said
    assert "  shared by several: branch\n" in said
    cli("generate", "lines.zip", "--rows", 60, "--out", "more.csv", cwd=users)
    made = read_table(users / "more.csv")
    assert set(made.groupby("order_id")["timestamp"].nunique()) == {1}
    assert set(made.groupby("user_id")["branch"].nunique()) == {1}


def test_entities_are_written_into_a_folder(cli: Cli, users: Path) -> None:
    generate = ("generate", "users.zip", "--seed", 4)
    done = cli(*generate, "--entities", 12, "--out", "twelve", cwd=users)
    made = pd.read_parquet(users / "twelve")
    assert done.stdout.startswith(f"{len(made)} rows of 12 entities in 1 part to ")
    cli(*generate, "--entities", 12, "--out", "one.parquet", cwd=users)
    pd.testing.assert_frame_equal(made, pd.read_parquet(users / "one.parquet"))
    refused = cli(*generate, "--rows", 12, "--out", "twelve", cwd=users, expect=2)
    assert "unit entities, not rows" in " ".join(refused.stderr.split())


@pytest.mark.slow
def test_a_long_table_of_entities_is_the_same_after_a_kill_and_by_two_workers(process: Cli, users: Path) -> None:
    pytest.importorskip("distributed")
    generate = ("generate", "users.zip", "--rows", 200_001, "--policy", "free", "--seed", 4, "--quiet", "--out")
    process(*generate, "whole", "--workers", 1, cwd=users)
    whole = pd.read_parquet(users / "whole", columns=["user_id", "user_type"])
    assert len(whole) == 200_001
    assert set(whole.groupby("user_id")["user_type"].nunique()) == {1}
    command = [str(Path(sys.executable).parent / "agentsynth"), *map(str, generate), "killed"]
    killed = subprocess.Popen(command, cwd=users)
    while not list(users.glob("killed/part-*")):
        assert killed.poll() is None
        time.sleep(0.05)
    killed.kill()
    killed.wait()
    assert 1 <= len(list(users.glob("killed/part-*"))) < 3
    process(*generate, "killed", "--workers", 2, cwd=users)
    both = [{file.name: file.read_bytes() for file in (users / name).iterdir()} for name in ("whole", "killed")]
    assert sorted(both[0]) == ["_agentsynth.json", *(f"part-0000{number}.parquet" for number in range(3))]
    assert both[0] == both[1]

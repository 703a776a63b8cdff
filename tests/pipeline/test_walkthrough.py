"""The README's way from a table to a served policy, its commands in order, in a project of small sizes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from agentsynth.tracking.serving import LIMIT_VARIABLE
from agentsynth.tracking.store import connect

pytestmark = pytest.mark.slow

Run = Callable[..., subprocess.CompletedProcess[str]]
README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
SERVERS = {"mlflow ui": "/health", "mlflow models serve": "/ping"}
"""Commands that go on until they are stopped, and the path by which each tells that it is up."""
# A server with one worker and no job runner takes a third of the time to come up, and shows the same.
SETTINGS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_WORKERS": "1"}
LIMIT = 500
SERVED = {LIMIT_VARIABLE: str(LIMIT), "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
REMOTE = """
from pathlib import Path
from agentsynth.tracking import registry
from agentsynth.tracking.pipeline import StageRecord, recorded

def write(run):
    run.params({"a": 1})
    run.curves({"train/return": [0.1, 0.2]})
    run.files([Path("note.txt")])

with recorded([StageRecord("train", "key", write)]) as run:
    version = registry.register(run, Path(MODEL), keys={"policy_key": "remote"}, card="a card")
    print(*[item.path for item in run.client.list_artifacts(run.id)], len(registry.load(version.number).generate(3)))
"""


def steps() -> list[tuple[str, str]]:
    """Return the blocks of the section as (language, text), in order; the servers' ports are free ones."""
    section = README.partition("## From your table to a served policy\n")[2].partition("\n## ")[0]
    for port in ("5000", "5001"):
        assert port in section
        section = section.replace(port, str(free_port()))
    assert "--trials 20" in section
    section = section.replace("--trials 20", "--trials 2")
    assert "'seed=0,1'" in section
    section = section.replace("'seed=0,1'", "'seed=1'")  # the only two commands that are cut short
    return re.findall(r"^```(bash|python)[^\n]*\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running(folder: Path, command: str, health: str) -> Iterator[str]:
    """Run a server in the background until the block ends; yield its address when it is up."""
    port = re.search(r"--port (\d+)", command)
    assert port is not None
    address = f"http://127.0.0.1:{port[1]}"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=folder,
            env={**os.environ, **SETTINGS, **SERVED, "PATH": path},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(address + health, process, folder / "server.log")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(1800):
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address):  # noqa: S310  # this machine's
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise TimeoutError(log.read_text())


def test_the_readmes_way_from_a_table_to_a_served_policy(run: Run, project: Path, model: Path, tmp_path: Path) -> None:
    said = ""
    with ExitStack() as servers:
        for language, text in steps():
            server = next((name for name in SERVERS if text.startswith(name)), None)
            if server:
                command = text.partition("#")[0].strip()
                address = servers.enter_context(running(project, command, SERVERS[server]))
                if server == "mlflow ui":
                    check_ui(run, address, model, tmp_path / "remote")
                else:
                    check_served(address)
            elif language == "bash":
                said += run(project, "bash", "-euo", "pipefail", "-c", text, **SETTINGS).stdout
            else:
                assert run(project, sys.executable, "-c", text).stdout.startswith("100 50 ('price_factor', ")
        rows = json.loads(said[said.rindex('{"predictions"') :])["predictions"]
    assert [17 <= int(row["timestamp"][11:13]) <= 20 for row in rows] == [True] * 3
    check_tables(said, project)
    check_store(project)


def check_ui(run: Run, address: str, model: Path, folder: Path) -> None:
    """The server shows the project's runs, and takes those of another project that names it."""
    client = MlflowClient(address)
    experiment = client.get_experiment_by_name("agentsynth")
    assert experiment is not None
    names = [found.info.run_name for found in client.search_runs([experiment.experiment_id])]
    assert any(name.startswith("orders price_rise seed 1 sweep-2") for name in names if name)
    folder.mkdir()
    (folder / "note.txt").write_text("x")
    code = REMOTE.replace("MODEL", repr(str(model)))
    variables = {"MLFLOW_EXPERIMENT_NAME": "remote"}
    script = f"import os; os.environ['MLFLOW_TRACKING_URI'] = {address!r}\n{code}"
    assert run(folder, sys.executable, "-c", script, **variables).stdout.startswith("note.txt 3\n")
    assert [path.name for path in folder.iterdir()] == ["note.txt"]
    remote = client.get_experiment_by_name("remote")
    assert remote is not None
    assert [found.data.params for found in client.search_runs([remote.experiment_id])] == [{"a": "1"}]


def check_served(address: str) -> None:
    """Requests are answered in every form, or refused with what is wrong with them."""
    asked = {"rows": 3, "seed": 7, "scenario": "evening_rush"}
    status, answer = ask(address, {"inputs": [asked]})
    assert status == 200, answer
    assert [list(row)[-1] for row in answer["predictions"]] == ["total_revenue"] * 3
    by_params = {"inputs": [{"rows": 3}], "params": {"seed": 7, "scenario": "evening_rush"}}
    assert ask(address, by_params) == (status, answer)
    for wrong, message in (
        ({"rows": 3, "senario": "x"}, "unknown columns: 'senario'"),
        ({"rows": 3, "scenario": "nowhere"}, "no scenario 'nowhere'; the model knows: evening_rush"),
        ({"rows": LIMIT + 1}, f"one call is answered with {LIMIT} at the most"),
        ({"rows": "many"}, "valid integer"),
        ({"rows": -1}, "rows must be a whole number from 1 on"),
        ({"seed": -1}, "a seed is a whole number from 0 on"),
    ):
        status, answer = ask(address, {"inputs": [wrong]})
        assert status == 400, answer
        assert message in answer
    status, answer = ask(address, {"dataframe_records": [asked]})
    assert status == 400
    assert "dictionary with 'inputs' key" in answer


def ask(address: str, body: dict[str, Any]) -> tuple[int, Any]:
    head = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/invocations", json.dumps(body).encode(), head)  # noqa: S310
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310  # this machine's
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def check_tables(said: str, project: Path) -> None:
    """DVC shows the experiments beside one another."""
    assert "2 trials (2 complete); best is trial" in said
    for number in (1, 2):
        assert re.search(rf"\[sweep-{number}\].*Success", said)
    assert re.search(r"params.yaml\s+generate.scenario\s+-\s+price_rise", said)
    assert re.search(r"data/metrics.json\s+similarity\s+0\.\d+\s+0\.\d+", said)
    figures = {path.name for path in (project / "dvc_plots" / "static").glob("*.png")}
    assert {"HEAD_figures_data_comparison.png", "sweep-2_figures_data_comparison.png"} <= figures


def check_store(project: Path) -> None:
    """Runs of the queue are in the project's own store, each whole; versions say why they are champion or not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        client, experiment = connect()
        runs = {found.data.tags.get("dvc_experiment"): found for found in client.search_runs([experiment])}
        first, *sweep = [runs[name] for name in (None, "sweep-1", "sweep-2")]
        for found in sweep:
            assert (found.info.status, found.data.tags["dvc_stage"]) == ("FINISHED", "evaluate")
            assert found.data.tags["table"] == "orders"
            assert {"agent.learning_rate", "generate.scenario", "seed"} <= set(found.data.params)
            assert {"similarity", "ceiling/similarity", "train/return", "held_out_similarity"} <= set(
                found.data.metrics
            )
            files = [item.path for item in client.list_artifacts(found.info.run_id)]
            assert {"report.json", "schema.json", "model_card.md", "synthetic.csv", "figures"} <= set(files)
        assert len({found.data.tags["data_digest"] for found in sweep}) == 1
        assert first.data.tags["mlflow.source.name"] == "agentsynth"
        champion = client.get_model_version_by_alias("agentsynth", "champion")
        assert champion.tags["table"] == "orders"
        check_versions(client)


def check_versions(client: MlflowClient) -> None:
    versions = {str(found.version): found for found in client.search_model_versions("name = 'agentsynth'")}
    orders: list[Any] = [found for found in versions.values() if found.tags.get("table") == "orders"]
    assert len(orders) == 2  # one a seed: scenarios do not make another policy
    for found in orders:
        assert found.tags["verdict"] in found.description
        assert found.tags["promoted"] in ("true", "false")
    reasons = sorted(found.tags["verdict"] for found in orders)
    assert any("held-out rows: " in reason for reason in reasons)

"""The benchmarks of trust, kept short: they find what is wrong, and nothing where nothing is."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType, SimpleNamespace
from typing import Any

import pandas as pd
import psutil
import pytest
from dvc.repo import Repo
from mlflow.exceptions import MlflowException

from agentsynth.errors import InputError
from agentsynth.synth import AgentSynth

Run = Callable[..., str]


@pytest.mark.slow
def test_a_killed_command_is_run_again_and_completes(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "kills.csv"
    printed = run("kills.py", "--kills", 1, "--seed", 3, "--targets", "save a zip", "--out", out)
    found = pd.read_csv(out, keep_default_na=False)
    assert found[["target", "killed", "problem"]].to_numpy().tolist() == [["save a zip", True, ""]]
    assert "\n1 of 1 were killed before their end" in printed


@pytest.mark.parametrize("part", ["kills"], indirect=True)
def test_processes_that_outlive_their_parent_are_found(part: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "ENDING", 0.1)
    process = subprocess.Popen(["sh", "-c", "sleep 60 & wait"], start_new_session=True)
    while len(part.session(process.pid)) < 2:
        time.sleep(0.01)
    assert part.kill(process, alone=True)
    with pytest.raises(RuntimeError, match=r"1 processes go on after 0\.1 s"):
        part.ended(process.pid)
    while part.session(process.pid):
        time.sleep(0.01)


@pytest.mark.parametrize("part", ["kill_targets"], indirect=True)
def test_parts_of_another_table_or_too_many_files_are_not_whole(
    part: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = part.targets()["generate parts"].whole
    for name, values in ((part.UNTOUCHED, [1, 2]), (part.LONG, [1, 2])):
        (tmp_path / name).mkdir()
        pd.DataFrame({"x": values}).to_parquet(tmp_path / name / "part-00000.parquet")
        (tmp_path / name / part.MANIFEST).write_text("{}")
    monkeypatch.setattr(part, "ROWS", 2)
    monkeypatch.setattr(part, "PARTS", 1)
    assert whole(tmp_path)
    (tmp_path / part.LONG / ".part-00000.x.parquet").touch()
    assert not whole(tmp_path)


@pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # of DVC's
@pytest.mark.parametrize("part", ["kill_repro"], indirect=True)
def test_a_pipeline_is_whole_with_the_digests_of_one_left_alone(
    part: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reproduced(text: str) -> bool:
        stage = {"cmd": f"echo {text} > data/out.txt", "outs": ["data/out.txt"]}
        (tmp_path / "dvc.yaml").write_text(json.dumps({"stages": {"one": stage}}))
        with Repo() as repo:
            repo.reproduce()
        return bool(part.is_whole(tmp_path))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(part, "FILES", ())
    part.make_project(tmp_path)
    (tmp_path / part.UNTOUCHED).touch()
    assert not reproduced("right")
    part.keep_untouched(tmp_path)
    assert not (tmp_path / "data" / "out.txt").exists()
    assert not part.is_whole(tmp_path)
    assert reproduced("right")
    (tmp_path / "data" / "out.txt").write_text("half")
    assert not part.is_whole(tmp_path)
    assert not reproduced("wrong")


@pytest.mark.slow
def test_fuzz_counts_what_was_used_refused_and_found(run: Run, tmp_path: Path) -> None:
    printed = run("fuzz.py", "--minutes", 0.01, "--seed", 3, "--readers", "parameters", "archive", "--out", tmp_path)
    times = re.match(r"([\d.]+) minutes, ([\d.]+) of them of the processor, seed 3, ([\d,]+) inputs\n", printed)
    assert times is not None
    lines = re.findall(r"\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|", printed)
    assert int(times[3].replace(",", "")) == sum(int(inputs) for _, inputs, *_ in lines)
    assert [name for name, *_ in lines] == ["parameters", "archive"]
    for _, inputs, used, refused, found in lines:
        assert 0 < int(inputs) == int(used) + int(refused)
        assert found == "0"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", ["fuzz"], indirect=True)
def test_what_is_neither_used_nor_refused_is_a_finding(part: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_: bytes) -> None:
        raise InputError("no")

    def never_ends(_: bytes) -> None:
        while True:
            pass

    assert part.tried(len, b"") == ("used", "")
    assert part.tried(refuses, b"") == ("refused", "")
    end, trace = part.tried(int, b"x")
    assert end == "ValueError in ?"
    assert "invalid literal" in trace
    monkeypatch.setattr(part, "SLOW", 0.05)
    before = signal.signal(signal.SIGPROF, part.slow)
    assert part.tried(never_ends, b"")[0] == "TooSlow in ?"
    signal.signal(signal.SIGPROF, before)


@contextmanager
def answering(answer: Callable[[bytes], tuple[int, bytes] | None]) -> Iterator[str]:
    """Answer requests on this machine until the block ends; None: the connection breaks."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found = answer(self.rfile.read(int(self.headers["Content-Length"])))
            if found is not None:
                self.send_response(found[0])
                self.end_headers()
                self.wfile.write(found[1])

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("part", ["load"], indirect=True)
def test_load_tells_right_answers_from_wrong_and_lost_ones(part: ModuleType, shop_synth: AgentSynth) -> None:
    asked = part.questions(shop_synth, 1)
    known = {question.body: question for question in asked}
    assert len(known) == len(asked)

    def right(body: bytes) -> tuple[int, bytes]:
        question = known[body]
        return question.status, b"why" if question.rows is None else json.dumps({"predictions": question.rows}).encode()

    def other(body: bytes) -> tuple[int, bytes] | None:
        status, content = right(body)
        if status == 200:  # one digit of one number
            return status, re.sub(rb'"total_revenue": \d', b'"total_revenue": 77', content, count=1)
        return (200, content) if body else None

    for answer, expected in ((right, set()), (other, {"other rows", "status 200", "lost: Remote"})):
        with answering(answer) as address:
            answers = part.load(address, asked, clients=2, seconds=0.0) + [part.ask(address, one) for one in asked]
        assert len(answers) == len(asked) + 2
        assert {found.problem[: len("other rows")] for found in answers} - {""} == {text[:10] for text in expected}
        assert all(found.problem for found in answers) is bool(expected)


@pytest.mark.parametrize("part", ["load"], indirect=True)
def test_the_figures_of_a_load_by_hand(part: ModuleType) -> None:
    answers = pd.DataFrame(
        {"seconds": [1.0, 2.0, 3.0], "problem": ["", "lost: x", "status 500"], "right": [True, True, False]}
    )
    lines = part.told(answers, 2.0)
    assert lines.loc["all"].to_dict() == {
        "requests": 3,
        "wrong answers": 1,
        "lost": 1,
        "a second": 1.5,
        "median (s)": 2.0,
        "99th percentile (s)": pytest.approx(2.98),
        "longest (s)": 3.0,
    }
    assert lines.loc["to be refused", "requests"] == 1
    memory = part.Memory(psutil.Process(), [0.0, 30.0, 60.0, 90.0, 120.0], [50.0, 100.0, 100.0, 101.0, 102.0])
    assert memory.figures() == {
        "after warm-up": 100.0,
        "half-way": 100.0,
        "at the end": 102.0,
        "largest": 102.0,
        "growth a minute, second half": pytest.approx(2.0),
    }


@pytest.mark.slow
def test_requests_are_answered_or_refused(run: Run) -> None:
    printed = run("fuzz_requests.py", "--minutes", 0.03, "--seed", 1, "--policies", "entities")
    ends = re.findall(r"- policy of (\w+): (.+): ([\d,]+)", printed)
    assert {name for name, _, _ in ends} == {"entities"}
    assert {how for _, how, _ in ends} <= {"answered", "refused"}


@pytest.mark.parametrize("part", ["fuzz_requests"], indirect=True)
def test_an_error_that_is_not_the_users_is_a_finding(part: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def predict(table: object, params: object) -> None:
        raise ZeroDivisionError if table == params else MlflowException.invalid_parameter_value("no table")

    def ended(error: Exception | None) -> str:
        def invocations(*_: object) -> SimpleNamespace:
            if error is not None:
                raise error
            return SimpleNamespace(status=200)

        monkeypatch.setattr("mlflow.pyfunc.scoring_server.invocations", invocations)
        metadata = SimpleNamespace(get_input_schema=lambda: None)
        how, trace = part.asked(SimpleNamespace(metadata=metadata), b"{}", part.JSON_TYPE)
        assert bool(trace) == (how not in ("answered", "refused", part.THEIRS))
        return str(how)

    assert ended(None) == "answered"
    assert ended(MlflowException.invalid_parameter_value("no such scenario")) == "refused"
    assert ended(MlflowException.invalid_parameter_value("an unexpected error while evaluating the model")) not in (
        "answered",
        "refused",
    )
    assert ended(MlflowException("broken")).startswith("INTERNAL_ERROR")
    assert ended(RecursionError()) == part.THEIRS
    handed = SimpleNamespace(predict=predict)
    assert part.asked(handed, ([], None), part.NO_TYPE) == ("refused", "")
    assert part.asked(handed, ([], []), part.NO_TYPE)[0] == part.THEIRS

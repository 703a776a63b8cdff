"""`agentsynth report`, as a user runs it."""

from __future__ import annotations

import html
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentsynth.errors import InputError
from agentsynth.stages.pages import last_commit
from agentsynth.stages.report import Request, subject_of

Cli = Callable[..., subprocess.CompletedProcess[str]]


def words(page: Path) -> str:
    """Return the text of a page, the style left out."""
    text = re.sub(r"<style>.*?</style>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def section(page: Path, name: str) -> str:
    """Return the HTML of a section of a page."""
    (found,) = re.findall(rf'<section id="{name}".*?</section>', page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return str(found)


@pytest.mark.slow
def test_page_of_a_model_and_the_table_it_says_how_to_make(cli: Cli, folder: Path, tmp_path: Path) -> None:
    cli("simulate", "--rows", 120, "--out", "unseen.csv", "--seed", 9, cwd=tmp_path)
    given = ["--real", "unseen.csv", "--train", folder / "shop.csv", "--seed", 4]
    model = folder / "model"
    done = cli("report", model, *given, "--scenario", "dearer", "--out", "new/r.html", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("report to new/r.html\n", "")
    page = tmp_path / "new" / "r.html"
    text = words(page)
    assert "120 synthetic rows, beside 120 real rows that the model has not seen" in text
    assert "Compared with all 120 unseen rows" in text
    assert "price mean" in section(page, "scenario")
    assert "git commit none" in text
    command = shlex.join(["agentsynth", "report", str(model), *map(str, given), "--scenario", "dearer"])
    assert f"{command} --out new/r.html" in text

    (table_command,) = re.findall(r"agentsynth (generate [^<]+)</pre>", section(page, "reproduce"))
    cli(*shlex.split(html.unescape(table_command)), cwd=tmp_path)
    again = [*given, "--synthetic", "synthetic.csv", "--scenario", "dearer", "--title", "again"]
    cli("report", model, *again, "--out", "again.html", "--quiet", cwd=tmp_path)
    for name in ("scores", "columns", "pairs", "privacy", "training", "response"):
        assert section(tmp_path / "again.html", name) == section(page, name)
    assert "again mimicked" not in words(tmp_path / "again.html")
    assert "again dearer 120 synthetic rows" in words(tmp_path / "again.html")


def test_page_without_real_rows_says_what_is_missing(cli: Cli, folder: Path, tmp_path: Path) -> None:
    cli("report", folder / "model", "--rows", 30, "--out", "r.html", cwd=tmp_path)
    text = words(tmp_path / "r.html")
    assert "Scores, columns, pairs and privacy are not judged" in text
    assert "30 synthetic rows." in text


def test_slice_of_a_scenario_is_judged_by_its_own_rows(cli: Cli, folder: Path, tmp_path: Path) -> None:
    cli("simulate", "--rows", 200, "--out", "unseen.csv", "--seed", 9, cwd=tmp_path)
    given = ["--real", "unseen.csv", "--scenario", "premium", "--rows", 60]
    cli("report", folder / "model", *given, "--out", "r.html", cwd=tmp_path)
    text = words(tmp_path / "r.html")
    assert re.search(r"Judged by the \d\d of 200 unseen rows in the scenario's slice", text)
    assert "60 of 60 rows meet the condition" in text
    assert "Privacy is not judged" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{model}", "--out", "r.txt"], "a page's name ends in .html; found '.txt'"),
        (["{model}", "--out", "r.html", "--scenario", "x"], "no scenario 'x'"),
        (["{model}"], "--out"),
    ],
)
def test_what_cannot_be_used_is_one_message_code_2_and_nothing_written(
    cli: Cli, folder: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = cli("report", *(part.format(model=folder / "model") for part in arguments), cwd=tmp_path, expect=2)
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"train": Path("shop.csv")}, "--train serves to judge"),
        ({"target": "price"}, "--target serves to judge"),
        ({"synthetic": Path("shop.csv"), "rows": 3}, "Give one of them"),
        ({"real": Path("none.csv")}, "no file none.csv"),
        ({"real": Path("shop.csv"), "target": "colour"}, "colour"),
        ({"model": Path("shop.csv")}, "shop.csv is not a model"),
    ],
)
def test_requests_that_cannot_be_met_say_why(
    folder: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], message: str
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(InputError, match=message):
        subject_of(Request(**{"model": Path("model"), "rows": None, **given}))


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    return subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_the_commit_told_is_the_last_one_that_what_was_asked_for_depends_on(tmp_path: Path) -> None:
    assert last_commit(folder=tmp_path) is None
    git(tmp_path, "init", "-q")
    assert last_commit(folder=tmp_path) is None
    (tmp_path / "src").mkdir()
    for name, message in (("src/größe.py", "code"), ("result.txt", "result")):
        (tmp_path / name).write_text("1")
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-qm", message)
    result, code = git(tmp_path, "log", "--format=%H").split()
    whole, part = last_commit(folder=tmp_path), last_commit(["src", "absent.yaml"], folder=tmp_path)
    assert whole is not None
    assert part is not None
    assert (whole.name, part.name, part.changed) == (result, code, ())
    (tmp_path / "src" / "größe.py").write_text("2")
    (tmp_path / "result.txt").write_text("2")
    part = last_commit(["src"], folder=tmp_path)
    assert part is not None
    assert part.changed == ("src/größe.py",)

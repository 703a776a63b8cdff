"""README and pages of docs/ are run: Python blocks in order, and the README's commands for one's own table."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from agentsynth import AgentSynth
from agentsynth.data.shop import simulate_shop

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md"))}
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def run_python(text: str, folder: Path) -> str:
    """Run the Python blocks of a page in order, as one script; return what they print."""
    script = folder / "page.py"
    script.write_text("\n".join(blocks("python", text)), encoding="utf-8")
    done = subprocess.run([sys.executable, "-W", "error", script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_two_commands_run_the_pipeline_and_the_tests() -> None:
    run, check = blocks("bash")[:2]
    assert run.strip().endswith("&& dvc repro")
    assert check.strip().endswith("&& pytest -n auto --dist loadfile")


def test_every_other_command_is_run_by_a_test() -> None:
    """The first two blocks are what CI runs; a further block needs a test that runs it."""
    section = README.partition("## From your table to a served policy\n")[2].partition("\n## ")[0]
    walk = blocks("bash", section)  # tests/pipeline/test_walkthrough.py runs these, in order
    own, long, tuning = [block for block in blocks("bash")[2:] if block not in walk]
    assert "agentsynth fit" in own
    # tests/pipeline, tests/cli and tests/streaming run these in a small size; here only that they know these options.
    for command, block in (("tune", tuning), ("generate", long)):
        agentsynth = str(Path(sys.executable).parent / "agentsynth")
        known = subprocess.run([agentsynth, command, "--help"], capture_output=True, text=True, check=True).stdout
        assert all(option in known for option in re.findall(r"--[a-z-]+", block))
    assert len(walk) >= 6


def test_ci_runs_the_test_command_of_the_readme() -> None:
    check = blocks("bash")[1].strip()
    assert CI.replace("install --quiet", "install").rstrip().endswith(check)


@pytest.mark.slow
def test_python_blocks_run_in_order(tmp_path: Path) -> None:
    assert "category Electronics share: wanted 0.5" in run_python(README, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page, text in PAGES.items() if blocks("python", text)])
def test_pages_print_what_they_show(page: str, tmp_path: Path) -> None:
    shown, printed = "".join(blocks("text", PAGES[page])), run_python(PAGES[page], tmp_path)
    if as_golden():
        assert printed == shown
    else:  # other versions draw or split otherwise: the same words, other numbers
        assert re.sub(r"[\d.+-]+", "", printed) == re.sub(r"[\d.+-]+", "", shown)


def as_golden() -> bool:
    """Tell whether the versions are those with which the pages were printed, and golden tables made."""
    golden = json.loads((ROOT / "tests" / "core" / "golden.json").read_text(encoding="utf-8"))["versions"]
    return all(version(name).startswith(f"{number}.") for name, number in golden.items())


def test_scenarios_of_the_page_are_reached() -> None:
    (text,) = blocks("yaml", PAGES["scenarios"])
    synth = AgentSynth({"agent": {"episodes": 6}}, seed=0).fit(simulate_shop(600, seed=0))
    for name, value in yaml.safe_load(text).items():
        composed = synth.compose(400, value, seed=1)
        assert len(composed.table) == 400
        if name != "dearer_and_wider":  # a total of 250,000 belongs to a larger table
            assert all(target.met for target in composed.targets), (name, composed.targets)


def test_commands_of_pages_exist() -> None:
    """They may run for long: what they name is there, and has the options they give."""
    commands = [line for text in PAGES.values() for block in blocks("bash", text) for line in block.splitlines()]
    assert commands
    for command in commands:
        program, script, *options = command.partition("  #")[0].split()
        assert program in ("python", "agentsynth")
        if program == "python":
            known = (ROOT / script).read_text(encoding="utf-8").split('"')
        else:
            told = subprocess.run(["agentsynth", script, "--help"], capture_output=True, text=True, check=True).stdout
            known = re.findall(r"--[a-z-]+", told)
        assert all(option in known for option in options if option.startswith("--")), command


def test_every_score_is_explained() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src" / "agentsynth" / "metrics").glob("*.py")]
    names = [name for source in sources for name in re.findall(r'Definition\(\s*"(\w+)"', source)]
    assert "membership_inference" in names
    assert not [name for name in names if f"`{name}`" not in PAGES["scores"]]


def test_links_of_the_pages_lead_somewhere() -> None:
    documents = {ROOT / "README.md": README} | {ROOT / "docs" / f"{name}.md": text for name, text in PAGES.items()}
    for path, text in documents.items():
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
            file, _, anchor = target.partition("#")
            found = (path.parent / file).resolve() if file else path
            assert found.is_file(), f"{path.name}: {target}"
            assert not anchor or anchor in anchors(found), f"{path.name}: {target}"


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.slow
def test_commands_for_ones_own_table_run_in_order(tmp_path: Path) -> None:
    (block,) = [block for block in blocks("bash") if "agentsynth fit" in block]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "report.json").exists()


def test_every_figure_of_the_readme_exists() -> None:
    figures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert figures
    assert all((ROOT / figure).is_file() for figure in figures)

"""The README is run: its Python blocks in order, and its commands for one's own table."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def test_the_first_two_commands_run_the_pipeline_and_the_tests() -> None:
    run, check = blocks("bash")[:2]
    assert run.strip().endswith("&& dvc repro")
    assert check.strip().endswith("&& pytest")


def test_ci_runs_the_test_command_of_the_readme() -> None:
    check = blocks("bash")[1].strip()
    assert CI.replace("pip install --quiet", "pip install").rstrip().endswith(check)


@pytest.mark.slow
def test_python_blocks_run_in_order(tmp_path: Path) -> None:
    script = tmp_path / "readme.py"
    script.write_text("\n".join(blocks("python")), encoding="utf-8")
    done = subprocess.run([sys.executable, "-W", "error", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "category Electronics share: wanted 0.5" in done.stdout


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

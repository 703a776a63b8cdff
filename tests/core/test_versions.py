"""The versions that pyproject.toml allows, and those that the tests run with, go together."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def direct(*lists: list[str]) -> list[Requirement]:
    """Return the requirements of these lists, without those that name an extra of the project itself."""
    stated = [Requirement(text) for one in lists for text in one]
    return [each for each in stated if each.name != PROJECT["name"]]


def pins(name: str) -> dict[str, Version]:
    """Return the version that a file of constraints pins, by the normalized name of the package."""
    lines = (line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines())
    pairs = (line.split("==") for line in lines if line)
    return {canonicalize_name(package): Version(version) for package, version in pairs}


TESTED = direct(PROJECT["dependencies"], EXTRAS["pipeline"], EXTRAS["dask"], EXTRAS["test"])
OLDEST, NEWEST = pins("constraints-oldest.txt"), pins("constraints.txt")


@pytest.mark.parametrize("requirement", TESTED, ids=lambda one: one.name)
def test_the_oldest_version_tested_is_the_oldest_allowed(requirement: Requirement) -> None:
    (bound,) = requirement.specifier
    assert bound.operator == ">="
    assert OLDEST[canonicalize_name(requirement.name)] == Version(bound.version)


@pytest.mark.parametrize("requirement", [*TESTED, *direct(EXTRAS["lint"])], ids=lambda one: one.name)
def test_the_newest_version_tested_is_allowed(requirement: Requirement) -> None:
    assert requirement.specifier.contains(NEWEST[canonicalize_name(requirement.name)])


def test_no_extra_is_left_out() -> None:
    assert set(EXTRAS) == {"dask", "lint", "pipeline", "test"}
    assert "agentsynth[dask,pipeline]" in EXTRAS["test"]


def test_ci_runs_the_commands_that_are_documented() -> None:
    workflow: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    runs = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    oldest, audit, _ = re.findall(r"^```bash\n(.*?)\n```$", page, flags=re.MULTILINE | re.DOTALL)
    assert runs == ["bash .ci/run", oldest, audit]
    assert workflow["permissions"] == {"contents": "read"}

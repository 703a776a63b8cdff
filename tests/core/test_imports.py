"""What is imported when: `import agentsynth` costs next to nothing, and the pipeline's packages are never needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

import agentsynth

HEAVY = ("mlflow", "optuna", "dvc", "matplotlib", "pandas", "numpy", "sklearn", "gymnasium", "pydantic", "scipy")
PIPELINE = ("mlflow", "optuna", "dvc", "matplotlib", "jinja2", "agentsynth.pages")


def loaded_by(code: str, names: tuple[str, ...]) -> list[str]:
    """Return those of the modules that a fresh interpreter has loaded after `code`."""
    report = f"{code}\nimport sys; print([name for name in {names!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-W", "error", "-c", report], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    found: list[str] = eval(done.stdout)  # noqa: S307  # what this test printed itself
    return found


def test_the_bare_import_loads_nothing_heavy() -> None:
    assert loaded_by("import agentsynth", HEAVY) == []


def test_the_help_of_the_command_line_loads_nothing_heavy() -> None:
    help_shown = "import contextlib, io; from agentsynth.cli import app; out = io.StringIO()\n"
    help_shown += "with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit): app(['--help'])\n"
    assert loaded_by(help_shown + "assert 'generate' in out.getvalue()\n", (*HEAVY, "distributed", "pyarrow")) == []


def test_the_facade_loads_no_package_before_it_is_needed() -> None:
    """Over pandas, the costliest to load: what fits trees, and the statistics, optimisers and clusters of others."""
    late = ("sklearn", "scipy.stats", "scipy.optimize", "scipy.special", "pyarrow.parquet", "distributed", "fsspec")
    assert loaded_by("from agentsynth import AgentSynth", late) == []


def test_learning_and_generating_need_no_package_of_the_pipeline() -> None:
    code = (
        "from agentsynth import AgentSynth; from agentsynth.data.shop import simulate_shop; "
        "config = {'environment': {'rows': 20, 'steps': 4, 'pairs': 2}, 'agent': {'episodes': 1}}; "
        "AgentSynth(config).fit(simulate_shop(60)).generate(10)"
    )
    assert loaded_by(code, PIPELINE) == []


def test_stage_generate_needs_no_learner_to_begin() -> None:
    assert loaded_by("import agentsynth.stages.generate", ("sklearn", "scipy.stats", *PIPELINE)) == []


def test_pages_load_what_they_are_made_with_only_when_they_are_made() -> None:
    assert loaded_by("import agentsynth.pages", ("matplotlib", "jinja2", "mlflow", "optuna", "dvc")) == []


@pytest.mark.parametrize("name", agentsynth.__all__)
def test_each_public_name_can_be_imported(name: str) -> None:
    assert getattr(agentsynth, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'agentsynth' has no attribute 'Agent'"):
        agentsynth.Agent  # noqa: B018  # looked up for its error

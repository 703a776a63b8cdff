"""params.yaml, dvc.yaml and the code name the same things."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from agentsynth.config import Config
from agentsynth.data.shop import simulate_shop
from agentsynth.params import Params
from agentsynth.stages import paths
from agentsynth.stages.prepare import RAW
from agentsynth.synth import AgentSynth

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text())
STAGES: dict[str, dict[str, Any]] = PIPELINE["stages"]


def outs(stage: dict[str, Any]) -> set[str]:
    metrics = [next(iter(item)) for item in stage.get("metrics", [])]
    return {*stage["outs"], *metrics}


def test_params_are_valid_and_spell_out_the_defaults() -> None:
    params = Params.load(ROOT / "params.yaml")
    written = yaml.safe_load((ROOT / "params.yaml").read_text())
    default = Params().model_dump()
    assert params.model_dump(exclude={"scenarios", "environment"}) == {
        name: value for name, value in default.items() if name not in ("scenarios", "environment")
    }
    assert params.environment.model_copy(update={"reward_weights": {}}) == Params().environment
    assert set(params.environment.reward_weights.values()) == {1.0}
    assert {
        section: set(default[section]) for section in default if isinstance(default[section], dict) and default[section]
    } == {
        section: set(written[section]) for section in default if isinstance(default[section], dict) and default[section]
    }


def test_params_keep_their_form_when_dvc_changes_one(tmp_path: Path) -> None:
    """`dvc exp run -S` writes params.yaml anew: only the line it changes may differ."""
    from dvc.fs import localfs
    from dvc.utils.serialize import modify_yaml

    copy = tmp_path / "params.yaml"
    text = (ROOT / "params.yaml").read_text()
    copy.write_text(text)
    with modify_yaml(str(copy), fs=localfs) as values:
        values["agent"]["learning_rate"] = 0.2
    assert copy.read_text() == text.replace("learning_rate: 0.1", "learning_rate: 0.2")


def test_training_follows_every_parameter_of_what_it_makes() -> None:
    assert set(STAGES["train"]["params"]) == {"seed", *Config.model_fields}


def test_four_stages_hand_on_what_they_make() -> None:
    assert list(STAGES) == ["prepare", "train", "generate", "evaluate"]
    made: set[str] = {RAW.as_posix()}
    for stage in STAGES.values():
        needed = {item for item in stage["deps"] if not item.startswith("src/")}
        assert needed <= made
        made |= outs(stage)


def test_every_path_of_the_stages_is_in_the_pipeline() -> None:
    known = {path.as_posix() for path in vars(paths).values() if isinstance(path, Path)}
    made = set().union(*(outs(stage) for stage in STAGES.values()))
    assert made == known - {paths.DATA.as_posix(), paths.FIGURES.as_posix(), paths.TUNING.as_posix()}


@pytest.mark.parametrize("name", STAGES)
def test_stage_names_parameters_and_code_that_exist(name: str) -> None:
    stage = STAGES[name]
    assert stage["cmd"] == f"python -m agentsynth.stages.{name}"
    assert set(stage["params"]) <= set(Params.model_fields)
    code = [ROOT / item for item in stage["deps"] if item.startswith("src/")]
    assert all(path.exists() for path in code)
    assert ROOT / "src" / "agentsynth" / "stages" / f"{name}.py" in code


@pytest.mark.parametrize("name", [name for name in STAGES if name != "prepare"])
def test_stage_that_logs_has_a_cached_out(name: str) -> None:
    """Else it is skipped, and logs nothing, where its result came with git but its run did not."""
    assert STAGES[name]["outs"]


def test_plots_are_made() -> None:
    made = set().union(*(outs(stage) for stage in STAGES.values()))
    for plot in PIPELINE["plots"]:
        files = [plot] if isinstance(plot, str) else list(next(iter(plot.values()))["y"])
        assert set(files) <= made


def test_scenarios_of_the_shop_can_be_composed() -> None:
    params = Params.load(ROOT / "params.yaml")
    small = params.config.model_copy(update={"agent": params.agent.model_copy(update={"episodes": 2})})
    synth = AgentSynth(small, seed=0).fit(simulate_shop(1000, seed=0))
    for name in params.scenarios:
        composed = synth.compose(200, name, seed=1)
        assert len(composed.table) == 200
        assert len(composed.targets) == {"black_friday": 5, "holiday_season": 2}.get(name, 0)


def test_tuning_is_a_pipeline_of_its_own_whose_parts_exist() -> None:
    (stage,) = yaml.safe_load((ROOT / "tuning" / "dvc.yaml").read_text())["stages"].values()
    assert (stage["wdir"], stage["cmd"]) == ("..", "python -m agentsynth.stages.tune")
    assert set(stage["params"]) == {"seed", "tune", *Config.model_fields}
    assert stage["outs"] == [{paths.TUNING.as_posix(): {"cache": False}}]  # the study grows; dvc stores no copies
    made = outs(STAGES["prepare"])
    assert {item for item in stage["deps"] if not item.startswith("src/")} == made
    assert all((ROOT / item).exists() for item in stage["deps"] if item.startswith("src/"))

"""All of `params.yaml`: the parameters of `AgentSynth`, and those of the pipeline around it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from agentsynth.config import Config, Positive, Section, validated
from agentsynth.errors import ConfigError
from agentsynth.yamltext import parse_yaml, read_yaml


class DataParams(Section):
    """Where the table comes from."""

    table: str | None = None
    """CSV or Parquet file; None: the simulated shop."""
    rows: Annotated[int, Field(ge=1)] = 2000
    """Rows of the simulated shop."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of the simulated shop."""
    habits: bool = False
    """Whether the users of the simulated shop have habits, see `agentsynth.data.shop.simulate_shop`."""
    columns: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Schema overrides: column -> fields of `agentsynth.data.schema.Column` to replace (kind, decimals, ...)."""


class SplitParams(Section):
    """How rows are set apart before anything is fitted."""

    method: Literal["random", "time", "group"] = "random"
    column: str | None = None
    """The datetime column (time) or the entity column (group)."""
    train: Positive = 0.6
    validation: Positive = 0.2
    test: Positive = 0.2
    seed: Annotated[int, Field(ge=0)] = 0
    """Decides which rows are set apart. Not the seed of all else, so that experiments are judged by the same rows."""

    @model_validator(mode="after")
    def _column_given(self) -> SplitParams:
        if self.method != "random" and self.column is None:
            raise ValueError(f"split by {self.method} needs a column: set split.column")
        return self


class GenerateParams(Section):
    """What the generate stage makes."""

    rows: Annotated[int, Field(ge=1)] = 1000
    scenario: str | None = None
    """Name of a scenario below; None: mimic the table."""


class EvaluateParams(Section):
    """How the evaluate stage judges."""

    target: str | None = None
    """Column that the train-synthetic-test-real model predicts; None: the best predictable one."""
    max_rows: Annotated[int, Field(ge=20)] = 5000
    """Rows looked at in scores that cost more than linear time."""
    seeds: Annotated[int, Field(ge=1)] = 5
    """Tables composed by each policy in the comparison of policies."""


class TuneParams(Section):
    """The Optuna study."""

    score: Literal["rows", "goals"] = "rows"
    """What is looked for: rows, the similarity of generated tables to validation rows; or goals, that of tables the
    agent composes to goals it was not trained on."""
    scenario: str | None = None
    """Name of a scenario that the tables of score rows are steered to; None: they mimic the table."""
    privacy: bool = False
    """Two objectives: similarity, and how far more rows lie nearer to training than to validation rows than half."""
    trials: Annotated[int, Field(ge=1)] = 30
    """Finished trials that the study shall have in all."""
    timeout: Positive | None = None
    """Seconds after which no trial is begun; None: no limit."""
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    """Processes that run trials side by side."""
    seeds: Annotated[int, Field(ge=1)] = 2
    """Training runs averaged in a trial."""
    tables: Annotated[int, Field(ge=1)] = 3
    """Tables that score rows averages for each training run."""
    pruning: bool = True
    """Stop trials whose learning curve stays below the median; not with two objectives."""
    test_seeds: Annotated[int, Field(ge=2)] = 5
    """Training runs, with seeds the study did not see, in the comparison with the present parameters on test rows."""
    storage: str = "sqlite:///mlruns/optuna.db"
    """Any Optuna storage URL, or the path of a journal file."""
    study: str | None = None
    """Name of the study; None: that of the table, and of what is looked for."""
    space: dict[str, Any] = Field(default_factory=lambda: _SPACE)
    """Where to look, nested as the parameters are: {low, high, log} or {choices} for each."""
    privacy_space: dict[str, Any] = Field(default_factory=lambda: _PRIVACY_SPACE)
    """The same, with two objectives."""


_SPACE: dict[str, Any] = {
    "agent": {
        "learning_rate": {"low": 0.01, "high": 0.6, "log": True},
        "epsilon_decay": {"low": 0.7, "high": 0.99},
        "discount": {"low": 0.0, "high": 0.95},
        "own_share": {"low": 0.0, "high": 1.0},
    },
    "environment": {
        "oversample": {"low": 4.0, "high": 24.0, "log": True},
        "reward_weights": {"low": 0.25, "high": 4.0, "log": True},  # each of the weights
    },
}
_PRIVACY_SPACE: dict[str, Any] = {
    "generator": {"min_leaf": {"low": 4, "high": 64, "log": True}},
    "refinement": {"exchanges": {"low": 0.0, "high": 16.0}, "pool_factor": {"low": 5.0, "high": 40.0}},
}


class Params(Config):
    """All of `params.yaml`."""

    seed: Annotated[int, Field(ge=0)] = 0
    data: DataParams = DataParams()
    split: SplitParams = SplitParams()
    generate: GenerateParams = GenerateParams()
    evaluate: EvaluateParams = EvaluateParams()
    tune: TuneParams = TuneParams()

    @property
    def config(self) -> Config:
        """The part that `AgentSynth` needs."""
        return Config.of(self)

    @classmethod
    def load(cls, path: str | Path = "params.yaml") -> Params:
        """Read a parameter file.

        Raises:
            ConfigError: the file is missing, is not YAML, or holds a parameter that is unknown, of the wrong type, or
                out of range; the message names the parameter.
        """
        return cls.of_values(read_yaml(path, ConfigError) or {}, str(path))

    @classmethod
    def of_text(cls, text: str, where: str) -> Params:
        """Return the parameters in the text of such a file; `where` is what errors call it.

        Raises:
            ConfigError: as `load` does.
        """
        return cls.of_values(parse_yaml(text, where, ConfigError) or {}, where)

    @classmethod
    def of_values(cls, value: object, where: str) -> Params:
        """Return plain values as parameters; `where` is what errors call them.

        Raises:
            ConfigError: a parameter is unknown, of the wrong type, or out of range; the message names it.
        """
        return validated(cls, value, where)

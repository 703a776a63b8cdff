"""Every parameter, its meaning, its range and its default; `params.yaml` is read into these classes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agentsynth.errors import ConfigError

T = TypeVar("T", bound="_Section")
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GeneratorConfig(_Section):
    """The base generator: sequential trees."""

    trees: Annotated[int, Field(ge=1, le=200)] = 16
    """Trees per column."""
    min_leaf: Annotated[int, Field(ge=1)] = 16
    """Fewest training rows in a leaf: the privacy dial (k)."""
    max_features: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Share of the features looked at in each split."""


class EnvironmentConfig(_Section):
    """The composing environment: one episode composes one table."""

    rows: Annotated[int, Field(ge=1)] = 500
    """Rows of the table composed in a training episode."""
    steps: Annotated[int, Field(ge=1)] = 100
    """Steps (batches) an episode."""
    oversample: Annotated[float, Field(ge=1)] = 8.0
    """Candidates proposed per row chosen."""
    pool_factor: Annotated[float, Field(ge=1)] = 10.0
    """Rows of the pool per row of the composed table."""
    selection: bool = True
    """Choose among the candidates by their cells; off: the first of them are taken."""
    bins: Annotated[int, Field(ge=2, le=200)] = 16
    """Most bins of a column's histogram."""
    pairs: Annotated[int, Field(ge=0)] = 40
    """Most column pairs that are steered (the most informative ones)."""
    critic: bool = True
    """Steer the leaves of a forest trained to tell real from candidate rows, too."""
    factors: dict[str, str] | None = None
    """Factor name -> column; None: chosen by the table, see `agentsynth.env.factors.Factors.of`."""
    reward_weights: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """Weight in the reward, 1 where not given: of every column of a kind (numeric, categorical, datetime, derived), of
    all pairs together (pairs), or of one column by its name, which goes before its kind."""


class RefinementConfig(_Section):
    """The refinement of a composed table: rows of it are exchanged for others of the pool, never edited."""

    exchanges: Annotated[float, Field(ge=0)] = 8.0
    """Swaps tried per row of the table; 0: the table stays as it was composed."""
    pool_factor: Annotated[float, Field(ge=1)] = 20.0
    """Rows of the pool per row of the table, where a table is refined."""
    bins: Annotated[int, Field(ge=2, le=1000)] = 64
    """Most bins of a column's histogram."""
    pairs: Annotated[int, Field(ge=0)] = 200
    """Most column pairs, the most informative ones; at least as many as are steered."""


class AgentConfig(_Section):
    """Q-learning."""

    episodes: Annotated[int, Field(ge=1)] = 30
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.1
    discount: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Gamma: worth of the next step's value."""
    epsilon_start: Share = 1.0
    epsilon_end: Share = 0.05
    epsilon_decay: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Factor by which epsilon shrinks each episode."""
    own_share: Share = 0.9
    """Share of a factor's own gap in its reward; the rest is the table's similarity."""
    noise: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Standard deviation of the Gaussian noise on the log-factors in generation."""
    goals: Annotated[int, Field(ge=1)] = 10
    """Goals trained on, in turn: the first is the table itself, the others push one to three columns up or down."""
    push: Annotated[float, Field(ge=0, le=5)] = 1.0
    """Standard deviation of the pushes: log-odds per standard deviation of a column."""


class Config(_Section):
    """What `AgentSynth` needs."""

    generator: GeneratorConfig = GeneratorConfig()
    environment: EnvironmentConfig = EnvironmentConfig()
    refinement: RefinementConfig = RefinementConfig()
    agent: AgentConfig = AgentConfig()
    scenarios: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Name -> scenario, see `agentsynth.env.scenarios.Scenario`."""

    @classmethod
    def of(cls, value: Config | Mapping[str, Any] | None) -> Config:
        """Return `value` as a Config; None gives the defaults.

        Raises:
            ConfigError: a parameter is unknown, of the wrong type, or out of range.
        """
        if isinstance(value, Config):
            # Of all parameters (a `Params`), only those that are meant.
            return value if type(value) is cls else cls(**{name: getattr(value, name) for name in cls.model_fields})
        return _validated(cls, value or {}, "config")


class DataParams(_Section):
    """Where the table comes from."""

    table: str | None = None
    """CSV or Parquet file; None: the simulated shop."""
    rows: Annotated[int, Field(ge=1)] = 2000
    """Rows of the simulated shop."""
    columns: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Schema overrides: column -> fields of `agentsynth.data.schema.Column` to replace (kind, decimals, ...)."""


class SplitParams(_Section):
    """How rows are set apart before anything is fitted."""

    method: Literal["random", "time", "group"] = "random"
    column: str | None = None
    """The datetime column (time) or the entity column (group)."""
    train: Positive = 0.6
    validation: Positive = 0.2
    test: Positive = 0.2

    @model_validator(mode="after")
    def _column_given(self) -> SplitParams:
        if self.method != "random" and self.column is None:
            raise ValueError(f"split by {self.method} needs a column: set split.column")
        return self


class GenerateParams(_Section):
    """What the generate stage makes."""

    rows: Annotated[int, Field(ge=1)] = 1000
    scenario: str | None = None
    """Name of a scenario below; None: mimic the table."""


class EvaluateParams(_Section):
    """How the evaluate stage judges."""

    target: str | None = None
    """Column that the train-synthetic-test-real model predicts; None: the best predictable one."""
    max_rows: Annotated[int, Field(ge=20)] = 5000
    """Rows looked at in scores that cost more than linear time."""
    seeds: Annotated[int, Field(ge=1)] = 5
    """Tables composed by each policy in the comparison of policies."""


class TuneParams(_Section):
    """The Optuna study."""

    trials: Annotated[int, Field(ge=1)] = 30
    seeds: Annotated[int, Field(ge=1)] = 2
    """Training runs averaged in a trial."""
    storage: str = "sqlite:///mlruns/optuna.db"
    study: str = "agentsynth"


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
        try:
            value = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"cannot read {path}: {error.strerror}. Run from the project's folder.") from error
        except yaml.YAMLError as error:
            raise ConfigError(f"{path} is not valid YAML: {error}") from error
        return _validated(cls, value or {}, str(path))


def _validated(cls: type[T], value: object, where: str) -> T:
    """Validate `value`, turning pydantic's report into one ConfigError that names every wrong parameter."""
    try:
        return cls.model_validate(value)
    except ValidationError as error:
        lines = [f"  {_place(line['loc'])}: {_problem(line)} (found {_short(line)})" for line in error.errors()]
        raise ConfigError("\n".join([f"{where} holds parameters that cannot be used:", *lines])) from error


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "(top level)"


def _problem(problem: Any) -> str:
    return "there is no such parameter" if problem["type"] == "extra_forbidden" else str(problem["msg"])


def _short(problem: Any) -> str:
    text = repr(problem.get("input"))
    return text if len(text) <= 60 else text[:57] + "..."

"""The parameters of `AgentSynth`: their meaning, their ranges and their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agentsynth.errors import ConfigError

T = TypeVar("T", bound="Section")
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """Parameters that belong together; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class GeneratorConfig(Section):
    """The base generator: sequential trees."""

    trees: Annotated[int, Field(ge=1, le=200)] = 16
    """Trees per column."""
    min_leaf: Annotated[int, Field(ge=1)] = 16
    """Fewest training rows in a leaf: the privacy dial (k)."""
    max_features: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the features looked at in each split, one random threshold of each."""


class EnvironmentConfig(Section):
    """The composing environment: one episode composes one table."""

    rows: Annotated[int, Field(ge=1, le=10_000_000)] = 500
    """Rows of the table composed in a training episode."""
    steps: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    """Steps (batches) an episode."""
    oversample: Annotated[float, Field(ge=1, le=1000)] = 8.0
    """Candidates proposed per row chosen."""
    pool_factor: Annotated[float, Field(ge=1, le=1000)] = 10.0
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
    all pairs together (pairs), of the numbers a goal aims at (aims), or of one column by its name, which goes before
    its kind."""


class RefinementConfig(Section):
    """The refinement of a composed table: rows of it are exchanged for others of the pool, never edited."""

    exchanges: Annotated[float, Field(ge=0, le=10_000)] = 8.0
    """Swaps tried per row of the table; 0: the table stays as it was composed."""
    pool_factor: Annotated[float, Field(ge=1, le=1000)] = 20.0
    """Rows of the pool per row of the table, where a table is refined."""
    bins: Annotated[int, Field(ge=2, le=1000)] = 64
    """Most bins of a column's histogram."""
    pairs: Annotated[int, Field(ge=0)] = 200
    """Most column pairs, the most informative ones; at least as many as are steered."""


class AgentConfig(Section):
    """Q-learning."""

    episodes: Annotated[int, Field(ge=1, le=1_000_000)] = 30
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
    goals: Annotated[int, Field(ge=1, le=10_000)] = 10
    """Goals trained on, in turn: the first is the table itself, the others push one to three columns up or down."""
    push: Annotated[float, Field(ge=0, le=5)] = 1.0
    """Standard deviation of the pushes: log-odds per standard deviation of a column."""


class EntityConfig(Section):
    """Entities: users with their orders, patients with their visits."""

    column: str | None = None
    """Id column that names the entity of each row; `auto`: the one whose ids have the most rows; None: rows are drawn
    one by one, and ids given to them afterwards."""
    time: str | None = None
    """Datetime or number by which the rows of an entity follow one another; None: found."""


class Config(Section):
    """What `AgentSynth` needs."""

    generator: GeneratorConfig = GeneratorConfig()
    environment: EnvironmentConfig = EnvironmentConfig()
    refinement: RefinementConfig = RefinementConfig()
    agent: AgentConfig = AgentConfig()
    entities: EntityConfig = EntityConfig()
    scenarios: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Name -> scenario, see `agentsynth.scenarios.grammar.Scenario`."""

    @classmethod
    def of(cls, value: Config | Mapping[str, Any] | None) -> Config:
        """Return `value` as a Config; None gives the defaults.

        Raises:
            ConfigError: a parameter is unknown, of the wrong type, or out of range.
        """
        if isinstance(value, Config):
            # Of all parameters (a `Params`), only those that are meant.
            return value if type(value) is cls else cls(**{name: getattr(value, name) for name in cls.model_fields})
        return validated(cls, value or {}, "config")


def validated(cls: type[T], value: object, where: str) -> T:
    """Return plain values as parameters; `where` is what errors call them.

    Raises:
        ConfigError: a parameter is unknown, of the wrong type, or out of range; all of them are named.
    """
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

"""Optuna: the study that looks for better parameters. Nothing else imports Optuna."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from agentsynth.config import Config, TuneParams
from agentsynth.errors import ConfigError
from agentsynth.seeding import child_seed

if TYPE_CHECKING:
    import optuna
    import pandas as pd

Score = Callable[[Config, int], float]
"""(configuration, seed) -> held-out similarity of what it trains."""
OnTrial = Callable[[int, Mapping[str, float], float | None, str], None]
"""Told of each finished trial: number, parameters, value (None where it has none), state (complete, pruned, fail)."""


class Range(NamedTuple):
    """Where a parameter is looked for."""

    low: float
    high: float
    log: bool = False


AGENT_SPACE = {
    "agent.learning_rate": Range(0.01, 0.6, log=True),
    "agent.epsilon_decay": Range(0.7, 0.99),
    "agent.discount": Range(0.0, 0.95),
    "agent.own_share": Range(0.0, 1.0),
}
WEIGHT = Range(0.25, 4.0, log=True)
_WEIGHTS = "environment.reward_weights."


@dataclass(frozen=True)
class Tuning:
    """What a study found."""

    best: dict[str, float]
    """Parameter, by its place in `params.yaml` -> value."""
    value: float
    """Mean held-out similarity of the best trial."""
    default_value: float
    """The same of the parameters the study began with (its first trial)."""
    trials: pd.DataFrame
    """(trials, parameters + number, state, value)."""

    def nested(self) -> dict[str, Any]:
        """Return the best parameters as `params.yaml` nests them."""
        return nested(self.best)


def open_study(base: Config, params: TuneParams, *, seed: int = 0, identity: str = "") -> optuna.Study:
    """Open the study that `params` name, or begin it, with `base` as its first trial: so the best is never worse.

    Args:
        base: the configuration that the trials vary.
        params: storage and name of the study.
        seed: of the sampler, and the first of the seeds that are averaged.
        identity: digest of the data that the score looks at; a study is not continued on other data.

    Raises:
        ConfigError: the storage cannot be opened, or its study belongs to other data or parameters.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=_storage(params.storage),
        study_name=params.study,
        load_if_exists=True,
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
    )
    fixed = base.model_dump_json(exclude={"agent": {name.removeprefix("agent.") for name in AGENT_SPACE}})
    wanted = {"data": identity, "parameters": fixed, "seeds": f"{params.seeds} from {seed}"}
    known = {name: study.user_attrs.get(name) for name in wanted}
    if known == dict.fromkeys(wanted):
        for name, value in wanted.items():
            study.set_user_attr(name, value)
        study.enqueue_trial({name: flat_values(base)[name] for name in search_space(base)})
    elif known != wanted:
        other = " and ".join(name for name in wanted if known[name] != wanted[name])
        raise ConfigError(
            f"the study {params.study!r} in {params.storage} was run with other {other}: its trials cannot be compared "
            "with new ones. Name another study in tune.study."
        )
    return study


def run_study(
    study: optuna.Study,
    score: Score,
    base: Config,
    params: TuneParams,
    *,
    seed: int = 0,
    on_trial: OnTrial = lambda *_: None,
) -> Tuning:
    """Run, or go on with, a study until it has `params.trials` finished trials.

    A trial is pruned when its first seeds score below the median of the trials before. Each trial has a sampler of its
    own, seeded with the number of trials before it, because Optuna does not restore a sampler's state: a study stopped
    and resumed is the study run in one go.

    Args:
        study: from `open_study`, with the same `base`, `params` and `seed`.
        score: what is maximised, averaged over `params.seeds` seeds.
        base: the configuration that the trials vary.
        params: number of trials and seeds.
        seed: of the sampler, and the first of the seeds that are averaged.
        on_trial: called after each trial.
    """
    import optuna

    space = search_space(base)

    def objective(trial: optuna.Trial) -> float:
        config = with_values(base, {name: _suggest(trial, name, where) for name, where in space.items()})
        scores: list[float] = []
        for step in range(params.seeds):
            scores.append(score(config, seed + step))
            trial.report(float(np.mean(scores)), step)
            if step + 1 < params.seeds and trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(scores))

    def tell(_: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        on_trial(trial.number, trial.params, trial.value, trial.state.name.lower())

    while finished_trials(study) < params.trials:
        number = len(study.get_trials(deepcopy=False))
        study.sampler = optuna.samplers.TPESampler(seed=child_seed(seed, f"trial {number}"))
        study.optimize(objective, n_trials=1, callbacks=[tell])
    trials = study.get_trials(deepcopy=False)
    return Tuning(dict(study.best_params), study.best_value, _default_value(trials), _table(trials))


def finished_trials(study: optuna.Study) -> int:
    """Return how many trials ended; one whose process was killed stays "running" for ever and does not count."""
    return sum(trial.state.name in ("COMPLETE", "PRUNED") for trial in study.get_trials(deepcopy=False))


def search_space(base: Config) -> dict[str, Range]:
    """Return parameter -> range, each wide enough to hold the value in `base`; a reward weight of 0 stays 0."""
    current = flat_values(base)
    weights = {name: WEIGHT for name, value in current.items() if name.startswith(_WEIGHTS) and value > 0}
    return {
        name: where._replace(low=min(where.low, current[name]), high=max(where.high, current[name]))
        for name, where in (AGENT_SPACE | weights).items()
    }


def flat_values(config: Config) -> dict[str, float]:
    """Return the tunable parameters of `config`: place in `params.yaml` -> value."""
    agent = {name: float(getattr(config.agent, name.removeprefix("agent."))) for name in AGENT_SPACE}
    return agent | {f"{_WEIGHTS}{name}": float(value) for name, value in config.environment.reward_weights.items()}


def with_values(config: Config, values: Mapping[str, float]) -> Config:
    """Return `config` with the parameters at the given places replaced.

    >>> with_values(Config(), {"agent.discount": 0.9}).agent.discount
    0.9
    """
    changed = config.model_dump()
    for name, value in values.items():
        *sections, last = name.split(".", 2)  # what follows the second point is the name of a column
        place = changed
        for section in sections:
            place = place[section]
        place[last] = value
    return Config.of(changed)


def nested(values: Mapping[str, float]) -> dict[str, Any]:
    """Return places and values as nested mappings.

    >>> nested({"agent.discount": 0.9, "environment.reward_weights.unit.price": 2.0})
    {'agent': {'discount': 0.9}, 'environment': {'reward_weights': {'unit.price': 2.0}}}
    """
    tree: dict[str, Any] = {}
    for name, value in values.items():
        *sections, last = name.split(".", 2)
        place = tree
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = value
    return tree


def _storage(url: str) -> Any:
    """Return an Optuna storage for a URL, or for the path of a journal file.

    Raises:
        ConfigError: it cannot be opened.
    """
    import optuna
    from optuna.storages.journal import JournalFileBackend
    from sqlalchemy.exc import SQLAlchemyError

    path = Path(url.removeprefix("sqlite:///"))
    try:
        if url.startswith("sqlite:///") or "://" not in url:
            path.parent.mkdir(parents=True, exist_ok=True)
        return (
            optuna.storages.get_storage(url)
            if "://" in url
            else optuna.storages.JournalStorage(JournalFileBackend(url))
        )
    except (OSError, ValueError, ImportError, SQLAlchemyError) as error:
        raise ConfigError(f"cannot open tune.storage {url!r}: {error}") from error


def _suggest(trial: optuna.Trial, name: str, where: Range) -> float:
    return trial.suggest_float(name, where.low, where.high, log=where.log)


def _default_value(trials: Sequence[optuna.trial.FrozenTrial]) -> float:
    """Return the value of the trial that began the study."""
    values = [trial.value for trial in trials if "fixed_params" in trial.system_attrs and trial.value is not None]
    return float(values[0]) if values else float("nan")


def _table(trials: Sequence[optuna.trial.FrozenTrial]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        [{"number": t.number, "state": t.state.name.lower(), "value": t.value, **t.params} for t in trials]
    )

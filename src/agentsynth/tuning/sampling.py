"""The sampler: one for each trial, seeded by the trial's place, so that a resumed study is the study in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import optuna
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import TrialState

from agentsynth.seeding import child_seed
from agentsynth.tuning.space import Choices, Range, Space, Value, rounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial


def place_of(study: optuna.Study, number: int) -> int:
    """Return how many trials before trial `number` stand: failed ones are made up for by others, and do not count."""
    trials = study.get_trials(deepcopy=False)
    return sum(trial.number < number and trial.state != TrialState.FAIL for trial in trials)


class SeededSampler(BaseSampler):
    """Optuna's TPE (Bergstra et al. 2011, NIPS 24), begun anew for each trial with a seed of the trial's place.

    Optuna does not keep a sampler's state in the storage: one sampler for all trials would repeat itself in a resumed
    study, and several workers with the same seed would try the same values.

    Args:
        seed: of the study.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._sampler: BaseSampler = TPESampler(seed=seed)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Begin a sampler for the trial."""
        self._sampler = TPESampler(seed=child_seed(self._seed, f"trial {place_of(study, trial.number)}"))
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that are drawn together."""
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw them."""
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw one parameter by itself."""
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """End the trial's sampler."""
        self._sampler.after_trial(study, trial, state, values)


def suggest(trial: optuna.Trial, name: str, where: Range | Choices) -> Value:
    """Return the trial's value of a parameter."""
    if isinstance(where, Choices):
        chosen = trial.suggest_categorical(name, where.values)
        return where.values[where.values.index(chosen)]
    if where.whole:
        return trial.suggest_int(name, int(where.low), int(where.high), log=where.log)
    return trial.suggest_float(name, where.low, where.high, log=where.log)


def tried(drawn: Mapping[str, Value], space: Space, base: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values that a trial tries, of those Optuna drew: rounded, but for those that `base` has."""
    return {name: value if value == base[name] else rounded(value, space[name]) for name, value in drawn.items()}

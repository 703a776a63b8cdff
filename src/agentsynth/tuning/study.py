"""The study: begun or taken up, bound to what its trials have in common, and run trial by trial."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import optuna
from optuna.trial import TrialState

from agentsynth.config import Config
from agentsynth.errors import ConfigError, InputError
from agentsynth.params import TuneParams
from agentsynth.processes import myself
from agentsynth.tuning import trials as noted
from agentsynth.tuning.sampling import SeededSampler, place_of, suggest, tried
from agentsynth.tuning.scores import CHECKPOINTS, Score
from agentsynth.tuning.space import Choices, Space, Value, value_of, with_values
from agentsynth.tuning.storage import opened
from agentsynth.tuning.trials import finished, give_back, running, take_back
from agentsynth.tuning.workers import orphaned

SIMILARITY = {"rows": "validation_similarity", "goals": "goal_similarity"}
PRIVACY = "excess_nearness"
STARTUP = 5
"""Trials that are never pruned."""
SIGN = 60.0
"""Seconds between signs of life."""
_BEGAN = "parameters it began with"


@dataclass(frozen=True)
class Setting:
    """What a study is about.

    Attributes:
        name: of the study.
        base: the configuration that the trials vary.
        params: storage, bounds, and what is looked for.
        space: where it is looked for.
        seed: of the sampler, and the first of the seeds that are averaged.
        identity: digest of the data that the score looks at.
        left_out: what is not looked for, as the table has nothing that it could matter to.
    """

    name: str
    base: Config
    params: TuneParams
    space: Space
    seed: int = 0
    identity: str = ""
    left_out: Sequence[str] = ()

    @property
    def objectives(self) -> list[str]:
        """What the values are called."""
        similarity = SIMILARITY[self.params.score]
        return [similarity, PRIVACY] if self.params.privacy else [similarity]

    @property
    def base_values(self) -> dict[str, Value]:
        """The present values of the parameters that are looked for."""
        return {name: value_of(self.base, name) for name in self.space}

    def common(self) -> dict[str, str]:
        """Return what trials of one study must have in common to be compared, in words -> as text."""
        neutral = {
            name: where.values[0] if isinstance(where, Choices) else where.low for name, where in self.space.items()
        }
        chosen = self.params.model_dump(include={"score", "scenario", "privacy", "seeds", "tables"})
        return {
            "data": self.identity,
            "parameters": with_values(self.base, neutral).model_dump_json(),
            "aim (tune.score, scenario, privacy, seeds, tables)": json.dumps(chosen),
            "seed": str(self.seed),
            "places to look at (tune.space)": json.dumps({name: [*where] for name, where in self.space.items()}),
        }


def open_study(setting: Setting) -> optuna.Study:
    """Take up the study, or begin it with the present parameters as its first trial: so the best is never worse.

    Raises:
        ConfigError: the storage cannot be opened, or its study is about something else.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = setting.params.storage
    with opened(url) as storage:
        study = optuna.create_study(
            storage=storage,
            study_name=setting.name,
            load_if_exists=True,
            directions=["maximize", "minimize"] if setting.params.privacy else ["maximize"],
            sampler=SeededSampler(setting.seed),
            pruner=_pruner(setting.params),
        )
        if not study.user_attrs:
            _begin(study, setting)
        _check(study, setting)
    return study


def _pruner(params: TuneParams) -> optuna.pruners.BasePruner:
    if not params.pruning:
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=CHECKPOINTS // 2)


def _begin(study: optuna.Study, setting: Setting) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names(setting.objectives)
    study.set_user_attr(_BEGAN, json.dumps(setting.base_values))
    study.set_user_attr("begun", time.time())
    for name, value in setting.common().items():
        study.set_user_attr(name, value)
    study.enqueue_trial(setting.base_values, user_attrs={noted.BASE: True})


def _check(study: optuna.Study, setting: Setting) -> None:
    wanted, known = setting.common(), study.user_attrs
    other = [name for name, value in wanted.items() if known.get(name) != value]
    if other:
        raise ConfigError(
            f"the study {setting.name!r} in {setting.params.storage} was run with other {' and other '.join(other)}: "
            "its trials cannot be compared with new ones. Name another study (tune.study, or --study)."
        )


def began_with(study: optuna.Study) -> dict[str, Value]:
    """Return the values that the study began with; the parameters may have changed since (`--apply`)."""
    values: dict[str, Value] = json.loads(study.user_attrs[_BEGAN])
    return values


def identifier(study: optuna.Study) -> str:
    """Return what tells the study from one of the same name that was deleted."""
    return f"{study.study_name} {study.user_attrs['begun']}"


def run_study(
    study: optuna.Study,
    score: Score,
    setting: Setting,
    *,
    command: str = "",
    deadline: float = np.inf,
    on_trial: Callable[[], None] = lambda: None,
) -> None:
    """Run trials until the study has as many finished ones as wanted, or the time is up.

    Args:
        study: from `open_study`, with the same setting.
        score: what is looked for, averaged over the seeds.
        setting: what the study is about.
        command: the command that this is a worker of, see `workers.myself`.
        deadline: in seconds since 1970; no trial is begun after it.
        on_trial: called after each trial.

    Raises:
        InputError: the parameters that the study begins with cannot be used.
    """
    while time.time() < deadline and not orphaned():
        take_back(study)
        if len(finished(study)) + len(running(study)) >= setting.params.trials:
            return
        trial = study.ask()
        if place_of(study, trial.number) >= setting.params.trials:
            noted.end_failed(study, trial.number)  # another worker was faster
            return
        _sign(trial, command or myself())
        _run_trial(study, trial, score, setting)
        on_trial()


def _sign(trial: optuna.Trial, command: str) -> None:
    trial.set_user_attr(noted.WORKER, myself())
    trial.set_user_attr(noted.COMMAND, command)


def _run_trial(study: optuna.Study, trial: optuna.Trial, score: Score, setting: Setting) -> None:
    """Run one trial; what is interrupted is given back, so that nothing is lost."""
    try:
        values = _objective(study, trial, score, setting)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except optuna.exceptions.UpdateFinishedTrialError:
        return  # taken back by a command that took this process for dead, and tried again there
    except InputError as error:
        if trial.user_attrs.get(noted.BASE):
            _give_back(study, trial)
            raise
        trial.set_user_attr(noted.ERROR, str(error))
        study.tell(trial, state=TrialState.FAIL)
    except BaseException:
        _give_back(study, trial)
        raise
    else:
        study.tell(trial, values, skip_if_finished=True)


def _give_back(study: optuna.Study, trial: optuna.Trial) -> None:
    give_back(study, next(one for one in study.get_trials(deepcopy=False) if one.number == trial.number))


def _objective(study: optuna.Study, trial: optuna.Trial, score: Score, setting: Setting) -> list[float]:
    drawn = {name: suggest(trial, name, where) for name, where in setting.space.items()}
    values = tried(drawn, setting.space, began_with(study))
    trial.set_user_attr(noted.TRIED, values)
    config = with_values(setting.base, values)
    curve = _Curve(trial, setting)
    scores: list[tuple[float, ...]] = []
    for step in range(setting.params.seeds):
        curve.begin(step)
        scores.append(score(config, setting.seed + step, curve.report))
        trial.set_user_attr(noted.SCORES, scores)
    return [float(mean) for mean in np.mean(scores, axis=0)]


class _Curve:
    """The learning curve of a trial, its trainings one after the other; ends a trial that is not worth going on."""

    def __init__(self, trial: optuna.Trial, setting: Setting) -> None:
        self._trial = trial
        self._single = len(setting.objectives) == 1
        self._last = setting.params.seeds * CHECKPOINTS - 1
        self._step = 0
        self._seen = time.time()

    def begin(self, training: int) -> None:
        """Begin the curve of a training."""
        self._step = training * CHECKPOINTS

    def report(self, value: float) -> None:
        """Take a point of the curve.

        Raises:
            TrialPruned: the trial is hopeless, and not all but done.
            KeyboardInterrupt: the command that this is a worker of is gone.
        """
        if orphaned():
            raise KeyboardInterrupt
        self._live()
        if self._single:  # Optuna takes no curves where there are several objectives
            self._trial.report(value, self._step)
            if self._step < self._last and self._trial.should_prune():
                raise optuna.TrialPruned
        self._step += 1

    def _live(self) -> None:
        """Give a sign of life, for commands on other machines, once a minute."""
        if time.time() - self._seen > SIGN:
            self._seen = time.time()
            self._trial.set_user_attr(noted.SEEN, self._seen)

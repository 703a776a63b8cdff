"""The facade: learn from a table, generate, evaluate, save, load."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from agentsynth.config import Config
from agentsynth.data.inference import infer_schema
from agentsynth.data.reading import read_table
from agentsynth.data.schema import Schema
from agentsynth.data.typed import typed
from agentsynth.env.scenarios import Scenario
from agentsynth.errors import InputError, NotFittedError, ScenarioError
from agentsynth.generation import Composed, generate
from agentsynth.model import Model, fit_generator, fit_model
from agentsynth.progress import Progress, silent
from agentsynth.seeding import child_seed
from agentsynth.task import with_labels

if TYPE_CHECKING:
    from agentsynth.agent.history import TrainingHistory
    from agentsynth.agent.policies import QPolicy
    from agentsynth.metrics.report import Report

Table = pd.DataFrame | str | Path
FEWEST_ROWS = 5
"""Fewer rows than this are not a table to learn from."""


class AgentSynth:
    """Learns from a small, structured table and generates tables that mimic it, or follow a scenario.

    Args:
        config: parameters, as a `Config` or as plain values; None gives the defaults.
        seed: decides everything random in fitting, and in generating where no seed is given.

    Attributes:
        schema_: what the columns are.
        model_: base generator, policy and history.
        policy_: the learned policy.
        history_: how the learning went.

    >>> from agentsynth.data.shop import simulate_shop
    >>> synth = AgentSynth({"agent": {"episodes": 3}}, seed=0).fit(simulate_shop(300, seed=1))
    >>> synth.generate(5, seed=2).columns.tolist()
    ['user_id', 'user_type', 'category', 'price', 'quantity', 'timestamp', 'total_revenue']
    """

    def __init__(self, config: Config | Mapping[str, Any] | None = None, *, seed: int = 0) -> None:
        self.config = Config.of(config)
        self.seed = seed

    def fit(
        self,
        table: Table,
        *,
        schema: Schema | None = None,
        progress: Progress = silent,
    ) -> AgentSynth:
        """Learn from a table: base generator first, then the agent.

        Args:
            table: DataFrame, or path of a CSV or Parquet file.
            schema: what the columns are; None: inferred.
            progress: makes a progress bar, see `agentsynth.progress`.

        Raises:
            InputError: the table cannot be read or used; the message says where and why.
        """
        frame = _frame(table)
        schema = infer_schema(frame) if schema is None else schema
        train = typed(frame, schema)
        if len(frame) < FEWEST_ROWS:
            raise InputError(
                f"a table of {len(frame)} rows is too small to learn from: at least {FEWEST_ROWS} are needed."
            )
        if not schema.modelled:
            raise InputError("the table has only ids and constants: there is nothing to learn.")
        with progress("columns", None) as advance:
            generator = fit_generator(train, schema, self.config, child_seed(self.seed, "fit"), advance)
        with progress("episodes", self.config.agent.episodes) as advance:
            model = fit_model(generator, self.config, child_seed(self.seed, "agent"), advance)
        # Only now: a fit that fails leaves what was learned before as it was.
        self.schema_, self.model_, self._train = schema, model, train
        return self

    def generate(
        self,
        rows: int,
        scenario: str | Mapping[str, Any] | Scenario | None = None,
        seed: int | None = None,
        *,
        policy: str = "q_learning",
        progress: Progress = silent,
    ) -> pd.DataFrame:
        """Generate a table of exactly `rows` rows, with columns, dtypes and decimals as in the training table.

        Args:
            rows: how many.
            scenario: what to steer to: a name from the configuration, a mapping, or a `Scenario`; None: mimic.
            seed: the same seed gives the same table; None: the seed of this object.
            policy: `q_learning`, or a rival: neutral, random, proportional, raking, free.
            progress: makes a progress bar.

        Raises:
            NotFittedError: nothing was learned yet.
            ScenarioError: the scenario does not fit the table.
        """
        return self.compose(rows, scenario, seed, policy=policy, progress=progress).table

    def compose(
        self,
        rows: int,
        scenario: str | Mapping[str, Any] | Scenario | None = None,
        seed: int | None = None,
        *,
        policy: str = "q_learning",
        progress: Progress = silent,
    ) -> Composed:
        """Generate as `generate` does, and tell for each target of the scenario what was wanted and reached."""
        if not isinstance(rows, int | np.integer) or rows < 1:
            raise InputError(f"rows must be a whole number from 1 on; found {rows!r}.")
        model = self._fitted()
        wanted = None if scenario is None else self.scenario(scenario)
        seed = self.seed if seed is None else seed
        with progress("rows", rows) as advance:
            return generate(model, self.config, rows, child_seed(seed, "generate"), wanted, policy, advance)

    def scenario(self, value: str | Mapping[str, Any] | Scenario) -> Scenario:
        """Return a scenario from its name in the configuration, or from plain values.

        Raises:
            ScenarioError: there is none of that name, or it cannot be read.
        """
        if not isinstance(value, str):
            return Scenario.of(value)
        if value not in self.config.scenarios:
            known = ", ".join(self.config.scenarios) or "none"
            raise ScenarioError(
                f"no scenario {value!r}; the model knows: {known}. Name it in the parameters it is fitted with "
                "(`scenarios`; on the command line: fit --params params.yaml), or give a YAML or JSON file."
            )
        return Scenario.of(self.config.scenarios[value], value)

    def slice(self, table: Table, scenario: str | Mapping[str, Any] | Scenario | None) -> pd.DataFrame:
        """Return the rows of a table in the training table's form that a scenario's `where` describes; None: all.

        Raises:
            ScenarioError: the scenario does not fit the table.
        """
        frame = _frame(table).reset_index(drop=True)
        if scenario is None:
            return frame
        schema = with_labels(self._fitted().generator)
        mask = self.scenario(scenario).slice(typed(frame, self.schema_), schema)
        return frame[mask].reset_index(drop=True)

    def evaluate(
        self, real: Table, synthetic: Table, *, train: Table | None = None, target: str | None = None, seed: int = 0
    ) -> Report:
        """Compare a synthetic table with real rows that nothing was fitted on.

        Args:
            real: unseen rows.
            synthetic: the table to judge.
            train: the rows that were learned from; needed after `load`, as a model holds no training rows.
            target: column that the utility score predicts; None: the best predictable one.
            seed: decides everything random here.

        Raises:
            NotFittedError: nothing was learned yet, or the model was loaded and `train` is not given.
        """
        from agentsynth.metrics.report import build_report

        self._fitted()
        known = self._train if train is None else typed(_frame(train), self.schema_)
        if known is None:
            raise NotFittedError("a loaded model holds no training rows: pass them as evaluate(..., train=...).")
        return build_report(known, _frame(real), _frame(synthetic), self.schema_, seed=seed, target=target)

    @property
    def policy_(self) -> QPolicy:
        """The learned policy."""
        return self._fitted().policy

    @property
    def history_(self) -> TrainingHistory:
        """How the learning went."""
        return self._fitted().history

    def save(self, path: str | Path) -> None:
        """Write the model as a folder of JSON and .npz files, or as a zip where `path` ends with .zip; no pickle."""
        from agentsynth.storage import save_model

        save_model(self._fitted(), self.config, self.seed, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> AgentSynth:
        """Read a model that `save` wrote.

        Raises:
            ModelFormatError: it is damaged, incomplete, or of a format that this version does not read.
        """
        from agentsynth.storage import load_model

        model, config, seed = load_model(Path(path))
        synth = cls(config, seed=seed)
        synth.schema_ = model.generator.schema
        synth.model_ = model
        synth._train = None
        return synth

    _train: pd.DataFrame | None = None

    def _fitted(self) -> Model:
        if not hasattr(self, "model_"):
            raise NotFittedError("nothing was learned yet: call fit(table), or AgentSynth.load(path).")
        return self.model_


def _frame(table: Table) -> pd.DataFrame:
    return table if isinstance(table, pd.DataFrame) else read_table(table)

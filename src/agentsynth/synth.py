"""The facade: learn from a table, generate, evaluate, save, load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from agentsynth.config import Config
from agentsynth.data.inference import infer_schema
from agentsynth.data.reading import read_table
from agentsynth.data.schema import Schema
from agentsynth.data.typed import typed
from agentsynth.entities.plan import overrides_of
from agentsynth.errors import InputError, NotFittedError, ScenarioError
from agentsynth.fitting import fit_any
from agentsynth.generation import Composed, generate
from agentsynth.model import Model, fit_model
from agentsynth.progress import Progress, silent
from agentsynth.request import Request
from agentsynth.scenarios.grammar import Scenario
from agentsynth.scenarios.table import Function
from agentsynth.seeding import child_seed
from agentsynth.source import sliced
from agentsynth.task import Asked

if TYPE_CHECKING:
    from agentsynth.agent.history import TrainingHistory
    from agentsynth.agent.policies import QPolicy
    from agentsynth.metrics.report import Report
    from agentsynth.streaming.written import Written

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
        schema = infer_schema(frame, overrides_of(self.config.entities, {})) if schema is None else schema
        train = typed(frame, schema)
        if len(frame) < FEWEST_ROWS:
            raise InputError(
                f"a table of {len(frame)} rows is too small to learn from: at least {FEWEST_ROWS} are needed."
            )
        if not schema.modelled:
            raise InputError("the table has only ids and constants: there is nothing to learn.")
        with progress("columns", None) as advance:
            generator = fit_any(train, schema, self.config, child_seed(self.seed, "fit"), advance)
        with progress("episodes", self.config.agent.episodes) as advance:
            model = fit_model(generator, self.config, child_seed(self.seed, "agent"), advance)
        # Only now: a fit that fails leaves what was learned before as it was.
        self.schema_, self.model_, self._train = schema, model, train
        return self

    def generate(
        self,
        rows: int | None = None,
        scenario: str | Mapping[str, Any] | Scenario | None = None,
        seed: int | None = None,
        *,
        entities: int | None = None,
        functions: Mapping[str, Function] | None = None,
        fine_tune: int = 0,
        policy: str = "q_learning",
        strict: bool = False,
        progress: Progress = silent,
    ) -> pd.DataFrame:
        """Generate a table of exactly `rows` rows, with columns, dtypes and decimals as in the training table.

        Args:
            rows: how many.
            scenario: what to steer to: a name from the configuration, a mapping, or a `Scenario`; None: mimic.
            seed: the same seed gives the same table; None: the seed of this object.
            entities: how many entities instead, with as many rows as they have; for a model of entities.
            functions: name -> a function of a table (a typed frame: labels, float64 numbers, datetimes) that gives a
                number; a scenario's `functions` say which value is wanted.
            fine_tune: episodes that the learned policy is trained on this very goal first; for goals far off.
            policy: `q_learning`, or a rival: neutral, random, proportional, raking, free.
            strict: a goal of the scenario that falls short is an error.
            progress: makes a progress bar.

        Raises:
            NotFittedError: nothing was learned yet.
            ScenarioError: the scenario does not fit the table; or, where `strict`, a goal fell short.
        """
        composed = self.compose(
            rows,
            scenario,
            seed,
            entities=entities,
            functions=functions,
            fine_tune=fine_tune,
            policy=policy,
            strict=strict,
            progress=progress,
        )
        return composed.table

    def generate_to(
        self,
        folder: str | Path,
        rows: int | None = None,
        scenario: str | Mapping[str, Any] | Scenario | None = None,
        seed: int | None = None,
        *,
        entities: int | None = None,
        fine_tune: int = 0,
        policy: str = "q_learning",
        strict: bool = False,
        workers: int | None = None,
        dask: str | None = None,
        progress: Progress = silent,
    ) -> Written:
        """Write a table of any length as a folder of Parquet files, in bounded memory: the rows that `generate` gives.

        A file has up to 100,000 rows (of entities: about; each has all of its rows in one file), and is whole or
        absent. The same call goes on where one was stopped. The table's order, where it has one, is that of each file.
        With workers, the rows are the same; a script then has to stand
        under `if __name__ == "__main__":`, as with all that starts processes in Python.

        Args:
            folder: a path, or an fsspec URL such as `s3://bucket/table`.
            rows: how many.
            scenario: what to steer to, as in `generate`.
            seed: the same seed gives the same rows; None: the seed of this object.
            entities: how many entities instead, as in `generate`.
            fine_tune: as in `generate`.
            policy: as in `generate`; `free` is much the fastest.
            strict: a goal that falls short is an error, in the first part before others are made; what was made stays.
            workers: processes of this machine to share the work.
            dask: address of a Dask scheduler whose workers are to share the work (`tcp://...`).
            progress: makes a progress bar.

        Raises:
            NotFittedError: nothing was learned yet.
            InputError: the folder cannot be written to, or holds something else.
            ScenarioError: the scenario does not fit the table; or, where `strict`, a goal fell short.
            MissingPackageError: Dask or fsspec is needed, and not installed.
        """
        from agentsynth.streaming.writing import runner, write_table_in_parts

        request, seed = self._request(rows, entities, scenario, seed, Asked(fine_tune=fine_tune), policy)
        run = runner(workers, dask)
        model, out = self._fitted(), str(folder)
        return write_table_in_parts(model, self.config, request, seed, out, run, progress, strict=strict)

    def compose(
        self,
        rows: int | None = None,
        scenario: str | Mapping[str, Any] | Scenario | None = None,
        seed: int | None = None,
        *,
        entities: int | None = None,
        functions: Mapping[str, Function] | None = None,
        fine_tune: int = 0,
        policy: str = "q_learning",
        strict: bool = False,
        progress: Progress = silent,
    ) -> Composed:
        """Generate as `generate` does, and report on the scenario.

        The report tells for each target what was wanted and reached, and why it fell short; what else moved; and, where
        this object was fitted and not loaded, how near the rows are to training rows (`Composed.with_nearest` tells it
        of a loaded one, given these).
        """
        asked = Asked(functions=functions or {}, fine_tune=fine_tune)
        model = self._fitted()
        request, _ = self._request(rows, entities, scenario, seed, asked, policy)
        with progress("rows" if entities is None else "entities", request.rows) as advance:
            composed = generate(model, self.config, request, advance)
        composed = composed.checked() if strict else composed
        return composed if self._train is None else composed.with_nearest(self._train, model.generator)

    def _request(
        self,
        rows: int | None,
        entities: int | None,
        scenario: str | Mapping[str, Any] | Scenario | None,
        seed: int | None,
        asked: Asked,
        policy: str,
    ) -> tuple[Request, int]:
        """Return what is wanted, and the seed that was meant."""
        sizes = self._fitted().generator.sizes
        if entities is not None and (rows is not None or sizes is None):
            raise InputError(
                "entities can be asked for in place of rows, of a model that was fitted with entities.column: "
                f"found rows={rows}, entities={entities}."
            )
        what, count = ("rows", rows) if entities is None else ("entities", entities)
        if not isinstance(count, int | np.integer) or count < 1:
            raise InputError(f"{what} must be a whole number from 1 on; found {count!r}.")
        wanted = None if scenario is None else self.scenario(scenario)
        seed = self.seed if seed is None else seed
        asked, exact = replace(asked, scenario=wanted), sizes is not None and entities is None
        return Request(int(count), child_seed(seed, "generate"), asked, policy, sizes=sizes, exact=exact), seed

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
        """Return the rows of a table in the training table's form of a scenario's `where` and `fixed`; None: all.

        Of a table with entities these are all rows of the entities that are meant.

        Raises:
            ScenarioError: the scenario does not fit the table.
        """
        frame = _frame(table).reset_index(drop=True)
        if scenario is None:
            return frame
        generator, known = self._fitted().generator, typed(frame, self.schema_)
        return frame[sliced(generator, known, self.scenario(scenario))].reset_index(drop=True)

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
        synth.schema_ = model.generator.table
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

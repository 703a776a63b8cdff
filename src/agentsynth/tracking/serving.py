"""The served policy: MLflow runs this file to make the model (models from code: nothing is pickled)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from agentsynth.errors import AgentSynthError
from agentsynth.synth import AgentSynth

ROWS = 100
"""Rows of a table whose request does not say how many."""


class Request(NamedTuple):
    """One table asked for."""

    rows: int
    scenario: str | dict[str, Any] | None
    seed: int | None


class ServedPolicy(PythonModel):
    """The best learned policy behind MLflow's `predict`: requests in, synthetic rows out.

    Each row of the input asks for one table, in columns `rows`, `scenario` (a name, or a scenario as JSON text) and
    `seed`, of which at least one is there; what a request leaves out comes from `params`. Several tables come back one
    below the other.

    >>> model = mlflow.pyfunc.load_model("models:/agentsynth@champion")                        # doctest: +SKIP
    >>> model.predict(pd.DataFrame({"rows": [100], "scenario": ["black_friday"], "seed": [3]}))  # doctest: +SKIP
    >>> model.unwrap_python_model().synth.generate(100)                                        # doctest: +SKIP
    """

    synth: AgentSynth

    def load_context(self, context: PythonModelContext) -> None:
        """Load the saved synthesiser."""
        self.synth = AgentSynth.load(Path(context.artifacts["model"]))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002  # MLflow hands it over
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Return the tables that the rows of `model_input` ask for.

        Raises:
            MlflowException: a request cannot be met; the message says why (over HTTP: status 400).
        """
        try:
            tables = [self.synth.generate(*request) for request in requests(model_input, params or {})]
        except AgentSynthError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error
        return pd.concat(tables, ignore_index=True)


def requests(table: pd.DataFrame, params: Mapping[str, Any]) -> Iterator[Request]:
    """Yield what each row of `table` asks for; `params` fill in what it leaves open."""
    for record in table.to_dict("records"):
        asked = {**params, **{str(name): value for name, value in record.items() if not pd.isna(value)}}
        rows, seed = asked.get("rows"), asked.get("seed")
        yield Request(ROWS if rows is None else int(rows), _scenario(asked), None if seed is None else int(seed))


def _scenario(asked: Mapping[str, Any]) -> str | dict[str, Any] | None:
    """Return the scenario: None where empty, a mapping where it is JSON text, else a name."""
    text = str(asked.get("scenario") or "").strip()
    if not text.startswith("{"):
        return text or None
    try:
        return dict(json.loads(text))
    except ValueError as error:
        raise MlflowException.invalid_parameter_value(f"the scenario is not valid JSON: {error}") from error


set_model(ServedPolicy())

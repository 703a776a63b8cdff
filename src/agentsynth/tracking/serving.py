"""The served policy: MLflow runs this file to make the model (models from code: nothing is pickled)."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from pydantic import BaseModel, ConfigDict, field_validator

from agentsynth.errors import AgentSynthError, InputError
from agentsynth.files import parse_json
from agentsynth.synth import AgentSynth
from agentsynth.tracking.packing import ROWS

MOST_ROWS = 100_000
"""Most rows that one call is answered with, all its tables together."""
LIMIT_VARIABLE = "AGENTSYNTH_MOST_ROWS"
"""Environment variable that sets another limit where the policy is served."""


class Request(BaseModel):
    """One table asked for; what is left out comes from the call's `params`."""

    # MLflow would drop a column that is not in the signature with no more than a line in its log; here it is kept, so
    # that it can be refused.
    model_config = ConfigDict(extra="allow")

    # Optional[...], as MLflow reads these hints for the model's signature.
    rows: Optional[int] = None  # noqa: UP045
    scenario: Optional[str] = None  # noqa: UP045
    """A name, or a scenario as JSON text; empty: mimic."""
    seed: Optional[int] = None  # noqa: UP045
    """The same seed gives the same table."""

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        """Return what pandas makes of a gap (NaN), and of whole numbers beside one (3.0), as None and 3 again."""
        if isinstance(value, float):
            return None if math.isnan(value) else int(value) if value.is_integer() else value
        return value


class Asked(NamedTuple):
    """A request with nothing left open, in the order of `AgentSynth.generate`."""

    rows: int
    scenario: str | dict[str, Any] | None
    seed: int | None


class ServedPolicy(PythonModel):
    """The best learned policy behind MLflow's `predict`: requests in, synthetic rows out.

    Each row of the input asks for one table, in columns `rows`, `scenario` (a name, or a scenario as JSON text) and
    `seed`; what a row leaves out comes from `params`. Several tables come back one below the other.

    >>> model = mlflow.pyfunc.load_model("models:/agentsynth@champion")                        # doctest: +SKIP
    >>> model.predict(pd.DataFrame({"rows": [100], "scenario": ["black_friday"], "seed": [3]}))  # doctest: +SKIP
    >>> model.unwrap_python_model().synth.generate(100)                                        # doctest: +SKIP
    """

    synth: AgentSynth

    def load_context(self, context: PythonModelContext) -> None:
        """Load the saved synthesiser.

        Raises:
            InputError: the limit of rows that the environment sets is none.
        """
        most_rows()
        self.synth = AgentSynth.load(Path(context.artifacts["model"]))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002  # MLflow hands it over
        model_input: list[Request],
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Return the tables that the requests ask for.

        Raises:
            MlflowException: a request cannot be met; the message says why (over HTTP: status 400).
        """
        try:
            tables = [self.synth.generate(*asked) for asked in asked_for(model_input, params or {})]
        except AgentSynthError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error
        return pd.concat(tables, ignore_index=True)


def asked_for(requests: Sequence[Request], params: Mapping[str, Any]) -> list[Asked]:
    """Return what each request asks for; `params` fill in what it leaves open.

    Raises:
        MlflowException: there is none, one has an unknown column or a scenario that is not JSON, or more rows are
            asked for than `most_rows` allows.
    """
    if not requests:
        raise _refused("nothing is asked for: send one row, with `rows`, `scenario` or `seed` in it, for each table.")
    found = [_asked(request, params) for request in requests]
    total, most = sum(asked.rows for asked in found), most_rows()
    if total > most:
        raise _refused(
            f"{total:,} rows are asked for; one call is answered with {most:,} at the most. Ask several times, with "
            f"other seeds, or set {LIMIT_VARIABLE} where the policy is served."
        )
    return found


def most_rows() -> int:
    """Return the most rows that one call is answered with: `AGENTSYNTH_MOST_ROWS`, or 100,000.

    Raises:
        InputError: the variable is no whole number above 0.
    """
    given = os.environ.get(LIMIT_VARIABLE) or str(MOST_ROWS)
    if not given.isascii() or not given.isdecimal() or int(given) < 1:
        raise InputError(
            f"the environment variable {LIMIT_VARIABLE} is a whole number of rows, 1 or more; found {given!r}."
        )
    return int(given)


def _asked(request: Request, params: Mapping[str, Any]) -> Asked:
    unknown = ", ".join(repr(name) for name in request.model_extra or {})
    if unknown:
        raise _refused(f"unknown columns: {unknown}. A request has {', '.join(Request.model_fields)}.")
    given = {name: value for name, value in request if value is not None}
    asked = {"rows": ROWS, "scenario": None, "seed": None, **_known(params), **given}
    return Asked(int(asked["rows"]), _scenario(str(asked["scenario"] or "").strip()), asked["seed"])


def _known(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _scenario(text: str) -> str | dict[str, Any] | None:
    """Return the scenario: None where empty, a mapping where it is JSON text, else a name."""
    if not text.startswith("{"):
        return text or None
    try:
        return dict(parse_json(text))
    except ValueError as error:
        raise _refused(f"the scenario is not valid JSON: {error}") from error


def _refused(message: str) -> MlflowException:
    error: MlflowException = MlflowException.invalid_parameter_value(message)
    return error


set_model(ServedPolicy())

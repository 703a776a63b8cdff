"""The served policy: what a request may hold, and what comes back; over HTTP, see `test_walkthrough`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import mlflow
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from agentsynth.errors import InputError
from agentsynth.synth import AgentSynth
from agentsynth.tracking.packing import ROWS
from agentsynth.tracking.serving import LIMIT_VARIABLE, MOST_ROWS, Asked, Request, ServedPolicy, asked_for

SLICE = '{"where": "user_type = premium"}'


@pytest.fixture
def policy(champion: object) -> Any:  # noqa: ARG001  # in whose folder it is
    return mlflow.pyfunc.load_model("models:/agentsynth@champion")


def test_champion_predicts(policy: Any, synth: AgentSynth) -> None:
    table = policy.predict(pd.DataFrame({"rows": [30], "scenario": ["evening_rush"], "seed": [3]}))
    pd.testing.assert_frame_equal(table, synth.generate(30, "evening_rush", 3))
    by_params = policy.predict(pd.DataFrame({"seed": [3]}), params={"rows": 30, "scenario": "evening_rush"})
    pd.testing.assert_frame_equal(by_params, table)
    native = policy.unwrap_python_model().synth
    pd.testing.assert_frame_equal(native.generate(10, seed=1), synth.generate(10, seed=1))


def test_requests_may_be_plain_mappings_and_say_nothing(policy: Any, synth: AgentSynth) -> None:
    pd.testing.assert_frame_equal(policy.predict([{}]), synth.generate(ROWS, seed=0))
    pd.testing.assert_frame_equal(policy.predict([{"rows": 4}], params={"seed": 2}), synth.generate(4, seed=2))


def test_several_requests_come_one_below_the_other(policy: Any, synth: AgentSynth) -> None:
    table = policy.predict(pd.DataFrame({"rows": [4, 6], "seed": [1, None], "scenario": [None, SLICE]}))
    assert len(table) == 10
    assert set(table["user_type"][4:]) == {"premium"}
    pd.testing.assert_frame_equal(table[:4], synth.generate(4, seed=1))


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"scenario": ["nowhere"]}, "no scenario 'nowhere'; the model knows: evening_rush"),
        ({"scenario": ['{"wher']}, "not valid JSON"),
        ({"scenario": ['{"where":' + "[" * 100_000]}, "the scenario is not valid JSON: it is nested too deep"),
        ({"scenario": ['{"wher": "x"}']}, "wher"),
        ({"rows": [0]}, "rows must be"),
        ({"rows": [2.5]}, "rows.*valid integer"),
        ({"rows": ["many"]}, "rows.*valid integer"),
        ({"seed": [-1]}, "a seed is a whole number from 0 on; found -1"),
        ({"row": [5], "seed": [1]}, "unknown columns: 'row'. A request has rows, scenario, seed"),
        ({"rows": [MOST_ROWS, 1]}, "100,001 rows are asked for; one call is answered with 100,000"),
        ({"rows": []}, "nothing is asked for"),
    ],
)
def test_request_that_cannot_be_met_says_why(policy: Any, request_: dict[str, list[object]], message: str) -> None:
    with pytest.raises(MlflowException, match=message) as caught:
        policy.predict(pd.DataFrame(request_))
    assert caught.value.error_code in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")  # over HTTP: status 400


def test_signature_names_what_can_be_asked_for(policy: Any) -> None:
    inputs, params = policy.metadata.get_input_schema().to_json(), policy.metadata.get_params_schema().to_dict()
    assert all(f'"{name}"' in inputs for name in ("rows", "scenario", "seed"))
    assert {param["name"]: param["default"] for param in params} == {"rows": ROWS, "scenario": "", "seed": 0}
    assert policy.input_example == [{"rows": 5, "seed": 1}]


def test_requests_fill_in_from_params_then_defaults() -> None:
    table = [Request(rows=5, scenario="a"), Request(seed=2)]
    assert asked_for(table, {"seed": 7, "rows": None}) == [Asked(5, "a", 7), Asked(ROWS, None, 2)]
    assert asked_for([Request(scenario=" ")], {"rows": 3}) == [Asked(3, None, None)]


def test_limit_of_rows_is_set_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, "10")
    assert len(asked_for([Request(rows=6), Request(rows=4)], {})) == 2
    with pytest.raises(MlflowException, match="11 rows are asked for; one call is answered with 10"):
        asked_for([Request(rows=6), Request(rows=5)], {})


@pytest.mark.parametrize("limit", ["abc", "0", "-5", "1e3", "²"])
def test_a_limit_of_rows_that_is_none_is_told_when_the_policy_is_loaded(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, limit)
    context: Any = SimpleNamespace(artifacts={})
    with pytest.raises(InputError, match=f"{LIMIT_VARIABLE} is a whole number of rows, 1 or more; found '{limit}'"):
        ServedPolicy().load_context(context)

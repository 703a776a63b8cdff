"""What load.py asks the served policy, and what it must be answered: the native object's rows, or status 400."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from agentsynth.synth import AgentSynth

PATIENCE = 120.0
"""Seconds after which a request that has no answer is lost."""
SCENARIOS = {"evening": {"where": "timestamp.hour in 17..20"}, "dear": {"targets": {"price": {"mean": "+20%"}}}}
"""Of the model, by name."""
OWN = {"where": "user_type = premium"}
"""A scenario that comes with the request."""
WRONG = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"inputs": [{"rows": 3}]',
    b"\x00\xff" * 500,
    b'{"inputs": ' + b"[" * 900 + b"]" * 900 + b"}",
)
"""Bodies that are no request: cut off, no JSON, nested deep."""
BEYOND = (b"[" * 100_000,)
"""Bodies that the JSON reader of MLflow's server gives up on before AgentSynth is asked: status 500, and it goes on."""
REFUSED: tuple[Any, ...] = (
    {},
    {"inputs": []},
    {"inputs": "rows"},
    {"dataframe_records": [{"rows": 3}]},
    {"inputs": [{"rows": 3, "senario": "x"}]},
    {"inputs": [{"rows": 3, "scenario": "nowhere"}]},
    {"inputs": [{"rows": 3, "scenario": "{"}]},
    {"inputs": [{"rows": 3, "scenario": '{"where": "nothing = 1"}'}]},
    {"inputs": [{"rows": 3, "scenario": '{"where":' + "[" * 100_000}]},
    {"inputs": [{"rows": 3, "scenario": '{"where":' + "[" * 900 + "]" * 900 + "}"}]},
    {"inputs": [{"rows": 3, "scenario": json.dumps({"where": "(" * 5000})}]},
    {"inputs": [{"rows": "many"}]},
    {"inputs": [{"rows": -1}]},
    {"inputs": [{"rows": 2.5}]},
    {"inputs": [{"seed": -1}]},
    {"inputs": [{"rows": 3}], "params": {"seed": "x"}},
    # Too large: one table, a number beyond all, many tables together, a body of a megabyte.
    {"inputs": [{"rows": 100_001}]},
    {"inputs": [{"rows": 10**25}]},
    {"inputs": [{"rows": 11}] * 10_000},
    {"inputs": [{"rows": 3, "scenario": "x" * 1_000_000}]},
)
"""Requests that cannot be met."""


@dataclass(frozen=True)
class Question:
    """A request, and what it must be answered with.

    Attributes:
        body: of the request.
        rows: that must come back, as `plain` gives them; None: a message.
        status: that it must have.
    """

    body: bytes
    rows: list[dict[str, Any]] | None = None
    status: int = 400


@dataclass(frozen=True)
class Answer:
    """What came of a question.

    Attributes:
        seconds: until it came.
        problem: what is wrong with it; empty: nothing.
        right: whether rows were asked for.
    """

    seconds: float
    problem: str
    right: bool


def plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table's rows as JSON has them: numbers, labels, datetimes as ISO text, None where missing.

    >>> plain(pd.DataFrame({"a": [1.5, None], "day": pd.to_datetime(["2024-01-02", None])}))
    [{'a': 1.5, 'day': '2024-01-02T00:00:00'}, {'a': None, 'day': None}]
    """
    return [{str(name): _plain(value) for name, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value.isoformat() if isinstance(value, pd.Timestamp) else value


def questions(synth: AgentSynth, seeds: int) -> list[Question]:
    """Return requests that can be met, for each seed and scenario one and some of several tables, and such as cannot.

    Args:
        synth: the native object, which makes the rows that must come back.
        seeds: how many.
    """
    own = json.dumps(OWN)
    asked = [
        {"rows": rows, "scenario": scenario, "seed": seed}
        for seed in range(seeds)
        for rows, scenario in ((100, ""), (40, "evening"), (60, "dear"), (7, own), (1, ""), (300, "evening"))
    ]
    single = [_met(synth, [one]) for one in asked]
    several = [_met(synth, asked[place : place + 3]) for place in range(0, len(asked), 12)]
    by_params = [_met(synth, [{"rows": 5}], {"scenario": "dear", "seed": seed}) for seed in range(seeds)]
    wrong = [Question(body) for body in (*WRONG, *(json.dumps(body).encode() for body in REFUSED))]
    return [*single, *several, *by_params, *wrong, *(Question(body, status=500) for body in BEYOND)]


def _met(synth: AgentSynth, asked: list[dict[str, Any]], params: dict[str, Any] | None = None) -> Question:
    """Return a request for tables, with the rows that the native object makes of it."""
    body = {"inputs": asked} | ({} if params is None else {"params": params})
    whole = [{**(params or {}), **one} for one in asked]
    tables = [
        synth.generate(one["rows"], json.loads(scenario) if scenario[:1] == "{" else scenario or None, one["seed"])
        for one in whole
        for scenario in [one["scenario"]]
    ]
    return Question(json.dumps(body).encode(), [row for table in tables for row in plain(table)], 200)


def ask(address: str, question: Question) -> Answer:
    """Ask the policy that is served at an address, and look at what comes back."""
    head = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/invocations", question.body, head)  # noqa: S310
    begin = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310  # this machine's
            status, content = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, content = error.code, error.read()
    except OSError as error:  # no answer
        return Answer(time.monotonic() - begin, f"lost: {error!r}", question.rows is not None)
    return Answer(time.monotonic() - begin, problem_of(question, status, content), question.rows is not None)


def problem_of(question: Question, status: int, content: bytes) -> str:
    """Return what is wrong with an answer; empty: nothing."""
    start = question.body[:80]
    if status != question.status:
        return f"status {status} for {start!r}: {content[:300]!r}"
    if question.rows is None:
        return "" if content.strip() else f"no message for {start!r}"
    return "" if same(json.loads(content)["predictions"], question.rows) else f"other rows for {start!r}"


def same(found: Sequence[dict[str, Any]], wanted: Sequence[dict[str, Any]]) -> bool:
    """Whether rows are equal: columns, order, every value; numbers to the last digit."""
    return [list(row.items()) for row in found] == [list(row.items()) for row in wanted]


def mixed(asked: Sequence[Question], seed: int) -> list[Question]:
    """Return the questions in another order, for each client's seed its own; one in five cannot be met.

    >>> [question.body for question in mixed([Question(b"a", []), Question(b"b")], 0)]
    [b'a', b'a', b'a', b'a', b'b']
    """
    rng = np.random.default_rng(seed)
    right, wrong = ([one for one in asked if (one.rows is None) is missing] for missing in (False, True))
    rng.shuffle(right)
    rng.shuffle(wrong)
    rounds = max(-(-len(right) // 4), len(wrong))
    return [
        (right[(4 * turn + place) % len(right)] if place < 4 else wrong[turn % len(wrong)])
        for turn in range(rounds)
        for place in range(5)
    ]

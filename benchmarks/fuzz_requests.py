"""Odd requests to the served policy, for minutes: each is answered, or refused as the user's.

A policy of a small shop, and one of its users, are registered in a store of their own; requests go through what
MLflow's scoring server does with a body (`mlflow.pyfunc.scoring_server.invocations`), without a server. A request is
one that can be answered, as JSON or CSV, with one to four random changes: a value replaced, left out or doubled, bytes
flipped, cut, doubled, nasty tokens put in; or a scenario, so changed, in a request that is left as it is. One in three
goes straight to `predict`, as a program in the same process calls it: tables of odd types, and what is none.

A finding is what ends with anything but an answer or an error of the user's, "an unexpected error" of MLflow's in place
of ours among them, and what takes more than `fuzz.SLOW` seconds of the processor. What MLflow itself fails on before it
comes to the policy (JSON nested a thousand levels deep, input that is no table) is counted by itself.

    python benchmarks/fuzz_requests.py --minutes 10
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import signal
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import yaml
from fuzz import SLOW, calls_of_ours, slow
from fuzz_changes import changed_bytes, changed_json
from fuzz_frames import handed
from fuzz_readers import FAST, FAST_ENTITIES
from fuzz_readers import SCENARIOS as STATED_SCENARIOS

from agentsynth import AgentSynth
from agentsynth.data.shop import simulate_shop
from agentsynth.tracking import registry
from agentsynth.tracking.pipeline import StageRecord, recorded

BODIES: list[Any] = [
    {"inputs": [{"rows": 5, "scenario": "evening_rush", "seed": 7}]},
    {"inputs": [{"rows": 3}, {"rows": 4, "seed": 2}], "params": {"scenario": "", "seed": 1}},
    {"inputs": [{"scenario": '{"where": "user_type = premium"}'}], "params": {"rows": 4}},
    {"dataframe_split": {"columns": ["rows", "seed"], "data": [[3, 1], [2, None]]}},
    {"inputs": [{"rows": 5, "scenario": '{"targets": {"price": {"mean": "+20%"}}}'}]},
]
STATED: list[Any] = yaml.safe_load(STATED_SCENARIOS)
CSV = b"rows,scenario,seed\n3,evening_rush,1\n2,,\n"
SCENARIOS = {"evening_rush": {"where": "timestamp.hour in 12..22"}}
CONFIGS = {"rows": FAST, "entities": FAST_ENTITIES}
LIMIT = 30
JSON_TYPE, CSV_TYPE = "application/json", "text/csv"
NO_TYPE = "in this process"
"""Of what is handed to `predict` itself."""
UNEXPECTED = "unexpected error while evaluating"
INTERNAL = "INTERNAL_ERROR"
THEIRS = "MLflow failed before the policy was asked"


def served(folder: Path, config: dict[str, Any]) -> Any:
    """Return the policy of a small shop as MLflow serves it, registered in a store in `folder`."""
    import mlflow

    synth = AgentSynth({**config, "scenarios": SCENARIOS}).fit(simulate_shop(120, seed=0, habits=True))
    synth.save(folder / "model")
    found: list[registry.Version] = []

    def write(run: Any) -> None:
        found.append(registry.register(run, folder / "model", keys={"policy_key": "fuzz"}, card="of a fuzzer"))

    with recorded([StageRecord("train", "fuzz", write)]):
        pass
    return mlflow.pyfunc.load_model(f"models:/{registry.MODEL}/{found[0].number}")


def status(policy: Any, content: Any, content_type: str) -> int:
    """Send a request; return the status of the answer."""
    from mlflow.pyfunc.scoring_server import invocations

    if content_type == NO_TYPE:
        table, params = content
        policy.predict(table, params=params)
        return 200
    schema, text = policy.metadata.get_input_schema(), content.decode(errors="replace")
    answer = invocations(text, content_type, policy, schema)  # type: ignore[no-untyped-call]  # of MLflow
    return int(answer.status)


def asked(policy: Any, content: Any, content_type: str) -> tuple[str, str]:
    """Return how a request ended: answered, refused, or a finding by its name; and the traceback of a finding."""
    from mlflow.exceptions import MlflowException

    signal.setitimer(signal.ITIMER_PROF, SLOW)
    try:
        return ("answered" if status(policy, content, content_type) == 200 else "refused"), ""
    except MlflowException as error:
        ours = UNEXPECTED not in str(error) and error.error_code != INTERNAL
        return ("refused", "") if ours else (f"{error.error_code}: {error.message[:60]}", traceback.format_exc())
    except Exception as error:
        if not calls_of_ours(error):
            return THEIRS, ""
        return type(error).__name__, traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def request(rng: np.random.Generator) -> tuple[Any, str]:
    """Return a changed request and its content type."""
    if rng.random() < 1 / 3:
        return handed(rng), NO_TYPE
    if rng.random() < 0.2:
        return changed_bytes(CSV, rng), CSV_TYPE
    if rng.random() < 0.4:
        scenario = json.dumps(changed_json(STATED[rng.integers(len(STATED))], rng))
        return json.dumps({"inputs": [{"rows": 4, "scenario": scenario}]}).encode(), JSON_TYPE
    body = BODIES[rng.integers(len(BODIES))]
    content = json.dumps(changed_json(body, rng) if rng.random() < 0.8 else body).encode()
    return (changed_bytes(content, rng) if rng.random() < 0.3 else content), JSON_TYPE


def tried(policies: dict[str, Any], minutes: float, seed: int) -> tuple[Counter[tuple[str, str]], dict[str, str]]:
    """Return how many requests to each policy ended how, and the first traceback of each finding."""
    rng, counts = np.random.default_rng(seed), Counter[tuple[str, str]]()
    findings: dict[str, str] = {}
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        for name, policy in policies.items():
            content, content_type = request(rng)
            how, trace = asked(policy, content, content_type)
            counts[name, how] += 1
            if trace and how not in findings:
                findings[how] = f"{content_type}: {content!r}\n{trace}"
    return counts, findings


def main() -> None:
    """Send requests, and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long")
    parser.add_argument("--seed", type=int, default=0, help="of the changes")
    parser.add_argument("--policies", nargs="+", choices=list(CONFIGS), default=list(CONFIGS), help="only these")
    chosen = parser.parse_args()
    policies: dict[str, Any] = {}
    with contextlib.ExitStack() as places:
        # What is set here for the whole process is as it was afterwards.
        places.callback(signal.signal, signal.SIGPROF, signal.signal(signal.SIGPROF, slow))
        places.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.WARNING)
        places.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        places.enter_context(patch.dict(os.environ, {"AGENTSYNTH_MOST_ROWS": str(LIMIT)}))
        for name in chosen.policies:
            folder = Path(places.enter_context(tempfile.TemporaryDirectory()))
            places.enter_context(contextlib.chdir(folder))
            policies[name] = served(folder, CONFIGS[name])
        counts, findings = tried(policies, chosen.minutes, chosen.seed)
    print(f"{chosen.minutes:g} minutes, seed {chosen.seed}, {counts.total():,} requests\n")
    for (name, how), number in sorted(counts.items()):
        print(f"- policy of {name}: {how}: {number:,}")
    for trace in findings.values():
        print(f"\n{trace}")


if __name__ == "__main__":
    main()

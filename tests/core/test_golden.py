"""Tables that stay the same for good: whoever changes what is generated for a seed has to say so.

After a change that is meant to: python tests/core/test_golden.py, and look at the difference in golden.json.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agentsynth.data.shop import simulate_shop
from agentsynth.synth import AgentSynth

FILE = Path(__file__).with_name("golden.json")
CONFIG = {"environment": {"rows": 60, "steps": 12, "pairs": 6}, "agent": {"episodes": 4, "goals": 2}}
CASES: dict[str, dict[str, Any]] = {
    "mimic": {},
    "another seed": {"seed": 12},
    "evening": {"scenario": {"where": "timestamp.hour in 17..20"}},
    "dear": {"scenario": {"targets": {"price": {"mean": "+20%"}}}},
    **{policy: {"policy": policy} for policy in ("neutral", "random", "proportional", "raking", "free")},
}


def versions() -> dict[str, str]:
    """Return the versions that decide what is generated: other ones may draw or split otherwise."""
    return {name: ".".join(version(name).split(".")[:2]) for name in ("numpy", "pandas", "scikit-learn", "scipy")}


def found() -> dict[str, Any]:
    """Return what is learned and generated now."""
    synth = AgentSynth(CONFIG, seed=0).fit(simulate_shop(300, seed=1))
    tables = {}
    for name, case in CASES.items():
        text = synth.generate(40, **{"seed": 11, **case}).to_csv(index=False, lineterminator="\n")
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        tables[name] = {"digest": digest, "first rows": text.splitlines()[1:3]}
    orders = AgentSynth({**CONFIG, "entities": {"column": "user_id"}}, seed=0)
    lives = orders.fit(simulate_shop(300, seed=1, habits=True)).generate(entities=8, seed=11)
    return {
        "versions": versions(),
        "entities": lives.to_csv(index=False, lineterminator="\n").splitlines()[1:6],
        "shop": simulate_shop(3, seed=0).to_csv(index=False, lineterminator="\n").splitlines()[1:],
        "visits": [" ".join(map(str, counts)) for counts in synth.policy_.visits.sum(axis=(1, 2))],
        "similarity": np.round(synth.history_.similarity, 4).tolist(),
        "tables": tables,
    }


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    if stored["versions"] != versions():
        pytest.skip(f"golden.json was made with {stored['versions']}")
    return stored


@pytest.fixture(scope="module")
def current() -> dict[str, Any]:
    return found()


@pytest.mark.parametrize("name", CASES)
def test_the_table_is_as_it_was(name: str, golden: dict[str, Any], current: dict[str, Any]) -> None:
    assert current["tables"][name] == golden["tables"][name]


@pytest.mark.parametrize("what", ["shop", "visits", "similarity", "entities"])
def test_what_is_learned_is_as_it_was(what: str, golden: dict[str, Any], current: dict[str, Any]) -> None:
    assert current[what] == golden[what]


if __name__ == "__main__":
    FILE.write_text(json.dumps(found(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

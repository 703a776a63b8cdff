"""The sequences of entities as plain values and arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentsynth.base.saved import Arrays, trees_arrays, trees_of, trees_to_json
from agentsynth.base.trees import SequentialTrees
from agentsynth.config import GeneratorConfig
from agentsynth.data.schema import Schema
from agentsynth.entities.clock import Clock
from agentsynth.entities.drift import Drifts
from agentsynth.entities.flow import Flow
from agentsynth.entities.layout import Layout
from agentsynth.entities.plan import LARGEST, EntityPlan
from agentsynth.entities.sequences import Sequences
from agentsynth.entities.timing import Timing


def sequences_to_json(sequences: Sequences) -> dict[str, Any]:
    """Return the plain values of sequences."""
    drifts, clock, flow = sequences.drifts, sequences.clock, _flow(sequences)
    return {
        "plan": sequences.plan.to_json(),
        "last": None if clock is None else clock.last,
        "flow": None if flow is None else {"start": flow.start, "width": flow.width},
        "least": drifts.least,
        "most": drifts.most,
        "trees": {name: trees_to_json(trees) for name, trees in _trees(sequences).items()},
    }


def sequences_arrays(sequences: Sequences) -> dict[str, NDArray[Any]]:
    """Return the arrays of sequences."""
    flow = _flow(sequences)
    found: dict[str, NDArray[Any]] = {} if flow is None else {"flow": flow.ends}
    for name, trees in _trees(sequences).items():
        found |= trees_arrays(f"{name}.", trees)
    return found


def sequences_of(value: Mapping[str, Any], arrays: Arrays, schema: Schema, config: GeneratorConfig) -> Sequences:
    """Return the sequences of a table of `schema` that plain values and arrays stand for.

    Raises:
        SchemaError, ValueError, KeyError, TypeError: they do not fit each other.
    """
    plan = EntityPlan.from_json(value["plan"])
    plan.check(schema)
    # Models of older formats have no flow.
    told = value.get("flow")
    flow = None if told is None else Flow(float(told["start"]), float(told["width"]), arrays["flow"])
    if flow is not None:
        flow.check()
    layout = Layout(plan, schema, flow is not None)
    clock = None if plan.time is None else Clock(schema[plan.time], float(value["last"]))
    least, most = ({name: float(value[end][name]) for name in plan.drifting} for end in ("least", "most"))
    drifts = Drifts({name: schema[name].decimals for name in plan.drifting}, least, most)

    def restored(name: str, table: Schema, given: frozenset[str]) -> SequentialTrees:
        return trees_of(value["trees"][name], arrays, f"{name}.", table, config, given)

    first = restored("first", layout.first, frozenset())
    when = None if clock is None else Timing(clock, restored("when", layout.when, layout.known), flow)
    what = restored("what", layout.what, layout.known_then) if plan.others else None
    begun = restored("begun", layout.begun, layout.known_first) if plan.nested else None
    found = Sequences(plan, clock, drifts, first, when, what, begun)
    _check_size(found)
    return found


def _check_size(sequences: Sequences) -> None:
    """Raise ValueError where numbers are so large that they cannot be summed up and squared."""
    parts = [part for trees in _trees(sequences).values() for part in trees.codec.parts if part.role == "number"]
    drifts = sequences.drifts
    ends = [*drifts.least.values(), *drifts.most.values()]
    largest = max(float(np.abs(numbers).max(initial=0.0)) for numbers in [np.array(ends), *(p.values for p in parts)])
    if not largest <= LARGEST:
        raise ValueError(f"numbers of entities are up to {largest:g}")


def _trees(sequences: Sequences) -> dict[str, SequentialTrees]:
    when = None if sequences.when is None else sequences.when.trees
    named = {"first": sequences.first, "begun": sequences.begun, "when": when, "what": sequences.what}
    return {name: trees for name, trees in named.items() if trees is not None}


def _flow(sequences: Sequences) -> Flow | None:
    return None if sequences.when is None else sequences.when.flow

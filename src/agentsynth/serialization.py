"""What a model is saved as: a manifest of plain values, and arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from numpy.typing import NDArray

from agentsynth.agent.history import TrainingHistory
from agentsynth.agent.policies import QPolicy
from agentsynth.base.forest import Forest
from agentsynth.base.saved import FOREST_FIELDS, forest_of, trees_arrays, trees_of, trees_to_json
from agentsynth.base.trees import SequentialTrees
from agentsynth.config import Config
from agentsynth.data.schema import Schema
from agentsynth.entities.generator import EntityGenerator, EntityTrees
from agentsynth.entities.saved import sequences_arrays, sequences_of, sequences_to_json
from agentsynth.entities.summary import Summary
from agentsynth.env.cells import Cells
from agentsynth.env.detail import Detail
from agentsynth.env.margins import Margin
from agentsynth.env.novelty import Novelty
from agentsynth.model import Generator, Model
from agentsynth.soundness import check_model

FORMAT = 7
"""Before 7, entities had no ids within or around them; before 6, parts had no trends, and gaps of entities no flow."""
OLDEST_FORMAT = 4
"""The oldest format that is still read: it has no second critic."""
POLICY_FIELDS = ("tables", "visits", "levels", "gap_edges")
Arrays = Mapping[str, NDArray[Any]]


def described(model: Model, config: Config, seed: int) -> tuple[bytes, dict[str, NDArray[Any]]]:
    """Return a model's manifest as JSON text, and its arrays."""
    generator, cells = model.generator, model.generator.cells
    manifest = {
        "format": FORMAT,
        "versions": {name: version(name) for name in ("agentsynth", "numpy", "pandas", "scikit-learn")},
        "seed": seed,
        "config": config.model_dump(mode="json"),
        "schema": generator.table.model_dump(mode="json"),
        **trees_to_json(generator.trees),
        "cells": _cells_to_json(cells),
        "detail": _cells_to_json(generator.detail.cells),
        "rows": generator.detail.rows,
        "critic": cells.critic is not None,
        "second_critic": generator.detail.second_critic is not None,
        "factors": list(model.policy.factor_names),
        "history": model.history.to_json(),
        **({"entities": _entities_to_json(generator)} if isinstance(generator, EntityGenerator) else {}),
    }
    arrays: dict[str, NDArray[Any]] = {"real": generator.real, "detail.real": generator.detail.real}
    arrays |= {f"novelty.{name}": getattr(generator.detail.novelty, name) for name in Novelty.FIELDS}
    arrays |= {f"policy.{name}": getattr(model.policy, name) for name in POLICY_FIELDS}
    arrays |= trees_arrays("", generator.trees)
    if isinstance(generator, EntityGenerator):
        arrays |= sequences_arrays(generator.sequences)
    for critic, forest in (("critic", cells.critic), ("second_critic", generator.detail.second_critic)):
        arrays |= {f"{critic}.{name}": getattr(forest, name) for name in FOREST_FIELDS if forest is not None}
    return json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False).encode(), arrays


def restored(manifest: dict[str, Any], arrays: Arrays) -> tuple[Model, Config, int]:
    """Return the model, parameters and seed that a manifest and arrays stand for.

    Raises:
        AgentSynthError, ValueError, KeyError, TypeError, IndexError: they do not fit each other.
    """
    config = Config.of(manifest["config"])
    schema = Schema.from_json(manifest["schema"])
    trees = _trees(manifest, arrays, schema, config)
    manifest = {"second_critic": False, **manifest} if manifest["format"] == OLDEST_FORMAT else manifest
    critic, second = (forest_of(name, arrays) if manifest[name] else None for name in ("critic", "second_critic"))
    cells = _cells(manifest["cells"], critic)
    novelty = Novelty(*(arrays[f"novelty.{name}"] for name in Novelty.FIELDS))
    detail = Detail(_cells(manifest["detail"], critic), novelty, arrays["detail.real"], int(manifest["rows"]), second)
    tables, visits, levels, edges = (arrays[f"policy.{name}"] for name in POLICY_FIELDS)
    policy = QPolicy(tuple(map(str, manifest["factors"])), tables, visits, levels, edges)
    history = TrainingHistory.from_json(manifest["history"])
    if isinstance(trees, EntityTrees):
        generator: Generator = EntityGenerator(trees.codec.schema, trees, cells, arrays["real"], detail)
    else:
        generator = Generator(schema, trees, cells, arrays["real"], detail)
    model = Model(generator, policy, history)
    check_model(model)
    return model, config, int(manifest["seed"])


def _entities_to_json(generator: EntityGenerator) -> dict[str, Any]:
    return {**sequences_to_json(generator.sequences), "rhythm": generator.trees.summary.rhythm}


def _cells_to_json(cells: Cells) -> dict[str, Any]:
    return {
        "margins": [margin.to_json() for margin in cells.margins],
        "pairs": [[first.to_json(), second.to_json()] for first, second in cells.pairs],
    }


def _cells(value: Mapping[str, Any], critic: Forest | None) -> Cells:
    return Cells(
        tuple(Margin.from_json(margin) for margin in value["margins"]),
        tuple((Margin.from_json(first), Margin.from_json(second)) for first, second in value["pairs"]),
        critic,
    )


def _trees(manifest: Mapping[str, Any], arrays: Arrays, schema: Schema, config: Config) -> SequentialTrees:
    if "entities" not in manifest:
        return trees_of(manifest, arrays, "", schema, config.generator)
    sequences = sequences_of(manifest["entities"], arrays, schema, config.generator)
    # In formats before 6 entities are not told by how evenly their rows come.
    summary = Summary(sequences.plan, schema, rhythm=bool(manifest["entities"].get("rhythm", False)))
    told = trees_of(manifest, arrays, "", summary.schema, config.generator)
    return EntityTrees(told.codec, summary, sequences, schema)

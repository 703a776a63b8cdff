"""What a model is saved as: a manifest of plain values, and arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentsynth.agent.history import TrainingHistory
from agentsynth.agent.policies import QPolicy
from agentsynth.base.codec import Codec, Part
from agentsynth.base.forest import Forest
from agentsynth.base.part_model import PartModel
from agentsynth.base.trees import SequentialTrees
from agentsynth.config import Config
from agentsynth.data.schema import Schema
from agentsynth.env.cells import Cells
from agentsynth.env.detail import Detail
from agentsynth.env.margins import Margin
from agentsynth.env.novelty import Novelty
from agentsynth.model import Generator, Model
from agentsynth.soundness import check_model

FORMAT = 4
FOREST_FIELDS = ("roots", "feature", "threshold", "left", "right")
LEAF_FIELDS = ("start", "size", "codes")
POLICY_FIELDS = ("tables", "visits", "levels", "gap_edges")
Arrays = Mapping[str, NDArray[Any]]


def described(model: Model, config: Config, seed: int) -> tuple[bytes, dict[str, NDArray[Any]]]:
    """Return a model's manifest as JSON text, and its arrays."""
    generator, codec = model.generator, model.generator.trees.codec
    cells = generator.cells
    manifest = {
        "format": FORMAT,
        "versions": {name: version(name) for name in ("agentsynth", "numpy", "pandas", "scikit-learn")},
        "seed": seed,
        "config": config.model_dump(mode="json"),
        "schema": generator.schema.model_dump(mode="json"),
        "parts": [_part_to_json(part) for part in codec.parts],
        "order": generator.trees.order,
        "cells": _cells_to_json(cells),
        "detail": _cells_to_json(generator.detail.cells),
        "rows": generator.detail.rows,
        "critic": cells.critic is not None,
        "factors": list(model.policy.factor_names),
        "history": model.history.to_json(),
    }
    arrays: dict[str, NDArray[Any]] = {"real": generator.real, "detail.real": generator.detail.real}
    arrays |= {f"novelty.{name}": getattr(generator.detail.novelty, name) for name in Novelty.FIELDS}
    arrays |= {f"policy.{name}": getattr(model.policy, name) for name in POLICY_FIELDS}
    for index, part in enumerate(codec.parts):
        arrays[f"part.{index}.counts"] = part.counts
        if part.ordered:
            arrays[f"part.{index}.values"] = part.values
    for index, fitted in enumerate(generator.trees.models):
        arrays |= {f"trees.{index}.{name}": getattr(fitted.forest, name) for name in FOREST_FIELDS}
        arrays |= {f"trees.{index}.{name}": getattr(fitted, name) for name in LEAF_FIELDS}
    if cells.critic is not None:
        arrays |= {f"critic.{name}": getattr(cells.critic, name) for name in FOREST_FIELDS}
    return json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False).encode(), arrays


def restored(manifest: dict[str, Any], arrays: Arrays) -> tuple[Model, Config, int]:
    """Return the model, parameters and seed that a manifest and arrays stand for.

    Raises:
        AgentSynthError, ValueError, KeyError, TypeError, IndexError: they do not fit each other.
    """
    config = Config.of(manifest["config"])
    schema = Schema.from_json(manifest["schema"])
    codec = Codec(schema)
    codec.parts = [_part(value, index, arrays) for index, value in enumerate(manifest["parts"])]
    trees = SequentialTrees(codec, config.generator)
    trees.order = [int(index) for index in manifest["order"]]
    trees.models = [
        PartModel(_forest(f"trees.{index}", arrays), *(arrays[f"trees.{index}.{name}"] for name in LEAF_FIELDS))
        for index in range(len(trees.order))
    ]
    critic = _forest("critic", arrays) if manifest["critic"] else None
    cells = _cells(manifest["cells"], critic)
    novelty = Novelty(*(arrays[f"novelty.{name}"] for name in Novelty.FIELDS))
    detail = Detail(_cells(manifest["detail"], critic), novelty, arrays["detail.real"], int(manifest["rows"]))
    tables, visits, levels, edges = (arrays[f"policy.{name}"] for name in POLICY_FIELDS)
    policy = QPolicy(tuple(manifest["factors"]), tables, visits, levels, edges)
    history = TrainingHistory.from_json(manifest["history"])
    model = Model(Generator(schema, trees, cells, arrays["real"], detail), policy, history)
    check_model(model)
    return model, config, int(manifest["seed"])


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


def _part_to_json(part: Part) -> dict[str, Any]:
    labels = None if part.ordered else [None if label is None else str(label) for label in part.values]
    plain = {"column": part.column, "role": part.role, "unit": part.unit, "decimals": part.decimals, "labels": labels}
    ends = {"first": part.first, "last": part.last} if part.role == "time" and len(part.values) else {}
    bounded = {"most": part.most, "smallest": part.smallest}
    excess = {"excess": True} if part.excess else {}
    return {**plain, **ends, **excess, **{name: limit for name, limit in bounded.items() if np.isfinite(limit)}}


def _part(value: Mapping[str, Any], index: int, arrays: Arrays) -> Part:
    if value["labels"] is None:
        values = arrays[f"part.{index}.values"]
    else:
        values = np.empty(len(value["labels"]), dtype=object)
        values[:] = value["labels"]
    counts = arrays[f"part.{index}.counts"]
    limits = {name: value[name] for name in ("excess", "most", "smallest", "first", "last") if name in value}
    return Part(value["column"], value["role"], values, counts, value["unit"], value["decimals"], **limits)


def _forest(prefix: str, arrays: Arrays) -> Forest:
    return Forest(*(arrays[f"{prefix}.{name}"] for name in FOREST_FIELDS))

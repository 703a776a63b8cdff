"""The base generator as plain values and arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agentsynth.base.codec import Codec, Part
from agentsynth.base.forest import Forest
from agentsynth.base.part_model import PartModel
from agentsynth.base.parts import Role
from agentsynth.base.trees import SequentialTrees
from agentsynth.base.trend import Scale, Trend
from agentsynth.config import GeneratorConfig
from agentsynth.data.schema import Schema

FOREST_FIELDS = ("roots", "feature", "threshold", "left", "right")
LEAF_FIELDS = ("start", "size", "codes")
Arrays = Mapping[str, NDArray[Any]]


class PlainPart(BaseModel):
    """A part's plain values, with the types that they have in a model's manifest."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    column: str
    role: Role
    unit: str
    decimals: int | None
    labels: list[str | None] | None
    excess: bool = False
    most: float = np.inf
    smallest: float = -np.inf
    first: float = -np.inf
    last: float = np.inf


def trees_to_json(trees: SequentialTrees) -> dict[str, Any]:
    """Return the plain values of a generator."""
    return {"parts": [_part_to_json(part) for part in trees.codec.parts], "order": trees.order}


def trees_arrays(prefix: str, trees: SequentialTrees) -> dict[str, NDArray[Any]]:
    """Return the arrays of a generator, their names with a prefix."""
    arrays: dict[str, NDArray[Any]] = {}
    for index, part in enumerate(trees.codec.parts):
        arrays[f"{prefix}part.{index}.counts"] = part.counts
        if part.ordered:
            arrays[f"{prefix}part.{index}.values"] = part.values
    for index, fitted in enumerate(trees.models):
        arrays |= {f"{prefix}trees.{index}.{name}": getattr(fitted.forest, name) for name in FOREST_FIELDS}
        arrays |= {f"{prefix}trees.{index}.{name}": getattr(fitted, name) for name in LEAF_FIELDS}
        if fitted.trend is not None:
            arrays[f"{prefix}trees.{index}.trend"] = fitted.trend.weights
    return arrays


def trees_of(
    value: Mapping[str, Any],
    arrays: Arrays,
    prefix: str,
    schema: Schema,
    config: GeneratorConfig,
    given: frozenset[str] = frozenset(),
) -> SequentialTrees:
    """Return the generator that plain values and arrays stand for."""
    codec = Codec(schema)
    codec.parts = [_part(part, f"{prefix}part.{index}", arrays) for index, part in enumerate(value["parts"])]
    trees = SequentialTrees(codec, config, given)
    trees.order = [int(index) for index in value["order"]]
    trees.models = [
        _model(codec.parts[part], f"{prefix}trees.{number}", arrays) for number, part in enumerate(trees.order)
    ]
    return trees


def _part_to_json(part: Part) -> dict[str, Any]:
    labels = None if part.ordered else [None if label is None else str(label) for label in part.values]
    plain = {"column": part.column, "role": part.role, "unit": part.unit, "decimals": part.decimals, "labels": labels}
    ends = {"first": part.first, "last": part.last} if part.role == "time" and len(part.values) else {}
    bounded = {"most": part.most, "smallest": part.smallest}
    excess = {"excess": True} if part.excess else {}
    return {**plain, **ends, **excess, **{name: limit for name, limit in bounded.items() if np.isfinite(limit)}}


def _part(value: Any, prefix: str, arrays: Arrays) -> Part:
    plain = PlainPart.model_validate(value)
    if plain.labels is None:
        values = arrays[f"{prefix}.values"]
    else:
        values = np.empty(len(plain.labels), dtype=object)
        values[:] = plain.labels
    return Part(values=values, counts=arrays[f"{prefix}.counts"], **plain.model_dump(exclude={"labels"}))


def _model(part: Part, prefix: str, arrays: Arrays) -> PartModel:
    weights = arrays.get(f"{prefix}.trend")
    trend = None if weights is None else Trend(weights, Scale(part))
    start, size, codes = (arrays[f"{prefix}.{field}"] for field in LEAF_FIELDS)
    return PartModel(forest_of(prefix, arrays), start, size, codes, trend)


def forest_of(prefix: str, arrays: Arrays) -> Forest:
    """Return the forest whose arrays have such a prefix."""
    return Forest(*(arrays[f"{prefix}.{name}"] for name in FOREST_FIELDS))

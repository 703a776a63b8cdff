"""How to reproduce what a page shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from agentsynth.pages.subject import Origin
from agentsynth.params import Params


@dataclass(frozen=True)
class Changed:
    """A parameter that is not at its default."""

    name: str
    value: str
    default: str


@dataclass(frozen=True)
class Provenance:
    """Where a result comes from."""

    origin: Origin
    changed: tuple[Changed, ...]
    parameters: str
    """All parameters, in the form of params.yaml."""


def provenance(origin: Origin) -> Provenance:
    """Return what a page says of where its result comes from."""
    defaults = dict(_flat(Params().model_dump(mode="json")))
    given = _flat({name: value for name, value in origin.parameters.items() if name != "scenarios"})
    changed = [
        Changed(name, _text(value), _text(defaults.get(name, "none")))
        for name, value in given
        if name not in defaults or defaults[name] != value
    ]
    text = yaml.safe_dump(dict(origin.parameters), sort_keys=False, allow_unicode=True)
    return Provenance(origin, tuple(changed), text)


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (name, value) with nested names joined by points."""
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            yield from _flat(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", item


def _text(value: object) -> str:
    """Return a value as params.yaml has it."""
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True).removesuffix("...\n").strip()

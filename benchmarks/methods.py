"""The methods that are compared: ours and the rivals, behind one protocol."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

OURS, REAL = "agentsynth", "real"
"""Ours; and another real sample, the training rows themselves, which nothing generates."""


class Method(Protocol):
    """Learns from a table and draws one like it; made from a seed, which decides what is random in fitting."""

    def fit(self, train: pd.DataFrame, target: str | None = None) -> Method:
        """Learn from a table as it was read; `target` names its label, where there is one."""

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        """Return so many rows, with the columns of the training table."""


class Ours:
    """AgentSynth with its defaults, or with another leaf size."""

    def __init__(self, seed: int, min_leaf: int | None = None) -> None:
        from agentsynth import AgentSynth  # a second of imports, which rivals need not wait for

        self.synth_ = AgentSynth({} if min_leaf is None else {"generator": {"min_leaf": min_leaf}}, seed=seed)

    def fit(self, train: pd.DataFrame, target: str | None = None) -> Ours:  # noqa: ARG002  # all columns are alike
        """Learn from a table."""
        self.synth_.fit(train)
        return self

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        """Generate so many rows."""
        return self.synth_.generate(rows, seed=seed)


@dataclass(frozen=True)
class Entry:
    """A method: how it is made from a seed, what it is, and the package it needs."""

    make: Callable[[int], Method]
    about: str
    package: str | None = None

    @property
    def installed(self) -> bool:
        """Whether it can run here."""
        return self.package is None or importlib.util.find_spec(self.package) is not None


def _ours(min_leaf: int | None = None) -> Callable[[int], Method]:
    return lambda seed: Ours(seed, min_leaf)


def _from(module: str, name: str) -> Callable[[int], Method]:
    """Return a maker that imports the adapter when it is called."""

    def make(seed: int) -> Method:
        method: Method = getattr(importlib.import_module(module), name)(seed)
        return method

    return make


METHODS: dict[str, Entry] = {
    OURS: Entry(_ours(), "AgentSynth, defaults"),
    "agentsynth k=3": Entry(_ours(3), "AgentSynth, at least 3 rows in a leaf"),
    "agentsynth k=6": Entry(_ours(6), "AgentSynth, at least 6 rows in a leaf"),
    "cart": Entry(_from("own_rivals", "CartSynthesis"), "CART synthesis (Reiter 2005), our own re-creation"),
    "seqtrees": Entry(_from("packaged_rivals", "SequentialTrees"), "CART synthesis, as packaged", "seqtrees"),
    "arf": Entry(_from("packaged_rivals", "AdversarialForest"), "adversarial random forest", "arfpy"),
    "utrees": Entry(_from("packaged_rivals", "Unmasking"), "UnmaskingTrees", "utrees"),
    "forest_flow": Entry(_from("packaged_rivals", "ForestFlow"), "Forest-Flow", "ForestDiffusion"),
    "forest_flow reduced": Entry(
        _from("packaged_rivals", "ReducedForestFlow"), "Forest-Flow, 20 times and 20 copies", "ForestDiffusion"
    ),
    "copula": Entry(_from("own_rivals", "GaussianCopula"), "Gaussian copula, our own"),
    "independent": Entry(_from("own_rivals", "IndependentColumns"), "every column by itself"),
}

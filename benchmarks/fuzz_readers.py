"""The readers that the fuzzer gives broken inputs to, each with inputs that can be used and how they are changed."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from fuzz_changes import Random, changed_arrays, changed_bytes, changed_json
from numpy.typing import NDArray

from agentsynth.data.inference import infer_schema
from agentsynth.data.reading import read_table, write_table
from agentsynth.data.schema import Schema
from agentsynth.data.shop import simulate_shop
from agentsynth.data.typed import typed
from agentsynth.params import Params
from agentsynth.scenarios.grammar import Scenario
from agentsynth.storage import ARRAYS, DIGEST, MANIFEST
from agentsynth.synth import AgentSynth

FAST: dict[str, Any] = {
    "generator": {"trees": 2},
    "environment": {"rows": 15, "steps": 3, "pairs": 2},
    "agent": {"episodes": 1, "goals": 1},
}
FAST_ENTITIES: dict[str, Any] = {**FAST, "entities": {"column": "user_id"}}
SCENARIOS = """
- {where: category = Books and price > 20}
- {where: [timestamp.hour in 17..20, "user_type in [premium, regular]", timestamp < 2025-06-01]}
- {targets: {price: {mean: +20%, std: 30, median: 40, quantile: {0.9: 99}, gini: 0.4, top_share: {0.1: 0.4}}}}
- {targets: {category: {share: {Books: 0.5}}, price: {correlation: {quantity: -0.1}, total: 9000}}}
- {shares: {category: {Books: 0.5}}, temperature: 1.5, fixed: {user_type: premium}}
- {scale: {price: +10%, quantity: 2}, where: timestamp.month in 11..2}
- {targets: {timestamp.hour: {share: {17-20: 0.6}}, price: {ratio: {over: "category = Books", to: 1.5}}}}
"""


class Readers:
    """Seeds that can be used, and what is done with a changed one; each makes bytes of them, and reads such bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shop = simulate_shop(40, seed=0)
        self.synth = AgentSynth(FAST).fit(self.shop)
        orders = self._orders()
        known = infer_schema(orders, {name: {"kind": "id"} for name in ("user_id", "household")})
        self.synths = [self.synth, AgentSynth(FAST_ENTITIES).fit(orders, schema=known)]
        self.models = [self._saved(synth) for synth in self.synths]
        self.orders = self._csv(orders)
        self.tables = [self._csv(frame) for frame in self._frames()]
        self.schemas = [infer_schema(frame).model_dump(mode="json") for frame in self._frames()]
        self.frames = self._frames()
        self.scenarios = yaml.safe_load(SCENARIOS)
        self.params = yaml.safe_dump({**FAST, "data": {"columns": {"price": {"kind": "numeric", "decimals": 2}}}})
        self.all: dict[str, tuple[Callable[[Random], bytes], Callable[[bytes], object]]] = {
            "table": (self.table, self.read_table),
            "entities": (lambda rng: changed_bytes(self.orders, rng), self.read_entities),
            "parameters": (lambda rng: changed_bytes(self.params.encode(), rng), self.read_params),
            "schema": (self.schema, self.read_schema),
            "scenario": (self.scenario, self.read_scenario),
            "model": (self.model, self.read_model),
            "archive": (lambda rng: changed_bytes((folder / "seed.zip").read_bytes(), rng), self.read_model),
        }

    def _saved(self, synth: AgentSynth) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the manifest and the arrays of a model."""
        synth.save(self.folder / "seed.zip")
        with zipfile.ZipFile(self.folder / "seed.zip") as archive:
            manifest, arrays = json.loads(archive.read(MANIFEST)), archive.read(ARRAYS)
        with np.load(io.BytesIO(arrays)) as stored:
            return manifest, {name: stored[name] for name in stored.files}

    def _frames(self) -> list[pd.DataFrame]:
        rng = np.random.default_rng(0)
        days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 30), unit="D")
        code = [f"AB-{number:04d}" for number in rng.integers(0, 9999, 30)]
        measured = np.where(rng.random(30) < 0.2, np.nan, rng.normal(size=30).round(3))
        other = {"code": code, "day": days.strftime("%d.%m.%Y"), "v": measured, "w": rng.integers(0, 50, 30)}
        branch = rng.choice(["a", "b", "c"], 30)
        follows = {"branch": branch, "city": [f"city {name}" for name in branch], "n": rng.integers(-5, 5, 30)}
        return [self.shop, pd.DataFrame(other), pd.DataFrame(follows)]

    def _orders(self) -> pd.DataFrame:
        """Orders of two lines each, of users in households: ids within entities and around them."""
        lines = simulate_shop(80, seed=0, habits=True).loc[lambda rows: rows.index.repeat(2)].reset_index(drop=True)
        household = (lines["user_id"].str[1:].astype(int) // 2).map("H{:04d}".format)
        return lines.assign(order_id=[f"O{1000 + row // 2}" for row in lines.index], household=household)

    def _csv(self, frame: pd.DataFrame) -> bytes:
        write_table(frame, self.folder / "seed.csv")
        return (self.folder / "seed.csv").read_bytes()

    def table(self, rng: Random) -> bytes:
        """Return a changed CSV file."""
        return changed_bytes(self.tables[rng.integers(len(self.tables))], rng)

    def read_table(self, content: bytes) -> None:
        """Read a table, learn from it, generate and write five rows."""
        (self.folder / "t.csv").write_bytes(content)
        frame = read_table(self.folder / "t.csv")
        synth = AgentSynth(FAST).fit(frame)
        write_table(synth.generate(5, seed=1), self.folder / "o.csv", synth.schema_)

    def read_entities(self, content: bytes) -> None:
        """Read a table, learn from its entities, generate three of them."""
        (self.folder / "e.csv").write_bytes(content)
        AgentSynth(FAST_ENTITIES).fit(read_table(self.folder / "e.csv")).generate(entities=3, seed=1)

    def read_params(self, content: bytes) -> None:
        """Read parameters, and a table by their overrides."""
        (self.folder / "p.yaml").write_bytes(content)
        params = Params.load(self.folder / "p.yaml")
        infer_schema(self.shop, params.data.columns)

    def schema(self, rng: Random) -> bytes:
        """Return a table's number and its changed schema, as JSON."""
        place = int(rng.integers(len(self.schemas)))
        return json.dumps([place, changed_json(self.schemas[place], rng)]).encode()

    def read_schema(self, content: bytes) -> None:
        """Read a schema, learn from its table by it, generate five rows."""
        place, value = json.loads(content)
        (self.folder / "s.json").write_text(json.dumps(value))
        schema = Schema.load(self.folder / "s.json")
        typed(self.frames[place], schema)
        AgentSynth(FAST).fit(self.frames[place], schema=schema).generate(5, seed=1)

    def scenario(self, rng: Random) -> bytes:
        """Return a changed scenario, as YAML."""
        value = self.scenarios[rng.integers(len(self.scenarios))]
        if rng.random() < 0.5:
            value = changed_json(value, rng)
        content = yaml.safe_dump(value).encode()
        return changed_bytes(content, rng) if rng.random() < 0.7 else content

    def read_scenario(self, content: bytes) -> None:
        """Read a scenario, generate ten rows of it, and report."""
        (self.folder / "s.yaml").write_bytes(content)
        scenario = Scenario.load(self.folder / "s.yaml")
        composed = self.synths[len(content) % 2].compose(10, scenario, seed=1)
        if composed.report is not None:
            json.dumps(composed.report.to_json(), allow_nan=False)
            composed.report.to_text()

    def model(self, rng: Random) -> bytes:
        """Return a model with a changed manifest or changed arrays, signed again."""
        plain, stored = self.models[rng.integers(len(self.models))]
        manifest = changed_json(plain, rng) if rng.random() < 0.6 else plain
        arrays = changed_arrays(stored, rng) if manifest is plain else dict(stored)
        text = json.dumps(manifest).encode()
        arrays[DIGEST] = np.frombuffer(hashlib.sha256(text).digest(), dtype=np.uint8)
        inner, outer = io.BytesIO(), io.BytesIO()
        np.savez(inner, **arrays)
        with zipfile.ZipFile(outer, "w") as archive:
            archive.writestr(MANIFEST, text)
            archive.writestr(ARRAYS, inner.getvalue())
        return outer.getvalue()

    def read_model(self, content: bytes) -> None:
        """Load a model and generate five rows."""
        (self.folder / "m.zip").write_bytes(content)
        AgentSynth.load(self.folder / "m.zip").generate(5, seed=1)

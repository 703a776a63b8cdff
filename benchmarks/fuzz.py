"""Broken inputs at random, for minutes: whatever a reader is given, it is used, or refused with a message.

Seven readers, in turn: tables (read, learned from, five rows generated), tables with entities, parameters, schemas
(read and used on a table), scenarios (read and generated with), models (manifest and arrays changed and signed again,
as an attacker could), and archives (bytes of a saved model changed). An input is a seed that can be used, with one to
four random changes: bytes flipped, cut, doubled, tokens of a list of nasty ones put in; of JSON, a value replaced, left
out or doubled; of an array, numbers, shape or type changed.

Every exception that is not an `InputError` is a finding, and so is a warning, and what takes more than
`SLOW` seconds of the processor. Each finding is written to a folder, to be put into the corpus in `tests/trust` once it
is mended.

    python benchmarks/fuzz.py --minutes 10 --out findings
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import io
import json
import signal
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from agentsynth.data.inference import infer_schema
from agentsynth.data.reading import read_table, write_table
from agentsynth.data.schema import Schema
from agentsynth.data.shop import simulate_shop
from agentsynth.data.typed import typed
from agentsynth.errors import InputError
from agentsynth.params import Params
from agentsynth.scenarios.grammar import Scenario
from agentsynth.storage import ARRAYS, DIGEST, MANIFEST
from agentsynth.synth import AgentSynth

SLOW = 60
"""Seconds of the processor that no input of this size may take: what takes longer may never end."""
FAST: dict[str, Any] = {
    "generator": {"trees": 2},
    "environment": {"rows": 15, "steps": 3, "pairs": 2},
    "agent": {"episodes": 1, "goals": 1},
}
NASTY = [
    *(
        "",
        " ",
        "\0",
        "\ufeff",
        "\n",
        "\r",
        '"',
        "'",
        ",",
        ";",
        "\t",
        "-",
        ".",
        "=",
        "[",
        "]",
        "{",
        "}",
        "&a",
        "*a",
        "|",
    ),
    *("nan", "inf", "-inf", "1e308", "-1e308", "1e-320", "1e400", "0", "-0", "-1", "9" * 25, "007", "1_000", "0x10"),
    *(
        "NA",
        "null",
        "None",
        "True",
        "no",
        "1677-09-21",
        "2262-04-12",
        "0001-01-01",
        "9999-12-31",
        "2021-02-30",
        "24:00",
    ),
    *(
        "é",
        "漢",
        "😀",
        "\u202e",
        "\x85",
        "\u2028",
        "!!python/object/apply:os.getcwd []",
        "<script>",
        "../../x",
        "%Q",
        "%",
    ),
    *(" and ", " in ", " not in ", "..", "!=", "price", "category", "timestamp.hour", "Books", "mean", "+20%", "1..0"),
]
VALUES: list[Any] = [
    *(None, True, 0, -1, 1, 2, 10**6, 10**25, 0.5, -0.5, 1e308, float("nan"), float("inf"), "", "x", "é" * 50, [], {}),
    *(
        [None],
        [1, 2, 3],
        ["x"],
        {"x": 1},
        "price",
        "category",
        "label",
        "number",
        "time",
        "numeric",
        "datetime",
        "int8",
    ),
]
SCENARIOS = """
- {where: category = Books and price > 20}
- {where: [timestamp.hour in 17..20, "user_type in [premium, regular]", timestamp < 2025-06-01]}
- {targets: {price: {mean: +20%, std: 30, median: 40, quantile: {0.9: 99}, gini: 0.4, top_share: {0.1: 0.4}}}}
- {targets: {category: {share: {Books: 0.5}}, price: {correlation: {quantity: -0.1}, total: 9000}}}
- {shares: {category: {Books: 0.5}}, temperature: 1.5, fixed: {user_type: premium}}
- {scale: {price: +10%, quantity: 2}, where: timestamp.month in 11..2}
- {targets: {timestamp.hour: {share: {17-20: 0.6}}, price: {ratio: {over: "category = Books", to: 1.5}}}}
"""
Random = np.random.Generator
FAST_ENTITIES: dict[str, Any] = {**FAST, "entities": {"column": "user_id"}}


class TooSlow(Exception):  # noqa: N818  # it is told by its name
    """An input took longer than `SLOW` seconds."""


def changed_bytes(content: bytes, rng: Random) -> bytes:
    """Return bytes with one to four changes."""
    for _ in range(rng.integers(1, 5)):
        first, last = (int(place) for place in sorted(rng.integers(0, len(content) + 1, 2)))
        token = NASTY[rng.integers(len(NASTY))].encode()
        change = rng.random()
        if change < 0.1:
            content = content[:first] + bytes([rng.integers(256)]) + content[first + 1 :]
        elif change < 0.4:
            content = content[:first] + token + content[first:]
        elif change < 0.8:
            content = _token_replaced(content, first, token)
        elif change < 0.9:
            content = content[:first] + content[last:]
        else:
            content = content[:last] + content[first:last] * int(rng.integers(1, 9)) + content[last:]
    return content


def _token_replaced(content: bytes, place: int, token: bytes) -> bytes:
    """Replace what stands between two marks around a place."""
    marks = b",\n:{}[] "
    first = max(content.rfind(bytes([mark]), 0, place) for mark in marks) + 1
    ends = [end for mark in marks if (end := content.find(bytes([mark]), place)) >= 0]
    return content[:first] + token + content[min(ends, default=len(content)) :]


def changed_json(value: Any, rng: Random) -> Any:
    """Return plain values with one to four of them replaced, left out, or doubled."""
    value = copy.deepcopy(value)
    for _ in range(rng.integers(1, 5)):
        holder, key = _place(value, rng)
        if holder is None:
            continue
        change = rng.integers(4)
        if change == 0:
            del holder[key]
        elif change == 1 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        else:
            holder[key] = copy.deepcopy(VALUES[rng.integers(len(VALUES))])
    return value


def _place(value: Any, rng: Random) -> tuple[Any, Any]:
    """Return a random place in plain values: what holds it, and its key or index."""
    holder, key = None, None
    while isinstance(value, dict | list) and value:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        holder, key = value, keys[rng.integers(len(keys))]
        value = holder[key]
        if rng.random() < 0.15:
            break
    return holder, key


def changed_arrays(arrays: dict[str, Any], rng: Random) -> dict[str, Any]:
    """Return arrays of which one or two are changed: numbers, shape, or type; or one is left out."""
    arrays = dict(arrays)
    for name in rng.choice(list(arrays), size=rng.integers(1, 3), replace=False):
        array = arrays[name].copy()
        change = rng.integers(5)
        if change == 0 and array.size:
            number = rng.choice([0, -1, 1, 2, 255, 2**31 - 1, np.nan, np.inf, 1e300])
            with np.errstate(all="ignore"):
                array.flat[rng.integers(array.size)] = np.float64(number).astype(array.dtype)
        elif change == 1:
            array = array[: rng.integers(0, len(array) + 1)] if array.ndim else array
        elif change == 2:
            array = array.astype(rng.choice(["float32", "int8", "int64", "bool", "complex64"]))
        elif change == 3:
            array = array[:, None] if array.ndim == 1 else array.ravel()
        else:
            array = np.concatenate([array, array]) if array.ndim else array
        arrays[name] = array
    return arrays


class Readers:
    """Seeds that can be used, and what is done with a changed one; each makes bytes of them, and reads such bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shop = simulate_shop(40, seed=0)
        self.synth = AgentSynth(FAST).fit(self.shop)
        orders = simulate_shop(120, seed=0, habits=True)
        self.synths = [self.synth, AgentSynth(FAST_ENTITIES).fit(orders)]
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


def tried(read: Callable[[bytes], object], content: bytes) -> tuple[str, str]:
    """Return how it ended: used, refused, or a finding by its name; and the traceback of a finding."""
    signal.setitimer(signal.ITIMER_PROF, SLOW)
    try:
        read(content)
    except InputError:
        return "refused", ""
    except Exception as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "agentsynth" in f.filename]
        place = f"{Path(frames[-1].filename).name}:{frames[-1].name}" if frames else "?"
        return f"{type(error).__name__} in {place}", traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return "used", ""


def slow(*_: object) -> NoReturn:
    """End what takes too long."""
    raise TooSlow


def main() -> None:
    """Try inputs until the time is up; print how they ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long")
    parser.add_argument("--seed", type=int, default=0, help="of the changes")
    parser.add_argument("--readers", nargs="*", help="only these")
    parser.add_argument("--out", type=Path, help="folder for the inputs that were findings, the first of each kind")
    asked = parser.parse_args()
    warnings.simplefilter("error")
    signal.signal(signal.SIGPROF, slow)
    rng = np.random.default_rng(asked.seed)
    ends: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        readers = Readers(Path(folder)).all
        names = asked.readers or list(readers)
        deadline = time.monotonic() + 60 * asked.minutes
        while time.monotonic() < deadline:
            for name in names:
                make, read = readers[name]
                content = make(rng)
                end, told = tried(read, content)
                ends[name, end] += 1
                if told and asked.out is not None and ends[name, end] == 1:
                    asked.out.mkdir(parents=True, exist_ok=True)
                    number = sum(1 for _ in asked.out.glob(f"{name}-*.txt"))
                    (asked.out / f"{name}-{number}.input").write_bytes(content)
                    (asked.out / f"{name}-{number}.txt").write_text(told)
    print(
        f"{asked.minutes:g} minutes, seed {asked.seed}\n\n| reader | inputs | used | refused | findings |\n"
        "|---|---|---|---|---|"
    )
    for name in names:
        own = {end: count for (reader, end), count in ends.items() if reader == name}
        found = sum(count for end, count in own.items() if end not in ("used", "refused"))
        print(f"| {name} | {sum(own.values())} | {own.get('used', 0)} | {own.get('refused', 0)} | {found} |")
    for (name, end), count in sorted(ends.items()):
        if end not in ("used", "refused"):
            print(f"- {name}: {end} ({count} times)")


if __name__ == "__main__":
    main()

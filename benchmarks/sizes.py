"""What tables of different sizes cost: CPU seconds to read, to fit and to generate, and peak memory.

Each size runs in a process of its own, so that its peak is its own, with the defaults. A size is written ROWSxCOLUMNS,
or ROWSxCOLUMNSxLEVELS with one more column, of text with so many levels, most of them rare. The columns are, in turn,
numbers of one decimal, text of 8 levels, counts, skewed amounts with missing values, datetimes and booleans, all moved
by one hidden number. `schema` is a part of `fit`. `before` is what Python, the packages and a first fit of
50 rows take.

    python benchmarks/sizes.py --out sizes.csv
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from output import machine, parser, positive, save, section

from agentsynth import AgentSynth
from agentsynth.config import Config
from agentsynth.data.inference import infer_schema
from agentsynth.data.reading import read_table, write_table
from agentsynth.seeding import stream

SIZES = ("20x6", "2000x12", "20000x15", "200x200", "20000x4x5000", "200000x15")
GENERATED = 1000
LETTERS = np.array(list("abcdefghij"))


@dataclass(frozen=True)
class Size:
    """Rows and columns of a table, and levels of one more column (0: there is none)."""

    rows: int
    columns: int
    levels: int = 0

    @classmethod
    def of(cls, text: str) -> Size:
        """Read a size from the command line.

        Raises:
            ArgumentTypeError: it is none.
        """
        parts = text.split("x")
        if len(parts) not in (2, 3) or not all(part.isdecimal() and int(part) > 0 for part in parts):
            raise ArgumentTypeError(f"expected ROWSxCOLUMNS or ROWSxCOLUMNSxLEVELS; found {text!r}")
        size = cls(*map(int, parts))
        if size.levels > size.rows:
            raise ArgumentTypeError(f"{size.levels} levels need as many rows; found {size.rows}")
        return size

    def __str__(self) -> str:
        return "x".join(map(str, (self.rows, self.columns, self.levels) if self.levels else (self.rows, self.columns)))


def table(size: Size, seed: int) -> pd.DataFrame:
    """Return a table of a size."""
    rng = stream(seed, "sizes")
    hidden = rng.normal(size=size.rows)
    makers: list[tuple[str, Callable[[np.ndarray[Any, Any]], Any]]] = [
        ("number", lambda x: (50 + 10 * x).round(1)),
        ("text", lambda x: LETTERS[np.clip(4 + 1.5 * x, 0, 7).astype(int)]),
        ("count", lambda x: np.maximum(0, np.rint(3 + 2 * x)).astype(int)),
        ("amount", lambda x: np.where(rng.random(len(x)) < 0.1, np.nan, np.exp(x).round(2))),
        ("time", lambda x: pd.Timestamp("2024-01-01") + pd.to_timedelta((1e6 * (x + 9)).astype(int), unit="s")),
        ("flag", lambda x: x > 0),
    ]
    columns = {}
    for place in range(size.columns):
        name, maker = makers[place % len(makers)]
        columns[f"{name}_{place}"] = maker(0.6 * hidden + 0.8 * rng.normal(size=size.rows))
    if size.levels:
        columns["product"] = _levels(size, rng)
    return pd.DataFrame(columns)


def _levels(size: Size, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return text (rows,) that has every level at least once, the first ones much more often."""
    names = np.array(["".join(LETTERS[list(map(int, str(place)))]) for place in range(size.levels)], dtype=object)
    often = np.minimum(rng.pareto(1, size.rows - size.levels) * size.levels / 20, size.levels - 1).astype(int)
    return np.asarray(names[rng.permutation(np.concatenate([np.arange(size.levels), often]))])


def measure(size: Size, config: Config, seed: int) -> dict[str, float]:
    """Return CPU seconds and megabytes of one size, in this process."""
    # One fit before the clock starts: the first use of a library pays for its import.
    AgentSynth({"agent": {"episodes": 1}}).fit(table(Size(50, 6), seed))
    before = _peak()
    frame = table(size, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(frame, path)
        read, _ = _timed(lambda: read_table(path))
    schema, _ = _timed(lambda: infer_schema(frame))
    synth = AgentSynth(config, seed=seed)
    fit, _ = _timed(lambda: synth.fit(frame))
    generate, made = _timed(lambda: synth.generate(GENERATED, seed=1))
    if len(made) != GENERATED:
        raise RuntimeError(f"{GENERATED} rows were asked for; {len(made)} were made")
    return {"read": read, "schema": schema, "fit": fit, "generate": generate, "peak MB": _peak(), "before": before}


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def _peak() -> float:
    """Return the most memory that this process has held so far, in megabytes."""
    # Bytes on a Mac, kilobytes elsewhere.
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def measured_apart(size: Size, episodes: int | None) -> dict[str, float]:
    """Return what `measure` gives in a process of its own."""
    more = ["--episodes", str(episodes)] if episodes else []
    command = [sys.executable, __file__, "--sizes", str(size), "--here", *more]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603  # this very script
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    options = parser(__doc__)
    options.add_argument("--sizes", type=Size.of, nargs="+", default=list(map(Size.of, SIZES)), help="ROWSxCOLUMNS ...")
    options.add_argument("--episodes", type=positive, help="episodes of the training; the default is the default")
    options.add_argument("--here", action="store_true", help="measure the first size in this process, print it as JSON")
    given = options.parse_args(argv)
    if given.here:
        config = Config.of({"agent": {"episodes": given.episodes}} if given.episodes else None)
        print(json.dumps(measure(given.sizes[0], config, seed=0)))
        return
    results = pd.DataFrame({str(size): measured_apart(size, given.episodes) for size in given.sizes}).T
    results = results.rename_axis("size")
    print(f"CPU seconds, and the peak of memory; {GENERATED:,} rows generated. {machine()}.")
    section("Sizes", results, 2)
    save(results.reset_index(), given.out)


if __name__ == "__main__":
    main()

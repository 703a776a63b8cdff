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
import signal
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import numpy as np
from fuzz_readers import Readers

from agentsynth.errors import InputError

Ends = Counter[tuple[str, str]]
"""How many inputs ended how, by reader and end."""
FINE = ("used", "refused")
SLOW = 60
"""Seconds of the processor that no input of this size may take: what takes longer may never end."""


class TooSlow(Exception):  # noqa: N818  # it is told by its name
    """An input took longer than `SLOW` seconds."""


def tried(read: Callable[[bytes], object], content: bytes) -> tuple[str, str]:
    """Return how it ended: used, refused, or a finding by its name; and the traceback of a finding."""
    signal.setitimer(signal.ITIMER_PROF, SLOW)
    try:
        read(content)
    except InputError:
        return "refused", ""
    except Exception as error:
        return f"{type(error).__name__} in {(calls_of_ours(error) or ['?'])[-1]}", traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return "used", ""


def calls_of_ours(error: Exception) -> list[str]:
    """Return the calls (file:function) of agentsynth that an error came through, the innermost last."""
    codes = [
        frame.f_code
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__")).partition(".")[0] == "agentsynth"
    ]
    return [f"{Path(code.co_filename).name}:{code.co_name}" for code in codes]


def slow(*_: object) -> NoReturn:
    """End what takes too long."""
    raise TooSlow


def recorded(folder: Path, name: str, content: bytes, trace: str) -> None:
    """Write an input that was a finding, and its traceback."""
    folder.mkdir(parents=True, exist_ok=True)
    number = sum(1 for _ in folder.glob(f"{name}-*.txt"))
    (folder / f"{name}-{number}.input").write_bytes(content)
    (folder / f"{name}-{number}.txt").write_text(trace)


def fuzzed(names: list[str], minutes: float, seed: int, out: Path | None) -> Ends:
    """Try inputs of these readers (none named: of all) until the time is up or it is stopped; return how they ended."""
    rng, ends = np.random.default_rng(seed), Ends()
    with tempfile.TemporaryDirectory() as folder:
        readers = Readers(Path(folder)).all
        with suppress(KeyboardInterrupt):
            for name in turns(names or list(readers), minutes):
                make, read = readers[name]
                content = make(rng)
                end, trace = tried(read, content)
                ends[name, end] += 1
                if trace and out is not None and ends[name, end] == 1:
                    recorded(out, name, content, trace)
    return ends


def turns(names: list[str], minutes: float) -> Iterator[str]:
    """Yield names in turn until the time is up, each as often as the others."""
    deadline = time.monotonic() + 60 * minutes
    while time.monotonic() < deadline:
        yield from names


def told(ends: Ends) -> str:
    """Return a table of readers, and each kind of finding."""
    lines = ["| reader | inputs | used | refused | findings |", "|---|---|---|---|---|"]
    for name in dict.fromkeys(name for name, _ in ends):
        own = {end: count for (reader, end), count in ends.items() if reader == name}
        found = sum(count for end, count in own.items() if end not in FINE)
        lines.append(f"| {name} | {sum(own.values())} | {own.get('used', 0)} | {own.get('refused', 0)} | {found} |")
    for (name, end), count in sorted(ends.items()):
        if end not in FINE:
            lines.append(f"- {name}: {end} ({count} times)")
    return "\n".join(lines)


def main() -> None:
    """Try inputs until the time is up; print how they ended, and how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long, by the clock")
    parser.add_argument("--seed", type=int, default=0, help="of the changes")
    parser.add_argument("--readers", nargs="*", default=[], help="only these")
    parser.add_argument("--out", type=Path, help="folder for the inputs that were findings, the first of each kind")
    asked = parser.parse_args()
    wall, processor = time.monotonic(), time.process_time()
    before = signal.signal(signal.SIGPROF, slow)
    # Stopped or killed, it tells of what it has tried.
    killed = signal.signal(signal.SIGTERM, signal.default_int_handler)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ends = fuzzed(asked.readers, asked.minutes, asked.seed, asked.out)
    signal.signal(signal.SIGPROF, before)
    signal.signal(signal.SIGTERM, killed)
    wall, processor = (time.monotonic() - wall) / 60, (time.process_time() - processor) / 60
    print(f"{wall:.1f} minutes, {processor:.1f} of them of the processor, seed {asked.seed}, {ends.total():,} inputs\n")
    print(told(ends))


if __name__ == "__main__":
    main()

"""Random changes of inputs that can be used: of bytes, of plain values, of arrays."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

Random = np.random.Generator
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

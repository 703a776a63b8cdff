"""YAML that people write, read into plain values: no tags that make objects, no key twice, nothing that explodes."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from agentsynth.errors import InputError

MOST_NODES = 100_000
"""Most values in a document; what aliases repeat counts each time, as a few lines of them can stand for billions."""
DEEPEST = 50
"""Most levels of nesting."""


def read_yaml(path: str | Path, error: type[InputError] = InputError) -> Any:
    """Read a YAML or JSON file.

    Raises:
        InputError: it cannot be read, is not UTF-8, or is not YAML; of the class `error`.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as problem:
        raise error(f"cannot read {path}: {problem.strerror}. Check the name; run from the project's folder.") from None
    except ValueError as problem:  # a zero byte in the name
        raise error(f"cannot read {str(path)!r}: {problem}.") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise error(
            f"{path} is not UTF-8 (byte {problem.start} is {content[problem.start]:#04x}): save it as UTF-8."
        ) from None
    return parse_yaml(text, str(path), error)


def parse_yaml(text: str, where: str, error: type[InputError] = InputError) -> Any:
    """Return the plain values of a YAML text; `where` is what errors call it.

    Raises:
        InputError: it is not YAML, says a key twice, or is too large or too deep; of the class `error`.
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506  # a safe loader, only stricter
    except yaml.YAMLError as problem:
        raise error(f"{where} is not valid YAML or JSON: {problem}") from problem
    except RecursionError:
        raise error(f"{where} is not valid YAML or JSON: it is nested more than {DEEPEST} levels deep.") from None
    except ValueError as problem:  # of what looks like a date or number, such as 2025-02-30
        raise error(
            f"{where} is not valid YAML or JSON: {problem}. Write text that only looks so in quotes."
        ) from problem


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader; keys that come twice and documents that explode are errors.

    What YAML 1.1 reads otherwise than YAML 1.2 is read as in 1.2, by which DVC writes params.yaml: `yes`, `no`, `on`,
    `off` and `12:30` are text.
    """

    def get_single_node(self) -> Any:
        node = super().get_single_node()
        _size(node, {}, 0)
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen if isinstance(key, yaml.ScalarNode) else False:
                raise yaml.MarkedYAMLError(None, None, f"the key {key.value!r} is there twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


_PLAIN = {
    "tag:yaml.org,2002:bool": (r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    "tag:yaml.org,2002:float": (
        r"^(?:[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        "-+0123456789.",
    ),
    "tag:yaml.org,2002:int": (
        r"^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$",
        "-+0123456789",
    ),
}
"""What a plain word is looked at as -> the form that it then has, and its first letters."""


def _resolvers() -> dict[Any, list[tuple[str, re.Pattern[str]]]]:
    """Return by what first letter a plain word is looked at as what: PyYAML's, with YAML 1.2's booleans and numbers."""
    kept = {
        letter: [(tag, pattern) for tag, pattern in pairs if tag not in _PLAIN]
        for letter, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    for tag, (pattern, letters) in _PLAIN.items():
        for letter in letters:
            kept[letter] = [*kept.get(letter, []), (tag, re.compile(pattern))]
    return kept


_Loader.yaml_implicit_resolvers = _resolvers()


def _size(node: Any, known: dict[int, int], depth: int) -> int:
    """Return how many values a node holds, aliases written out; `known` are the sizes of nodes seen before."""
    if depth > DEEPEST:
        raise yaml.MarkedYAMLError(None, None, f"nested more than {DEEPEST} levels deep", node.start_mark)
    if node is None or isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) not in known:
        inner = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        known[id(node)] = 1 + sum(_size(part, known, depth + 1) for part in inner)
    if known[id(node)] > MOST_NODES:
        raise yaml.MarkedYAMLError(None, None, f"it holds more than {MOST_NODES:,} values", node.start_mark)
    return known[id(node)]

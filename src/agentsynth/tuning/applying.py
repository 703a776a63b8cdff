"""Writing the best parameters into `params.yaml`, whose comments and order stay as they are."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from agentsynth.errors import ConfigError
from agentsynth.files import write_text
from agentsynth.params import Params


def apply(best: Path, path: Path) -> list[str]:
    """Put the values of one parameter file into another, and return in words what changed.

    Args:
        best: the values, nested as in `params.yaml`.
        path: the file to change; only the lines of these values do.

    Raises:
        ConfigError: there is no such file, it is no YAML, or what it holds would not be valid any more.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    try:
        tree = yaml.load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise ConfigError(f"cannot apply the best parameters to {path}: {error.strerror}.") from error
    except YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    changed = _merge(tree, yaml.load(best.read_text(encoding="utf-8")), "")
    text = StringIO()
    yaml.dump(tree, text)
    Params.of_text(text.getvalue(), str(path))
    if changed:
        write_text(path, text.getvalue())
    return changed


def _merge(tree: dict[str, object], values: dict[str, object], prefix: str) -> list[str]:
    changed = []
    for key, value in values.items():
        if isinstance(value, dict):
            if not isinstance(tree.get(key), dict):
                tree[key] = {}
            changed += _merge(tree[key], value, f"{prefix}{key}.")  # type: ignore[arg-type]  # a mapping, made just now if need be
        elif tree.get(key) != value:
            changed.append(f"{prefix}{key}: {_text(tree.get(key))} -> {_text(value)}")
            tree[key] = value
    return changed


def _text(value: object) -> str:
    return "(not given)" if value is None else str(value)

"""Where a study looks: parameters by their place in `params.yaml`, each with a range or with choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from agentsynth.config import Config
from agentsynth.data.schema import Schema
from agentsynth.env.similarity import KINDS
from agentsynth.errors import ConfigError

Value = float | int | bool | str
Values = Mapping[str, Value]
"""Parameter, by its place in `params.yaml` with points between -> value."""
DIGITS = 4
"""Significant digits of the numbers tried, so that what is written to a file is what was tried."""
_SECTIONS = ("generator", "environment", "refinement", "agent")
_WEIGHTS = "environment.reward_weights"


class Range(NamedTuple):
    """A number is looked for between two others, both included; `whole`: a whole number."""

    low: float
    high: float
    log: bool = False
    whole: bool = False


class Choices(NamedTuple):
    """A value is looked for among these."""

    values: tuple[Value, ...]


Space = dict[str, Range | Choices]


def search_space(base: Config, wanted: Mapping[str, Any], kinds: Sequence[str] = ()) -> Space:
    """Return where to look, each range wide enough to hold the value in `base`; a reward weight of 0 stays 0.

    Args:
        base: the configuration that trials vary.
        wanted: nested as `params.yaml` nests the parameters; a range is {low, high} or {low, high, log: true},
            choices are {choices: [...]}. One range for `reward_weights` stands for all of them.
        kinds: the weights that it stands for, beside those in `base`: kinds of column, and "pairs".

    Raises:
        ConfigError: a parameter is unknown or cannot be looked for, or a range cannot be used; the message names it.
    """
    given = dict(_leaves(wanted, ""))
    shared = given.pop(_WEIGHTS, None)
    if shared is not None:
        weights = dict.fromkeys(kinds, 1.0) | dict(base.environment.reward_weights)
        each = {f"{_WEIGHTS}.{name}": shared for name, weight in weights.items() if weight > 0}
        given |= {name: given.get(name, leaf) for name, leaf in each.items()}
    if not given:
        raise ConfigError(
            "tune.space is empty: name at least one parameter, e.g. {agent: {discount: {low: 0, high: 0.9}}}"
        )
    return {name: _checked(base, name, leaf) for name, leaf in given.items()}


def without_idle(space: Space, base: Config, schema: Schema) -> tuple[Space, list[str]]:
    """Return the space without the reward weights of what a table does not have, and what was left out.

    Raises:
        ConfigError: nothing is left to look for.
    """
    weighed = {name.removeprefix(f"{_WEIGHTS}.") for name in space if name.startswith(f"{_WEIGHTS}.")}
    own = weighed | set(base.environment.reward_weights)
    columns = {column.name for column in schema.compared}
    used = {column.kind for column in schema.compared if column.name not in own}  # a column's own weight goes before
    paired = len(columns) > 1 and (base.environment.pairs > 0 or "environment.pairs" in space)
    idle = (set(KINDS) - used - columns) | (set() if paired else {"pairs"})
    left_out = [name for name in space if name in {f"{_WEIGHTS}.{weight}" for weight in idle}]
    if len(left_out) == len(space):
        raise ConfigError(f"tune.space: nothing to look for, as the table has nothing for {', '.join(left_out)}.")
    return {name: where for name, where in space.items() if name not in left_out}, left_out


def _leaves(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, item in tree.items():
        name = f"{prefix}{key}"
        if not isinstance(item, Mapping):
            raise ConfigError(f"tune.space.{name}: expected {{low, high}} or {{choices: [...]}}; found {item!r}.")
        # A column may be called "low": its weight's range is a mapping, a range's own low is a number.
        if any(key in item and not isinstance(item[key], Mapping) for key in ("low", "high", "choices")):
            yield name, item
        else:
            yield from _leaves(item, f"{name}.")


def _checked(base: Config, name: str, leaf: Mapping[str, Any]) -> Range | Choices:
    """Return a range or choices that hold the value in `base`, every bound of it a value that `name` may have."""
    present = value_of(base, name)
    unknown = sorted(set(leaf) - {"low", "high", "log", "choices"})
    if unknown or ("choices" in leaf) == ("low" in leaf or "high" in leaf):
        raise ConfigError(f"tune.space.{name}: expected {{low, high, log}} or {{choices: [...]}}; found {dict(leaf)}.")
    where = _choices(name, leaf["choices"], present) if "choices" in leaf else _range(name, leaf, present)
    for value in where.values if isinstance(where, Choices) else (where.low, where.high):
        try:
            with_values(base, {name: value})
        except ConfigError as error:
            raise ConfigError(f"tune.space.{name} holds {value!r}, which the parameter may not be: {error}") from error
    return where


def _choices(name: str, values: Any, present: Value) -> Choices:
    if not isinstance(values, list | tuple) or not values:
        raise ConfigError(f"tune.space.{name}.choices: expected a list of values; found {values!r}.")
    return Choices(tuple(values) if present in values else (present, *values))


def _range(name: str, leaf: Mapping[str, Any], present: Value) -> Range:
    if isinstance(present, bool | str):
        raise ConfigError(f"tune.space.{name} is {present!r}, no number: give {{choices: [...]}} instead of a range.")
    low, high = (_bound(name, leaf, bound) for bound in ("low", "high"))
    log = bool(leaf.get("log", False))
    if not low < high:
        raise ConfigError(f"tune.space.{name}: low must be below high; found low {low:g}, high {high:g}.")
    low, high = min(low, present), max(high, present)
    if log and low <= 0:
        raise ConfigError(f"tune.space.{name}: with log, low and the present value must be above 0; found {low:g}.")
    return Range(low, high, log, isinstance(present, int))


def _bound(name: str, leaf: Mapping[str, Any], bound: str) -> float:
    value = leaf.get(bound)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"tune.space.{name}.{bound}: expected a number; found {value!r}.")
    return value


def value_of(config: Config, name: str) -> Value:
    """Return the value of a parameter; a reward weight that is not given is 1.

    Raises:
        ConfigError: there is no such parameter, or it is no single value.
    """
    section, _, field = name.partition(".")
    if name.startswith(f"{_WEIGHTS}."):
        return float(config.environment.reward_weights.get(name.removeprefix(f"{_WEIGHTS}."), 1.0))
    if section not in _SECTIONS or field not in type(getattr(config, section)).model_fields:
        known = ", ".join(f"{part}.{field}" for part in _SECTIONS for field in type(getattr(config, part)).model_fields)
        raise ConfigError(f"tune.space: there is no parameter {name!r}; there are {known}.")
    value: object = getattr(getattr(config, section), field)
    if not isinstance(value, float | int | bool | str):
        raise ConfigError(f"tune.space: {name} is no single number or choice, and cannot be looked for.")
    return value


def with_values(config: Config, values: Values) -> Config:
    """Return `config` with the parameters at the given places replaced.

    >>> with_values(Config(), {"agent.discount": 0.9}).agent.discount
    0.9
    """
    changed = config.model_dump()
    _put(changed, values)
    return Config.of(changed)


def nested(values: Values) -> dict[str, Any]:
    """Return places and values as nested mappings.

    >>> nested({"agent.discount": 0.9, "environment.reward_weights.unit.price": 2.0})
    {'agent': {'discount': 0.9}, 'environment': {'reward_weights': {'unit.price': 2.0}}}
    """
    tree: dict[str, Any] = {}
    _put(tree, values)
    return tree


def _put(tree: dict[str, Any], values: Values) -> None:
    """Put values into a tree at their places."""
    for name, value in values.items():
        *sections, last = name.split(".", 2)  # what follows the second point is the name of a column
        place = tree
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = value


def rounded(value: Value, where: Range | Choices) -> Value:
    """Return a number from a range with four significant digits, anything else as it is.

    >>> rounded(0.123456, Range(0.1, 0.2))
    0.1235
    """
    if isinstance(where, Choices) or isinstance(value, int | str):
        return value
    return min(max(float(f"{value:.{DIGITS}g}"), where.low), where.high)

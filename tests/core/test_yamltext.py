"""YAML is read as DVC writes it."""

from __future__ import annotations

import io

import pytest
from ruamel.yaml import YAML

from agentsynth.yamltext import parse_yaml

VALUES = ["yes", "no", "on", "off", "Yes", "NO", "y", "n", "12:30", "1:2:3.5", "true story", "x", "", " "]
NUMBERS = [True, False, None, 0, 7, -3, 0.5, -0.5, 1e-05, 1e22, 2.5e-07]


@pytest.mark.parametrize("value", [*VALUES, *NUMBERS])
def test_what_dvc_writes_comes_back(value: object) -> None:
    """`dvc exp run -S` writes params.yaml anew, with ruamel and without quotes that YAML 1.2 does not need."""
    text = io.StringIO()
    YAML().dump({"share": {value: 0.5}, "value": value}, text)
    assert parse_yaml(text.getvalue(), "params.yaml") == {"share": {value: 0.5}, "value": value}


@pytest.mark.parametrize(
    ("text", "value"),
    [("1_000", 1000), ("0x1f", 31), (".5", 0.5), ("-.5", -0.5), ("+3", 3), ("1e3", 1000.0), (".inf", float("inf"))],
)
def test_numbers_are_read_in_every_form(text: str, value: float) -> None:
    assert parse_yaml(f"a: {text}", "x") == {"a": value}

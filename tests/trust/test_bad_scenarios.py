"""Scenarios that name nothing, contradict the table or themselves, or are no scenarios."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Refused = Callable[..., None]
WORDS = "A scenario has where, targets"

SCENARIOS: dict[str, tuple[str, tuple[str, ...]]] = {
    "empty": ("", ("s.yaml holds no scenario", "expected `where`, `targets`")),
    "a list": ("[]", ("s.yaml holds no scenario",)),
    "a tag that runs code": ("!!python/object/apply:os.mkdir [sprung]", ("s.yaml is not valid YAML", "python/object")),
    "nested 3,000 deep": ("[" * 3000, ("s.yaml is not valid YAML", "levels deep")),
    "a word twice": ("where: price > 1\nwhere: price > 2", ("'where' is there twice", "line 2")),
    "an unknown word": ("wher: price > 1", ("scenario 's': wher", WORDS)),
    "an unknown target": ("targets: {price: {middle: 3}}", ("targets.price.middle", "a target has share, mean")),
    "an unknown column": ("where: colour = red", ("names 'colour'", "the table has user_id, user_type")),
    "an unknown column as target": ("targets: {colour: {mean: 3}}", ("'colour'", "the table has user_id")),
    "an unknown aspect": ("where: timestamp.minute = 3", ("'timestamp.minute'", "month, weekday, hour")),
    "an unknown level": ("where: category = Boks", ("column 'category' has no 'Boks'", "it has Books")),
    "an unknown level as target": ("targets: {category: {share: {Boks: 0.1}}}", ("has no 'Boks'", "it has Books")),
    "half a condition": ("where: 'price >'", ("cannot read the condition 'price >'", "write e.g.")),
    "no condition": ("where: ''", ("cannot read the condition ''", "write e.g.")),
    "code": ("where: __import__('os').mkdir('sprung')", ("cannot read the condition", "write e.g.")),
    "a zero byte": ('where: "category = \\x003\\x00"', ("zero byte",)),
    "an open list": ("where: 'category in [Books, Toys'", ("lacks its closing bracket",)),
    "a number for a condition": ("where: 3", ("scenario 's'", "where", "found 3")),
    "no row left": ("where: price > 1e9", ("only 0 of", "'price > 1e9'", "widen the condition")),
    "a contradiction": ("where: category = Books and category = Toys", ("only 0 of", "widen the condition")),
    "hours that there are not": ("where: timestamp.hour in 25..30", ("only 0 of", "widen the condition")),
    "a range backwards": ("where: price in 9..1", ("the range '9..1' of 'price' runs backwards",)),
    "a month 13": ("where: timestamp > 2025-13-01", ("'2025-13-01' is not a date", "write 2025-11-28")),
    "a day in words": ("where: timestamp > soon", ("'soon' is not a date that 'timestamp' could hold",)),
    "a word for a number": ("where: price > much", ("'price' holds numbers, and 'much' is not one",)),
    "an order of labels": ("where: category > Books", ("'category' holds labels", "= and != only")),
    "not a number": ("targets: {price: {mean: .nan}}", ("targets.price.mean", "finite number", "found nan")),
    "infinity": ("targets: {price: {mean: .inf}}", ("targets.price.mean", "finite number", "found inf")),
    "a change that is none": ("targets: {price: {mean: 'nan%'}}", ("price mean: 'nan%'", "such as '+20%'")),
    "a target of 400 digits": (f"targets: {{price: {{mean: {'9' * 400}}}}}", ("targets.price.mean", "valid number")),
    "a target of 5,000 digits": (f"targets: {{price: {{mean: {'9' * 5000}}}}}", ("not valid YAML", "4300 digits")),
    "shares beyond 1": ("targets: {category: {share: {Books: 0.9, Toys: 0.9}}}", ("add up to 1.8", "at most 1")),
    "a share below 0": ("targets: {category: {share: {Books: -0.1}}}", ("between 0 and 1; found -0.1",)),
    "a mean of labels": ("targets: {category: {mean: 3}}", ("'category' holds labels", "no mean")),
    "a correlation of 2": ("targets: {price: {correlation: {quantity: 2}}}", ("between -1 and 1; found 2",)),
    "a list of targets": ("targets: [price]", ("targets", "valid dictionary", "found ['price']")),
    "nothing for a target": ("targets: {price: }", ("targets.price", "found None")),
    "a cold temperature": ("temperature: 0", ("temperature", "greater than or equal to 0.2", "found 0")),
    "an infinite temperature": ("temperature: .inf", ("temperature", "finite number", "found inf")),
    "an unknown column fixed": ("fixed: {colour: red}", ("fixes 'colour'", "the table has user_id")),
    "an unknown level fixed": ("fixed: {category: Boks}", ("to 'Boks'", "the column has Books")),
    "fixed beyond the table": ("fixed: {price: 1.0e+300}", ("fixes 'price' to 1e+300", "the table has", "`scale`")),
    "fixed to infinity": ("fixed: {price: .inf}", ("fixed.price", "finite number", "found inf")),
    "fixed to nothing": ("fixed: {price: }", ("fixes 'price' to null", "no value of it is missing")),
    "a fixed moment": ("fixed: {timestamp: 2025-01-01}", ("fixed.timestamp",)),
    "a fixed result": ("fixed: {total_revenue: 3}", ("computed from price, quantity", "fix these")),
    "an unknown column scaled": ("scale: {colour: 2}", ("scales 'colour'", "the table has user_id")),
    "labels scaled": ("scale: {category: 2}", ("scales 'category'", "only numbers can be scaled")),
    "scaled by nothing": ("scale: {price: 0}", ("scale of 'price'", "a factor is above 0")),
    "scaled by less": ("scale: {price: -2}", ("scale of 'price'", "a factor is above 0")),
    "scaled by infinity": ("scale: {price: .inf}", ("scale.price", "finite number")),
    "scaled beyond all floats": ("scale: {price: 1.0e+307}", ("scale of 'price'", "beyond")),
    "a function of nobody": ("functions: {f: 3}", ("wants 'f' of a function", "given from Python")),
}


@pytest.mark.parametrize("case", SCENARIOS)
def test_a_broken_scenario_is_told_and_nothing_is_written(case: str, folder: Path, refused: Refused) -> None:
    text, expect = SCENARIOS[case]
    (folder / "s.yaml").write_text(text)
    steered = ("generate", "model.zip", "--rows", "20", "--out", "out.csv", "--scenario", "s.yaml")
    refused(*steered, "--report", "out.json", expect=expect)


@pytest.mark.parametrize(
    ("name", "expect"),
    [
        ("rush", ("no scenario 'rush'; the model knows: books", "or give a YAML or JSON file")),
        ("", ("no scenario ''", "the model knows: books")),
        ("none.yaml", ("cannot read none.yaml: No such file",)),
        ("\0.yaml", ("cannot read", "null byte")),
        ("shop.csv", ("no scenario 'shop.csv'",)),
    ],
)
def test_a_scenario_that_is_not_there_is_told(name: str, expect: tuple[str, ...], refused: Refused) -> None:
    refused("generate", "model.zip", "--rows", "20", "--out", "out.csv", "--scenario", name, expect=expect)

"""Broken parameter files and arguments: what the user reads, and that nothing is written or lost."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

Refused = Callable[..., None]
ALIASES = "\n".join(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in pairwise("abcdefghi"))
SHOP = ("user_id", "user_type", "category", "price", "quantity", "timestamp", "total_revenue")
DROPPED = ", ".join(f"{name}: {{kind: drop}}" for name in SHOP)

FILES: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "not YAML": ("a: [1", ("q.yaml is not valid YAML", "line 1")),
    "a tab": ("a:\n\t- b", ("q.yaml is not valid YAML", "line 2", r"'\t'")),
    "a list": ("- 1\n- 2", ("q.yaml", "(top level)", "valid dictionary", "found [1, 2]")),
    "a text": ("hello", ("q.yaml", "(top level)", "found 'hello'")),
    "a tag that runs code": ("!!python/object/apply:os.mkdir [sprung]", ("q.yaml is not valid YAML", "python/object")),
    "a tag in a value": ("seed: !!python/name:os.system", ("q.yaml is not valid YAML", "python/name")),
    "aliases that explode": (f"a: &a [x]\n{ALIASES}", ("q.yaml is not valid YAML", "more than 100,000 values")),
    "an alias of itself": ("a: &a [*a]", ("q.yaml is not valid YAML", "levels deep")),
    "nested 3,000 deep": ("[" * 3000 + "]" * 3000, ("q.yaml is not valid YAML", "50 levels deep")),
    "nested 60 deep": ("a: " + "[" * 60 + "]" * 60, ("q.yaml is not valid YAML", "50 levels deep")),
    "a key twice": ("seed: 1\nseed: 2", ("q.yaml is not valid YAML", "'seed' is there twice", "line 2")),
    "a zero byte": ('seed: "a\0b"', ("q.yaml is not valid YAML", "#x0000")),
    "UTF-16": ("seed: 3".encode("utf-16"), ("q.yaml is not UTF-8 (byte 0 is 0xff)", "save it as UTF-8")),
    "Latin-1": ("a: é".encode("latin-1"), ("q.yaml is not UTF-8 (byte 3 is 0xe9)",)),
    "a number of 5,000 digits": ("seed: " + "9" * 5000, ("q.yaml is not valid YAML", "4300 digits")),
    "a date that is none": ("data: {table: 2025-02-30}", ("q.yaml is not valid YAML", "day is out of range", "quotes")),
    "a date as key": ("2021-01-01: 3", ("q.yaml", "Keys should be strings")),
    "a number as key": ("1: 3", ("q.yaml", "Keys should be strings")),
    "a section misspelt": ("agnet: {episodes: 3}", ("q.yaml", "agnet: there is no such parameter")),
    "a parameter misspelt": ("agent: {episode: 3}", ("agent.episode: there is no such parameter (found 3)",)),
    "several at once": ("agent: {noise: 2, goals: 0}", ("agent.noise", "agent.goals", "found 2", "found 0")),
    "a word for a number": ("agent: {episodes: many}", ("agent.episodes", "valid integer", "found 'many'")),
    "a fraction": ("agent: {episodes: 2.5}", ("agent.episodes", "valid integer", "found 2.5")),
    "a list for a number": ("seed: [1]", ("seed", "valid integer", "found [1]")),
    "nothing for a section": ("agent:", ("agent: Input should be a valid dictionary", "found None")),
    "below its range": ("agent: {episodes: -1}", ("agent.episodes", "greater than or equal to 1", "found -1")),
    "zero": ("environment: {steps: 0}", ("environment.steps", "greater than or equal to 1", "found 0")),
    "above its range": ("agent: {learning_rate: 1.5}", ("agent.learning_rate", "less than or equal to 1", "found 1.5")),
    "not a number": ("agent: {learning_rate: .nan}", ("agent.learning_rate", "found nan")),
    "infinity": ("refinement: {exchanges: .inf}", ("refinement.exchanges", "finite number", "found inf")),
    "an infinite pool": ("environment: {pool_factor: .inf}", ("environment.pool_factor", "finite number")),
    "an infinite weight": ("environment: {reward_weights: {price: .inf}}", ("reward_weights.price", "finite number")),
    "a huge table": ("environment: {rows: 100000000000}", ("environment.rows", "less than or equal to 10000000")),
    "a huge pool": ("environment: {pool_factor: 1.0e+12}", ("environment.pool_factor", "less than or equal to 1000")),
    "a huge number of steps": ("environment: {steps: 10000000}", ("environment.steps", "less than or equal to")),
    "a negative seed": ("seed: -1", ("seed", "greater than or equal to 0", "found -1")),
    "a weight of nothing": (
        "environment: {reward_weights: {colour: 1}}",
        ("environment.reward_weights names 'colour'", "user_id, user_type, category"),
    ),
    "a factor of nothing": (
        "environment: {factors: {f: colour}}",
        ("environment.factors: f presses on 'colour'", "choose among"),
    ),
    "a scenario that is none": ("scenarios: {x: 3}", ("scenarios.x", "valid dictionary", "found 3")),
    "an unknown column": (
        "data: {columns: {colour: {kind: drop}}}",
        ("an override names column 'colour'", "it has user_id, user_type, category"),
    ),
    "an unknown kind": (
        "data: {columns: {price: {kind: money}}}",
        ("override of column 'price'", "found 'money'", "kinds: id, categorical"),
    ),
    "an unknown field": ("data: {columns: {price: {size: 3}}}", ("override of column 'price'", "size", "Fields: kind")),
    "nothing for a column": ("data: {columns: {price: }}", ("data.columns.price", "valid dictionary", "found None")),
    "labels as numbers": (
        "data: {columns: {category: {kind: numeric}}}",
        ("column 'category' is numeric", "in row 1", "another kind"),
    ),
    "labels as datetimes": (
        "data: {columns: {category: {kind: datetime}}}",
        ("column 'category' is text in no datetime format", "give its `format`"),
    ),
    "a format that is none": (
        "data: {columns: {timestamp: {format: '%Q'}}}",
        ("'%Q' is no format of datetimes", "strftime"),
    ),
    "a format that does not fit": (
        "data: {columns: {timestamp: {format: '%d.%m.%Y'}}}",
        ("column 'timestamp' has the format %d.%m.%Y", "in row 1"),
    ),
    "a constant that varies": (
        "data: {columns: {price: {kind: constant}}}",
        ("column 'price' cannot be constant", "different values", "another kind"),
    ),
    "no formula to be found": (
        "data: {columns: {price: {kind: derived}}}",
        ("column 'price' shall be derived, but no formula", "give its `formula`"),
    ),
    "formulas in a circle": (
        "data: {columns: {price: {formula: {operation: product, inputs: [quantity]}}, "
        "quantity: {formula: {operation: product, inputs: [price]}}}}",
        ("depend on each other in a circle: price, quantity",),
    ),
    "above itself": ("data: {columns: {price: {above: [price]}}}", ("in a circle: price", "Leave one `above` out")),
    "above nothing": ("data: {columns: {price: {above: [colour]}}}", ("shall be above 'colour'", "there are user_id")),
    "a share beyond 1": ("data: {columns: {price: {missing: 3}}}", ("'price'", "missing", "less than or equal to 1")),
    "100,000 decimals": ("data: {columns: {price: {decimals: 100000}}}", ("'price'", "decimals", "equal to 300")),
    "every column dropped": (
        f"data: {{columns: {{{DROPPED}}}}}",
        ("every column of the table is dropped", "keep at least one"),
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_broken_parameters_are_told_and_nothing_is_written(case: str, folder: Path, refused: Refused) -> None:
    text, expect = FILES[case]
    (folder / "q.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    refused("fit", "shop.csv", "--out", "out.zip", "--params", "q.yaml", "--quiet", expect=expect)


GENERATE = ("generate", "model.zip", "--out", "out.csv")
FIT = ("fit", "shop.csv", "--out", "out.zip", "--params", "params.yaml", "--quiet")
ARGUMENTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "no command": ((), ("Usage", "simulate", "fit", "generate")),
    "a command misspelt": (("genrate",), ("No such command 'genrate'", "Did you mean 'generate'?")),
    "an option misspelt": ((*GENERATE, "--row", "5"), ("No such option: --row", "--rows")),
    "an argument too many": ((*GENERATE, "x", "--rows", "5"), ("unexpected extra argument", "x")),
    "no model": (("generate", "--rows", "5", "--out", "out.csv"), ("Missing argument", "model")),
    "no rows": (GENERATE, ("'--rows'", "how many rows are wanted, or how many entities")),
    "rows and entities": ((*GENERATE, "--rows", "5", "--entities", "5"), ("'--rows'", "or how many entities")),
    "entities of a model of rows": ((*GENERATE, "--entities", "5"), ("fitted with entities.column", "entities=5")),
    "an entity that is no column": (
        ("fit", "shop.csv", "--out", "m.zip", "--entity", "who", "--params", "params.yaml", "--quiet"),
        ("names column 'who'", "user_id"),
    ),
    "no rows at all": ((*GENERATE, "--rows", "0"), ("'--rows'", "greater than or equal to 1")),
    "fewer than no rows": ((*GENERATE, "--rows", "-5"), ("'--rows'", "greater than or equal to 1")),
    "half a row": ((*GENERATE, "--rows", "1.5"), ("'--rows'", "valid integer")),
    "ten rows in words": ((*GENERATE, "--rows", "ten"), ("'--rows'", "valid integer")),
    "a negative seed": ((*GENERATE, "--rows", "5", "--seed", "-1"), ("'--seed'", "greater than or equal to 0")),
    "a seed of 5,000 digits": ((*GENERATE, "--rows", "5", "--seed", "9" * 5000), ("'--seed'", "integer")),
    "another ending": (("generate", "model.zip", "--rows", "5", "--out", "out.html"), ("out.html ends in '.html'",)),
    "no ending": (
        ("generate", "model.zip", "--rows", "5", "--out", "."),
        ("holds something else than a table", "new or empty"),
    ),
    "a folder as output": (
        ("generate", "model.zip", "--rows", "5", "--out", "d.csv"),
        ("cannot write d.csv: Is a directory", "Name a file"),
    ),
    "a file as folder": (
        ("generate", "model.zip", "--rows", "5", "--out", "shop.csv/o.csv"),
        ("cannot write shop.csv/o.csv", "Name a folder you may write to"),
    ),
    "a zero byte in a name": (("generate", "model.zip", "--rows", "5", "--out", "a\0.csv"), ("'--out'", "null byte")),
    "a name that is too long": (
        ("generate", "model.zip", "--rows", "5", "--out", "a" * 300 + ".csv"),
        ("cannot write", "File name too long"),
    ),
    "a report of nothing": (
        (*GENERATE, "--rows", "5", "--report", "out.json"),
        ("none was asked for", "add --scenario"),
    ),
    "a report that ends otherwise": (
        (*GENERATE, "--rows", "5", "--scenario", "books", "--report", "out.txt"),
        ("cannot write out.txt", ".json"),
    ),
    "a model that is a table": (("generate", "shop.csv", "--rows", "5", "--out", "out.csv"), ("is not a model",)),
    "a table that is a model": (("fit", "model.zip", "--out", "out.zip"), ("model.zip ends in '.zip'", ".csv")),
    "a model written over a table": (
        ("fit", "shop.csv", "--out", "shop.csv", "--params", "params.yaml", "--quiet"),
        ("shop.csv holds something else than a model", "name a new folder"),
    ),
    "a model written over a folder": (
        ("fit", "shop.csv", "--out", ".", "--params", "params.yaml", "--quiet"),
        ("holds something else than a model", "name a new folder"),
    ),
    "parameters that are not there": (
        ("fit", "shop.csv", "--out", "out.zip", "--params", "none.yaml"),
        ("cannot read none.yaml: No such file", "run from the project's folder"),
    ),
    "parameters that are a folder": (
        ("fit", "shop.csv", "--out", "out.zip", "--params", "."),
        ("cannot read .: Is a directory",),
    ),
    "an unknown column to drop": ((*FIT, "--drop", "colour"), ("names column 'colour'", "it has user_id")),
    "an unknown target": (
        ("evaluate", "shop.csv", "shop.csv", "--target", "colour", "--out", "out.json", "--quiet"),
        ("target 'colour' is not a column that can be predicted", "choose one of", "price"),
    ),
    "tables of other columns": (
        ("evaluate", "shop.csv", "other.csv", "--out", "out.json", "--quiet"),
        ("the table has no column 'user_id'", "The table has a, b"),
    ),
    "a page that ends otherwise": (("report", "model.zip", "--out", "out.pdf"), ("a page's name ends in .html",)),
    "a page of a table that is not there": (
        ("report", "model.zip", "--out", "out.html", "--real", "none.csv"),
        ("there is no file none.csv",),
    ),
    "no trials": (("tune", "shop.csv", "--trials", "0"), ("'--trials'", "greater than or equal to 1")),
    "a time that is none": (("tune", "shop.csv", "--timeout", "nan"), ("'--timeout'", "greater than or equal to 1")),
    "an unknown score": (("tune", "shop.csv", "--score", "luck"), ("tune.score", "'rows' or 'goals'", "found 'luck'")),
    "a study in a table": (
        ("tune", "shop.csv", "--storage", "sqlite:///shop.csv", "--params", "params.yaml", "--quiet"),
        ("cannot open tune.storage 'sqlite:///shop.csv'", "not a database", "sqlite:///PATH"),
    ),
    "a study in a folder": (
        ("tune", "shop.csv", "--storage", "sqlite:///.", "--params", "params.yaml", "--quiet"),
        ("cannot open tune.storage", "unable to open"),
    ),
    "no rows to simulate": (("simulate", "--rows", "0", "--out", "out.csv"), ("'--rows'", "greater than or equal")),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_broken_arguments_are_told_and_nothing_is_written(case: str, folder: Path, refused: Refused) -> None:
    (folder / "d.csv").mkdir()
    (folder / "other.csv").write_text("a,b\n" + "1,2\n" * 9)
    arguments, expect = ARGUMENTS[case]
    refused(*arguments, expect=expect)

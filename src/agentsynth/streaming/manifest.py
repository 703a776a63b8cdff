"""The manifest of a folder: which table its parts belong to."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from agentsynth.errors import InputError
from agentsynth.files import digest, parse_json
from agentsynth.streaming.folders import Folder

MANIFEST = "_agentsynth.json"
"""Its name: readers of Parquet folders pass over files that begin with an underscore."""
FORMAT = 2
DECIDING = ("agentsynth", "numpy", "pandas", "scipy")
"""Packages whose version decides which rows are made."""


class Manifest(BaseModel):
    """What decides every row of a table in parts.

    Attributes:
        model: fingerprint of the model.
        rows: of the table; or entities, if that is the unit.
        unit: what `rows` counts.
        seed: as it was given.
        policy: that composes.
        fine_tune: episodes that it is trained on the scenario first.
        scenario: what is steered to, as plain values.
        partitions: parts of the table.
        partition_rows: most rows of each.
        versions: of the packages that decide which rows are made.
        now: the numbers that changes such as `+20%` start from. They follow from the rest, and are kept as finding them
            takes a while.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = FORMAT
    model: str
    rows: int
    unit: Literal["rows", "entities"] = "rows"
    seed: int
    policy: str
    fine_tune: int
    scenario: dict[str, Any] | None
    partitions: int
    partition_rows: int
    versions: dict[str, str]
    now: dict[str, float] = {}

    @property
    def table(self) -> dict[str, Any]:
        """All that decides the table's rows, as plain values."""
        plain: dict[str, Any] = json.loads(self.model_dump_json(exclude={"now", "unit"}))
        # So that of other tables parts are what they were before entities could be asked for.
        return plain if self.unit == "rows" else {**plain, "unit": self.unit}

    @property
    def digest(self) -> str:
        """A short digest of the same, which every part carries."""
        return digest(self.table)

    def part(self, number: int) -> str:
        """Return the name of a part's file."""
        return f"part-{number:0{max(5, len(str(self.partitions - 1)))}d}.parquet"


def deciding_versions() -> dict[str, str]:
    """Return the versions of the packages that decide which rows are made."""
    return {name: version(name) for name in DECIDING}


def claimed(folder: Folder, manifest: Manifest) -> Manifest | None:
    """Return the manifest that a folder has, if it is of the same table; None: the folder has no whole one, nor parts.

    Raises:
        InputError: the folder holds something else, or parts of another table.
    """
    names = [name for name in folder.names() if not name.startswith(".")]
    if not names:
        return None
    if MANIFEST not in names:
        raise InputError(
            f"{folder.url} holds something else than a table in parts ({names[0]}, ...): name a new or empty folder."
        )
    with folder.open(MANIFEST) as file:
        text = file.read()
    try:
        found = Manifest.model_validate_json(text)
    except ValidationError as error:
        if names == [MANIFEST] and _is_cut_off(text):  # some places leave half a file of a writer that was killed
            return None
        raise InputError(f"{folder.url}/{MANIFEST} cannot be read by this version: name another folder.") from error
    theirs, ours = ({"unit": each.unit, **each.table} for each in (found, manifest))
    apart = [name for name, value in ours.items() if theirs[name] != value]
    if apart:
        told = "; ".join(f"{name} {_short(theirs[name])}, not {_short(ours[name])}" for name in apart)
        raise InputError(
            f"{folder.url} holds parts of another table, made with {told}. Name another folder, or remove this one."
        )
    return found


def write_manifest(folder: Folder, manifest: Manifest) -> None:
    """Write a folder's manifest."""
    folder.write(MANIFEST, (manifest.model_dump_json(indent=2) + "\n").encode())


def _is_cut_off(text: bytes) -> bool:
    try:
        parse_json(text.decode())
    except ValueError:
        return True
    return False


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

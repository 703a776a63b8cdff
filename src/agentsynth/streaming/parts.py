"""Parts: the Parquet files of a long table, each made by itself from what a job says."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from agentsynth.config import Config
from agentsynth.data.typed import finish
from agentsynth.errors import InputError
from agentsynth.generation import Made, make, report_on
from agentsynth.model import Generator, Model
from agentsynth.request import Request
from agentsynth.scenarios.report import Reached, ScenarioReport, as_plain, reached_from
from agentsynth.seeding import stream
from agentsynth.storage import model_of
from agentsynth.streaming.folders import Folder, folder_at
from agentsynth.streaming.manifest import Manifest, deciding_versions
from agentsynth.task import Cost

FOOTER = b"agentsynth"
"""Key in the metadata of a part's file: which table it belongs to, and how it stands to each target."""
SHOWN = 200
"""Rows that are drawn to see which types a table's columns have."""


@dataclass(frozen=True)
class Footer:
    """What a finished part says of itself.

    Attributes:
        rows: it has.
        targets: how its rows stand to the scenario's targets.
        weights: what it counts for in each of them over the whole table.
        cost: what the search for its rows came to.
        entities: it has; None: its rows are no entities'.
        report: what became of the scenario in it; the first part tells, as it stands for all in what else moved.
    """

    rows: int
    targets: tuple[Reached, ...]
    weights: list[float]
    cost: Cost
    entities: int | None = None
    report: ScenarioReport | None = None

    @classmethod
    def of(cls, made: Made, entities: int | None, report: ScenarioReport | None) -> Footer:
        """Return what a part says of itself."""
        # A report has looked for the reasons already, which may take seconds.
        targets = made.targets if report is None else report.targets
        return cls(len(made.table), targets, made.weights, made.cost, entities, report)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        report = None if self.report is None else self.report.to_json()
        plain: dict[str, Any] = as_plain(
            {**vars(self), "targets": [vars(t) for t in self.targets], "cost": vars(self.cost)}
        )
        return {**plain, "report": report}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Footer:
        """Build what `to_json` described."""
        return cls(
            value["rows"],
            tuple(reached_from(target) for target in value["targets"]),
            value["weights"],
            Cost(**value["cost"]),
            value["entities"],
            None if value["report"] is None else ScenarioReport.from_json(value["report"]),
        )


@dataclass(frozen=True)
class Job:
    """All that a process needs to know to make any part of a table; small, but for the model.

    Attributes:
        model: the model's zip.
        request: what is wanted.
        manifest: of the folder.
        url: of the folder.
    """

    model: bytes
    request: Request
    manifest: Manifest
    url: str

    def writer(self) -> Writer:
        """Return what makes parts in this process.

        Raises:
            InputError: other versions are installed here than where the job comes from.
        """
        here = deciding_versions()
        apart = [
            f"{name} {here[name]}, not {found}" for name, found in self.manifest.versions.items() if here[name] != found
        ]
        if apart:
            raise InputError(f"a worker has {', '.join(apart)}: install the same versions everywhere.")
        model, config, _ = model_of(self.model)
        return Writer(model, config, self.request, self.manifest, folder_at(self.url), types_of(model.generator))


@dataclass(frozen=True)
class Writer:
    """Makes parts and writes them.

    Attributes:
        model: the fitted model.
        config: its parameters.
        request: what is wanted.
        manifest: of the folder.
        folder: where parts go.
        types: of the columns.
    """

    model: Model
    config: Config
    request: Request
    manifest: Manifest
    folder: Folder
    types: pa.Schema

    def write(self, number: int, advance: Callable[[int], None] = lambda _: None) -> Footer:
        """Make a part and write it, whole or not at all; return what it says of itself."""
        partition = self.request.partitions[number]
        # The first partition finds out for itself what changes start from, as it does in a table made in memory.
        request = self.request.starting_from(self.manifest.now) if number else self.request
        made = make(self.model, self.config, request, partition, advance)
        entities = None if request.sizes is None else len(made.frame)
        footer = Footer.of(made, entities, None if number else report_on(self.model.generator, request, [made]))
        said = json.dumps({"table": self.manifest.digest, **footer.to_json()})
        table = pa.Table.from_pandas(made.table, schema=self.types, preserve_index=False)
        table = table.replace_schema_metadata({**table.schema.metadata, FOOTER: said})
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        self.folder.write(self.manifest.part(number), buffer.getvalue())
        return footer


def types_of(generator: Generator) -> pa.Schema:
    """Return the Arrow types that a model's tables have in every part, also where a column is missing throughout one.

    They are read off a few rows, among them such as have the first and second known value of every column.
    """
    table = finish(generator.shown(SHOWN, stream(0, "types")), generator.table, 0)
    return pa.Schema.from_pandas(table, preserve_index=False)


def footer_of(folder: Folder, manifest: Manifest, number: int) -> Footer | None:
    """Return the footer of a part that is there; None: the file is not whole, as some places may leave it.

    Raises:
        InputError: the file is not a part of this table.
    """
    name = manifest.part(number)
    try:
        with folder.open(name) as file:
            found = pq.read_metadata(file)
    except (pa.ArrowInvalid, EOFError):
        return None
    footer = json.loads((found.metadata or {}).get(FOOTER, b"{}"))
    if footer.get("table") != manifest.digest:
        raise InputError(f"{folder.url}/{name} is not a part of this table: name another folder, or remove the file.")
    return Footer.from_json(footer)

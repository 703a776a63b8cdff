"""A table in small parts, written once, in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentsynth.request import Request
from agentsynth.streaming.writing import Run, here, write_table_in_parts
from agentsynth.streaming.written import Written
from agentsynth.synth import AgentSynth
from agentsynth.task import Asked

Write = Callable[..., Written]
ROWS, PART = 300, 55
"""Six parts."""


@pytest.fixture(scope="session")
def write(shop_synth: AgentSynth) -> Write:
    """Write a table of `ROWS` rows, with dearer goods, into a folder; what is named is otherwise."""

    def write(out: Path | str, run: Run = here, **changes: Any) -> Written:
        scenario = changes.pop("scenario", "dear")
        asked = Asked(None if scenario is None else shop_synth.scenario(scenario))
        # Raking is quick, and draws, chooses and finishes rows as the others do.
        strict = changes.pop("strict", False)
        usual = {"rows": ROWS, "seed": 5, "asked": asked, "policy": "raking", "partition_rows": PART}
        request = Request(**{**usual, **changes})
        model, config = shop_synth.model_, shop_synth.config
        return write_table_in_parts(model, config, request, request.seed, str(out), run, strict=strict)

    return write


@pytest.fixture(scope="session")
def folder(write: Write, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("streaming") / "table"
    write(folder)
    return folder

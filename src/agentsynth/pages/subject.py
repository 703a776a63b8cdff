"""What a page is about: a model, a table that it made, and how that table was judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

    from agentsynth.metrics.report import Report
    from agentsynth.scenarios.grammar import Scenario
    from agentsynth.scenarios.report import ScenarioReport
    from agentsynth.synth import AgentSynth


class Source(NamedTuple):
    """A file that the page was made from."""

    role: str
    """What it is: "model", "unseen rows"."""
    path: str
    digest: str
    """See `agentsynth.files.digest`."""


@dataclass(frozen=True)
class Commit:
    """The state of the project's git repository."""

    name: str
    """The 40 digits of the last commit that changed what a result depends on."""
    changed: tuple[str, ...] = ()
    """Files that were changed since and not committed."""


@dataclass(frozen=True)
class Origin:
    """Where a result comes from, and how to get it again."""

    command: str
    """As it is typed in a shell."""
    seeds: Mapping[str, int]
    """What a seed decided -> the seed."""
    parameters: Mapping[str, Any]
    """Nested, as in params.yaml."""
    versions: Mapping[str, str]
    """Package -> version."""
    sources: Sequence[Source] = ()
    commit: Commit | None = None
    """None: the result does not come from a git repository."""
    table_command: str = ""
    """What makes the synthetic table alone; empty: it was read from a file."""


@dataclass(frozen=True)
class Judged:
    """The synthetic table against unseen real rows."""

    real: pd.DataFrame
    """The unseen rows."""
    report: Report
    by: str
    """Which rows these are, as a sentence."""
    train_known: bool = True
    """False: half of the unseen rows stands for the rows that were learned from."""


@dataclass(frozen=True)
class Subject:
    """All that a page shows."""

    synth: AgentSynth
    table: str
    """What the table is called."""
    synthetic: pd.DataFrame
    origin: Origin
    scenario: Scenario | None = None
    """None: the table mimics the real one."""
    steered: ScenarioReport | None = None
    """What became of the scenario; None: there is none, or nobody knows, as the table was read from a file."""
    judged: Judged | None = None
    """None: there were no unseen rows to judge by."""
    policies: pd.DataFrame | None = None
    """What `agentsynth.ablation.compare_policies` returned, if it ran."""

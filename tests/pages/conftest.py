"""A table whose names and labels are markup, a model of it, and its page: made once."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from agentsynth.ablation import compare_policies
from agentsynth.metrics.report import Report
from agentsynth.pages import Commit, Judged, Origin, Source, Subject, page_html
from agentsynth.scenarios.grammar import Scenario
from agentsynth.synth import AgentSynth

SCRIPT = "<script>window.owned = 1; document.title = 'owned'</script>"
LABELS = ["<img src=x onerror='window.owned=1'>", "</text></svg><b>bold</b>", '" onmouseover="window.owned=1']
VOID = {"meta", "link", "br", "img", "input", "hr"}


def hostile(rows: int, seed: int) -> pd.DataFrame:
    """Return a table with markup in a column's name, in labels, and in an id."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(3, size=rows)
    moments = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(300 * 86_400, size=rows), unit="s")
    return pd.DataFrame(
        {
            "code": [f"<i>{number}" for number in range(rows)],
            SCRIPT: np.round(np.exp(rng.normal(3 + kind, 0.5, rows)), 2),
            "{{ 7 * 7 }} & co": np.array(LABELS, dtype=object)[kind],
            "when": moments,
            "count": np.where(rng.random(rows) < 0.1, np.nan, rng.poisson(3, rows)),
        }
    )


SCENARIO = Scenario.of({"where": "count >= 1", "targets": {SCRIPT: {"mean": "+20%"}}}, f"dear {SCRIPT}")


@pytest.fixture(scope="session")
def synth() -> AgentSynth:
    config = {"environment": {"rows": 60, "steps": 6, "pairs": 4}, "agent": {"episodes": 6}, "generator": {"trees": 2}}
    return AgentSynth(config, seed=0).fit(hostile(300, 1))


@pytest.fixture(scope="session")
def report(synth: AgentSynth) -> Report:
    return synth.evaluate(hostile(200, 2), synth.generate(150, seed=3), train=hostile(300, 1))


@pytest.fixture(scope="session")
def origin() -> Origin:
    return Origin(
        command=f"agentsynth report model --real '{SCRIPT}'",
        seeds={"fitting": 0, "composing and judging": 3},
        parameters={"agent": {"episodes": 6}, "data": {"table": SCRIPT}},
        versions={"agentsynth": "0", "numpy": "2"},
        sources=[Source("model", f"{SCRIPT}.zip", "0123456789abcdef")],
        commit=Commit("f" * 40, (f"{SCRIPT}.yaml",)),
    )


@pytest.fixture(scope="session")
def make_subject(synth: AgentSynth, report: Report, origin: Origin) -> Callable[[], Subject]:
    """Make a subject with all that a page can show."""

    def make() -> Subject:
        composed = synth.compose(150, SCENARIO, seed=3)
        policies = compare_policies(synth, hostile(200, 2), 60, [0, 1], SCENARIO, ["q_learning", "neutral"])
        judged = Judged(hostile(200, 2), report, f"Judged by {SCRIPT}.")
        return Subject(synth, SCRIPT, composed.table, origin, SCENARIO, composed.report, judged, policies)

    return make


@pytest.fixture(scope="session")
def subject(make_subject: Callable[[], Subject]) -> Subject:
    return make_subject()


@pytest.fixture(scope="session")
def html(subject: Subject) -> str:
    return page_html(subject)


class Document(HTMLParser):
    """A parsed page; every element that is opened has to be closed, in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.sections: dict[str, str] = {}
        self._open: list[str] = []
        self._section = ""
        self.feed(text)
        self.close()
        assert self._open == []
        self.text = " ".join(self.words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        if tag == "section":
            self._section = attributes["id"]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if words := " ".join(data.split()):
            self.words.append(words)
            self.sections[self._section] = f"{self.sections.get(self._section, '')} {words}".strip()

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="session")
def read() -> Callable[[str], Document]:
    return Document


@pytest.fixture(scope="session")
def document(html: str) -> Document:
    return Document(html)

"""The page as a whole: well formed, self-contained, escaped, the same at every call, honest about what is missing."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from agentsynth.errors import MissingPackageError
from agentsynth.metrics.report import Report
from agentsynth.metrics.text import score_text
from agentsynth.pages import Judged, Subject, page_html, rendering, write_page
from agentsynth.scenarios.text import change

ALL = ["summary", "scenario", "scores", "columns", "pairs", "privacy", "training", "response", "reproduce"]


def test_elements_close_ids_are_unique_and_links_lead_somewhere(document: Any) -> None:
    ids = [attributes["id"] for _, attributes in document.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    references = {
        *re.findall(r"url\(#([^)]+)\)", str(document.elements)),
        *(attributes["aria-labelledby"] for _, attributes in document.elements if "aria-labelledby" in attributes),
        *(attributes["href"].removeprefix("#") for attributes in document.named("a")),
        *(attributes["href"].removeprefix("#") for attributes in document.named("use")),
    }
    assert len(references) > 20
    assert references <= set(ids)


def test_headings_never_skip_a_level(document: Any) -> None:
    levels = [int(tag[1]) for tag, _ in document.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_sections_stand_in_order_and_every_picture_has_words(document: Any) -> None:
    assert [attributes["id"] for attributes in document.named("section")] == ALL
    pictures = document.named("svg")
    assert len(pictures) > 10
    assert all(picture["role"] == "img" and picture["aria-label"] for picture in pictures)


def test_nothing_is_fetched_and_nothing_can_run(document: Any, html: str) -> None:
    assert not document.named("script")
    assert not [name for _, attributes in document.elements for name in attributes if name.startswith("on")]
    places = {value for _, attributes in document.elements for name, value in attributes.items() if name in LINKS}
    assert {place for place in places if not place.startswith("#")} == {"data:,"}
    assert not re.search(r"url\((?!#)|@import", html)
    (policy,) = [meta["content"] for meta in document.named("meta") if "http-equiv" in meta]
    assert policy.startswith("default-src 'none';")
    assert "script-src" not in policy


LINKS = ("src", "href", "xlink:href", "srcset", "action", "data", "poster")


def test_what_the_table_holds_is_text(document: Any, html: str) -> None:
    assert not {"b", "i", "img"} & {tag for tag, attributes in document.elements if "onerror" in str(attributes)}
    assert html.count("<script") == 0
    assert html.count("<img") == 0
    script = "<script>window.owned = 1; document.title = 'owned'</script>"
    planted = (script, "{{ 7 * 7 }} & co", "<img src=", "</text></")
    assert all(text in document.text for text in planted)
    assert "49 & co" not in document.text


def test_the_same_subject_gives_the_same_bytes(make_subject: Callable[[], Subject], html: str, tmp_path: Path) -> None:
    write_page(make_subject(), tmp_path / "new" / "page.html")
    assert (tmp_path / "new" / "page.html").read_bytes() == html.encode()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["page.html"]


def test_every_score_stands_beside_its_ceiling_and_floor(document: Any, report: Report) -> None:
    for score in report.scores.values():
        section = document.sections["privacy" if score.name in PRIVATE else "scores"]
        assert all(score_text(value) in section for value in (score.value, score.ceiling, score.floor) if value)
    assert score_text(report.similarity_ceiling) in document.sections["summary"]


PRIVATE = ("exact_copies", "nearer_to_training", "membership_inference")


def test_columns_and_pairs_are_told_worst_first(document: Any, report: Report) -> None:
    section = document.sections["columns"]
    places = [section.index(f"{column.name} {column.kind} {column.shape:.3f}") for column in report.columns]
    assert places == sorted(places)
    worst = report.pairs[0]
    assert f"{worst.first} and {worst.second} {worst.similarity:.3f} {worst.ceiling:.3f}" in document.sections["pairs"]


def test_scenario_origin_and_policies_are_told(document: Any, subject: Subject) -> None:
    assert subject.steered is not None
    (target,) = subject.steered.targets
    section = document.sections["scenario"]
    assert f"{target.name} {target.wanted:.4g} {target.reached:.4g}" in section
    assert f"150 rows of {subject.steered.drawn:,} drawn" in section
    assert "Nothing else moved beyond chance." in section
    assert subject.steered.nearest is not None
    assert f"steered {subject.steered.nearest.steered[1]:.3f}" in section
    assert "150 of 150 rows meet the condition" in document.sections["scenario"]
    assert "f" * 40 in document.sections["reproduce"]
    assert "agent.episodes 6 30" in document.sections["reproduce"]
    assert "q_learning" in document.sections["training"]


def test_what_else_moved_is_told_and_markup_in_it_is_text(subject: Subject, read: Callable[[str], Any]) -> None:
    assert subject.steered is not None
    moved = replace(subject.steered.columns[0], name="<script>alert(1)</script>", distance=0.5, noise=0.125)
    steered = replace(subject.steered, columns=(moved,), conditionals=())
    document = read(page_html(replace(subject, steered=steered, judged=None)))
    assert f"<script>alert(1)</script> 0.500 0.125 {change(moved)}" in document.sections["scenario"]


def test_no_row_of_the_unseen_table_is_on_the_page(document: Any, html: str, subject: Subject) -> None:
    assert subject.judged is not None
    real = subject.judged.real
    assert not [moment for moment in real["when"].astype(str) if moment in html]
    rare = real.iloc[:, 1].astype(str)
    assert not {*re.findall(r"[\d.]+", document.text)} & {*rare}


def test_without_unseen_rows_the_page_says_what_is_missing(subject: Subject, read: Callable[[str], Any]) -> None:
    bare = read(page_html(replace(subject, judged=None, policies=None, scenario=None, steered=None)))
    sections = [attributes["id"] for attributes in bare.named("section")]
    assert sections == ["summary", "training", "response", "reproduce"]
    assert "Scores, columns, pairs and privacy are not judged: a model holds no rows" in bare.sections["summary"]
    assert "Policies compared" not in bare.text


def test_without_training_rows_privacy_is_said_to_be_unknown(subject: Subject, read: Callable[[str], Any]) -> None:
    assert subject.judged is not None
    report = subject.judged.report
    unknown = {"value": None, "ceiling": None, "floor": None, "note": "needs rows"}
    scores = {
        name: score.model_copy(update=unknown) if name in PRIVATE else score for name, score in report.scores.items()
    }
    judged = Judged(subject.judged.real, report.model_copy(update={"scores": scores}), "Judged.", train_known=False)
    document = read(page_html(replace(subject, judged=judged)))
    assert "Privacy is not judged: it needs the rows that the model learned from" in document.sections["summary"]
    assert document.sections["privacy"].count("Not computed: needs rows.") == 3


def test_targets_of_a_table_from_a_file_are_said_to_be_unknown(subject: Subject, read: Callable[[str], Any]) -> None:
    document = read(page_html(replace(subject, steered=None, judged=None)))
    assert "How the targets were reached is not known" in document.sections["scenario"]


def test_what_a_page_is_made_with_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    rendering._environment.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingPackageError, match=r'pip install "agentsynth\[pipeline\]"'):
        rendering.render("page.html.j2")

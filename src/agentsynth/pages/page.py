"""The page: one self-contained HTML file about a model, a table that it made, and how that table was judged."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from agentsynth.files import write_text
from agentsynth.pages.columns import columns
from agentsynth.pages.learning import learning
from agentsynth.pages.pairs import pairs
from agentsynth.pages.provenance import provenance
from agentsynth.pages.rendering import render
from agentsynth.pages.scores import likeness_scales, privacy_scales, tiles
from agentsynth.pages.steering import Steering, steering
from agentsynth.pages.subject import Judged, Subject


def write_page(subject: Subject, path: str | Path) -> None:
    """Write a page, whole or not at all; see `page_html`."""
    write_text(path, page_html(subject))


def page_html(subject: Subject) -> str:
    """Return a page as HTML that needs no other file, no network and no script.

    The same subject gives the same text. It holds aggregated figures of the unseen rows (shares, means, labels with
    their shares), and no row.

    Raises:
        SchemaError: a table does not fit the model's schema.
        MissingPackageError: matplotlib or Jinja is not installed.
    """
    synth, judged = subject.synth, subject.judged
    return render(
        "page.html.j2",
        subject=subject,
        mimics=subject.scenario is None,
        rows=len(subject.synthetic),
        missing=_missing(subject),
        steering=_steering(subject),
        learning=learning(synth.history_, synth.policy_, subject.policies),
        provenance=provenance(subject.origin),
        version=version("agentsynth"),
        **(_judgement(judged, subject) if judged else {"judged": None}),
    )


def _judgement(judged: Judged, subject: Subject) -> dict[str, object]:
    """Return what the sections about unseen rows show."""
    report = judged.report
    return {
        "judged": judged,
        "tiles": tiles(report),
        "likeness": likeness_scales(report),
        "privacy": privacy_scales(report),
        "columns": columns(report, judged.real, subject.synthetic, subject.synth.schema_),
        "pairs": pairs(report),
    }


def _steering(subject: Subject) -> Steering | None:
    if subject.scenario is None:
        return None
    inside = subject.synth.slice(subject.synthetic, subject.scenario)
    return steering(subject.scenario, subject.steered, len(inside), len(subject.synthetic))


def _missing(subject: Subject) -> list[tuple[str, str]]:
    """Return the sections that a page has to leave out, and why."""
    if subject.judged is None:
        why = (
            "a model holds no rows to compare with. Give rows that it has not seen (--real), and for privacy the rows "
            "that it learned from, too (--train)."
        )
        return [("Scores, columns, pairs and privacy", why)]
    if not subject.judged.train_known:
        why = (
            "it needs the rows that the model learned from (--train). A random half of the unseen rows stands for them."
        )
        return [("Privacy", why)]
    return []

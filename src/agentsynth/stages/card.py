"""The model card: what a policy learned from, how it scores on unseen rows, and its limits; no values of the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from agentsynth.metrics.report import Report
from agentsynth.metrics.score import Score
from agentsynth.synth import AgentSynth

_WEAKEST = 3

_LIMITS = """\
- **Not differentially private.** The privacy figures say how far some attacks get, not that none gets further.
- **Guard it like the training table.** It holds no training row, but for each column the values of the training rows,
  grouped by leaves of the trees; and hashes of the rows, by which one can tell whether a row was among them.
- It knows what {rows:,} rows show: no other levels, and what is rare as often as it happened to be among them.
- Scores are of one table of {synthetic:,} rows, against {test:,} unseen rows: read them beside another real sample.
- {weakest}"""

_USE = """\
```python
import mlflow
import pandas as pd

policy = mlflow.pyfunc.load_model("models:/{name}@champion")
rows = policy.predict(pd.DataFrame({{"rows": [100], "seed": [1]}}))  # and "scenario", if need be
synth = policy.unwrap_python_model().synth  # the native object: generate, compose, policy_, schema_, save
```

Scenarios: {scenarios}."""


def model_card(synth: AgentSynth, report: Report, heading: str, origin: Mapping[str, object], name: str) -> str:
    """Return a policy's card in Markdown.

    Args:
        synth: what was learned.
        report: its scores.
        heading: what was judged, and by which rows.
        origin: further facts about what it learned from: the table's name, its digest, the seed.
        name: of the registered model.
    """
    schema = synth.schema_
    facts = {"rows": f"{report.rows['train']:,}", "columns": len(schema.names), **origin}
    columns = [(f"`{column.name}`", column.kind, f"{column.missing:.1%}") for column in schema]
    scenarios = ", ".join([*(f"`{scenario}`" for scenario in synth.config.scenarios), "or one as JSON text"])
    parts = [
        f"# {name}: {origin['table']}",
        "Composes synthetic tables: candidate rows of sequential trees, steered by a Q-learning policy.",
        "## What it learned from",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
        _table(("column", "kind", "missing"), columns),
        "## Scores",
        heading,
        score_table(report),
        "## Privacy",
        _score_table(report.privacy),
        "## Limits",
        _LIMITS.format(**report.rows, rows=report.rows["train"], weakest=_weakest(report)),
        "## Use",
        _USE.format(name=name, scenarios=scenarios),
    ]
    return "\n\n".join(parts)


def score_table(report: Report) -> str:
    """Return the similarity and the scores that are not about privacy, each beside its ceiling and floor."""
    return _score_table(report.likeness)


def _score_table(scores: Iterable[Score]) -> str:
    lines = [
        (
            score.name,
            *map(_figure, (score.value, score.ceiling, score.floor)),
            score.better,
            score.note or score.meaning,
        )
        for score in scores
    ]
    return _table(("score", "ours", "another real", "shuffled", "better", "meaning"), lines)


def _weakest(report: Report) -> str:
    columns = [
        f"`{column.name}` {column.shape:.3f} ({column.shape_ceiling:.3f})" for column in report.columns[:_WEAKEST]
    ]
    pairs = [
        f"`{pair.first}` x `{pair.second}` {pair.similarity:.3f} ({pair.ceiling:.3f})"
        for pair in report.pairs[:_WEAKEST]
    ]
    return f"Least like unseen rows, with another real sample in brackets: {'; '.join(columns + pairs)}."


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _table(heads: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |" for row in rows)

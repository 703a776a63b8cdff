"""The panel of a categorical column."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from agentsynth.data.schema import Column
from agentsynth.data.values import label_of
from agentsynth.plots import style
from agentsynth.plots.binning import Floats
from agentsynth.plots.panel import BARS, HEIGHT, Panel, both, write_notes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LEVELS: Final = 12
_DWARFING: Final = 3.0  # "other" has no bar where it would be so many times as long as the longest
_MOST_CHARACTERS: Final = 20


def categorical_panel(column: Column, real: list[str], synthetic: list[str], notes: list[str]) -> Panel:
    """Return paired bars by falling real share (levels that have an order: in that), the first 12 and all others.

    Where the others would dwarf the rest, they are told in words.

    Args:
        column: what the schema says of it.
        real: (n,) labels, none missing.
        synthetic: (m,) the same of the synthetic table; one of the two may be empty.
        notes: what to say below the panel.
    """
    labels, shares = level_shares(_levels(column, real, synthetic), real, synthetic)
    if len(labels) > _MOST_LEVELS and max(x[-1] for x in shares) > _DWARFING * max(x[:-1].max() for x in shares):
        notes = [both(labels.pop(), *(float(x[-1]) for x in shares)), *notes]
        shares = [x[:-1] for x in shares]

    def draw(axes: Axes) -> None:
        places = np.arange(len(labels))
        for share, shift, look in zip(shares, (-0.2, 0.2), BARS, strict=True):
            axes.barh(places + shift, share, 0.36, **look)
        axes.set_yticks(places, labels)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        style.few_ticks(axes.xaxis, 4)
        axes.xaxis.set_major_formatter(style.percent)
        style.quiet(axes, "x")
        axes.spines["bottom"].set_visible(False)
        write_notes(axes, notes)

    return Panel(column.name, max(HEIGHT, 0.7 + 0.24 * len(labels)), draw)


def _levels(column: Column, real: list[str], synthetic: list[str]) -> list[str]:
    """Return all levels by falling real share, or in their own order where they have one and are few."""
    counts = Counter(real), Counter(synthetic)
    levels = sorted({*real, *synthetic}, key=lambda level: (-counts[0][level], -counts[1][level], level))
    if not column.ordered or column.levels is None or len(levels) > _MOST_LEVELS + 1:
        return levels
    known = [label_of(level) for level in column.levels]
    return [level for level in known if level in levels] + [level for level in levels if level not in known]


def level_shares(levels: list[str], real: list[str], synthetic: list[str]) -> tuple[list[str], list[Floats]]:
    """Return the labels to show and both tables' shares, in the order of `levels`.

    What comes after the first 12 is put together, unless it is one level.

    >>> labels, shares = level_shares(["a", "b"], ["a", "a", "a", "b"], ["b"])
    >>> labels, [x.tolist() for x in shares]
    (['a', 'b'], [[0.75, 0.25], [0.0, 1.0]])
    """
    kept = levels if len(levels) <= _MOST_LEVELS + 1 else levels[:_MOST_LEVELS]
    labels = [style.shorten(level, _MOST_CHARACTERS) for level in kept]
    shares = []
    for counts in (Counter(real), Counter(synthetic)):
        share = np.array([counts[level] for level in kept]) / max(counts.total(), 1)
        other = (1 - share.sum()) * (counts.total() > 0)
        shares.append(np.append(share, other) if len(kept) < len(levels) else share)
    if len(kept) < len(levels):
        labels.append(f"other ({len(levels) - len(kept)} levels)")
    return labels, shares

"""How a part is drawn that follows a trend: what the trend leads to expect, and a residual of the leaf."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agentsynth.base.part_model import PartModel
from agentsynth.base.parts import Floats, Part
from agentsynth.base.spans import Span
from agentsynth.base.trend import Trend


@dataclass(frozen=True)
class Trended:
    """Draws as a `PartModel` does; the codes in the leaves are residuals.

    Attributes:
        residuals: the forest, with the residuals of training rows in its leaves.
        trend: of the part.
        expected: (rows,) what it leads to expect in each row to draw for.
    """

    residuals: PartModel
    trend: Trend
    expected: NDArray[np.int64]

    def draw(self, features: NDArray[np.float32], part: Part, rng: np.random.Generator) -> Floats:  # noqa: ARG002
        """Return a code (rows,) for each row of `features`; the trend knows the part."""
        leaf = self._leaf(features, rng)
        spread = self.residuals.spread(self.residuals.start[leaf], self.residuals.size[leaf], rng)[1]
        return self.trend.codes(self.expected, spread)

    def draw_within(
        self,
        features: NDArray[np.float32],
        part: Part,  # noqa: ARG002
        span: Span,
        rng: np.random.Generator,
    ) -> tuple[Floats, Floats]:
        """Return a code (rows,) of its span for each row, and how likely the span is in the row's leaf.

        Where no residual of a leaf leads into the span, all ranks inside are as likely.
        """
        model, leaf = self.residuals, self._leaf(features, rng)
        start, size = model.inside(leaf, self.trend.within(self.expected, span))
        spread = model.spread(np.minimum(start, len(model.codes) - 1), np.maximum(size, 1), rng)[1]
        ends = self.trend.scale.ends
        low, high = ends[span.low], ends[span.high + 1]
        anywhere = self.trend.scale.codes(low + rng.random(len(leaf)) * (high - low))
        found = np.where(size > 0, self.trend.codes(self.expected, spread), anywhere)
        # A residual is spread, and a number rounded, without regard to the span.
        inside = np.maximum(np.minimum(found, span.high), span.low)
        return inside, model.share(size, model.size[leaf], self._rows(span))

    def chance(self, features: NDArray[np.float32], span: Span) -> Floats:
        """Return how likely (rows,) a code of its span is for each row of `features`: the mean over all trees."""
        return self.residuals.mean_share(features, self.trend.within(self.expected, span), self._rows(span))

    def _leaf(self, features: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.int32]:
        forest = self.residuals.forest
        return forest.leaves(features, rng.integers(len(forest.roots), size=len(features)))

    def _rows(self, span: Span) -> NDArray[np.intp]:
        """Return how many training rows (rows,) have a code of the span; a missing one is at -1."""
        counts = self.trend.scale.part.counts
        missing = self.residuals.rows - counts.sum()
        ends = np.concatenate([[0, missing], missing + np.cumsum(counts)])
        rows: NDArray[np.intp] = ends[span.high + 2] - ends[span.low + 1]
        return rows

"""Trends: what a number follows linearly from the parts drawn before it, in normal scores.

Leaves of sixteen rows are coarse where columns hang closely together: of 140 rows a tree makes eight leaves, and with
each column that is drawn given coarse ones the relations fade. A linear trend takes all rows together; the trees are
then grown on what it leaves open.
Source: Hoff, "Extending the rank likelihood for semiparametric copula estimation", Ann. Appl. Stat. 1 (2007), p. 267 (a
regression on normal scores is a Gaussian copula); Quinlan, "Learning with continuous classes", AI '92, p. 345 (linear
models in trees).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agentsynth.base.parts import MISSING, Floats, Part
from agentsynth.base.spans import Span

MOST_LEVELS = 10
"""Labels of more levels are left to the trees: one coefficient for each level says little."""
PENALTIES = tuple(4.0**power for power in range(-3, 7))
"""Ridge penalties that are tried."""
FEWEST_ROWS, MOST_ROWS = 30, 5000
"""Rows that a trend is learned from at the least, and at the most."""
FARTHEST, STEPS = 8, 4096
"""A residual is at most so large either way, and a whole number of such parts of a score's standard deviation, so that
it is the same on any machine."""
LARGEST_RESIDUAL = 2 * FARTHEST * STEPS
"""Residuals are counted from 0, the smallest."""
LEAST_GAIN, LEAST_GAIN_OF_HEAPS = 0.3, 0.9
"""Share of what labels leave open of rows left out that a trend has to explain: below, and where labels alone explain a
number, the trees do as well by themselves. Where most rows have values that stand apart, it must lead to the very one:
trees know which values go together."""
APART, MOST_APART = 5, 0.5
"""A value that repeats stands apart where its neighbours are more than so many units of the last digit away; share of
the rows from which on a number is taken to be one of such values."""
SURE = 1e-6
"""Ranks are kept so far from 0 and 1, where scores are infinite."""


LARGEST_WEIGHT = 1e6
"""More than any weight is: scores lie between -5 and 5, and the penalties are positive."""


class Design:
    """What trends look at: columns of the parts drawn so far, each part's behind those of the parts before it.

    Args:
        parts: all parts, in the order in which they are drawn.
        rows: rows of the table.
    """

    def __init__(self, parts: Sequence[Part], rows: int) -> None:
        self._columns = np.zeros((rows, width_of(parts)), order="F")
        self._done = 0
        self._labels = np.zeros(self._columns.shape[1], dtype=bool)

    @property
    def labels(self) -> NDArray[np.bool_]:
        """Which of the columns so far belong to labels, (columns,)."""
        return self._labels[: self._done]

    @property
    def columns(self) -> Floats:
        """The columns so far, (rows, columns)."""
        return self._columns[:, : self._done]

    def add(self, part: Part, codes: Floats) -> None:
        """Add a part, given its `codes` (rows,): its normal scores (missing: 0, the middle), or its levels but one."""
        width = _width(part)
        if part.ordered and width:
            scores = np.interp(codes, np.arange(len(part.values)), _middle_scores(part))
            self._columns[:, self._done] = np.where(codes < 0, 0.0, scores)
        elif width:
            self._columns[:, self._done : self._done + width] = codes[:, None] == np.arange(1, width + 1)
            self._labels[self._done : self._done + width] = True
        self._done += width


def width_of(parts: Sequence[Part]) -> int:
    """Return the number of columns that parts have in a design."""
    return sum(_width(part) for part in parts)


def _width(part: Part) -> int:
    if part.ordered:
        return int(len(part.values) > 1)
    return len(part.values) - 1 if len(part.values) <= MOST_LEVELS else 0


def _middle_scores(part: Part) -> Floats:
    """Return the normal score (levels,) of the middle rank of each value."""
    return _score((np.cumsum(part.counts) - part.counts / 2) / part.counts.sum())


@dataclass(frozen=True)
class Scale:
    """The normal scores of a part's codes, and back. A kept value takes all ranks of its rows, others their middle.

    Attributes:
        part: an ordered part with at least two values.
    """

    part: Part

    @cached_property
    def ends(self) -> Floats:
        """Share (levels + 1,) of the known training rows below each value, and 1."""
        return np.concatenate([[0.0], np.cumsum(self.part.counts) / self.part.counts.sum()])

    @cached_property
    def _knots(self) -> tuple[Floats, Floats]:
        """Ranks in [0, 1], and the codes that stand there."""
        middle = (self.ends[:-1] + self.ends[1:]) / 2
        low, high = (np.where(self.part.kept, end, middle) for end in (self.ends[:-1], self.ends[1:]))
        return np.column_stack([low, high]).ravel(), np.repeat(np.arange(len(middle), dtype=np.float64), 2)

    def scores(self, codes: Floats, rng: np.random.Generator) -> Floats:
        """Return the scores (rows,) of whole `codes`; those of equal kept values are spread at random over their ranks.

        (Randomised quantile residuals: Dunn & Smyth, J. Comput. Graph. Stat. 5 (1996), p. 236.)
        """
        level = np.maximum(codes, 0).astype(np.intp)
        share = np.where(self.part.kept[level], rng.random(len(codes)), 0.5)
        return _score(np.clip(self.ends[level] + share * np.diff(self.ends)[level], SURE, 1 - SURE))

    def codes(self, ranks: Floats) -> Floats:
        """Return the codes of `ranks` (rows,), as numbers that end as those of the column do.

        What lies beyond the outermost values is mirrored back, lest it repeat them.
        """
        knots, levels = self._knots
        inside = knots[0] + np.abs(ranks - knots[0])
        codes: Floats = np.interp(knots[-1] - np.abs(knots[-1] - inside), knots, levels)
        near = np.rint(codes)
        moved = (codes != near) | ~self.part.kept[near.astype(np.intp)]
        codes[moved] = self.part.landed(codes[moved], near[moved])
        return codes


@dataclass(frozen=True)
class Trend:
    """A linear trend in normal scores.

    Attributes:
        weights: (1 + columns of the design,) the intercept first.
        scale: of the part that follows the trend.
    """

    weights: Floats
    scale: Scale

    def at(self, design: Floats) -> NDArray[np.int64]:
        """Return what rows of the design (rows, columns) lead to expect, in steps of residuals."""
        expected: NDArray[np.int64] = np.rint((self.weights[0] + design @ self.weights[1:]) * STEPS).astype(np.int64)
        return expected

    def residuals(self, codes: Floats, scores: Floats, design: Floats) -> NDArray[np.int64]:
        """Return the residuals (rows,), from 0 on, of training rows; -1 where the part is missing."""
        found = np.rint(scores * STEPS).astype(np.int64) - self.at(design)
        return np.where(codes < 0, int(MISSING), _from_zero(found))

    def codes(self, expected: NDArray[np.int64], residuals: Floats) -> Floats:
        """Return the codes (rows,) of what was expected and of residuals."""
        ranks = _rank(expected / STEPS + residuals / STEPS - FARTHEST)
        return np.where(residuals < 0, MISSING, self.scale.codes(ranks))

    def within(self, expected: NDArray[np.int64], span: Span) -> Span:
        """Return the residuals that lead into a span of codes."""
        ends = self.scale.ends
        low, high = np.maximum(span.low, 0), np.maximum(span.high, 0) + 1
        first, last = (_score(np.clip(ends[end], SURE, 1 - SURE)) * STEPS for end in (low, high))
        lowest, highest = (_from_zero(np.rint(end).astype(np.int64) - expected) for end in (first, last))
        missing = int(MISSING)
        return Span(np.where(span.low < 0, missing, lowest), np.where(span.high < 0, missing, highest))


def _score(ranks: Floats) -> Floats:
    """Return the normal scores of ranks in [0, 1]."""
    from scipy.special import ndtri

    scores: Floats = ndtri(ranks)
    return scores


def _rank(scores: Floats) -> Floats:
    """Return the ranks that normal scores stand for."""
    from scipy.special import ndtr

    ranks: Floats = ndtr(scores)
    return ranks


def _from_zero(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.clip(steps + LARGEST_RESIDUAL // 2, 0, LARGEST_RESIDUAL)


def apart(part: Part) -> float:
    """Return the share of rows whose number is kept although none stands near it: it tells what the row belongs to.

    Where numbers repeat because they are rounded, they have neighbours a few steps away.
    """
    gaps = np.diff(part.values.astype(np.float64), prepend=-np.inf, append=np.inf)
    step = 0.0 if part.decimals is None else 10.0**-part.decimals
    alone = part.kept & (np.minimum(gaps[:-1], gaps[1:]) > APART * step)
    return float(part.counts[alone].sum() / part.counts.sum())


def fit_trend(
    part: Part, codes: Floats, design: Floats, labels: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Trend | None, Floats]:
    """Return a part's trend and the residuals (rows,) that it leaves; without one, None and the codes themselves.

    Args:
        part: the part.
        codes: (rows,) its codes in the training rows.
        design: (rows, columns) what the trend may look at.
        labels: (columns,) which of it are labels.
        rng: spreads kept values over their ranks, and chooses rows of a long table.
    """
    known = np.flatnonzero(codes >= 0)
    if part.role != "number" or len(part.values) < 2 or len(known) < FEWEST_ROWS or not design.shape[1]:
        return None, codes
    scale = Scale(part)
    scores = scale.scores(codes, rng)
    rows = known if len(known) <= MOST_ROWS else np.sort(rng.permutation(known)[:MOST_ROWS])
    weights, unseen = _ridge(design[rows], scores[rows])
    least = LEAST_GAIN_OF_HEAPS if apart(part) > MOST_APART else LEAST_GAIN
    by_labels = _ridge(design[np.ix_(rows, labels)], scores[rows])[1]
    if (unseen**2).mean() > (1 - least) * (by_labels**2).mean():
        return None, codes
    trend = Trend(weights, scale)
    return trend, trend.residuals(codes, scores, design).astype(np.float64)


def _ridge(design: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Return the weights of the ridge regression that errs least where a row is left out, and these errors (rows,).

    (Allen's PRESS: Technometrics 16 (1974), p. 125.)
    """
    middle, level = design.mean(axis=0), target.mean()
    centred = design - middle
    squares, vectors = np.linalg.eigh(centred.T @ centred)
    squares, turned = np.maximum(squares, 0.0), centred @ vectors
    aims = turned.T @ (target - level)

    def errors(penalty: float) -> Floats:
        leverage = (turned**2) @ (1 / (squares + penalty)) + 1 / len(target)
        left: Floats = (target - level - turned @ (aims / (squares + penalty))) / np.maximum(1 - leverage, 1e-3)
        return left

    tried = [errors(penalty) for penalty in PENALTIES]
    best = int(np.argmin([np.round((left**2).mean(), 9) for left in tried]))
    weights = vectors @ (aims / (squares + PENALTIES[best]))
    # Rounded, so that they are the same on any machine.
    return np.round([level - middle @ weights, *weights], 6), tried[best]

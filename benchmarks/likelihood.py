"""A likelihood-ratio attack with shadow models: what a clue is worth is learned, record by record, from other models.

Every record is learned from by half of the models. For each clue and record, its distribution when the record was
learned from, and when not, is taken as two normal ones of one variance, estimated from all models but those attacked
(LiRA: Carlini, Chien, Nasr, Song, Terzis & Tramer, "Membership inference attacks from first principles", IEEE S&P
2022). As few models show little about a single record, its difference of means is drawn towards that of all records as
far as it may be chance (empirical Bayes). A linear discriminant over all records weighs the
clues.

Models come in pairs of complementary halves, and are attacked pair by pair: then the models left have learned from
each record equally often with either answer, and the balance of what is left out gives nothing away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

PRIOR = 8
"""The variance of a record's clue is estimated as if so many further models showed that of the mean record."""
TINY = 1e-6
"""Smallest variance of a clue: one that never varies says nothing."""


def sides(values: Floats, members: Flags) -> Floats:
    """Sort what models tell about records by the truth.

    Args:
        values: (models, n, ...) a figure of each model about each record.
        members: (models, n) whether it was learned from; models 2i and 2i + 1 complement each other.

    Returns:
        (2, models / 2, n, ...): of each pair and record first the model that learned from it, then the other.
    """
    flags = members[::2].reshape(*members[::2].shape, *[1] * (values.ndim - 2))
    return np.stack([np.where(flags, values[::2], values[1::2]), np.where(flags, values[1::2], values[::2])])


def attack(clues: Floats) -> Floats:
    """Return how much speaks for membership (2, pairs, n), each pair of models attacked with what the others taught.

    Args:
        clues: (2, pairs, n, f) as from `sides`; at least 4 pairs: two to learn from where one is attacked and another
            one teaches what the evidence is worth.
    """
    shadows = _Shadows.of(clues)
    pairs = range(clues.shape[1])
    suspicion = np.zeros(clues.shape[:3])
    for pair in pairs:
        lessons = np.stack([shadows.evidence(other, {other, pair}) for other in pairs if other != pair], axis=1)
        answers = np.repeat([1.0, 0.0], lessons[0].size // lessons.shape[-1])
        # Least squares on the two answers give Fisher's discriminant; a logistic regression found no more, and slower.
        model = Ridge().fit(_flat(lessons), answers)
        suspicion[:, pair] = model.predict(_flat(shadows.evidence(pair, {pair}))).reshape(2, -1)
    return suspicion


def _flat(evidence: Floats) -> Floats:
    return evidence.reshape(-1, evidence.shape[-1])


@dataclass(frozen=True)
class _Shadows:
    """Clues of all models, and their sums, from which those of the pairs left out are taken off."""

    clues: Floats
    """(2, pairs, n, f), centred: sums of squares are then precise."""
    sums: Floats
    """(2, n, f)."""
    squares: Floats
    """(2, n, f)."""

    @classmethod
    def of(cls, clues: Floats) -> _Shadows:
        centred = clues - clues.mean(axis=(0, 1))
        return cls(centred, centred.sum(axis=1), (centred**2).sum(axis=1))

    def evidence(self, pair: int, without: set[int]) -> Floats:
        """Return the evidence (2, n, 2 f) in the clues of a pair, learned from all but some pairs.

        For each clue its distance from the middle of the two means in standard deviations, and log-likelihood ratio.
        """
        left = self.clues[:, sorted(without)]
        count = self.clues.shape[1] - len(without)
        means = (self.sums - left.sum(axis=1)) / count
        around = (self.squares - (left**2).sum(axis=1) - count * means**2).sum(axis=0)
        freedom = 2 * count - 2
        spread = np.sqrt((around + PRIOR * around.mean(axis=0) / freedom) / (freedom + PRIOR) + TINY)
        gain = _shrunk((means[0] - means[1]) / spread, 2 / count)
        off = (self.clues[:, pair] - means.mean(axis=0)) / spread
        return np.concatenate([off, off * gain], axis=2)


def _shrunk(gain: Floats, noise: float) -> Floats:
    """Draw standardised differences (n, f) towards their mean, as far as their spread is that of chance.

    Args:
        gain: differences.
        noise: the variance that chance gives them.
    """
    middle = gain.mean(axis=0)
    real = np.maximum(gain.var(axis=0) - noise, 0)
    shrunk: Floats = middle + (gain - middle) * real / (real + noise)
    return shrunk

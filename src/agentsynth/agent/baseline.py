"""A baseline for rewards: how a step usually goes, whatever the action."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FEWEST = 3
"""Episodes needed before a step's usual reward is known; till then nothing is learned from it."""


class StepBaseline:
    """Standardises rewards by the mean and deviation that the same step had in the episodes so far.

    The first batches of a table change its similarity a hundred times more than the last ones, whatever the action;
    left in, that would drown what the factors do. A baseline that depends on the step alone leaves the order of the
    actions as it is.

    Args:
        steps: steps of an episode.
        rewards: rewards in each step.
    """

    def __init__(self, steps: int, rewards: int) -> None:
        self._episodes = np.zeros(steps)
        self._means = np.zeros((steps, rewards))
        self._squares = np.zeros((steps, rewards))

    def standardised(self, step: int, rewards: Floats) -> Floats | None:
        """Take in rewards (episodes, rewards) of a step; return them standardised, or None while too little is known.

        All episodes are taken in before any is standardised (Chan, Golub and LeVeque 1983, Am. Stat. 37(3), p. 243).
        """
        before, count = self._episodes[step], len(rewards)
        mean = rewards.sum(axis=0) / count
        difference, known = mean - self._means[step], before + count
        self._episodes[step] = known
        self._means[step] += difference * (count / known)
        squares = np.square(rewards - mean).sum(axis=0)
        self._squares[step] += squares + np.square(difference) * (before * count / known)
        if known < FEWEST:
            return None
        deviation = np.sqrt(self._squares[step] / known)
        found: Floats = (rewards - self._means[step]) / np.maximum(deviation, 1e-12)
        return found

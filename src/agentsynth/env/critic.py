"""The critic: a small forest trained to tell real rows from candidates; its leaves are cells to be balanced."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agentsynth.base.forest import Forest

TREES = 10
LEAVES = 32
SMALLEST_LEAF = 20


def fit_critic(real: NDArray[np.float32], candidates: NDArray[np.float32], seed: int) -> Forest | None:
    """Return the critic of two feature matrices (rows, features), or None where there are too few rows to learn from.

    Where a leaf holds more real than candidate rows, candidates of its kind are too rare; selection evens this out.
    """
    from sklearn.ensemble import RandomForestClassifier

    if min(len(real), len(candidates)) < 2 * SMALLEST_LEAF or not real.shape[1]:
        return None
    features = np.concatenate([real, candidates])
    is_real = np.repeat([1, 0], [len(real), len(candidates)])
    forest = RandomForestClassifier(
        TREES, max_leaf_nodes=LEAVES, min_samples_leaf=SMALLEST_LEAF, class_weight="balanced", random_state=seed
    ).fit(features, is_real)
    return Forest.of(forest.estimators_, np.arange(features.shape[1], dtype=np.int32))

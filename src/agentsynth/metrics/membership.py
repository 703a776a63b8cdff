"""Membership inference: can an attacker who has the synthetic table tell which real rows it was learnt from?

Name: membership_inference. Goal: low; fair: 0.5. Range: 0 to 1. The ROC AUC of an attack that is shown training rows
(members) and unseen real rows (non-members) and says of each how likely it is a member. 0.5 = it cannot tell; 1 = every
member is found out. Below 0.5 is chance.

The attack: a row is suspected the more, the nearer its nearest synthetic row is beside its nearest reference row,
r / (r + s) with r and s the Gower distances to them (`agentsynth.metrics.privacy`; ranks and levels are those of the
two tables that the attacker holds). The reference is a sample of real rows that he has from elsewhere: rows of a dense
region are near to everything, and it takes that out. Half of the unseen rows are the reference and the other half the
non-members, and then the other way round; the score is the mean of both.

This attacker knows neither the generator nor how rows influence it; `benchmarks/shadow_attack.py` simulates one who
does. A low score is no proof of privacy: a better attack may exist.
Sources: Chen, Yu, Zhang & Fritz, "GAN-Leaks", CCS 2020 (full black-box attack: distance to the nearest generated row;
its calibration by what a reference explains); van Breugel, Sun, Qian & van der Schaar, "Membership inference attacks
against synthetic data through overfitting detection", AISTATS 2023 (DOMIAS: density of the synthetic table over that of
a reference; here the ratio of nearest-neighbour distances stands for the ratio of densities).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from agentsynth.metrics.baselines import halves, sample
from agentsynth.metrics.learner import roc_auc
from agentsynth.metrics.privacy import Points, Space, nearest
from agentsynth.metrics.score import CannotScoreError, Definition
from agentsynth.metrics.values import Floats
from agentsynth.seeding import child_seed

DEFINITION = Definition(
    "membership_inference", "lower", "AUC of an attack telling training from unseen rows; 0.5 = cannot"
)

_DIGITS = 9
"""Distances are rounded to so many decimals: equal ones may differ by floating-point error, and ties must be ties."""


def membership_inference(
    train: pd.DataFrame, unseen: pd.DataFrame, rows: pd.DataFrame, seed: int = 0, max_rows: int = 5000
) -> float:
    """Return the ROC AUC of the attack on the synthetic table `rows`; all are typed frames of the modelled columns.

    Time grows with the product of the rows (at most `max_rows` of each frame); memory does not.

    Raises:
        CannotScoreError: there is no column, no training row, or fewer than two unseen rows.
    """
    if not len(rows.columns):
        raise CannotScoreError("no modelled column")
    if not len(train) or len(unseen) < 2:
        raise CannotScoreError("needs a training row, and two unseen real rows: non-members and a reference")
    synthetic, members = sample(rows, max_rows, seed, "judged"), sample(train, max_rows, seed, "train")
    first, second = halves(sample(unseen, max_rows, seed, "unseen"), child_seed(seed, "membership"))
    trials = [(first, second), (second, first)]
    return float(np.mean([_attack(members, others, synthetic, reference) for others, reference in trials]))


def _attack(members: pd.DataFrame, others: pd.DataFrame, synthetic: pd.DataFrame, reference: pd.DataFrame) -> float:
    """Return the ROC AUC of suspecting rows by their relative nearness."""
    space = Space.of(pd.concat([synthetic, reference], ignore_index=True))
    known = space.place(synthetic), space.place(reference)
    suspicion = [relative_nearness(space.place(frame), *known) for frame in (members, others)]
    truth = np.repeat([True, False], [len(values) for values in suspicion])
    return roc_auc(truth, np.concatenate(suspicion))


def relative_nearness(points: Points, synthetic: Points, reference: Points) -> Floats:
    """Return r / (r + s) of each point, shape (points,): 1 = equals a synthetic row, 0 = equals a reference row.

    r and s are the distances to the nearest reference and synthetic row; a point that equals one of each gets 1/2.
    """
    s, r = (np.round(nearest(points, others), _DIGITS) for others in (synthetic, reference))
    shares: Floats = np.divide(r, r + s, out=np.full(len(s), 0.5), where=r + s > 0)
    return shares

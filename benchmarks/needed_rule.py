"""A rule with the observation of the learned policy: what the next rows would have to do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agentsynth.agent.policies import Action, ProportionalPolicy
from agentsynth.env.environment import Observation


@dataclass(frozen=True)
class NeededRule:
    """The log-factor is proportional to what the next rows would have to do.

    Gaps of columns are those of the next rows anyway; of a goal's numbers the observation has both.

    Attributes:
        columns: number of factors of columns.
        aims: number of a goal's numbers.
        gain: log-factor per noise unit.
    """

    columns: int
    aims: int
    gain: float

    def factors(self, observation: Observation) -> Action:
        """Return exp(gain * needed), kept in the allowed range."""
        own, needed = observation[..., : self.columns], observation[..., self.columns + self.aims :][..., : self.aims]
        seen = np.concatenate([own, needed], axis=-1)
        return ProportionalPolicy(self.columns + self.aims, self.gain).factors(seen)

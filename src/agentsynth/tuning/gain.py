"""What tuning gained, on rows and seeds that the study did not see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from agentsynth.config import Config
from agentsynth.paired import Difference, difference
from agentsynth.tuning.scores import Score


@dataclass(frozen=True)
class Gain:
    """Tuned less present parameters in one score, paired by seed.

    Attributes:
        score: what is measured.
        higher: whether more is better.
        tuned, default: (seeds,) the scores.
    """

    score: str
    higher: bool
    tuned: tuple[float, ...]
    default: tuple[float, ...]

    @property
    def difference(self) -> Difference:
        """Mean difference over seeds, with its interval."""
        return difference(self.tuned, self.default)

    @property
    def verdict(self) -> str:
        """What that means, in words."""
        if not self.difference.told_apart:
            return "not told apart"
        return "better" if (self.difference.mean > 0) == self.higher else "worse"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {**asdict(self), **self.difference._asdict(), "verdict": self.verdict}

    def __str__(self) -> str:
        """Return the statement.

        >>> print(Gain("similarity to 10 test rows", True, (0.9, 0.8), (0.9, 0.8)))
        similarity to 10 test rows: 0.8500, and 0.8500 before: +0.0000 ± 0.0000 over 2 seeds: not told apart
        """
        means = f"{np.mean(self.tuned):.4f}, and {np.mean(self.default):.4f} before"
        return f"{self.score}: {means}: {self.difference} over {len(self.tuned)} seeds: {self.verdict}"


def is_better(gains: Sequence[Gain]) -> bool:
    """Return whether something was gained that is told apart from nothing, and nothing was lost that is."""
    verdicts = {gain.verdict for gain in gains}
    return "better" in verdicts and "worse" not in verdicts


def measure(
    scores: Mapping[str, tuple[Score, Sequence[tuple[str, bool]]]],
    tuned: Config,
    default: Config,
    seeds: Sequence[int],
    advance: Callable[[], None] = lambda: None,
) -> list[Gain]:
    """Train with both configurations and each seed, and compare.

    Args:
        scores: what is measured; each with a name and a direction (higher is better) for each of its values.
        tuned: the configuration that was found.
        default: the one that the study began with.
        seeds: two or more, that the study did not see.
        advance: called after each training.
    """
    gains = []
    for score, meanings in scores.values():
        values = {True: [], False: []}  # type: dict[bool, list[tuple[float, ...]]]
        for seed in seeds:
            for is_tuned, config in ((True, tuned), (False, default)):
                values[is_tuned].append(score(config, seed, lambda _: None))
                advance()
        for place, (name, higher) in enumerate(meanings):
            pair = (tuple(value[place] for value in values[which]) for which in (True, False))
            gains.append(Gain(name, higher, *pair))
    return gains

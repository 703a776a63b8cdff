"""The words of the scores: what each one is called, asks, and means at either end."""

from __future__ import annotations

from typing import Final, NamedTuple

from agentsynth.metrics.score import Score


class Words(NamedTuple):
    """A score in words."""

    title: str
    question: str
    zero: str
    """What 0 means."""
    one: str
    """What 1 means."""


WORDS: Final = {
    "similarity": Words("Similarity", "The mean of single columns and pairs.", "nothing in common", "the same shares"),
    "shape": Words(
        "Single columns", "Does each column, by itself, look right?", "no value in common", "the same shares"
    ),
    "pairs": Words(
        "Pairs of columns",
        "Does each pair of columns go together?",
        "no combination in common",
        "all combinations as frequent",
    ),
    "correlation": Words(
        "Correlation", "Is each association as strong?", "every association is wrong", "every association as strong"
    ),
    "detection": Words(
        "Detection",
        "Can a classifier tell the rows from real ones? (AUC)",
        "chance, like 0.5: it cannot",
        "it always can",
    ),
    "utility": Words(
        "Utility",
        "Do models learned from the rows predict real ones?",
        "they know nothing (of classes: 0.5)",
        "every prediction is right",
    ),
    "validity": Words("Validity", "Does every row keep the rules?", "no row does", "every row does"),
    "mean_difference": Words(
        "Means", "How far off are means, in standard deviations?", "exact", "off by a standard deviation"
    ),
    "std_difference": Words("Spreads", "How far off are standard deviations?", "exact", "off by their own size"),
    "exact_copies": Words(
        "Exact copies", "Which share of rows equals a training row?", "no row", "every row is a training row"
    ),
    "nearer_to_training": Words(
        "Nearer to training rows",
        "Which share of rows lies nearer to a training row than to an unseen one?",
        "none; 0.5 is fair",
        "every row leans on a training row",
    ),
    "membership_inference": Words(
        "Membership attack",
        "Can somebody with the table tell who was learned from? (AUC)",
        "chance, like 0.5: he cannot",
        "every training row is found out",
    ),
}
FAIR: Final = {"detection": 0.5, "nearer_to_training": 0.5, "membership_inference": 0.5}
"""Where a score stands that gives nothing away."""


def words(score: Score) -> Words:
    """Return a score in words; one that has none of its own has those of its definition."""
    return WORDS.get(score.name) or Words(score.name.replace("_", " ").capitalize(), score.meaning, "", "")

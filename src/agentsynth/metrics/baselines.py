"""What scores are read against: another real sample (the ceiling) and shuffled columns (the floor)."""

from __future__ import annotations

import pandas as pd

from agentsynth.seeding import stream


def sample(frame: pd.DataFrame, rows: int, seed: int, name: str) -> pd.DataFrame:
    """Return `rows` rows drawn at random without replacement, in their order; all of them if there are no more.

    Args:
        frame: Any table.
        rows: Rows wanted.
        seed: Seed of the draw.
        name: Name of the draw's stream: draws of different names are independent.
    """
    if len(frame) <= rows:
        return frame
    chosen = stream(seed, f"sample {name}").choice(len(frame), size=rows, replace=False)
    chosen.sort()
    return frame.iloc[chosen].reset_index(drop=True)


def halves(frame: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two random halves (the first has the odd row)."""
    order = stream(seed, "halves").permutation(len(frame))
    middle = (len(frame) + 1) // 2
    first, second = (frame.iloc[sorted(part)].reset_index(drop=True) for part in (order[:middle], order[middle:]))
    return first, second


def shuffled_columns(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the table with each column shuffled by itself: every column as it was, every relation gone."""
    shuffled = {
        name: frame[name].iloc[stream(seed, f"shuffle {position}").permutation(len(frame))].reset_index(drop=True)
        for position, name in enumerate(frame.columns)
    }
    return pd.DataFrame(shuffled, columns=frame.columns)

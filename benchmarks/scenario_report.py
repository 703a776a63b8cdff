"""The tables that `scenarios.py` prints of its records."""

from __future__ import annotations

import pandas as pd
from goals_of_tables import BLACK_BOX, LINEAR
from output import machine, section, with_interval

LEARNED = "q_learning"
QUIET = "q_learning, no noise"
"""The learned policy without the noise that generation puts on its factors."""


def report(records: pd.DataFrame) -> None:
    """Print the tables."""
    records = records.assign(fit=records["table"] + " " + records["seed"].astype(str))
    goals = records[records["part"].notna()]
    fits = records.groupby("table", sort=False)["seed"].nunique()
    print(f"Fits: {', '.join(f'{count} of {table}' for table, count in fits.items())}; 95 % t intervals over fits.")
    print(f"{machine()}.")
    composed = goals[goals["selection"].isin(["with", "without", "weights", "refined"])]
    for name, part in composed.groupby(composed["kind"].map(_group), sort=False):
        section(f"Misses in tolerances, {name} goals: mean, and share of goals within 1", _misses(part))
    grouped = composed.assign(kind=composed["kind"].map(_group))
    section("Q-learning less each rival, in tolerances (below 0: nearer)", leads(grouped))
    section("Q-learning without noise less each rival", leads(grouped, QUIET))
    section("The same by kind", leads(composed))
    refined = composed[(composed["selection"] == "refined") & (composed["policy"] == LEARNED)]
    section("As generated: goals reached, by table and part", _reached(refined))
    section(
        "Conditionals: distance to unseen rows, and of a table that nothing steers",
        _by_fit(refined, ["conditionals", "unguided"]),
    )
    trained = goals[goals["selection"] == "training"]
    section("Zero-shot beside trained for it, misses in tolerances", _pivot(trained, "miss", "kind", 2))
    section("Zero-shot less trained for it, and the way gone by each", zero_shot(trained))
    slices = records[records["similarity"].notna()]
    section("Slices: similarity to their unseen rows", _pivot(slices, "similarity", "kind"))
    section(
        "Infeasible goals: numbers that fell short, seconds",
        records[records["short"].notna()].groupby("kind")[["short", "seconds"]].mean(),
    )


def _group(kind: str) -> str:
    return "linear" if kind in LINEAR else "black box" if kind in BLACK_BOX else "smooth, not linear"


def _misses(records: pd.DataFrame) -> pd.DataFrame:
    def text(part: pd.DataFrame) -> str:
        fits = part.groupby("fit")["miss"].mean()
        return f"{with_interval(fits, 2)} ({(part['miss'] <= 1).mean():.0%})"

    rows = {key: text(part) for key, part in records.groupby(["policy", "selection"], sort=False)}
    found: dict[str, dict[str, str]] = {}
    for (policy, form), cell in rows.items():
        found.setdefault(str(policy), {})[str(form)] = cell
    return pd.DataFrame(found).T.fillna("").rename_axis("policy")


def leads(records: pd.DataFrame, policy: str = LEARNED) -> pd.DataFrame:
    """Return by how much a learned policy is nearer than each rival, both with selection where they have it.

    Of each kind and fit the mean over its goals; intervals are over fits.
    """
    best = records[records["selection"] != "refined"]
    rows = {}
    for form in ("with", "without"):
        own = _means(best[(best["policy"] == policy) & (best["selection"] == form)])
        rivals = best[~best["policy"].isin([LEARNED, QUIET]) & best["selection"].isin([form, "weights"])]
        for rival, part in rivals.groupby("policy", sort=False):
            by = own - _means(part)
            rows[f"{rival}, {form} selection"] = {
                kind: with_interval(by[kind], 2, signed=True) for kind in by.index.unique("kind")
            }
    return pd.DataFrame(rows).rename_axis("kind").loc[list(dict.fromkeys(records["kind"]))]


def _means(records: pd.DataFrame) -> pd.Series[float]:
    return records.groupby(["kind", "fit"], sort=False)["miss"].mean()


def _reached(records: pd.DataFrame) -> pd.DataFrame:
    return records.assign(within=records["miss"] <= 1).pivot_table(
        index="table", columns="part", values="within", margins=True
    )


def _by_fit(records: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    known = records.dropna(subset=columns)
    return pd.DataFrame(
        {
            name: {c: with_interval(part.groupby("fit")[c].mean(), 4) for c in columns}
            for name, part in known.groupby("kind", sort=False)
        }
    ).T.rename_axis("kind")


def zero_shot(trained: pd.DataFrame) -> pd.DataFrame:
    """Return by how much more the policy misses a goal than one trained for it, and the way gone by both.

    The way is the part of the miss with neutral factors that a policy takes away, in the mean over fits.
    """
    miss = trained.pivot_table(index=["kind", "fit"], columns="policy", values="miss", sort=False)
    rows = {}
    for kind, part in [*miss.groupby("kind", sort=False), ("all", miss.groupby("fit", sort=False).mean())]:
        left = part.mean() / part["neutral"].mean()
        rows[kind] = {
            "zero-shot less trained for it": with_interval(part["zero-shot"] - part["trained for it"], 2, signed=True),
            "way, zero-shot": f"{1 - left['zero-shot']:.2f}",
            "way, trained for it": f"{1 - left['trained for it']:.2f}",
        }
    return pd.DataFrame(rows).T.rename_axis("kind")


def _pivot(records: pd.DataFrame, value: str, index: str, digits: int = 4) -> pd.DataFrame:
    found = {
        policy: {
            name: with_interval(rows.groupby("fit")[value].mean(), digits)
            for name, rows in part.groupby(index, sort=False)
        }
        for policy, part in records.groupby("policy", sort=False)
    }
    return pd.DataFrame(found).rename_axis(index)

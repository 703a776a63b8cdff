"""What is told of an entity."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.schema import Schema
from agentsynth.entities.plan import EntityPlan
from agentsynth.entities.scores import SCORES, entity_scores
from agentsynth.entities.summary import Summary

PLAN = EntityPlan("who", ("sex",), "day", ("state", "weight"))


def test_numbers_are_those_counted_by_hand(visits: pd.DataFrame, visits_schema: Schema) -> None:
    summary = Summary(PLAN, visits_schema)
    found = summary.of(*PLAN.arranged(visits))
    assert found.columns.tolist() == summary.schema.names
    assert found["sex"].tolist() == ["f", "m"]
    assert found["rows"].tolist() == [3.0, 1.0]
    assert found["day_first"].dt.day.tolist() == [1, 2]
    assert found["day_gap"].iloc[0] == 4.5  # 9 days, two steps
    assert found["day_gap_spread"].iloc[0] == pytest.approx(4.5**0.5)  # of 3 and 6 days
    assert found["weight_mean"].tolist() == [61.0, 80.0]
    assert found["weight_spread"].iloc[0] == pytest.approx(1.0)
    assert found["state_first"].tolist() == ["ill", "well"]
    assert found["state_repeats"].iloc[0] == 0.5  # ill, ill, well
    assert found[["day_gap", "day_gap_spread", "weight_spread", "state_repeats"]].iloc[1].isna().all()


def test_models_of_older_formats_do_not_tell_how_evenly_rows_come(visits: pd.DataFrame, visits_schema: Schema) -> None:
    old = Summary(PLAN, visits_schema, rhythm=False)
    found = old.of(*PLAN.arranged(visits)).columns.tolist()
    assert found == old.schema.names
    assert {*Summary(PLAN, visits_schema).schema.names} - {*found} == {"day_gap_spread"}


def test_missing_numbers_are_left_out(visits: pd.DataFrame, visits_schema: Schema) -> None:
    rows, entity = PLAN.arranged(visits)
    rows.loc[[0, 3], "weight"] = np.nan
    found = Summary(PLAN, visits_schema).of(rows, entity)
    assert found["weight_mean"].iloc[0] == 61.5
    assert np.isnan(found["weight_mean"].iloc[1])


def test_a_column_of_the_same_name_is_not_hidden(visits: pd.DataFrame, visits_schema: Schema) -> None:
    renamed = visits_schema.model_copy(
        update={
            "columns": tuple(c.model_copy(update={"name": c.name.replace("weight", "rows")}) for c in visits_schema)
        }
    )
    plan = EntityPlan("who", ("sex",), "day", ("rows", "state"))
    found = Summary(plan, renamed).of(*plan.arranged(visits.rename(columns={"weight": "rows"})))
    assert found["rows_"].tolist() == [3.0, 1.0]
    assert found["rows_mean"].tolist() == [61.0, 80.0]


def lives(count: int, seed: int, *, shuffled: bool = False) -> pd.DataFrame:
    """Entities of three rows: a letter that stays, a number that grows; or dealt out to other entities."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(count), 3)
    frame = pd.DataFrame(
        {
            "who": [f"W{number:04d}" for number in who],
            "sex": np.array(["f", "m"])[rng.integers(2, size=count)][who],
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(1, 9, size=len(who)).cumsum(), unit="D"),
            "weight": (rng.normal(70, 9, size=count)[who] + rng.normal(size=len(who))).round(1),
            "state": np.array(["ill", "well"])[rng.integers(2, size=count)][who],
        }
    )
    return frame.assign(who=rng.permutation(frame["who"])) if shuffled else frame


def test_scores_tell_lives_from_rows_dealt_out(visits_schema: Schema) -> None:
    real, train = lives(150, 0), lives(150, 1)
    same = entity_scores(real, lives(150, 2), train, PLAN, visits_schema)
    dealt = entity_scores(real, lives(150, 2, shuffled=True), train, PLAN, visits_schema)
    assert (same["attributes"], same["repeats"]) == (1.0, 0.0)
    assert dealt["attributes"] < 0.5
    assert same["rows"] == dealt["rows"] == 0.0
    for name in ("gaps", "transitions", "repeats", "autocorrelation", "detection_entities"):
        assert same[name] < dealt[name], name
    assert same["autocorrelation"] < 0.05
    assert dealt["detection_entities"] > 0.9
    assert abs(same["detection_entities"] - 0.5) < 0.12


def test_a_table_is_like_itself(visits_schema: Schema) -> None:
    real = lives(60, 0)
    found = entity_scores(real, real, lives(60, 1), PLAN, visits_schema)
    distances = [
        name for name in SCORES if not name.startswith(("attributes", "detection", "nearer", "nested", "groups"))
    ]
    assert {name: found[name] for name in distances} == dict.fromkeys(distances, 0.0)


def test_sums_of_entities_are_compared_by_mean_and_quantiles(visits_schema: Schema) -> None:
    """All totals grow by one standard deviation: so do their mean and each of their quantiles; no shape changes."""
    real = lives(60, 0)
    sums = real["weight"].groupby(real["who"]).sum()
    more = real.assign(weight=real["weight"] + sums.std(ddof=0) / 3)
    found = entity_scores(real, more, lives(60, 1), PLAN, visits_schema)
    assert found["totals_mean"] == pytest.approx(1.0)
    assert found["totals_quantiles"] == pytest.approx(1.0)
    wider = real.assign(weight=70 + 2 * (real["weight"] - 70))
    found = entity_scores(real, wider, lives(60, 1), PLAN, visits_schema)
    mean, levels = sums.mean() - 210, np.arange(1, 20) / 20
    assert found["totals_mean"] == pytest.approx(abs(mean) / sums.std(ddof=0))
    assert found["totals_quantiles"] == pytest.approx(np.abs(sums.quantile(levels) - 210).mean() / sums.std(ddof=0))

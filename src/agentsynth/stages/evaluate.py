"""Stage evaluate: judge the synthetic table against unseen rows, register the policy, let it challenge the champion."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from agentsynth import plots
from agentsynth.ablation import compare_policies
from agentsynth.data.reading import read_table, write_table
from agentsynth.entities.generator import EntityGenerator
from agentsynth.entities.report import entity_report, to_text
from agentsynth.files import write_json
from agentsynth.metrics.report import Report, build_report
from agentsynth.params import Params
from agentsynth.stages import paths
from agentsynth.stages.pages import pipeline_page
from agentsynth.stages.prepare import prepared_tables
from agentsynth.stages.running import run
from agentsynth.synth import AgentSynth

FEWEST_ROWS = 20
"""Unseen rows that a scenario's slice must have to be judged by; with fewer, all unseen rows judge."""


class Evaluation(NamedTuple):
    """The synthetic table's report, and the policy beside its rivals."""

    unseen: pd.DataFrame
    """The rows they are judged by."""
    report: Report
    policies: pd.DataFrame
    entities: pd.DataFrame | None
    """Scores of the lives of entities, synthetic and of another real sample; None: the model has none."""


def evaluate(
    synth: AgentSynth,
    train: pd.DataFrame,
    validation: pd.DataFrame,
    test: pd.DataFrame,
    synthetic: pd.DataFrame,
    params: Params,
) -> Evaluation:
    """Judge `synthetic` against `test`, and compare the learned policy with its rivals over several seeds.

    A scenario with a slice (`where`, `fixed`) is judged by the real rows of that slice.

    Raises:
        InputError: a table does not fit the schema, or the target is not one of its columns.
    """
    scenario = params.generate.scenario
    slices = [synth.slice(table, scenario) for table in (train, validation, test)]
    if min(len(table) for table in slices) >= FEWEST_ROWS:
        train, validation, test = slices
    report = build_report(
        train,
        test,
        synthetic,
        synth.schema_,
        seed=params.seed,
        target=params.evaluate.target,
        max_rows=params.evaluate.max_rows,
        other_real=validation,
    )
    seeds = [params.seed + number for number in range(params.evaluate.seeds)]
    policies = compare_policies(synth, test, params.generate.rows, seeds, scenario)
    samples = {"synthetic": synthetic, "another real sample": validation}
    return Evaluation(test, report, policies, _lives(synth, samples, test, train, params.seed))


def _lives(
    synth: AgentSynth, samples: dict[str, pd.DataFrame], test: pd.DataFrame, train: pd.DataFrame, seed: int
) -> pd.DataFrame | None:
    generator = synth.model_.generator
    if not isinstance(generator, EntityGenerator):
        return None
    return entity_report(samples, test, train, generator.plan, synth.schema_, seed)


def heading(evaluation: Evaluation, test: pd.DataFrame, params: Params) -> str:
    """Return what is judged, and by which rows."""
    scenario = params.generate.scenario
    if scenario is None:
        return f"Mimic, judged by {len(test)} unseen rows."
    if len(evaluation.unseen) < len(test):
        return f"Scenario {scenario}, judged by the {len(evaluation.unseen)} of {len(test)} unseen rows in its slice."
    return (
        f"Scenario {scenario}, compared with all {len(test)} unseen rows: what it changes on purpose counts as a "
        "difference; how its targets were reached stands in data/targets.json."
    )


def main() -> None:
    """Run the stage in the project's folder."""
    from agentsynth.stages.registering import register

    params = Params.load()
    synth = AgentSynth.load(paths.need(paths.MODEL, "train"))
    train, validation, _ = prepared_tables()
    test = read_table(paths.need(paths.TEST, "prepare"))
    synthetic = read_table(paths.need(paths.SYNTHETIC, "generate"))
    evaluation = evaluate(synth, train, validation, test, synthetic, params)
    _write(evaluation, synth, synthetic)
    judged = heading(evaluation, test, params)
    pipeline_page(evaluation, synth, synthetic, params, judged)
    print(judged)
    print(evaluation.report.to_text())
    if evaluation.entities is not None:
        print(to_text(evaluation.entities))
    print(register(evaluation.report, judged, synth, test, params))


def _write(evaluation: Evaluation, synth: AgentSynth, synthetic: pd.DataFrame) -> None:
    evaluation.report.save(paths.REPORT)
    known = {name: score.value for name, score in evaluation.report.scores.items() if score.value is not None}
    told = evaluation.entities
    lives = {} if told is None else {"entities": told["synthetic"].dropna().to_dict()}
    write_json(paths.METRICS, {"similarity": evaluation.report.similarity, **known, **lives})
    write_table(evaluation.policies, paths.POLICIES)
    plots.data_comparison(evaluation.unseen, synthetic, synth.schema_, paths.DATA_COMPARISON)
    metrics = ["similarity"] if evaluation.policies["miss"].isna().all() else ["miss", "similarity"]
    plots.policy_comparison(evaluation.policies, paths.POLICY_COMPARISON, metrics=metrics)


if __name__ == "__main__":
    run(main)

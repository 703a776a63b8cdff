"""The registry: every evaluated policy becomes a version, the best by held-out score bears the alias `champion`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agentsynth.errors import AgentSynthError
from agentsynth.tracking.packing import log_model
from agentsynth.tracking.runs import Run

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from agentsynth.synth import AgentSynth

MODEL = "agentsynth"
CHAMPION = "champion"


class Verdict(NamedTuple):
    """Whether a version became champion, and why or why not."""

    promoted: bool
    reason: str
    champion_score: float | None
    """The present champion's score on the same held-out rows; None where there is none."""


def register(run: Run, folder: Path, *, keys: Mapping[str, str], card: str) -> str:
    """Register a saved synthesiser as a version of the model "agentsynth" and return its number.

    A model registered before under the same keys is not registered again. The run has to be open.

    Args:
        run: the pipeline's run, which the version is linked to.
        folder: where `AgentSynth.save` put it.
        keys: tags that tell this model from others: `policy_key`, the digest of what was learned, and further ones.
        card: what it learned from, its scores and limits, for the version's page.
    """
    same = " and ".join(f"tags.{name} = '{value}'" for name, value in keys.items())
    known = run.client.search_model_versions(f"name = '{MODEL}' and {same}")
    version = str(known[0].version) if known else _new_version(run, folder, card)
    for name, value in keys.items():
        run.client.set_model_version_tag(MODEL, version, name, value)
    run.tag({"model_version": version})
    return version


def promote(client: MlflowClient, version: str, score: Callable[[AgentSynth], float], challenger: float) -> Verdict:
    """Give the version the alias `champion` if its held-out score beats the present champion's; record why or why not.

    Where the present champion was made for another table, the version meets the latest former champion that can make
    rows of this one; if that one is better, it is champion again.

    Args:
        client: of the MLflow store.
        version: the challenger.
        score: scores a synthesiser on the held-out rows; raises an AgentSynthError where it cannot make such rows.
        challenger: the version's own score, by the same function.
    """
    incumbent = _incumbent(client, score)
    verdict = _compare(client, incumbent, version, challenger)
    winner = version if verdict.promoted or incumbent is None else incumbent.version
    client.set_registered_model_alias(MODEL, CHAMPION, winner)
    tags = {
        "held_out_similarity": f"{challenger:.6f}",
        "promoted": str(verdict.promoted).lower(),
        "verdict": verdict.reason,
    }
    for name, value in tags.items():
        client.set_model_version_tag(MODEL, version, name, value)
    return verdict


def champion_version(client: MlflowClient) -> str | None:
    """Return the version that bears the alias `champion`, or None."""
    aliases = {
        alias: str(version)
        for model in client.search_registered_models(f"name = '{MODEL}'")
        for alias, version in model.aliases.items()
    }
    return aliases.get(CHAMPION)


def load(version: str) -> AgentSynth:
    """Return the synthesiser of a registered version: the native object, not the served one.

    Raises:
        AgentSynthError: its files are of a format that this AgentSynth does not read.
    """
    import mlflow

    model: AgentSynth = mlflow.pyfunc.load_model(f"models:/{MODEL}/{version}").unwrap_python_model().synth
    return model


class _Incumbent(NamedTuple):
    version: str
    score: float


def _incumbent(client: MlflowClient, score: Callable[[AgentSynth], float]) -> _Incumbent | None:
    """Return the champion, or the latest former one, that can make rows of the table that `score` judges by."""
    former = [
        str(version.version)
        for version in client.search_model_versions(f"name = '{MODEL}'", order_by=["version_number DESC"])
        if version.tags.get("promoted") == "true"
    ]
    for version in dict.fromkeys([*filter(None, [champion_version(client)]), *former]):
        try:
            return _Incumbent(version, score(load(version)))
        except AgentSynthError:
            # It learned from another table, or is of a format that is not read any more: no rival here.
            continue
    return None


def _compare(client: MlflowClient, incumbent: _Incumbent | None, version: str, challenger: float) -> Verdict:
    if incumbent is None:
        return Verdict(True, "the first for this table: there was no champion to beat", None)
    holder, held = incumbent
    if holder == version:
        return Verdict(True, "it already is the champion", challenger)
    if _policy_key(client, holder) == _policy_key(client, version):
        return Verdict(True, f"the policy of version {holder}, with the scenarios of now", challenger)
    relation = "beats" if challenger > held else "does not beat"
    reason = f"{challenger:.4f} {relation} the {held:.4f} of version {holder} on the same held-out rows"
    return Verdict(challenger > held, reason, held)


def _policy_key(client: MlflowClient, version: str) -> str | None:
    return client.get_model_version(MODEL, version).tags.get("policy_key")


def _new_version(run: Run, folder: Path, card: str) -> str:
    """Register a new version; by the client's calls, since the others print."""
    identifier = log_model(folder)
    if not run.client.search_registered_models(f"name = '{MODEL}'"):
        run.client.create_registered_model(MODEL, description="Composes synthetic tables with a Q-learning policy.")
    source = f"models:/{identifier}"
    version = run.client.create_model_version(MODEL, source, run_id=run.id, model_id=identifier, description=card)
    return str(version.version)

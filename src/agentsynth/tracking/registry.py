"""The registry: every evaluated policy becomes a version, the best by held-out score bears the alias `champion`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
_PROMOTION = "\n\n## Promotion\n\n"
"""What begins the part of a version's description that tells how it did against the champion."""


class Version(NamedTuple):
    """A registered version, and the logged MLflow model that it is."""

    number: str
    model_id: str


class Contest(NamedTuple):
    """Scores of a challenger and a champion on the same held-out rows, one a table composed."""

    rows: int
    challenger: Sequence[float]
    champion: Sequence[float]


class Verdict(NamedTuple):
    """Whether a version became champion, and why or why not."""

    promoted: bool
    reason: str
    rival: str | None = None
    """The version it was compared with; None where there was none to compare with."""
    scores: Contest | None = None


def register(
    run: Run,
    folder: Path,
    *,
    keys: Mapping[str, str],
    card: str,
    tags: Mapping[str, str] | None = None,
    files: Mapping[str, Path] | None = None,
) -> Version:
    """Register a saved synthesiser as a version of the model "agentsynth".

    A model registered before under the same keys is not registered again. The run has to be open.

    Args:
        run: the pipeline's run, which the version is linked to.
        folder: where `AgentSynth.save` put it.
        keys: tags that tell this model from others: `policy_key`, the digest of what was learned, and further ones.
        card: what it learned from, its scores and limits, in Markdown, for the version's page.
        tags: further tags of the version.
        files: name -> further file that is kept with the model.
    """
    same = " and ".join(f"tags.{name} = '{value}'" for name, value in keys.items())
    known = run.client.search_model_versions(f"name = '{MODEL}' and {same}")
    if known:
        version = Version(str(known[0].version), str(known[0].source).removeprefix("models:/"))
        run.model(version.model_id)
    else:
        version = _new_version(run, folder, card, files or {})
        for name, value in {**keys, **(tags or {})}.items():
            run.client.set_model_version_tag(MODEL, version.number, name, value)
    run.tag({"model_version": version.number})
    return version


def promote(client: MlflowClient, version: str, own: float, meet: Callable[[AgentSynth], Contest]) -> Verdict:
    """Give the version the alias `champion` if it beats the present champion on the same held-out rows.

    Where the present champion was made for another table, the version meets the latest former champion that can make
    rows of this one; if that one is better, it is champion again. Why or why not is recorded in the version's tags and
    its description.

    Args:
        client: of the MLflow store.
        version: the challenger.
        own: its held-out score.
        meet: compares the challenger with a champion; raises an AgentSynthError where they cannot be compared.
    """
    client.set_model_version_tag(MODEL, version, "held_out_similarity", f"{own:.6f}")
    holder = champion_version(client)
    if holder == version:
        return Verdict(True, "it already is the champion")
    verdict = _verdict(client, holder, version, meet)
    if champion_version(client) != holder:  # another experiment's was promoted meanwhile: meet that one
        return promote(client, version, own, meet)
    winner = version if verdict.promoted or verdict.rival is None else verdict.rival
    client.set_registered_model_alias(MODEL, CHAMPION, winner)
    _record(client, version, verdict)
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


def _verdict(client: MlflowClient, holder: str | None, version: str, meet: Callable[[AgentSynth], Contest]) -> Verdict:
    refusals = []
    for rival in _rivals(client, holder, version):
        if _policy_key(client, rival) == _policy_key(client, version):
            return Verdict(True, f"the policy of version {rival}, with the scenarios of now", rival)
        try:
            scores = meet(load(rival))
        except AgentSynthError as error:
            # It learned from another table, or is of a format that is not read any more: no rival here.
            refusals.append(f"version {rival}: {error}")
            continue
        return _compared(rival, scores)
    if holder is None:
        return Verdict(True, "there was no champion to beat")
    return Verdict(True, f"the first for this table; the champion could not be compared ({refusals[0]})")


def _rivals(client: MlflowClient, holder: str | None, version: str) -> list[str]:
    """Return the champion and the former ones, the latest first; not the version itself."""
    former = [
        str(found.version)
        for found in client.search_model_versions(f"name = '{MODEL}'", order_by=["version_number DESC"])
        if found.tags.get("promoted") == "true"
    ]
    return [rival for rival in dict.fromkeys([*filter(None, [holder]), *former]) if rival != version]


def _compared(rival: str, scores: Contest) -> Verdict:
    ours, theirs = (sum(values) / len(values) for values in (scores.challenger, scores.champion))
    ahead = sum(one > other for one, other in zip(scores.challenger, scores.champion, strict=True))
    relation = "beats" if ours > theirs else "does not beat"
    return Verdict(
        ours > theirs,
        f"{ours:.4f} {relation} the {theirs:.4f} of version {rival} on the same {scores.rows} held-out rows, "
        f"ahead in {ahead} of {len(scores.challenger)} tables",
        rival,
        scores,
    )


def _record(client: MlflowClient, version: str, verdict: Verdict) -> None:
    """Write a verdict into the version's tags and the end of its description."""
    tags = {"promoted": str(verdict.promoted).lower(), "verdict": verdict.reason, "rival": verdict.rival or "none"}
    for name, value in tags.items():
        client.set_model_version_tag(MODEL, version, name, value)
    became = "Champion" if verdict.promoted else "Not the champion"
    card = str(client.get_model_version(MODEL, version).description or "").partition(_PROMOTION)[0]
    client.update_model_version(MODEL, version, f"{card}{_PROMOTION}{became}: {verdict.reason}.")


def _policy_key(client: MlflowClient, version: str) -> str | None:
    key: str | None = client.get_model_version(MODEL, version).tags.get("policy_key")
    return key


def _new_version(run: Run, folder: Path, card: str, files: Mapping[str, Path]) -> Version:
    """Register a new version; by the client's calls, since the others print."""
    from mlflow.exceptions import MlflowException

    identifier = log_model(folder, files)
    try:
        run.client.create_registered_model(MODEL, description="Composes synthetic tables with a Q-learning policy.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    source = f"models:/{identifier}"
    version = run.client.create_model_version(MODEL, source, run_id=run.id, model_id=identifier, description=card)
    return Version(str(version.version), identifier)

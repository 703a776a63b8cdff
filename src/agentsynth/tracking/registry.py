"""The registry: every evaluated policy becomes a version; one that beats the champion becomes it, by the alias."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agentsynth.errors import AgentSynthError, SchemaError
from agentsynth.paired import difference
from agentsynth.tracking.packing import log_model
from agentsynth.tracking.runs import Run
from agentsynth.tracking.store import alone, is_local

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from agentsynth.synth import AgentSynth

MODEL = "agentsynth"
CHAMPION = "champion"
_BREAK = "\n\n"
_PROMOTION = f"{_BREAK}## Promotion{_BREAK}"
"""What begins the part of a version's description that tells how it did against the champion."""


class Version(NamedTuple):
    """A registered version, and the logged MLflow model that it is."""

    number: str
    model_id: str


class Contest(NamedTuple):
    """Scores of a challenger and a champion on the same held-out rows: of two or more tables, seed by seed."""

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

    A model registered before under the same keys is not registered again. The run has to be open. Of experiments that
    run side by side, one at a time does this: two may have the same policy.

    Args:
        run: the pipeline's run, which the version is linked to.
        folder: where `AgentSynth.save` put it.
        keys: tags that tell this model from others: `policy_key`, the digest of what was learned, and further ones.
        card: what it learned from, its scores and limits, in Markdown, for the version's page.
        tags: further tags of the version.
        files: name -> further file that is kept with the model.
    """
    same = " and ".join(f"tags.{name} = '{value}'" for name, value in keys.items())
    with _one_at_a_time():
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

    By more than chance: the 95 % interval of the paired differences over tables has to lie above 0. Where the present
    champion was made for another table, the version meets the latest former champion that can make rows of this one; if
    that one is not beaten, it is champion again. Why or why not is recorded in the version's tags and its description.

    Args:
        client: of the MLflow store.
        version: the challenger.
        own: its held-out score.
        meet: compares the challenger with a champion; raises an AgentSynthError where they cannot be compared.
    """
    with _one_at_a_time():
        client.set_model_version_tag(MODEL, version, "held_out_similarity", f"{own:.6f}")
    holder = champion_version(client)
    if holder == version:
        return Verdict(True, "it already is the champion")
    verdict = _verdict(client, holder, version, meet)
    with _one_at_a_time():
        if unchanged := champion_version(client) == holder:
            winner = version if verdict.promoted or verdict.rival is None else verdict.rival
            client.set_registered_model_alias(MODEL, CHAMPION, winner)
            _record(client, version, verdict)
    # Where another experiment's was promoted meanwhile, that one is met.
    return verdict if unchanged else promote(client, version, own, meet)


def _one_at_a_time() -> AbstractContextManager[None]:
    """Keep other experiments of the project out; a server is left to itself, and nothing made in the folder for it."""
    return alone("registry") if is_local() else nullcontext()


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
    refused: dict[str, AgentSynthError] = {}
    for rival in _rivals(client, holder, version):
        if _tags(client, rival).get("policy_key") == _tags(client, version).get("policy_key"):
            return Verdict(True, f"the policy of version {rival}, with the scenarios of now", rival)
        try:
            scores = meet(load(rival))
        except AgentSynthError as error:
            # It learned from another table, or from these very rows, or its format is not read any more: no rival here.
            refused[rival] = error
            continue
        return _compared(rival, scores)
    return Verdict(True, _unrivalled(client, version, refused))


def _unrivalled(client: MlflowClient, version: str, refused: Mapping[str, AgentSynthError]) -> str:
    """Return why there was nobody to beat: of the champions that could not be met, the latest of this table, if any."""
    if not refused:
        return "there was no champion to beat"
    tables = {number: _tags(client, number).get("table", "unknown") for number in (version, *refused)}
    foreign = [
        rival for rival, error in refused.items() if isinstance(error, SchemaError) and tables[rival] != tables[version]
    ]
    own = [rival for rival in refused if rival not in foreign]
    if own:
        return f"version {own[0]}, champion before, cannot be compared with it ({refused[own[0]]})"
    return f"the first of its table; version {foreign[0]}, the champion before, is of the table {tables[foreign[0]]}"


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
    gap = difference(scores.challenger, scores.champion)
    wins = gap.told_apart and gap.mean > 0
    relation = "beats" if wins else "does not beat" if gap.told_apart else "is not told apart from"
    return Verdict(
        wins,
        f"{ours:.4f} {relation} the {theirs:.4f} of version {rival} on the same {scores.rows} held-out rows: {gap} "
        f"over {len(scores.challenger)} tables",
        rival,
        scores,
    )


def _record(client: MlflowClient, version: str, verdict: Verdict) -> None:
    """Write a verdict into the version's tags and the end of its description.

    Of a version that was judged before, as an experiment came to the same policy again, the tags go on saying why it
    became champion, or else why it first did not; the description holds every verdict.
    """
    known = client.get_model_version(MODEL, version)
    if "verdict" not in known.tags or (verdict.promoted and known.tags["promoted"] != "true"):
        tags = {"promoted": str(verdict.promoted).lower(), "verdict": verdict.reason, "rival": verdict.rival or "none"}
        for name, value in tags.items():
            client.set_model_version_tag(MODEL, version, name, value)
    card, _, earlier = str(known.description or "").partition(_PROMOTION)
    became = f"{'Champion' if verdict.promoted else 'Not the champion'}: {verdict.reason}."
    verdicts = dict.fromkeys([*filter(None, earlier.split(_BREAK)), became])
    client.update_model_version(MODEL, version, f"{card}{_PROMOTION}{_BREAK.join(verdicts)}")


def _tags(client: MlflowClient, version: str) -> dict[str, str]:
    return dict(client.get_model_version(MODEL, version).tags)


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

"""Tables of exactly so many rows, also of entities, which have as many rows as they have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agentsynth.config import Config
from agentsynth.entities.generator import EntityGenerator
from agentsynth.entities.sizing import entities_for, exactly
from agentsynth.errors import ScenarioError
from agentsynth.generation import Composed, Request, generate
from agentsynth.model import Model
from agentsynth.seeding import stream

ATTEMPTS = 8
"""Times that entities are made, half as many more each time, until they have the rows that are wanted."""


def generate_rows(
    model: Model, config: Config, request: Request, advance: Callable[[int], None] = lambda _: None
) -> Composed:
    """Generate a table of exactly `request.rows` rows, whatever a row is to the model.

    Of entities as many are made as have these rows; one of them may lose its last ones.

    Raises:
        ScenarioError: the scenario does not fit the table; or its entities have too few rows.
    """
    generator = model.generator
    if not isinstance(generator, EntityGenerator):
        return generate(model, config, request, advance)
    for attempt in range(ATTEMPTS):
        entities = entities_for(request.rows, generator.rows_per_entity, attempt)
        composed = generate(model, config, replace(request, rows=entities))
        ids = composed.table[generator.plan.id]
        chosen = exactly(request.rows, ids, stream(request.seed, "entities"))
        if chosen is not None:
            advance(request.rows)
            return replace(composed, table=composed.table[chosen].reset_index(drop=True))
    raise ScenarioError(
        f"{entities} entities of the scenario have {len(ids)} rows, and {request.rows} are wanted: ask for a number of "
        "entities instead."
    )

"""From templates to HTML: everything that a table, a scenario or a parameter holds is escaped."""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Any

from agentsynth.errors import MissingPackageError

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: Any) -> str:
    """Return a template of `templates/` filled with values.

    Raises:
        MissingPackageError: Jinja is not installed.
    """
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    try:
        jinja2 = importlib.import_module("jinja2")
    except ModuleNotFoundError as error:
        if error.name != "jinja2":
            raise
        message = 'pages need jinja2, which is not installed. Install it: pip install "agentsynth[pipeline]"'
        raise MissingPackageError(message) from error
    environment: Environment = jinja2.Environment(
        loader=jinja2.PackageLoader("agentsynth.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment

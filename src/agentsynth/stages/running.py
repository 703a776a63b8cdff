"""How a stage's `main` runs: errors the user can mend are one message and exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Callable

from agentsynth.errors import AgentSynthError, InputError


def run(stage: Callable[[], None]) -> None:
    """Run a stage or the command line; errors raised on purpose are told on stderr, without a traceback.

    The process ends with 2 where the user handed over something that cannot be used, with 1 where the fault is ours.
    """
    try:
        stage()
    except AgentSynthError as error:
        print(f"agentsynth: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)
    except MemoryError as error:
        print(
            f"agentsynth: the memory does not suffice ({error}). Ask for fewer rows or a smaller pool.", file=sys.stderr
        )
        sys.exit(2)

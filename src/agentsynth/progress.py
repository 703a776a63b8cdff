"""Progress bars: made by the caller's choice, never by the library on its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeAlias

Progress: TypeAlias = Callable[[str, int | None], AbstractContextManager[Callable[..., None]]]
"""Called with what is counted and how many there are (None: unknown); the context gives `advance(count=1)`."""


@contextmanager
def silent(what: str, total: int | None) -> Iterator[Callable[..., None]]:  # noqa: ARG001  # the interface hands it over
    """Show nothing."""
    yield lambda *_: None


@contextmanager
def bar(what: str, total: int | None) -> Iterator[Callable[..., None]]:
    """Show a tqdm bar on standard error, if that is a terminal."""
    from tqdm import tqdm

    shown: Any
    with tqdm(total=total, desc=what, file=sys.stderr, disable=not sys.stderr.isatty(), leave=False) as shown:
        yield shown.update

"""A job for workers: in a module of its own, as their processes import it."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from agentsynth.errors import ConfigError, NotFittedError


@dataclass(frozen=True)
class Write:
    """Writes a file of its own, and ends as told."""

    folder: Path
    ends: str = "well"

    def __call__(self) -> None:
        (self.folder / str(os.getpid())).touch()
        if self.ends == "killed" and self._first():
            os.kill(os.getpid(), signal.SIGKILL)
        if self.ends == "input":
            raise ConfigError("what you gave")
        if self.ends == "fault":
            raise NotFittedError("our fault")
        if self.ends == "bug":
            raise RuntimeError("a bug")

    def _first(self) -> bool:
        """Return whether this process came here before any other: exactly one of them makes the folder."""
        try:
            (self.folder / "killed").mkdir()
        except FileExistsError:
            return False
        return True

"""Synthetic tables composed by a Q-learning agent: mimic a small table, or steer it to a scenario."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentsynth.agent.qlearning import QLearningAgent
    from agentsynth.config import Config
    from agentsynth.env.environment import SyntheticDataEnvironment
    from agentsynth.scenarios.grammar import Scenario
    from agentsynth.synth import AgentSynth

_HOMES = {
    "AgentSynth": "agentsynth.synth",
    "Config": "agentsynth.config",
    "QLearningAgent": "agentsynth.agent.qlearning",
    "Scenario": "agentsynth.scenarios.grammar",
    "SyntheticDataEnvironment": "agentsynth.env.environment",
}
__all__ = ["AgentSynth", "Config", "QLearningAgent", "Scenario", "SyntheticDataEnvironment"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import agentsynth` costs next to nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'agentsynth' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

"""The composing environment: cells, goals, selection, reward.

Importing this package registers the environment, as Gymnasium's convention is, so that
`gymnasium.make("agentsynth.env:AgentSynth/Compose-v0")` works by itself.
"""

from agentsynth.env.registration import register

register()

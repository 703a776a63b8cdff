"""The Q-learning agent and its rivals."""

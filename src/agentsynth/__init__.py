"""Synthetic tables composed by a Q-learning agent: mimic a small table, or steer it to a scenario."""

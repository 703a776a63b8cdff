"""Scores of a synthetic table against real rows that nothing was fitted on."""

"""The composing environment: cells, goals, selection, reward."""

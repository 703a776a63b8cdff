"""Scenarios: what a user wants of a table, stated over its columns, and the rows of a pool that come nearest to it."""

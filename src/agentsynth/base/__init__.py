"""The base generator: a codec (table <-> numbers) and sequential trees."""

"""Tables in: the simulated shop, reading and checking, the schema, splitting."""

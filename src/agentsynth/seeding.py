"""One seed in, independent named random generators out."""

from __future__ import annotations

import zlib

import numpy as np

from agentsynth.errors import InputError


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the generator called `name` of the family that `seed` begins.

    Streams of different names are statistically independent, and adding one leaves the others as they were: the name
    is hashed (CRC-32, the same on every platform) into the spawn key of a `numpy.random.SeedSequence`.

    Raises:
        InputError: the seed is negative.

    >>> stream(0, "pool").integers(100) == stream(0, "pool").integers(100)
    np.True_
    >>> float(stream(0, "pool").random()) == float(stream(0, "gumbel").random())
    False
    """
    if seed < 0:
        raise InputError(f"a seed is a whole number from 0 on; found {seed}.")
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(zlib.crc32(name.encode()),)))


def child_seed(seed: int, name: str) -> int:
    """Return an integer seed (32 bits) for a library that wants a number instead of a generator."""
    return int(stream(seed, name).integers(2**32))

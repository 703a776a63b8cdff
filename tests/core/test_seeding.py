from __future__ import annotations

import numpy as np
import pytest

from agentsynth.errors import InputError
from agentsynth.seeding import child_seed, stream


def test_a_stream_is_decided_by_seed_and_name() -> None:
    first, again = stream(1, "pool").random(5), stream(1, "pool").random(5)
    np.testing.assert_array_equal(first, again)
    others = [stream(2, "pool").random(5), stream(1, "gumbel").random(5), np.random.default_rng(1).random(5)]
    assert not any(np.allclose(first, other) for other in others)


def test_streams_stay_the_same_for_good() -> None:
    assert child_seed(0, "fit") == 696182853
    assert stream(0, "pool").integers(1000, size=3).tolist() == [13, 45, 885]


def test_streams_are_independent() -> None:
    pool, noise = (stream(0, name).normal(size=5000) for name in ("pool", "gumbel"))
    assert abs(np.corrcoef(pool, noise)[0, 1]) < 0.05
    assert abs(np.corrcoef(stream(0, "pool").normal(size=5000), stream(1, "pool").normal(size=5000))[0, 1]) < 0.05


def test_a_child_seed_is_a_seed() -> None:
    seeds = {child_seed(0, f"child.{number}") for number in range(200)}
    assert len(seeds) == 200
    assert min(seeds) >= 0
    assert max(seeds) < 2**32
    assert isinstance(child_seed(0, "fit"), int)


def test_large_seeds_are_fine_and_negative_ones_are_not() -> None:
    assert stream(10**30, "pool").random() != stream(10**30 + 1, "pool").random()
    with pytest.raises(InputError, match="a seed is a whole number from 0 on; found -1"):
        stream(-1, "pool")

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsynth.partitions import Partitions
from agentsynth.seeding import child_seed


@given(rows=st.integers(1, 10**11), most=st.integers(10**4, 10**6), piece=st.integers(1_000, 10**4))
def test_partitions_follow_each_other_and_are_about_equal(rows: int, most: int, piece: int) -> None:
    partitions = Partitions(rows, 0, piece, most)
    last = len(partitions) - 1
    for number in {0, last // 2, last}:
        partition = partitions[number]
        assert abs(partition.rows - rows / len(partitions)) < 1
        assert partition.rows <= most
        assert partition.before + partition.rows == (rows if number == last else partitions[number + 1].before)
        sizes = [each.rows for each in partition.pieces]
        assert sum(sizes) == partition.rows
        assert max(sizes) <= piece
        assert max(sizes) - min(sizes) <= 1


@given(rows=st.integers(1, 10**6), most=st.integers(1, 10**4), step=st.integers(1, 200))
def test_partitions_but_the_last_have_multiples_of_the_step(rows: int, most: int, step: int) -> None:
    partitions = Partitions(rows, 0, 1000, most, step)
    last = len(partitions) - 1
    sizes = {number: partitions[number].rows for number in {0, last // 2, last}}
    assert all(size % step == 0 for number, size in sizes.items() if number != last)
    assert all(0 < size < max(most, 2 * step) + step for size in sizes.values())
    assert partitions[last].before + sizes[last] == rows


def test_no_two_pieces_have_a_seed_in_common_and_the_first_has_the_one_it_always_had() -> None:
    partitions = Partitions(3_000, 7, 10, 100)
    seeds = [piece.seed for partition in partitions for piece in partition.pieces]
    assert len(set(seeds)) == len(seeds) == 300
    assert seeds[0] == child_seed(7, "piece.0")


def test_partitions_are_a_sequence() -> None:
    partitions = Partitions(25, 0, 5, 10)
    assert [partition.number for partition in partitions] == [0, 1, 2]
    assert [partition.before for partition in partitions[1:]] == [8, 16]
    with pytest.raises(IndexError, match="there are 3 partitions, from 0 on; no 3"):
        partitions[3]

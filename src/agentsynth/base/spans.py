"""Spans: the codes that a part is restricted to, where columns are held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agentsynth.base.codec import Codec
from agentsynth.base.held import Held
from agentsynth.base.parts import MISSING, Floats, Part
from agentsynth.data.bounds import least

WINDOW, FEWEST = 0.02, 10
"""A number is taken to be as likely as the numbers around it: so large a share of the known ones, at least so many."""


@dataclass(frozen=True)
class Span:
    """The codes that each row may have in a part.

    Attributes:
        low, high: (rows,) first and last of them.
        code: (rows,) the one that it gets; None: any.
    """

    low: NDArray[np.intp]
    high: NDArray[np.intp]
    code: Floats | None = None


def span_of(part: Part, codec: Codec, codes: Floats, held: Held) -> Span | None:
    """Return what a part is restricted to, given the codes (rows, parts) of the parts drawn before; None: nothing."""
    if part.column in held.values:
        return _held(part, codec, codes, held)
    if part.column not in held.most:
        return None
    high = np.floor(part.codes(_above_bounds(held.most[part.column], part, codec, codes, held))).astype(np.intp)
    return Span(np.zeros_like(high), high)


def _held(part: Part, codec: Codec, codes: Floats, held: Held) -> Span:
    value = held.values[part.column]
    if part.role == "label" or value is None:
        code = float(list(part.values).index(value)) if part.role == "label" else MISSING
        place = np.full(len(codes), int(code))
        return Span(place, place, place.astype(np.float64))
    found = part.codes(_above_bounds(float(value), part, codec, codes, held))
    return Span(*_around(part, found), found)


def _above_bounds(value: float, part: Part, codec: Codec, codes: Floats, held: Held) -> Floats:
    """Return a value (rows,) as the part is coded: as it is, or by how far it exceeds its bounds."""
    if not part.excess:
        return np.full(len(codes), value)
    column = codec.schema[part.column]
    found: Floats = value - least(column, codec.columns(codes, column.above, held))
    return found


def _around(part: Part, code: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first and the last code around a `code` (rows,) that make a window of so many training rows.

    It is no wider than the value itself where that has so many rows.
    """
    ends = np.concatenate([[0], np.cumsum(part.counts)])
    below, above = ends[np.floor(code).astype(np.intp)], ends[np.ceil(code).astype(np.intp) + 1]
    lacking = np.maximum(np.maximum(WINDOW * ends[-1], FEWEST) - (above - below), 0.0) / 2
    low = np.searchsorted(ends, below - lacking, side="right") - 1
    high = np.searchsorted(ends, above + lacking) - 1
    return np.maximum(low, 0), np.minimum(high, len(part.values) - 1)

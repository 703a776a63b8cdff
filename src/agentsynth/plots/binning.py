"""Which bins show a column best: two samples, one set of edges."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Moments = npt.NDArray[np.datetime64]

_TAIL: Final = 0.005  # share that may be cut off at either end
_MOST_BINS: Final = 48
_FENCE: Final = 8.0  # so many interquartile ranges beyond the quartiles, more may be
_HEAVY: Final = 1.6  # cut only where the whole range is this many times the range without the tails
_SKEWED: Final = 30.0  # 95 % quantile over 5 % quantile from which on an axis is logarithmic
_ATOM: Final = 0.3  # share from which on one value among many would dwarf all bars
_FEWEST: Final = 5  # rows that such a value has at least
_MOST_PERIODS: Final = 60

# name, numpy unit, units in a period, unit number (from 1970 on) at which a period begins
_PERIODS: Final = (
    ("second", "s", 1, 0),
    ("minute", "m", 1, 0),
    ("quarter of an hour", "m", 15, 0),
    ("hour", "h", 1, 0),
    ("6 hours", "h", 6, 0),
    ("day", "D", 1, 0),
    ("week", "D", 7, 4),  # 1970-01-05 was a Monday
    ("month", "M", 1, 0),
    ("quarter", "M", 3, 0),
    ("year", "Y", 1, 0),
    ("5 years", "Y", 5, 0),
    ("decade", "Y", 10, 0),
)
_DAY: Final = 5  # the place of "day" among them


class Bins(NamedTuple):
    """Edges for a numeric column."""

    edges: Floats
    """(bins + 1,)"""
    log: bool = False
    """The edges are evenly spaced on a logarithmic axis."""
    atom: float | None = None
    """A value so frequent that it is told in words and left out of the bins."""


class Periods(NamedTuple):
    """Edges for a datetime column."""

    edges: Moments
    """(periods + 1,)"""
    name: str
    """What lies between two edges: "month"."""


def numeric_bins(real: Floats, synthetic: Floats, decimals: int | None) -> Bins:
    """Choose bins for two samples without missing values; at least one of them is not empty.

    Heavy tails are cut off, a very skewed positive column gets a logarithmic axis, one overwhelming value is taken
    out, and the edges of a rounded column lie between its possible values (else bins hold unequally many of them).

    Args:
        real: (n,) values.
        synthetic: (m,) values.
        decimals: digits after the point that the column is rounded to; None: not rounded.
    """
    atom = _atom(real if len(real) else synthetic)
    samples = [rest for x in (real, synthetic) if len(rest := x[x != atom] if atom is not None else x)]
    if not samples:
        return Bins(np.array([0.0, 1.0]), atom=atom)
    log = all(_spreads(sample) for sample in samples)
    scaled = [np.log(sample) for sample in samples] if log else samples
    low, high = value_range(scaled)
    edges = np.linspace(low, high, _count(scaled, high - low) + 1)
    edges = np.exp(edges) * np.r_[1 - 1e-9, np.ones(len(edges) - 2), 1 + 1e-9] if log else edges
    return Bins(_aligned(edges, decimals, log, min(map(len, samples))), log, atom)


def periods(real: Moments, synthetic: Moments) -> Periods:
    """Choose calendar periods, the finest that leave enough rows in each, for two samples without missing values."""
    samples = [x.astype("datetime64[s]") for x in (real, synthetic) if len(x)]
    low, high = _cut_range([sample.astype(np.float64) for sample in samples])
    most = min(_MOST_PERIODS, max(6, min(map(len, samples)) // 10))
    for name, unit, size, first in _PERIODS if low < high else _PERIODS[_DAY:]:
        start, end = (int(np.datetime64(int(x), "s").astype(f"datetime64[{unit}]").astype(int)) for x in (low, high))
        begin = (start - first) // size * size + first
        count = (end - begin) // size + 1
        if count <= most or name == _PERIODS[-1][0]:
            break
    edges = (begin + size * np.arange(count + 1)).astype(f"datetime64[{unit}]").astype("datetime64[s]")
    return Periods(edges, name)


def shares(values: Floats | Moments, edges: Floats | Moments) -> Floats:
    """Return (bins,) shares of `values` between the edges; they sum to less than 1 where values lie beyond."""
    if len(values) == 0:
        return np.zeros(len(edges) - 1)
    if np.issubdtype(edges.dtype, np.datetime64):
        values, edges = values.astype("datetime64[s]").astype(np.float64), edges.astype(np.float64)
    return np.histogram(values, edges)[0] / len(values)


def _atom(values: Floats) -> float | None:
    """Return the value that makes up more than its share of a column of many values, if there is one."""
    found, counts = np.unique(values, return_counts=True)
    top = int(np.argmax(counts))
    return float(found[top]) if counts[top] > max(_ATOM * len(values), _FEWEST) and len(found) > 1 else None


def _spreads(values: Floats) -> bool:
    """Tell whether a sample is positive and spans more than a linear axis can show."""
    if values.min() <= 0:
        return False
    low, high = np.quantile(values, [0.05, 0.95])
    return bool(high > _SKEWED * low)


def _count(samples: list[Floats], width: float) -> int:
    """Return how many bins a range of the given width wants: Freedman & Diaconis (1981) or Rice, the more; 8 to 48."""
    smallest = min(samples, key=len)
    spread = float(np.subtract(*np.quantile(smallest, [0.75, 0.25])))
    root = len(smallest) ** (1 / 3)
    return int(np.clip(max(2 * root, width * root / (2 * spread) if spread > 0 else 0), 8, _MOST_BINS))


def value_range(samples: list[Floats]) -> tuple[float, float]:
    """Return the range of all samples, without their tails where these are heavy; never empty."""
    low, high = _cut_range(samples)
    if low < high:
        return low, high
    margin = 0.5 * abs(low) or 0.5
    return low - margin, high + margin


def _cut_range(samples: list[Floats]) -> tuple[float, float]:
    whole = min(x.min() for x in samples), max(x.max() for x in samples)
    cut = np.array([_without_tails(x) for x in samples])
    low, high = float(cut[:, 0].min()), float(cut[:, 1].max())
    if whole[1] - whole[0] <= _HEAVY * (high - low) or high == low:
        return float(whole[0]), float(whole[1])
    return low, high


def _without_tails(values: Floats) -> tuple[float, float]:
    low, first, third, high = np.quantile(values, [_TAIL, 0.25, 0.75, 1 - _TAIL])
    reach = _FENCE * (third - first) or np.inf
    return max(low, first - reach), min(high, third + reach)


def _aligned(edges: Floats, decimals: int | None, log: bool, rows: int) -> Floats:
    """Move edges to halfway between the values a rounded column can take, where the bins are not much wider."""
    if decimals is None:
        return edges
    unit = 10.0**-decimals
    width = (edges[1] - edges[0]) / unit
    if width > 20 + 1e-9:  # not by rounding alone
        return edges
    first, last = np.round(edges[0] / unit) - 0.5, np.round(edges[-1] / unit) + 0.5
    if log:
        aligned = np.unique(np.r_[first, np.floor(edges[1:-1] / unit) + 0.5, last]) * unit
        return aligned if len(aligned) > 2 and first > 0 else edges
    # A bin for each value where they are few for that many rows: the last of wider bins may not be full.
    each = last - first <= min(_MOST_BINS, rows / 10)
    step = 1 if each else max(1, int(np.ceil(width - 1e-9)))
    count = int(np.ceil((last - first) / step - 1e-9))
    return np.asarray((first + step * np.arange(count + 1)) * unit)

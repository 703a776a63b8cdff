"""Linear relations among columns: sums, differences, means, weighted sums, rescaled copies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agentsynth.data.coefficients import UNUSUAL, offsets, resolved, significant
from agentsynth.data.schema import Formula

Floats: TypeAlias = NDArray[np.float64]

SCREEN_ROWS = 500
"""Rows that relations are looked for on; they are verified on all rows later."""
MOST_COLUMNS = 1000
"""Relations are looked for in tables of up to this many numeric columns."""
SPARE_ROWS = 10
"""Rows there must be beyond twice the columns of a relation."""
IN_SPAN = 1e-9
"""Relative residual of a column that the ones before it explain but for floating-point noise."""
MOST_INPUTS = 30
"""Longest relation that is believed."""
MOST_DIGITS = 5
"""Most digits of a coefficient."""
DENOMINATORS = (*range(1, 25), 100, 1_000, 10_000, 100_000, 1_000_000)
"""Coefficients are whole numbers over one of these: sums, means of up to 24 columns, weights of up to 6 decimals."""
TINY = 1e-300


def spread_rows(rows: int) -> NDArray[np.intp]:
    """Return up to `SCREEN_ROWS` rows of a table of `rows` rows, evenly spread."""
    return np.unique(np.linspace(0, rows - 1, min(rows, SCREEN_ROWS)).astype(np.intp))


def dependent(screen: Floats, units: Floats, targets: int) -> Iterator[list[int]]:
    """Yield sets of columns that are linearly dependent, but for rounding: the last of them, then the others.

    The columns are taken from left to right; an independent one joins the basis (Gram-Schmidt), so that there is only
    one way to write a dependent one.

    Args:
        screen: (rows, p) complete numbers.
        units: (p,) one in the last decimal of each column (0: not rounded).
        targets: only sets with one of the last `targets` columns are asked for.
    """
    rows, columns = screen.shape
    scale = np.abs(screen).max(axis=0) + TINY
    basis = np.empty((columns + 1, rows))
    basis[0] = rows**-0.5
    members: list[int] = []
    for column in range(columns):
        residual = _residual(screen[:, column] / scale[column], basis[: len(members) + 1])
        allowed = max(units[column] / scale[column], IN_SPAN)
        if column >= columns - targets and np.abs(residual).max() <= allowed:
            inputs = _used(screen, column, members, units[column])
            if inputs:
                yield [column, *inputs]
        length = float(np.linalg.norm(residual))
        if length > IN_SPAN * rows and 2 * len(members) + SPARE_ROWS < rows:
            members.append(column)
            basis[len(members)] = residual / length


def _residual(vector: Floats, basis: Floats) -> Floats:
    """Return what is left of a vector (rows,) outside the span of an orthonormal basis (twice, for accuracy)."""
    for _ in range(2):
        vector = vector - basis.T @ (basis @ vector)
    return vector


def _used(screen: Floats, column: int, members: list[int], unit: float) -> list[int]:
    """Return the basis columns whose part in a dependent column is more than rounding; none if there are too many."""
    if not members:
        return []
    target = screen[:, column]
    parts = np.abs(_least_squares(screen[:, members], target)) * np.ptp(screen[:, members], axis=0)
    least = 2 * max(unit, IN_SPAN * float(np.abs(target).max()))
    used = [member for member, part in zip(members, parts, strict=True) if part > least]
    return used if len(used) <= MOST_INPUTS and 2 * len(used) + SPARE_ROWS <= len(screen) else []


def _least_squares(inputs: Floats, target: Floats) -> Floats:
    """Return the coefficients (k,) of the inputs beside an intercept, solved on columns of comparable size."""
    from scipy import linalg

    scale = np.abs(inputs).max(axis=0) + TINY
    matrix = np.column_stack([inputs / scale, np.ones(len(inputs))])
    # QR with pivoting: several times faster than numpy's SVD, and no less sure on independent columns.
    solution = linalg.lstsq(matrix, target, lapack_driver="gelsy", check_finite=False)[0]
    return np.asarray(solution[:-1] / scale, dtype=np.float64)


def linear_formulas(target: Floats, inputs: Floats, names: list[str], unit: float) -> Iterator[Formula]:
    """Yield formulas with simple coefficients that may give a target from columns it depends on, simplest first.

    Args:
        target: (rows,) complete numbers.
        inputs: (rows, k) complete numbers.
        names: the inputs' names.
        unit: one in the target's last decimal (0: not rounded).
    """
    exact = _least_squares(inputs, target)
    tried: set[tuple[float, ...]] = set()
    for denominator in DENOMINATORS:
        coefficients = np.rint(exact * denominator) / denominator
        key = tuple(coefficients.tolist())
        if key in tried or not all(key) or not all(resolved(c, target, unit) for c in key):
            continue
        tried.add(key)
        digits = max(map(significant, key))
        for intercept, mode in offsets(target, inputs @ coefficients, unit) if digits <= MOST_DIGITS else ():
            if mode in ("down", "up") and digits > MOST_DIGITS - UNUSUAL:
                continue
            yield Formula(operation="linear", inputs=tuple(names), coefficients=key, intercept=intercept, rounding=mode)


def amplification(formula: Formula, target: Floats, inputs: Floats) -> float:
    """Return how much larger than the target's spread the formula's terms spread together, were they independent.

    A small difference of large numbers has a high one: made from synthetic numbers it would be mostly noise. A sum of
    parts or a mean has one of about 1 or less.

    Args:
        formula: a linear formula.
        target: (rows,) complete numbers.
        inputs: (rows, k) complete numbers.
    """
    terms = np.array(formula.coefficients) * inputs.std(axis=0)
    return float(np.linalg.norm(terms) / (target.std() + TINY))


def is_total(formula: Formula, inputs: Floats) -> bool:
    """Tell whether a linear formula adds up parts none of which is negative; inputs (rows, k)."""
    return min(formula.coefficients) > 0 and not formula.intercept and bool((inputs >= 0).all())

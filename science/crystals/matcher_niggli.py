"""The Niggli cell, compiled: step by step as in pymatgen, so that both end in the same cell.

Grosse-Kunstleve, Sauter and Adams 2004, Acta Cryst. A 60, 1, with their tolerance of 1e-5 V^(1/3).
"""

from __future__ import annotations

import numpy as np

from science.crystals.matcher_compiled import Floats, compiled, kept
from science.crystals.matcher_lattice import determinant, dot, lll, parameters
from science.crystals.matcher_mappings import mappings

_TOLERANCE = 1e-5


@kept
def niggli(cell: Floats) -> tuple[Floats, bool, bool]:
    """Reduced lattice vectors (3, 3), whether the search ended, and whether the choice is open.

    It is open where another basis, not merely with other signs or in another order, has the same
    lengths and angles within the tolerances of pymatgen.
    """
    rows, _ = lll(cell)
    e = _TOLERANCE * abs(determinant(cell)) ** (1 / 3)
    for _ in range(100):
        _ordered(rows, e)
        if _swapped(rows, e):
            continue
        _signed(rows, e)
        if not _shortened(rows, e):
            return rows, True, _ambiguous(rows, e)
    return rows, False, True


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _metric(rows: Floats) -> tuple[float, float, float, float, float, float]:
    """A, B, C, xi, eta, zeta of the paper."""
    return (
        dot(rows[0], rows[0]),
        dot(rows[1], rows[1]),
        dot(rows[2], rows[2]),
        2 * dot(rows[1], rows[2]),
        2 * dot(rows[0], rows[2]),
        2 * dot(rows[0], rows[1]),
    )


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _exchange(rows: Floats, i: int, j: int) -> None:
    for x in range(3):
        rows[i, x], rows[j, x] = -rows[j, x], -rows[i, x]
        rows[3 - i - j, x] *= -1


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _ordered(rows: Floats, e: float) -> None:
    a, b, _, xi, eta, _ = _metric(rows)
    if b + e < a or (abs(a - b) < e and abs(xi) > abs(eta) + e):
        _exchange(rows, 0, 1)


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _swapped(rows: Floats, e: float) -> bool:
    _, b, c, _, eta, zeta = _metric(rows)
    if c + e < b or (abs(b - c) < e and abs(eta) > abs(zeta) + e):
        _exchange(rows, 1, 2)
        return True
    return False


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _signed(rows: Floats, e: float) -> None:
    """All angles below 90 degrees, or none."""
    _, _, _, xi, eta, zeta = _metric(rows)
    sign = np.zeros(3)
    for i, value in enumerate((xi, eta, zeta)):
        sign[i] = 0.0 if abs(value) < e else np.sign(value)
    acute = sign[0] * sign[1] * sign[2] == 1
    flip = np.where(sign == (-1.0 if acute else 1.0), -1.0, 1.0)
    if flip[0] * flip[1] * flip[2] == -1:  # a right angle may turn with either
        flip[np.flatnonzero(sign == 0)[-1]] = -1.0
    for i in range(3):
        for x in range(3):
            rows[i, x] *= flip[i]


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _beyond(value: float, edge: float, other: float, twice: float, e: float) -> bool:
    """Is a product beyond half a square, or at its end with the others on the wrong side."""
    return bool(
        abs(value) > edge + e
        or (abs(edge - value) < e and other - e > 2 * twice)
        or (abs(edge + value) < e and -e > other)
    )


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _shortened(rows: Floats, e: float) -> bool:
    a, b, _, xi, eta, zeta = _metric(rows)
    if _beyond(xi, b, zeta, eta, e):
        rows[2] -= np.sign(xi) * rows[1]
        return True
    if _beyond(eta, a, zeta, xi, e):
        rows[2] -= np.sign(eta) * rows[0]
        return True
    if _beyond(zeta, a, eta, xi, e):
        rows[1] -= np.sign(zeta) * rows[0]
        return True
    total = xi + eta + zeta + a + b
    if -e > total or abs(total) < e < zeta + (a + eta) * 2:
        rows[2] += rows[0] + rows[1]
        return True
    return False


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _ambiguous(rows: Floats, e: float) -> bool:
    found, _ = mappings(rows, parameters(rows), e, 1.0)
    unlike = 0
    for basis in found:
        unlike += np.abs(basis).sum() > 3
    return bool(unlike > 0)

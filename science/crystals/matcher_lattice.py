"""Lattice reduction and the search for equivalent cells, compiled for the matcher.

Cells are (3, 3) matrices whose rows are the lattice vectors [Angstrom]. ``niggli`` follows
Grosse-Kunstleve, Sauter and Adams 2004 (Acta Cryst. A 60, 1), ``lll`` Lenstra, Lenstra and Lovasz
1982, and ``mappings`` lists what pymatgen's ``Lattice.find_all_mappings`` yields, because the
matcher has to see the very lattices that ``StructureMatcher`` sees.
"""

from __future__ import annotations

import math

import numpy as np

from science.crystals.matcher_compiled import Floats, Ints, compiled, kept

NEAR = 1e-9  # closer than this to a threshold, two programs may decide differently
_LOVASZ = 0.75


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def dot(a: Floats, b: Floats) -> float:
    """Scalar product of two vectors."""
    return float(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def inverse(m: Floats) -> Floats:
    """Inverse of a (3, 3) matrix by its cofactors; exact for integers of determinant one."""
    out = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            a, b, c, d = (j + 1) % 3, (j + 2) % 3, (i + 1) % 3, (i + 2) % 3
            out[i, j] = m[a, c] * m[b, d] - m[a, d] * m[b, c]
    out /= m[0, 0] * out[0, 0] + m[0, 1] * out[1, 0] + m[0, 2] * out[2, 0]
    return out


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def times(a: Floats, b: Floats) -> Floats:
    """Product of an (n, 3) and a (3, 3) matrix; small enough to beat a call of BLAS."""
    out = np.empty((a.shape[0], 3))
    for i in range(a.shape[0]):
        for j in range(3):
            out[i, j] = a[i, 0] * b[0, j] + a[i, 1] * b[1, j] + a[i, 2] * b[2, j]
    return out


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def parameters(rows: Floats) -> Floats:
    """Lengths a, b, c [Angstrom] and angles alpha, beta, gamma [degree] in one vector."""
    out = np.empty(6)
    for i in range(3):
        out[i] = math.sqrt(dot(rows[i], rows[i]))
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        cosine = dot(rows[j], rows[k]) / (out[j] * out[k])
        out[3 + i] = math.degrees(math.acos(min(1.0, max(-1.0, cosine))))
    return out


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def from_parameters(p: Floats) -> Floats:
    """Rows of a cell with these lengths and angles; c along z, a in the xz plane."""
    cos, sin = np.cos(np.radians(p[3:])), np.sin(np.radians(p[3:]))
    across = min(1.0, max(-1.0, (cos[0] * cos[1] - cos[2]) / (sin[0] * sin[1])))
    rows = np.zeros((3, 3))
    rows[0, 0], rows[0, 2] = p[0] * sin[1], p[0] * cos[1]
    rows[1, 0], rows[1, 2] = -p[1] * sin[0] * across, p[1] * cos[0]
    rows[1, 1] = p[1] * sin[0] * math.sqrt(1 - across * across)
    rows[2, 2] = p[2]
    return rows


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def determinant(m: Floats) -> float:
    """Determinant of a (3, 3) matrix: the signed volume of a cell."""
    return float(
        m[0, 0] * (m[1, 1] * m[2, 2] - m[1, 2] * m[2, 1])
        - m[0, 1] * (m[1, 0] * m[2, 2] - m[1, 2] * m[2, 0])
        + m[0, 2] * (m[1, 0] * m[2, 1] - m[1, 1] * m[2, 0])
    )


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _gram_schmidt(rows: Floats) -> tuple[Floats, Floats]:
    b, mu = rows.copy(), np.eye(3)
    for i in range(1, 3):
        for j in range(i):
            mu[i, j] = dot(rows[i], b[j]) / dot(b[j], b[j])
            for x in range(3):
                b[i, x] -= mu[i, j] * b[j, x]
    return b, mu


@kept
def lll(cell: Floats) -> tuple[Floats, bool]:
    """Reduced rows, and whether a rounding was so close that another program might differ."""
    rows, k, tie = cell.copy(), 1, False
    for _ in range(1000):
        b, mu = _gram_schmidt(rows)
        for i in range(k - 1, -1, -1):
            q = np.rint(mu[k, i])
            tie |= abs(abs(mu[k, i] - q) - 0.5) < NEAR
            for x in range(3):
                rows[k, x] -= q * rows[i, x]
                mu[k, x] -= q * mu[i, x] if x <= i else 0.0
        gap = dot(b[k], b[k]) - (_LOVASZ - mu[k, k - 1] ** 2) * dot(b[k - 1], b[k - 1])
        tie |= abs(gap) < NEAR * dot(b[k - 1], b[k - 1])
        if gap >= 0:
            k += 1
            if k == 3:
                return rows, tie
        else:
            for x in range(3):
                rows[k, x], rows[k - 1, x] = rows[k - 1, x], rows[k, x]
            k = max(k - 1, 1)
    return rows, True


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def vectors(rows: Floats, radius: float) -> tuple[Ints, Floats]:
    """Lattice vectors no longer than ``radius``: integers (n, 3) and lengths (n,)."""
    back = inverse(rows)
    top = np.empty(3, dtype=np.int64)
    for i in range(3):
        top[i] = int(radius * math.sqrt(dot(back[:, i], back[:, i])) + 1e-6)
    size = (2 * top[0] + 1) * (2 * top[1] + 1) * (2 * top[2] + 1)
    whole, length, n = np.empty((size, 3), dtype=np.int64), np.empty(size), 0
    for i in range(-top[0], top[0] + 1):
        for j in range(-top[1], top[1] + 1):
            for k in range(-top[2], top[2] + 1):
                square = 0.0
                for x in range(3):
                    square += (i * rows[0, x] + j * rows[1, x] + k * rows[2, x]) ** 2
                if 0 < square <= radius * radius:
                    whole[n, 0], whole[n, 1], whole[n, 2] = i, j, k
                    length[n] = math.sqrt(square)
                    n += 1
    return whole[:n], length[:n]

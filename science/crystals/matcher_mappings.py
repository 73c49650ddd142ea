"""All bases of one lattice that resemble another's within tolerances, compiled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from science.crystals.matcher_compiled import Floats, Ints, compiled, kept
from science.crystals.matcher_lattice import NEAR, vectors


@kept
def mappings(rows: Floats, target: Floats, ltol: float, atol: float) -> tuple[Ints, bool]:
    """Integer bases (n, 3, 3) of ``rows`` whose lengths and angles are close to ``target``.

    Bases span the lattice itself, not a superlattice: their determinant is 1 or -1.

    Args:
        rows: (3, 3) lattice vectors; best reduced.
        target: lengths and angles to resemble.
        ltol: each length is within a factor of 1 + ltol.
        atol: each angle is within this many degrees.

    Returns:
        The bases, and whether one is so close to a tolerance that another program might differ.
    """
    whole, length = vectors(rows, target[:3].max() * (1 + ltol) * (1 + NEAR))
    kept, close = _resembling(length, target, ltol)
    axes = np.empty((len(whole), 3))
    for n in range(len(whole)):
        for x in range(3):
            axes[n, x] = (
                whole[n, 0] * rows[0, x] + whole[n, 1] * rows[1, x] + whole[n, 2] * rows[2, x]
            ) / length[n]
    low, high = _cosines(target, atol)
    found, n, risky = np.empty((64, 3, 3), dtype=np.int64), 0, False
    for a in kept[0]:
        for b in kept[1]:
            gamma = _inside(axes[a], axes[b], low[2], high[2])
            for c in kept[2] if gamma else kept[2][:0]:
                sure = min(gamma, _third(axes[a], axes[b], axes[c], low, high))
                if sure == 0 or abs(_volume(whole[a], whole[b], whole[c])) != 1:
                    continue
                if n == len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                found[n, 0], found[n, 1], found[n, 2] = whole[a], whole[b], whole[c]
                risky |= sure == 1 or close[a] or close[b] or close[c]
                n += 1
    return found[:n], risky


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _cosines(target: Floats, atol: float) -> tuple[Floats, Floats]:
    """Smallest and largest cosine of each angle; beyond any at 0 and 180 degrees."""
    low, high = np.empty(3), np.empty(3)
    for i in range(3):
        most, least = target[3 + i] + atol, target[3 + i] - atol
        low[i] = math.cos(math.radians(most)) if most < 180 else -2.0
        high[i] = math.cos(math.radians(least)) if least > 0 else 2.0
    return low, high


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _third(a: Floats, b: Floats, c: Floats, low: Floats, high: Floats) -> int:
    """As `_inside`, of the angles that the third vector adds."""
    alpha = _inside(b, c, low[0], high[0])
    return min(alpha, _inside(a, c, low[1], high[1])) if alpha else 0


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _inside(one: Floats, two: Floats, low: float, high: float) -> int:
    """0 outside, 1 so close to an end that it may be either, 2 inside."""
    cosine = one[0] * two[0] + one[1] * two[1] + one[2] * two[2]
    if cosine < low - NEAR or cosine > high + NEAR:
        return 0
    return 1 if cosine < low + NEAR or cosine > high - NEAR else 2


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _volume(a: Ints, b: Ints, c: Ints) -> int:
    return int(
        a[0] * (b[1] * c[2] - b[2] * c[1])
        - a[1] * (b[0] * c[2] - b[2] * c[0])
        + a[2] * (b[0] * c[1] - b[1] * c[0])
    )


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _resembling(length: Floats, target: Floats, ltol: float) -> tuple[list[Any], Any]:
    """For each of three lengths the vectors that resemble it; and who is at a limit of one."""
    kept, close = [], np.zeros(len(length), dtype=np.bool_)
    for i in range(3):
        ratio = length / target[i]
        inside = (ratio < (1 + ltol) * (1 + NEAR)) & (ratio > (1 - NEAR) / (1 + ltol))
        close |= inside & ((ratio > (1 + ltol) * (1 - NEAR)) | (ratio < (1 + NEAR) / (1 + ltol)))
        kept.append(np.flatnonzero(inside))
    return kept, close

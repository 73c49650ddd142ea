"""The common cell in which two crystals are compared, compiled."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from science.crystals.matcher_compiled import Floats, compiled
from science.crystals.matcher_lattice import NEAR, determinant, inverse, lll, times

_NUDGE = 1e-7  # large enough to settle a close call one way or the other, and no more


class Frame(NamedTuple):
    """A common cell of two crystals.

    Attributes:
        cell: (3, 3) the mean of both cells.
        reduced: (3, 3) the same lattice, LLL-reduced.
        images: (27, 3) vectors to the neighbouring cells [Angstrom].
        change: (3, 3) from fractional coordinates in ``cell`` to those in ``reduced``.
        reach: (2, 3) largest allowed difference of coordinates in both cells.
        free: free length (V / N)^(1/3) [Angstrom].
        tie: whether the reduction was a close call.
    """

    cell: Floats
    reduced: Floats
    images: Floats
    change: Floats
    reach: Floats
    free: float
    tie: bool


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def frame(cell: Floats, n: int, stol: float, variant: int) -> Frame:
    """The common cell; variants above 0 settle close calls of its reduction in other ways."""
    nudged = cell.copy()
    for i in range(3 if variant else 0):
        for x in range(3):
            nudged[i, x] *= 1 + _NUDGE * math.sin(variant * (7 * i + 3 * x + 1))
    reduced, tie = lll(nudged)
    if variant:
        reduced = times(np.rint(times(reduced, inverse(nudged))), cell)
    free = (abs(determinant(cell)) / n) ** (1 / 3)
    reach, images = np.empty((2, 3)), np.empty((27, 3))
    one, two = inverse(cell), inverse(reduced)
    for x in range(3):
        reach[0, x] = 2 * stol * free * math.sqrt((one[:, x] ** 2).sum())
        reach[1, x] = 2 * stol * free * math.sqrt((two[:, x] ** 2).sum())
    for k in range(27):
        i, j, m = k // 9 - 1, k // 3 % 3 - 1, k % 3 - 1
        for x in range(3):
            images[k, x] = i * reduced[0, x] + j * reduced[1, x] + m * reduced[2, x]
    return Frame(cell, reduced, images, times(cell, two), reach, free, tie)


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def within(one: Floats, two: Floats, reach: Floats) -> int:
    """2 if every coordinate is within reach, 0 if not, 1 if that hangs on rounding."""
    answer = 2
    for x in range(3):
        gap = one[x] - two[x]
        gap = abs(gap - np.rint(gap))
        if gap > reach[x] + NEAR:
            return 0
        if gap > reach[x] - NEAR:
            answer = 1
    return answer

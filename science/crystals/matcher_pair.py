"""One pair of reduced crystals, compiled: the least rms over all cells and translations.

The arithmetic of pymatgen's ``StructureMatcher`` (Ong et al. 2013, Comput. Mater. Sci. 68, 314),
done with bounds: where a number depends on how two equal distances are ordered, or on which side of
a tolerance a rounding falls, the answer is an interval that holds every outcome.
"""

from __future__ import annotations

import math

import numpy as np

from science.crystals.matcher_assign import FORBIDDEN, assign, drifts
from science.crystals.matcher_lattice import (
    NEAR,
    Floats,
    Ints,
    compiled,
    determinant,
    from_parameters,
    inverse,
    lll,
    parameters,
    times,
)
from science.crystals.matcher_mappings import mappings

_TIE = 1e-9  # of the squared free length; equally far


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def pair(
    one: Floats,
    cell_one: Floats,
    two: Floats,
    cell_two: Floats,
    block: Ints,
    anchor: int,
    ltol: float,
    stol: float,
    atol: float,
) -> tuple[float, float]:
    """Bounds (low, high) of the rms displacement / (V / N)^(1/3); infinite without a match.

    Args:
        one: fractional coordinates (n, 3), sites of one element together.
        cell_one: its lattice vectors (3, 3); best reduced.
        two: fractional coordinates (n, 3), elements in the same order.
        cell_two: its lattice vectors (3, 3), Niggli-reduced.
        block: where the elements begin, and n at the end.
        anchor: the site of ``two`` that is laid on its likes in ``one``.
        ltol: tolerance of lengths, as a fraction.
        stol: tolerance of sites, as a fraction of (V / N)^(1/3).
        atol: tolerance of angles [degree].
    """
    ratio = (abs(determinant(cell_two)) / abs(determinant(cell_one))) ** (1 / 6)
    rows, target = cell_one * ratio, parameters(cell_two / ratio)
    target[:3] = parameters(cell_two)[:3] / ratio
    found, risky = mappings(rows, target, ltol, atol)
    low, high = np.inf, np.inf
    element = np.searchsorted(block, anchor, side="right") - 1
    for basis in found:
        whole = basis.astype(np.float64)
        sites = times(one, inverse(whole))
        mean = from_parameters((parameters(times(whole, rows)) + target) / 2)
        frame = _frame(mean, len(one), stol)
        for at in range(block[element], block[element + 1]):
            moved = two + (sites[at] - two[anchor])
            gate = _reachable(sites, moved, block, frame[3])
            if gate > 0:
                least, most = _displacement(sites, moved, block, mean, frame, min(high, stol))
                low = min(low, least)
                high = min(high, most) if gate == 2 else high
    return (0.0 if risky else low), (np.inf if risky else high)


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _frame(mean: Floats, n: int, stol: float) -> Floats:
    """Rows 0-2 the reduced cell; 3 and 4 the reach [fraction] in the cell and the reduced one;

    5 the free length (V / N)^(1/3), and whether the reduction was a close call.
    """
    out = np.zeros((6, 3))
    reduced, tie = lll(mean)
    free = (abs(determinant(mean)) / n) ** (1 / 3)
    out[:3] = reduced
    for row, cell in ((3, mean), (4, reduced)):
        back = inverse(cell)
        for x in range(3):
            out[row, x] = 2 * stol * free * math.sqrt((back[:, x] ** 2).sum())
    out[5, 0], out[5, 1] = free, 1.0 if tie else 0.0
    return out


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _reachable(one: Floats, two: Floats, block: Ints, reach: Floats) -> int:
    """2 if each site of two has one of its kind within reach, 0 if not, 1 if nobody can tell."""
    answer = 2
    for b in range(len(block) - 1):
        for i in range(block[b], block[b + 1]):
            best = 0
            for j in range(block[b], block[b + 1]):
                best = max(best, _within(two[i], one[j], reach))
                if best == 2:
                    break
            answer = min(answer, best)
            if answer == 0:
                return 0
    return answer


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _within(one: Floats, two: Floats, reach: Floats) -> int:
    answer = 2
    for x in range(3):
        gap = one[x] - two[x]
        gap = abs(gap - np.rint(gap))
        if gap > reach[x] + NEAR:
            return 0
        if gap > reach[x] - NEAR:
            answer = 1
    return answer


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _displacement(
    one: Floats, two: Floats, block: Ints, mean: Floats, frame: Floats, enough: float
) -> tuple[float, float]:
    """Bounds of the rms for one cell and one translation; not refined above ``enough``."""
    n, free = len(one), frame[5, 0]
    change = times(mean, inverse(frame[:3]))
    a, b = times(one, change), times(two, change)
    a, b = a - np.floor(a), b - np.floor(b)
    square, spread, drift = 0.0, 0.0, np.zeros(3)
    tied = False
    start = np.zeros(n + 1, dtype=np.int64)
    partner, vector = np.empty(64, dtype=np.int64), np.empty((64, 3))
    doubt = False
    for e in range(len(block) - 1):
        first, last = block[e], block[e + 1]
        cost = np.full((last - first, last - first), FORBIDDEN)
        for i in range(first, last):
            for j in range(first, last):
                inside = _within(b[i], a[j], frame[4])
                doubt |= inside == 1
                if inside > 0:
                    cost[i - first, j - first] = _nearest(b[i], a[j], frame)
        chosen, u, v = assign(cost)
        for i in range(first, last):
            count = start[i]
            for j in range(first, last):
                edge = cost[i - first, j - first]
                slack = edge - u[i - first] - v[j - first]
                if edge < FORBIDDEN and slack < _TIE * free * free:
                    if count + 27 > len(partner):
                        partner = np.concatenate((partner, np.empty_like(partner)))
                        vector = np.concatenate((vector, np.empty_like(vector)))
                    more = _shortest(b[i], a[j], frame, edge, vector[count:])
                    partner[count : count + more] = j
                    count += more
            pick = cost[i - first, chosen[i - first]]
            if pick >= FORBIDDEN or count == start[i]:
                return np.inf, np.inf
            square += pick
            spread += math.sqrt(pick)
            tied |= count > start[i] + 1
            drift += vector[start[i]]
            start[i + 1] = count
    if frame[5, 1] > 0 or doubt:
        pass
    if not tied:
        rms = math.sqrt(max(0.0, square / n - (drift**2).sum() / n**2)) / free
        return rms, rms
    low = math.sqrt(max(0.0, square / n - (spread / n) ** 2)) / free
    if low > enough:
        return low, np.inf
    least, most = drifts(np.arange(n), start, partner, vector)
    return (
        math.sqrt(max(0.0, square / n - most / n**2)) / free,
        math.sqrt(max(0.0, square / n - least / n**2)) / free,
    )


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _image(one: Floats, two: Floats, frame: Floats, k: int, out: Floats) -> float:
    """Squared length [Angstrom^2] of the way from one to the k-th image of two, put in ``out``."""
    x = two[0] - one[0] + (k // 9 - 1)
    y = two[1] - one[1] + (k // 3 % 3 - 1)
    z = two[2] - one[2] + (k % 3 - 1)
    square = 0.0
    for c in range(3):
        out[c] = x * frame[0, c] + y * frame[1, c] + z * frame[2, c]
        square += out[c] * out[c]
    return square


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _nearest(one: Floats, two: Floats, frame: Floats) -> float:
    best, way = np.inf, np.empty(3)
    for k in range(27):
        best = min(best, _image(one, two, frame, k, way))
    return best


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _shortest(one: Floats, two: Floats, frame: Floats, edge: float, out: Floats) -> int:
    """Puts all the images at the least distance in ``out``; returns how many they are."""
    count, limit = 0, edge + _TIE * frame[5, 0] ** 2
    for k in range(27):
        if _image(one, two, frame, k, out[count]) <= limit:
            count += 1
    return count

"""How far the sites of two crystals are apart in one common cell, compiled."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from science.crystals.matcher_assign import FORBIDDEN, assign, drifts
from science.crystals.matcher_compiled import Floats, Ints, compiled
from science.crystals.matcher_frame import Frame, within
from science.crystals.matcher_lattice import times

_TIE = 1e-9  # of the squared free length; equally far


class Space(NamedTuple):
    """Room to work in, made once for a pair of crystals of n sites."""

    cost: Floats
    image: Ints
    chosen: Ints
    price: Floats
    work: Floats
    link: Ints


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def space(n: int) -> Space:
    """Room for n sites."""
    return Space(
        np.empty((n, n)),
        np.empty((n, n), dtype=np.int64),
        np.empty(n, dtype=np.int64),
        np.empty((2, n + 1)),
        np.empty((2, n + 1)),
        np.empty((2, n + 1), dtype=np.int64),
    )


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def reachable(one: Floats, two: Floats, block: Ints, reach: Floats) -> int:
    """As `within`: does each site of two have one of its kind within reach."""
    answer = 2
    for b in range(len(block) - 1):
        for i in range(block[b], block[b + 1]):
            best = 0
            for j in range(block[b], block[b + 1]):
                best = max(best, within(two[i], one[j], reach))
                if best == 2:
                    break
            answer = min(answer, best)
            if answer == 0:
                return 0
    return answer


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def displacement(
    one: Floats, two: Floats, block: Ints, f: Frame, room: Space, enough: float, wide: bool
) -> tuple[float, float, int]:
    """Bounds of rms / free length for one cell and translation; not refined above ``enough``.

    ``wide`` lets pairs pass whose reach hangs on rounding. The last number is 0 if all pairs of a
    kind were within reach, 1 if some were not, 2 if that hung on rounding.
    """
    a, b = _wrapped(one, f), _wrapped(two, f)
    n, square, spread, limit = len(a), 0.0, 0.0, _TIE * f.free * f.free
    tied, gate, drift = False, 0, np.zeros(3)
    for e in range(len(block) - 1):
        first, last = block[e], block[e + 1]
        cost = room.cost[first:last, first:last]
        gate = max(gate, _costs(a, b, first, last, f, room, wide))
        assign(cost, room.chosen[first:last], room.price, room.work, room.link)
        for i in range(last - first):
            j = room.chosen[first + i]
            if cost[i, j] >= FORBIDDEN:
                return np.inf, np.inf, gate
            square += cost[i, j]
            spread += math.sqrt(cost[i, j])
            near = cost[i, j] + limit
            tied |= _way(b[first + i], a[first + j], f.images, near, drift)
        tied = tied or _contested(cost, room.chosen[first:last], room.price, limit)
    rms = math.sqrt(max(0.0, square / n - (drift**2).sum() / n**2)) / f.free
    if not tied:
        return rms, rms, gate
    low = math.sqrt(max(0.0, square / n - (spread / n) ** 2)) / f.free
    if low > enough:
        return low, np.inf, gate
    least, most = _choices(a, b, block, f, room)
    low = math.sqrt(max(0.0, square / n - most / n**2)) / f.free
    return low, math.sqrt(max(0.0, square / n - least / n**2)) / f.free, gate


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _wrapped(frac: Floats, f: Frame) -> Floats:
    """Cartesian places [Angstrom] in the reduced cell itself, and its coordinates behind them."""
    out = np.empty((len(frac), 6))
    inside = times(frac, f.change)
    inside -= np.floor(inside)
    out[:, :3], out[:, 3:] = times(inside, f.reduced), inside
    return out


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _costs(a: Floats, b: Floats, first: int, last: int, f: Frame, room: Space, wide: bool) -> int:
    gate = 0
    for i in range(first, last):
        for j in range(first, last):
            inside = within(b[i, 3:], a[j, 3:], f.reach[1])
            gate = max(gate, (1, 2, 0)[inside])
            passed = inside == 2 or (wide and inside == 1)
            room.cost[i, j] = _nearest(b[i], a[j], f.images) if passed else FORBIDDEN
    return gate


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _nearest(one: Floats, two: Floats, images: Floats) -> float:
    """Least squared distance [Angstrom^2] from a place to the images of another."""
    x, y, z = two[0] - one[0], two[1] - one[1], two[2] - one[2]
    best = np.inf
    for k in range(27):
        square = (x + images[k, 0]) ** 2 + (y + images[k, 1]) ** 2 + (z + images[k, 2]) ** 2
        best = min(best, square)
    return best


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _way(one: Floats, two: Floats, images: Floats, limit: float, drift: Floats) -> bool:
    """Adds the shortest way [Angstrom] to ``drift``; says whether another is as short."""
    x, y, z = two[0] - one[0], two[1] - one[1], two[2] - one[2]
    best, at, count = np.inf, 0, 0
    for k in range(27):
        square = (x + images[k, 0]) ** 2 + (y + images[k, 1]) ** 2 + (z + images[k, 2]) ** 2
        count += square <= limit
        if square < best:
            best, at = square, k
    drift[0] += x + images[at, 0]
    drift[1] += y + images[at, 1]
    drift[2] += z + images[at, 2]
    return count > 1


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _contested(cost: Floats, chosen: Ints, price: Floats, limit: float) -> bool:
    """Is there another assignment at the same cost: a circle of edges that cost nothing more."""
    n, left = len(cost), 0
    alive = np.ones(n, dtype=np.bool_)
    while left != alive.sum():
        left = alive.sum()
        for i in range(n):
            if alive[i]:
                alive[i] = False
                for k in range(n):
                    slack = cost[i, chosen[k]] - price[0, i + 1] - price[1, chosen[k] + 1]
                    if k != i and alive[k] and slack < limit:
                        alive[i] = True
                        break
    return bool(left > 0)


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _choices(a: Floats, b: Floats, block: Ints, f: Frame, room: Space) -> tuple[float, float]:
    """Least and largest squared sum of displacements over all that are equally good."""
    limit, n = _TIE * f.free * f.free, len(a)
    start, count = np.zeros(n + 1, dtype=np.int64), 0
    partner, vector = np.empty(64, dtype=np.int64), np.empty((64, 3))
    for e in range(len(block) - 1):
        first, last = block[e], block[e + 1]
        cost = room.cost[first:last, first:last]
        assign(cost, room.chosen[first:last], room.price, room.work, room.link)
        for i in range(last - first):
            for j in range(last - first):
                if cost[i, j] - room.price[0, i + 1] - room.price[1, j + 1] >= limit:
                    continue
                if count + 27 > len(partner):
                    partner = np.concatenate((partner, np.empty_like(partner)))
                    vector = np.concatenate((vector, np.empty_like(vector)))
                for k in range(27):
                    way = a[first + j, :3] - b[first + i, :3] + f.images[k]
                    if (way**2).sum() <= cost[i, j] + limit:
                        partner[count], vector[count] = first + j, way
                        count += 1
            start[first + i + 1] = count
    low, high = drifts(start, partner, vector)
    return float(low), float(high)

"""Which site goes to which: optimal assignment, and what its ties leave open; compiled."""

from __future__ import annotations

import numpy as np

from science.crystals.matcher_lattice import Floats, Ints, compiled

FORBIDDEN = 1e20
_LEAVES = 20_000


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def assign(cost: Floats) -> tuple[Ints, Floats, Floats]:
    """Column of each row with the least sum, and the dual prices of rows and columns.

    Shortest augmenting paths (Jonker and Volgenant 1987, Computing 38, 325). ``cost`` is square.
    """
    n = len(cost)
    u, v = np.zeros(n + 1), np.zeros(n + 1)
    owner, way = np.zeros(n + 1, dtype=np.int64), np.zeros(n + 1, dtype=np.int64)
    for row in range(1, n + 1):
        owner[0], column = row, 0
        least, used = np.full(n + 1, np.inf), np.zeros(n + 1, dtype=np.bool_)
        while owner[column] != 0:
            used[column] = True
            i, delta, following = owner[column], np.inf, 0
            for j in range(1, n + 1):
                if not used[j]:
                    reduced = cost[i - 1, j - 1] - u[i] - v[j]
                    if reduced < least[j]:
                        least[j], way[j] = reduced, column
                    if least[j] < delta:
                        delta, following = least[j], j
            for j in range(n + 1):
                if used[j]:
                    u[owner[j]] += delta
                    v[j] -= delta
                else:
                    least[j] -= delta
            column = following
        while column != 0:
            owner[column] = owner[way[column]]
            column = way[column]
    chosen = np.empty(n, dtype=np.int64)
    for j in range(1, n + 1):
        chosen[owner[j] - 1] = j - 1
    return chosen, u[1:], v[1:]


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def drifts(site: Ints, start: Ints, partner: Ints, vector: Floats) -> tuple[float, float]:
    """Least and largest squared length of the summed displacement over all equally good choices.

    Options of site i are the rows ``start[i]`` to ``start[i + 1]`` of ``partner`` (n,) and
    ``vector`` (n, 3); no partner may serve twice. ``site`` is the order in which to go through the
    sites. Returns (0, inf) if there are too many choices to go through.
    """
    n = len(site)
    at, taken = start[site].copy(), np.zeros(n, dtype=np.bool_)
    held = np.full(n, -1, dtype=np.int64)
    total = np.zeros((n + 1, 3))
    low, high, depth, steps = np.inf, 0.0, 0, 0
    while depth >= 0:
        steps += 1
        if steps > _LEAVES:
            return 0.0, np.inf
        if depth == n:
            square = (total[n] ** 2).sum()
            low, high = min(low, square), max(high, square)
            depth -= 1
            continue
        i = site[depth]
        if held[depth] >= 0:
            taken[held[depth]] = False
            held[depth] = -1
        while at[depth] < start[i + 1] and taken[partner[at[depth]]]:
            at[depth] += 1
        if at[depth] == start[i + 1]:
            at[depth] = start[i]
            depth -= 1
            continue
        option = at[depth]
        held[depth] = partner[option]
        taken[held[depth]] = True
        total[depth + 1] = total[depth] + vector[option]
        at[depth] += 1
        depth += 1
    return low, high

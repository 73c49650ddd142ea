"""Which site goes to which: optimal assignment, and what its ties leave open; compiled."""

from __future__ import annotations

import numpy as np

from science.crystals.matcher_compiled import Floats, Ints, compiled, kept

FORBIDDEN = 1e20
_STEPS = 20_000


@kept
def assign(cost: Floats, chosen: Ints, price: Floats, work: Floats, link: Ints) -> None:
    """Column of each row with the least sum, in ``chosen`` (n,), and the dual prices.

    Shortest augmenting paths (Jonker and Volgenant 1987, Computing 38, 325).

    Args:
        cost: (n, n).
        chosen: (n,) to be filled.
        price: (2, n + 1) to be filled from place 1 on: of the rows and of the columns.
        work: (2, n + 1) to work in.
        link: (2, n + 1) to work in.
    """
    n = len(cost)
    owner, price[:, : n + 1] = link[0], 0.0
    owner[: n + 1] = 0
    for row in range(1, n + 1):
        owner[0] = row
        column = _reach_free(cost, price, work, link)
        while column != 0:
            owner[column] = owner[link[1, column]]
            column = link[1, column]
    for j in range(1, n + 1):
        chosen[owner[j] - 1] = j - 1


@compiled  # type: ignore[untyped-decorator, unused-ignore]
def _reach_free(cost: Floats, price: Floats, work: Floats, link: Ints) -> int:
    """The free column at the end of the shortest path from the row that waits in column 0."""
    n, column = len(cost), 0
    owner, way, least, used = link[0], link[1], work[0], work[1]
    least[: n + 1], used[: n + 1] = np.inf, 0.0
    while owner[column] != 0:
        used[column] = 1.0
        i, delta, following = owner[column], np.inf, 0
        for j in range(1, n + 1):
            if used[j] == 0.0:
                reduced = cost[i - 1, j - 1] - price[0, i] - price[1, j]
                if reduced < least[j]:
                    least[j], way[j] = reduced, column
                if least[j] < delta:
                    delta, following = least[j], j
        for j in range(n + 1):
            if used[j] == 1.0:
                price[0, owner[j]] += delta
                price[1, j] -= delta
            else:
                least[j] -= delta
        column = following
    return column


@kept
def drifts(start: Ints, partner: Ints, vector: Floats) -> tuple[float, float]:
    """Least and largest squared length of the summed displacement over all equally good choices.

    Options of site i are the rows ``start[i]`` to ``start[i + 1]`` of ``partner`` and ``vector``
    (options, 3); no partner may serve twice. Returns (0, inf) if there are too many choices.
    """
    n = len(start) - 1
    at, held = start[:n].copy(), np.full(n, -1, dtype=np.int64)
    taken, total = np.zeros(n, dtype=np.bool_), np.zeros((n + 1, 3))
    low, high, depth = np.inf, 0.0, 0
    for _ in range(_STEPS):
        if depth == n:
            square = (total[n] ** 2).sum()
            low, high, depth = min(low, square), max(high, square), n - 1
        if held[depth] >= 0:
            taken[held[depth]], held[depth] = False, -1
        while at[depth] < start[depth + 1] and taken[partner[at[depth]]]:
            at[depth] += 1
        option = at[depth]
        if option < start[depth + 1]:
            held[depth] = partner[option]
            taken[held[depth]] = True
            total[depth + 1] = total[depth] + vector[option]
            at[depth] = option + 1
            depth += 1
        elif depth == 0:
            return low, high
        else:
            at[depth] = start[depth]
            depth -= 1
    return 0.0, np.inf

"""Computing: a sequence folds on a lattice, one Monte-Carlo move after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from science.core.ladder import Answer, Asked
from science.core.seeds import derive, rng
from science.proteins.contacts import Floats32
from science.proteins.ladder_problem import Questions
from science.proteins.ladder_ways import WATER
from science.proteins.lattice import Floats, backbite, bitten, neighbours

SWEEPS, MOVES = 12, 4000
HOT, COLD = 4.0, 0.35  # first and last temperature, in units of one contact
EVERY = 20  # moves between counts


def lattice_annealing(asked: Asked) -> Answer:
    """Fold the sequence on a lattice by Monte Carlo, and count which residues touch when cold.

    Hydrophobic residues that touch gain one unit, all else is nothing (Lau and Dill 1989,
    Macromolecules 22, 3986); the chain fills a box and moves by biting its own back (Mansfield
    1982). A chain that does not fill one is continued by residues that gain nothing.
    """
    questions: Questions = asked.questions
    maps = []
    for number, alignment in enumerate(questions.alignments):
        query = alignment.tokens[0]
        maps.append(folded(query, derive(asked.seed, "ladder", "annealing", number)))
    return Answer(maps)


def folded(query: NDArray[np.uint8], seed: int) -> Floats32:
    """(L, L) share of the colder half of an annealing in which each pair touches."""
    length = len(query)
    box = smallest(length)
    near = neighbours(box)
    oily = np.zeros(len(near))
    oily[:length] = WATER[query] > 0
    gain = np.outer(oily, oily)
    random, shape = rng(seed, "annealing"), backbite(box, 1, seed)[0]
    seen = np.zeros_like(gain)
    for sweep, heat in enumerate(np.geomspace(HOT, COLD, SWEEPS)):
        ends, draws = random.integers(0, 2, MOVES), random.random((MOVES, 2))
        shape, count = _annealed(shape, near, gain, ends, draws, heat)
        if 2 * sweep >= SWEEPS:
            seen += count
    made: Floats32 = ((seen + seen.T) / seen.max(initial=1.0))[:length, :length].astype(np.float32)
    return made


def smallest(length: int) -> tuple[int, int, int]:
    """The box nearest to a cube that holds a chain and is filled best."""
    side = max(2, round(length ** (1 / 3)))
    boxes = [(a, b, c) for a in range(2, side + 3) for b in range(a, side + 3)
             for c in range(b, side + 4) if a * b * c >= length]  # fmt: skip
    return min(boxes, key=lambda box: (box[0] * box[1] * box[2], box[2] - box[0]))


_compiled: Callable[..., Any] = numba.njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def _touching(path: NDArray[np.int64], near: NDArray[np.int64], seen: Floats) -> None:
    """Add one to every pair of residues, the earlier one first, that touches."""
    at = np.empty(len(path), np.int64)
    for k in range(len(path)):
        at[path[k]] = k
    for k in range(len(path)):
        for place in near[path[k]]:
            if place >= 0 and at[place] > k + 1:
                seen[k, at[place]] += 1


@_compiled
def _gained(path: NDArray[np.int64], near: NDArray[np.int64], gain: Floats) -> float:
    """What all touching pairs of a chain gain together."""
    at = np.empty(len(path), np.int64)
    for k in range(len(path)):
        at[path[k]] = k
    total = 0.0
    for k in range(len(path)):
        for place in near[path[k]]:
            if place >= 0 and at[place] > k + 1:
                total += gain[k, at[place]]
    return total


@_compiled
def _annealed(
    start: NDArray[np.int64],
    near: NDArray[np.int64],
    gain: Floats,
    ends: NDArray[np.int64],
    draws: Floats,
    heat: float,
) -> tuple[NDArray[np.int64], Floats]:
    """The chain after Metropolis moves at one temperature, and how often each pair touched."""
    path, seen = start.copy(), np.zeros_like(gain)
    now = _gained(path, near, gain)
    for move in range(len(draws)):
        trial = bitten(path, near, ends[move : move + 1], draws[move : move + 1, 0])
        then = _gained(trial, near, gain)
        if then >= now or draws[move, 1] < np.exp((then - now) / heat):
            path, now = trial, then
        if move % EVERY == 0:
            _touching(path, near, seen)
    return path, seen
